import type { TablePlan } from "../../../core/plan.ts";
import { qualified } from "../../shared/identifier.ts";
import type { ApplyColumns } from "./apply-columns.ts";
import { ownRows, type TargetTable } from "./apply-table.ts";
import type { PreparedStatement } from "./apply-writer.ts";

/** A command and where its parameters come from. */
export type ApplyCommand = Pick<PreparedStatement, "sql" | "params">;

/** Statements that mean a row whose key is the same to the byte; see ApplyMode.restore. */
export type Restoring = "delete" | "insert" | "setFixed" | "update";

/** How a command's text names the cells of the rows before and after. */
export interface NamedCells {
  of(ordinal: number, hasBefore: boolean): string;
  /** What follows names each cell anew: the server gives a parameter one type, by where it finds it first. */
  apart(): void;
  in(sql: string): ApplyCommand;
}

/** Parameters in the order in which the text names them first. */
class Parameters implements NamedCells {
  readonly #cells: number[] = [];
  #from = 0;

  /** From the row before or after. */
  of(ordinal: number, hasBefore: boolean): string {
    const cell = hasBefore ? ~(2 * ordinal) : 2 * ordinal;
    const known = this.#cells.indexOf(cell, this.#from);
    return `$${known < 0 ? this.#cells.push(cell) : known + 1}`;
  }

  apart(): void {
    this.#from = this.#cells.length;
  }

