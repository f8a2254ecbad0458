import type { TablePlan } from "../../../core/plan.ts";
import { foldedKey } from "../../shared/catalog/folded-keys.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { binaryForm, sameBinaryForm } from "../catalog/binary-form.ts";
import { shapeSql } from "../catalog/geometry-type.ts";
import type { TargetColumn, TargetTable } from "./apply-table.ts";

/** Forms of types that have no equality, or one that is not identity; they are compared by their text. */
const withoutEquality = new Set(
  "json jsonpath point lseg path box polygon line circle txid_snapshot pg_snapshot".split(" "),
);

/** The type char(n), as the catalog names it. */
const FILLED_UP = "pg_catalog.bpchar";

/**
 * How a table's columns stand in SQL beside parameters that are the source's bytes. In text the
 * target's column reads them; in binary it does so only when both sides' forms agree, else the
 * parameter is declared as what the source sends and SQL casts it.
 */
export class ApplyColumns {
  readonly #plan: TablePlan;
  readonly #target: TargetTable | undefined;
  readonly #binary: boolean;
  /** Ordinals that neither side computes. */
  readonly written: readonly number[];
  /** Those of them that no UPDATE may set: identities that are always generated. */
  readonly fixed: readonly number[];
  /** Columns of the target, by their names in SQL, whose values are the target's own: nothing writes them. */
  readonly own: readonly string[];

  constructor(plan: TablePlan, target: TargetTable | undefined, encoding: "pg-binary" | "text") {
    this.#plan = plan;
    this.#target = target;
    this.#binary = encoding === "pg-binary";
    this.written = plan.source.columns.flatMap((column, ordinal) =>
      column.generated !== undefined || this.#targetColumn(ordinal)?.generated === true ? [] : [ordinal],
    );
    this.fixed = this.written.filter((ordinal) => !this.isSettable(ordinal));
    const names = new Set(this.written.map((ordinal) => plan.target.columns[ordinal]!.name));
    this.own = [...(target?.columns ?? [])].flatMap(([name, { generated }]) =>
      names.has(name) || generated ? [] : [identifier(name)],
    );
  }

