import { isUtf8 } from "node:buffer";
import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { MigrationError } from "../../core/error.ts";
import type { ChangeHeader, Expression, ExpressionInput, Mask, TablePlan } from "../../core/plan.ts";
import { displayTable, type LogicalType } from "../../core/schema.ts";
import { type InputKind, inputKind, inputValue, resultText, ValueFault } from "./expression-values.ts";
import { maskText } from "./masks.ts";
import { opened } from "./sqlite.ts";

/** Why SQLite does not take an expression; undefined when it does. `inputCount`: how many parameters it may name. */
export function checkExpression(sql: string, inputCount: number): string | undefined {
  try {
    const statement = opened().prepare(`select\n${sql}\n`);
    if (statement.columns().length !== 1) return "it gives more than one value";
    opened().prepare(`select (\n${sql}\n)`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const beyond = parametersOf(sql).find((number) => number < 1 || number > inputCount);
  return beyond === undefined ? undefined : `it names the parameter ?${beyond}, which nothing is given for`;
}

/** Strings, quoted names, comments; else a parameter. */
const PARAMETERS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\?(\d+)/g;

function parametersOf(sql: string): readonly number[] {
  return [...sql.matchAll(PARAMETERS)].flatMap(([, number]) => (number === undefined ? [] : Number(number)));
}

/** The column of the plan that an expression makes. */
interface MadeColumn {
  readonly ordinal: number;
  readonly name: string;
  readonly type: LogicalType;
  readonly mask: Mask | undefined;
}

/** What a header says of the row at work; null where there is nothing to say. */
export interface Headers {
  value(header: ChangeHeader): string | null;
}

/** Where the expressions find a row's values. */
export interface InputCells {
  /** Gives the column's value, or that before the change, to take(); to takeNull() for NULL. */
  give(inputs: Expressions, place: number, ordinal: number, isBefore: boolean): void;
}

/**
 * All expressions of a table in one statement, evaluated for one row at a time:
 *
 *     expressions.evaluate(cells, headers)      then texts[i] is the value of column made[i]
 */
export class Expressions {
  /** Ordinals of the plan's columns that are made. */
  readonly made: readonly number[];
  /** What the statement needs, each thing once. */
  readonly inputs: readonly ExpressionInput[];
  /** The last results, in the text forms of the columns' types. */
  readonly texts: (string | null)[];
  readonly #columns: readonly MadeColumn[];
  readonly #plan: TablePlan;
  readonly #kinds: readonly InputKind[];
  readonly #values: SQLInputValue[];
  readonly #sql: readonly string[];
  readonly #statement: StatementSync;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    const inputs: ExpressionInput[] = [];
    const places = new Map<string, number>();
    const placeOf = (input: ExpressionInput): number => {
      const key = JSON.stringify(input);
      const place = places.get(key) ?? inputs.push(input);
      places.set(key, place);
      return place;
    };
    const columns: MadeColumn[] = [];
    const texts: string[] = [];
    for (const [ordinal, origin] of plan.rows!.columns.entries()) {
      if (origin.kind !== "expression") continue;
      const { name, type } = plan.source.columns[ordinal]!;
      columns.push({ ordinal, name: plan.target.columns[ordinal]?.name ?? name, type, mask: origin.mask });
      const sql = renumbered(origin.expression, placeOf);
      // Bytes that || has put together are a text to SQLite, and would be read as one.
      texts.push(type.kind === "bytes" ? asBytes(sql) : `(\n${sql}\n)`);
    }
    this.#columns = columns;
    this.made = columns.map(({ ordinal }) => ordinal);
    this.inputs = inputs;
    this.texts = columns.map(() => null);
    const { reads } = plan.rows!;
    this.#kinds = inputs.map((input) => {
      const isColumn = input.kind === "column" || input.kind === "before";
      return isColumn ? inputKind(reads.columns[input.ordinal]!.type) : inputKind({ kind: "opaque" });
    });
    this.#values = inputs.map((input) => (input.kind === "constant" ? input.value : null));
    this.#sql = texts;
    this.#statement = prepared(texts.join(", "));
  }

  /** Throws `mapping.expression_failed` with the column, never with a value. */
  evaluate(cells: InputCells, headers: Headers): void {
    const { inputs } = this;
    for (let place = 0; place < inputs.length; place++) {
      const input = inputs[place]!;
      if (input.kind === "header") this.#values[place] = headers.value(input.name);
      else if (input.kind !== "constant") cells.give(this, place, input.ordinal, input.kind === "before");
    }
    const row = this.#run();
    for (let i = 0; i < row.length; i++) this.texts[i] = this.#text(row[i]!, i);
  }

  /** The input at a place is the value whose text is `bytes` [start, end). */
  take(place: number, bytes: Buffer, start: number, end: number): void {
    try {
      this.#values[place] = inputValue(this.#kinds[place]!, bytes, start, end);
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      const { name } = this.#plan.rows!.reads.columns[this.#ordinal(place)]!;
      throw this.#failed(`Expressions cannot take a value of the column ${name}: ${error.message}.`);
    }
  }

  takeNull(place: number): void {
    this.#values[place] = null;
  }

  #ordinal(place: number): number {
    const input = this.inputs[place]!;
    return input.kind === "column" || input.kind === "before" ? input.ordinal : -1;
  }

  #run(): readonly SQLOutputValue[] {
    try {
      return this.#statement.get(...this.#values) as unknown as readonly SQLOutputValue[];
    } catch (error) {
      // Most of SQLite's messages name no value, but some of functions may.
      const { errstr } = error as { readonly errstr?: unknown };
      const names = this.#columns.map(({ name }) => name).join(", ");
      const reason = typeof errstr === "string" ? errstr : "it failed";
      throw this.#failed(`SQLite could not evaluate the expressions of ${names}: ${reason}.`);
    }
  }

  #text(value: SQLOutputValue, i: number): string | null {
    if (value === null) return null;
    const { name, type, mask } = this.#columns[i]!;
    try {
      if (typeof value === "string" && value.includes(NO_CHARACTER)) this.#checkText(i);
      const text = resultText(value, type);
      return mask === undefined ? text : maskText(mask, text);
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      throw this.#failed(`The expression of the column ${name} failed: ${error.message}.`);
    }
  }

  /** A text may hold that character; or bytes that are none have been read as it, and would be lost. */
  #checkText(i: number): void {
    const [bytes] = prepared(asBytes(this.#sql[i]!)).get(...this.#values) as unknown as readonly Uint8Array[];
    if (!isUtf8(bytes!)) throw new ValueFault("its result is bytes that are no text");
  }

  #failed(message: string): MigrationError {
    const { id } = this.#plan.source;
    return new MigrationError("mapping.expression_failed", { message, subject: displayTable(id), table: id });
  }
}

/** What is read in the place of bytes that are no character. */
const NO_CHARACTER = "\ufffd";

function asBytes(sql: string): string {
  return `cast((\n${sql}\n) as blob)`;
}

function prepared(values: string): StatementSync {
  const statement = opened().prepare(`select ${values}`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement;
}

/** The text with the parameters of the statement in place of its own. */
function renumbered({ sql, inputs }: Expression, placeOf: (input: ExpressionInput) => number): string {
  return sql.replaceAll(PARAMETERS, (whole, number: string | undefined) => {
    return number === undefined ? whole : `?${placeOf(inputs[Number(number) - 1]!)}`;
  });
}