  in(sql: string): ApplyCommand {
    return { sql, params: Int32Array.from(this.#cells) };
  }
}

/**
 * The commands that apply one table's changes. `unchanged` has a 1 for each ordinal whose value was not sent;
 * `hasBefore`: a row before was sent, which finds the row.
 */
export class ApplySql {
  readonly #plan: TablePlan;
  readonly #target: TargetTable | undefined;
  readonly #columns: ApplyColumns;
  readonly #key: readonly number[];
  /** Of the key, what finds its row only by the bytes. */
  readonly #folded: readonly number[];
  readonly #name: string;
  /** What is updated and deleted from. */
  readonly #rows: string;
  readonly #cells: () => NamedCells;

  /** `cells`: of each command; parameters when left out. */
  constructor(
    plan: TablePlan,
    target: TargetTable | undefined,
    columns: ApplyColumns,
    cells: () => NamedCells = () => new Parameters(),
  ) {
    this.#cells = cells;
    this.#plan = plan;
    this.#target = target;
    this.#columns = columns;
    this.#key = plan.source.key;
    this.#folded = columns.foldedKey;
    this.#name = qualified(plan.target.id);
    this.#rows = ownRows(plan.target.id, target);
  }

  /** Rows are found by the bytes of their keys: the target takes some for the same that the source tells apart. */
  get isExact(): boolean {
    return this.#folded.length > 0;
  }

  /** A unique index of the key is there, which ON CONFLICT needs. */
  get canOverwrite(): boolean {
    const names = this.#key.map((o) => this.#plan.target.columns[o]!.name);
    const isOfKey = (columns: readonly string[]): boolean =>
      columns.length === names.length && names.every((name) => columns.includes(name));
    // Of a table that is not there the server says so itself.
    return this.#target?.uniques.some(isOfKey) ?? true;
  }

  /** A row in the way is left as it is, and shows as a command that changed nothing; or it is an error. */
  insert(ignores = this.#mayIgnoreConflicts()): ApplyCommand {
    return this.#insert(ignores ? " on conflict do nothing" : "");
  }

  /** Insert that overwrites the row of the same key; not where it isExact, and only where it canOverwrite. */
  upsert(): ApplyCommand {
    const columns = this.#columns;
    const set = columns.written.filter((o) => columns.isSettable(o) && !this.#key.includes(o));
    const key = this.#key.map((o) => columns.name(o)).join(", ");
    const values = set.map((o) => `${columns.name(o)} = excluded.${columns.name(o)}`).join(", ");
    const action = values === "" ? "nothing" : `update set ${values}`;
    return this.#insert(` on conflict (${key}) do ${action}`);
  }

  delete(): ApplyCommand {
    const parameters = this.#cells();
    return parameters.in(`delete from ${this.#rows} where ${this.#where(parameters, true)}`);
  }

  /** `unchanged`: of an update; every value is set when it is left out. */
  restoring(
    what: Restoring,
    unchanged: Uint8Array = new Uint8Array(this.#plan.source.columns.length),
  ): ApplyCommand {
    if (what === "setFixed") return this.setFixed(false, true);
    const columns = this.#columns;
    const parameters = this.#cells();
    if (what === "delete") {
      return parameters.in(`delete from ${this.#rows} where ${this.#whereIdentical(parameters, true)}`);
    }
    if (what === "update") {
      const set = this.#set(parameters, unchanged, false);
      return parameters.in(
        `update ${this.#rows} set ${set} where ${this.#whereIdentical(parameters, false)}`,
      );
    }
    const names = columns.written.map((o) => columns.name(o)).join(", ");
    const values = columns.written.map((o) => columns.value(o, parameters.of(o, false))).join(", ");
    parameters.apart();
    const there = `select from ${this.#rows} where ${this.#whereIdentical(parameters, false)}`;
    return parameters.in(
      `insert into ${this.#name} (${names}) overriding system value select ${values} where not exists (${there})`,
    );
  }

  update(unchanged: Uint8Array, hasBefore: boolean): ApplyCommand {
    const parameters = this.#cells();
    const set = this.#set(parameters, unchanged, hasBefore);
    return parameters.in(`update ${this.#rows} set ${set} where ${this.#where(parameters, hasBefore)}`);
  }

  /** Like update() of a row whose key changed, but nothing when the new key is there already. */
  moveUnlessThere(unchanged: Uint8Array): ApplyCommand {
    const parameters = this.#cells();
    const set = this.#set(parameters, unchanged, true);
    const where = this.#where(parameters, true);
    const taken = `select from ${this.#rows} where ${this.#where(parameters, false)}`;
    return parameters.in(`update ${this.#rows} set ${set} where ${where} and not exists (${taken})`);
  }

  /** Like update(), where no UPDATE may set all that has changed: the row is written anew. */
  rewrite(unchanged: Uint8Array, hasBefore: boolean): ApplyCommand {
    const parameters = this.#cells();
    const sent = this.#columns.written.filter((o) => unchanged[o] === 0);
    return parameters.in(this.#anew(parameters, this.#where(parameters, hasBefore), sent));
  }

  /** Gives the row, if it is there and has others, the values that no UPDATE may set; its key stays as it is. */
  setFixed(hasBefore: boolean, isIdentical = false): ApplyCommand {
    const columns = this.#columns;
    const parameters = this.#cells();
    const set = columns.fixed.filter((o) => !this.#key.includes(o));
    const same = set.map((o) => columns.isSame(o, parameters.of(o, false))).join(" and ");
    const found = isIdentical
      ? this.#whereIdentical(parameters, hasBefore)
      : this.#where(parameters, hasBefore);
    return parameters.in(this.#anew(parameters, `${found} and not (${same})`, set));
  }

  #insert(conflict: string): ApplyCommand {
    const columns = this.#columns;
    const parameters = this.#cells();
    const names = columns.written.map((o) => columns.name(o)).join(", ");
    const values = columns.written.map((o) => columns.value(o, parameters.of(o, false))).join(", ");
    const row = names === "" ? "default values" : `(${names}) overriding system value values (${values})`;
    return parameters.in(`insert into ${this.#name} ${row}${conflict}`);
  }

  /** ON CONFLICT without a target looks at every unique index, and is refused when one is deferrable. */
  #mayIgnoreConflicts(): boolean {
    const { indexes } = this.#plan.target;
    const isDeferrable = (native: string): boolean => /(?<!not )\bdeferrable\b/i.test(native);
    return this.#target?.deferrable !== true && !indexes.some((index) => isDeferrable(index.native));
  }

  /** Writes a row anew, with what was sent in some columns, and what it holds in the others. */
  #anew(parameters: NamedCells, where: string, sent: readonly number[]): string {
    const columns = this.#columns;
    const names = [...columns.written.map((o) => columns.name(o)), ...columns.own];
    const values = [
      ...columns.written.map((o) =>
        sent.includes(o) ? columns.value(o, parameters.of(o, false)) : `old.${columns.name(o)}`,
      ),
      ...columns.own.map((name) => `old.${name}`),
    ];
    return `with old as (delete from ${this.#rows} where ${where} returning *)
      insert into ${this.#name} (${names.join(", ")}) overriding system value select ${values.join(", ")} from old`;
  }

  #set(parameters: NamedCells, unchanged: Uint8Array, hasBefore: boolean): string {
    const columns = this.#columns;
    const sent = columns.written.filter((o) => unchanged[o] === 0);
    const settable = sent.filter((o) => columns.isSettable(o));
    const keyMayChange = hasBefore || this.#key.length === 0;
    const wanted = settable.filter((o) => keyMayChange || !this.#key.includes(o));
    if (wanted.length > 0) return this.#assign(parameters, wanted);
    // A change that says nothing new must still find its row: a column is set to what it is.
    const any = columns.written.find((o) => columns.isSettable(o));
    if (any !== undefined) return `${columns.name(any)} = ${columns.name(any)}`;
    return this.#assign(parameters, sent);
  }

  #assign(parameters: NamedCells, ordinals: readonly number[]): string {
    const columns = this.#columns;
    return ordinals
      .map((o) => `${columns.name(o)} = ${columns.value(o, parameters.of(o, false))}`)
      .join(", ");
  }

  /** The row of a key, its texts to the byte. What else is equal is the same on the source, too: 1.0 and 1.00. */
  #whereIdentical(parameters: NamedCells, hasBefore: boolean): string {
    const where = this.#where(parameters, hasBefore);
    const { columns } = this.#plan.source;
    const loose = this.#key.filter(
      (o) => columns[o]!.type.kind === "string" && this.#columns.isLoose(o) && !this.#folded.includes(o),
    );
    return `${where}${this.#andIdentical(loose, parameters, hasBefore)}`;
  }

  #andIdentical(ordinals: readonly number[], parameters: NamedCells, hasBefore: boolean): string {
    if (ordinals.length === 0) return "";
    return ` and ${this.#columns.isIdenticalKey(ordinals, (o) => parameters.of(o, hasBefore))}`;
  }

  /** One row: by key, or one that has all the values, if there is one as they are written. */
  #where(parameters: NamedCells, hasBefore: boolean): string {
    const columns = this.#columns;
    if (this.#key.length > 0) {
      const found = this.#key.map((o) => columns.equals(o, parameters.of(o, hasBefore))).join(" and ");
      return `${found}${this.#andIdentical(this.#folded, parameters, hasBefore)}`;
    }
    const same = columns.written.map((o) => columns.isSame(o, parameters.of(o, hasBefore))).join(" and ");
    const loose = columns.written.filter((o) => columns.isLoose(o));
    const row = this.#target?.partitioned === true ? "tableoid, ctid" : "ctid";
    const one = `select ${row} from ${this.#rows}${same === "" ? "" : ` where ${same}`}`;
    if (loose.length === 0) return `(${row}) = (${one} limit 1)`;
    const identical = columns.isIdentical(loose, (o) => parameters.of(o, hasBefore));
    // Each part ends at the first row it finds, and the second is not begun when the first has one; to sort what
    // is the same by how it is written would read the whole table for each change.
    const found = `(${one} and ${identical} limit 1) union all (${one} limit 1)`;
    return `(${row}) = (select ${row} from (${found}) as found limit 1)`;
  }
}