  name(ordinal: number): string {
    return identifier(this.#plan.target.columns[ordinal]!.name);
  }

  /** An UPDATE may set an identity ALWAYS to DEFAULT only. */
  isSettable(ordinal: number): boolean {
    const isAlways = this.#plan.source.columns[ordinal]!.identity === "always";
    return !isAlways && this.#targetColumn(ordinal)?.identityAlways !== true;
  }

  /** A parameter as a value to store; stored by assignment, so a longer or finer value is not cut silently. */
  value(ordinal: number, parameter: string): string {
    if (!this.#agrees(ordinal)) return `${parameter}::${this.#sourceType(ordinal)}`;
    return this.#castsBytes(ordinal) ? shapeSql(parameter) : parameter;
  }

  /** Equality with a key's value, in the column's own type so that an index serves. */
  equals(ordinal: number, parameter: string): string {
    return `${this.name(ordinal)} = ${this.#comparable(ordinal, parameter)}`;
  }

  /** Equality that holds for NULL too, for a row that only all its values identify. */
  isSame(ordinal: number, parameter: string): string {
    if (this.#hasEquality(ordinal)) {
      return `${this.name(ordinal)} is not distinct from ${this.#comparable(ordinal, parameter)}`;
    }
    const value = this.#castsBytes(ordinal) ? this.#comparable(ordinal, parameter) : parameter;
    const text = this.#binary ? `${parameter}::${this.#sourceType(ordinal)}` : value;
    return `${this.name(ordinal)}::text is not distinct from ${text}::text`;
  }

  /** Whether isSame() also holds for values that are written differently. */
  isLoose(ordinal: number): boolean {
    return this.#hasEquality(ordinal) && this.#targetColumn(ordinal)?.exact === false;
  }

  /** Ordinals of the key of which the target takes values for the same that the source tells apart. */
  get foldedKey(): readonly number[] {
    const column = (name: string): TargetColumn | undefined => this.#target?.columns.get(name);
    // What fills up a value of that type is told apart nowhere.
    const folds = (name: string): boolean =>
      column(name)?.exact === false && column(name)?.type !== FILLED_UP;
    return foldedKey(this.#plan, folds);
  }

  /**
   * Whether columns hold the parameters' values to the byte, as the server keeps them: `*=` compares images, for
   * which both sides must be of one type.
   */
  isIdentical(ordinals: readonly number[], parameterOf: (ordinal: number) => string): string {
    return this.#isIdentical(ordinals, parameterOf, (type) => [type]);
  }

  /**
   * The same for values of a key. The spaces that fill one up are none of it, and only what is stored has them for
   * certain.
   */
  isIdenticalKey(ordinals: readonly number[], parameterOf: (ordinal: number) => string): string {
    return this.#isIdentical(ordinals, parameterOf, (type) =>
      type === FILLED_UP ? [type, "pg_catalog.text"] : [type],
    );
  }

  #isIdentical(
    ordinals: readonly number[],
    parameterOf: (ordinal: number) => string,
    castsOf: (type: string) => readonly string[],
  ): string {
    const typed = (ordinal: number, sql: string): string => {
      const type = this.#targetColumn(ordinal)?.type;
      return [sql, ...(type === undefined ? [] : castsOf(type))].join("::");
    };
    const columns = ordinals.map((o) => typed(o, this.name(o))).join(", ");
    const values = ordinals.map((o) => typed(o, this.#comparable(o, parameterOf(o)))).join(", ");
    return `row(${columns})::record operator(pg_catalog.*=) row(${values})::record`;
  }

  /** A value in the text form as one of the column's type, to store and to compare. */
  literal(ordinal: number, text: string): string {
    const type = this.#targetColumn(ordinal)?.type;
    const value = this.#castsBytes(ordinal) ? shapeSql(literal(text)) : literal(text);
    return type === undefined ? value : `${value}::${type}`;
  }

  /** The type in which a staging table keeps a column: its bytes in COPY's binary form are what the source sent. */
  stageType(ordinal: number): string {
    if (!this.#binary) return "pg_catalog.text";
    const target = this.#targetColumn(ordinal);
    return this.#agrees(ordinal) && target !== undefined ? target.type : this.#sourceType(ordinal);
  }

  /** A staged value as one to store, and as one to compare with the column. */
  staged(ordinal: number, use: "store" | "compare"): string {
    const target = this.#targetColumn(ordinal);
    const isText = !this.#binary || (use === "compare" && !this.#agrees(ordinal));
    const value = this.#castsBytes(ordinal) ? shapeSql(`s.c${ordinal}`) : `s.c${ordinal}`;
    return isText && target !== undefined ? `${value}::${target.type}` : value;
  }

  /** Whether the target table itself takes the source's bytes in a binary COPY. */
  get takesRows(): boolean {
    return this.#binary && this.written.every((ordinal) => this.#agrees(ordinal));
  }

  #hasEquality(ordinal: number): boolean {
    const form = this.#targetColumn(ordinal)?.form?.replace("[]", "");
    return form !== undefined && !withoutEquality.has(form);
  }

  #comparable(ordinal: number, parameter: string): string {
    const type = this.#targetColumn(ordinal)?.type;
    const isCast = !this.#agrees(ordinal) || this.#castsBytes(ordinal);
    const value = this.value(ordinal, parameter);
    return isCast && type !== undefined ? `${value}::${type}` : value;
  }

  /** Whether the column takes the bytes whose text the source sends, but not that text. */
  #castsBytes(ordinal: number): boolean {
    const isOther = !this.#binary && this.#targetColumn(ordinal)?.castsBytes === true;
    return isOther && this.#plan.source.columns[ordinal]!.type.kind === "bytes";
  }

  #targetColumn(ordinal: number): TargetColumn | undefined {
    return this.#target?.columns.get(this.#plan.target.columns[ordinal]!.name);
  }

  /** Whether the column itself can read the source's bytes. A table that is not there says so by itself. */
  #agrees(ordinal: number): boolean {
    const target = this.#targetColumn(ordinal);
    return (
      !this.#binary ||
      target === undefined ||
      sameBinaryForm(binaryForm(this.#plan.source.columns[ordinal]!), target.form)
    );
  }

  /** SQL name of the built-in type that the source sends in binary, free of any length. */
  #sourceType(ordinal: number): string {
    const form = binaryForm(this.#plan.source.columns[ordinal]!) ?? "text";
    const name = form.endsWith("[]") ? `_${form.slice(0, -2)}` : form === "characters" ? "text" : form;
    return `pg_catalog.${identifier(name)}`;
  }
}
