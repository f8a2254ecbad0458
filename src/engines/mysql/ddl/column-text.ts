import type { SqlReader, SqlWord } from "./sql-words.ts";

/** A column as a statement defines it. */
export interface ColumnText {
  readonly name: string;
  /** In lower case: "int", "double precision". */
  readonly type: string;
  /** What stands in brackets behind the type; undefined for none. */
  readonly arguments: readonly SqlWord[] | undefined;
  readonly unsigned: boolean;
  readonly charset?: string;
  readonly collation?: string;
  /** undefined where the statement says neither. */
  readonly nullable?: boolean;
  readonly default?: DefaultText;
  /** Behind ON UPDATE: a precision, 0 for none. */
  readonly updatesWithPrecision?: number;
  readonly autoIncrement: boolean;
  readonly invisible?: boolean;
  readonly key?: "primary" | "unique";
  readonly comment: string;
}

export type DefaultText =
  | { readonly kind: "null" }
  /** Also TRUE and FALSE, as 1 and 0. */
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "bits"; readonly text: string }
  /** The current time. */
  | { readonly kind: "now"; readonly precision: number };

const TWO_WORDS: Readonly<Record<string, string>> = {
  double: "PRECISION",
  character: "VARYING",
  char: "VARYING",
};
/** What else may be said of a column, without a value and of no matter here. */
const SILENT = ["SIGNED", "VISIBLE"];

/** Thrown where a statement holds what is not known for certain. */
export class UnreadDefinition extends Error {}

/** Reads a column from its name on, up to where it is placed. Throws UnreadDefinition. */
export function readColumn(reader: SqlReader): ColumnText {
  const name = reader.name();
  const first = reader.next?.kind === "word" ? reader.take()!.text.toLowerCase() : "";
  if (name === undefined || first === "") throw new UnreadDefinition();
  const second = TWO_WORDS[first];
  const type =
    second === undefined || reader.takeIf(second) === undefined ? first : `${first} ${second.toLowerCase()}`;
  const brackets = readBrackets(reader);
  let column: ColumnText = {
    ...{ name, type, arguments: brackets, unsigned: false, autoIncrement: false, comment: "" },
  };
  for (let more = readAttribute(reader); more !== undefined; more = readAttribute(reader)) {
    column = { ...column, ...more };
  }
  return column;
}

/** undefined where the definition ends. */
function readAttribute(reader: SqlReader): Partial<ColumnText> | undefined {
  const { next } = reader;
  if (next === undefined || next.kind === "sign" || reader.isNext("FIRST", "AFTER")) return undefined;
  if (reader.takeIf(...SILENT) !== undefined) return {};
  if (reader.takeIf("INVISIBLE") !== undefined) return { invisible: true };
  if (reader.takeIf("UNSIGNED") !== undefined) return { unsigned: true };
  if (reader.takeIf("CHARSET") !== undefined) return { charset: named(reader) };
  if (reader.takeIf("CHARACTER", "CHAR") !== undefined) {
    expect(reader, "SET");
    return { charset: named(reader) };
  }
  if (reader.takeIf("COLLATE") !== undefined) return { collation: named(reader) };
  if (reader.takeIf("NULL") !== undefined) return { nullable: true };
  if (reader.takeIf("NOT") !== undefined) {
    expect(reader, "NULL");
    return { nullable: false };
  }
  if (reader.takeIf("DEFAULT") !== undefined) return { default: readDefault(reader) };
  if (reader.takeIf("ON") !== undefined) {
    expect(reader, "UPDATE");
    const now = readDefault(reader);
    if (now.kind !== "now") throw new UnreadDefinition();
    return { updatesWithPrecision: now.precision };
  }
  if (reader.takeIf("AUTO_INCREMENT") !== undefined) return { autoIncrement: true };
  if (reader.takeIf("UNIQUE") !== undefined) {
    reader.takeIf("KEY");
    return { key: "unique" };
  }
  if (reader.takeIf("PRIMARY") !== undefined || reader.isNext("KEY")) {
    expect(reader, "KEY");
    return { key: "primary" };
  }
  if (reader.takeIf("COMMENT") !== undefined) return { comment: string(reader) };
  throw new UnreadDefinition();
}

/** What follows DEFAULT: a constant, or the current time. Throws UnreadDefinition for any other expression. */
export function readDefault(reader: SqlReader): DefaultText {
  if (reader.takeIf("NULL") !== undefined) return { kind: "null" };
  const truth = reader.takeIf("TRUE", "FALSE");
  if (truth !== undefined) return { kind: "number", text: truth === "TRUE" ? "1" : "0" };
  if (reader.takeIf("CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP") !== undefined) {
    const brackets = readBrackets(reader) ?? [];
    if (brackets.length > 1) throw new UnreadDefinition();
    return { kind: "now", precision: Number(brackets[0]?.text ?? 0) };
  }
  if (reader.next?.kind === "string") return { kind: "string", text: string(reader) };
  if (reader.takeIf("B") !== undefined) return { kind: "bits", text: string(reader) };
  return { kind: "number", text: readNumber(reader) };
}

/** Digits, perhaps with a sign and a fraction. */
function readNumber(reader: SqlReader): string {
  const isNegative = reader.takeSign("-");
  if (!isNegative) reader.takeSign("+");
  const sign = isNegative ? "-" : "";
  const whole = digits(reader);
  const fraction = reader.takeSign(".") ? `.${digits(reader)}` : "";
  return `${sign}${whole}${fraction}`;
}

function digits(reader: SqlReader): string {
  const { next } = reader;
  if (next?.kind !== "word" || !/^\d+$/.test(next.text)) throw new UnreadDefinition();
  return reader.take()!.text;
}

/** Words in brackets without the commas; undefined where there are none. */
export function readBrackets(reader: SqlReader): readonly SqlWord[] | undefined {
  if (!reader.takeSign("(")) return undefined;
  const words: SqlWord[] = [];
  while (!reader.takeSign(")")) {
    const word = reader.take();
    if (word === undefined || (word.kind === "sign" && word.text !== ",")) throw new UnreadDefinition();
    if (word.kind !== "sign") words.push(word);
  }
  return words;
}

export function expect(reader: SqlReader, word: string): void {
  if (reader.takeIf(word) === undefined) throw new UnreadDefinition();
}

export function named(reader: SqlReader): string {
  const name = reader.name();
  if (name === undefined) throw new UnreadDefinition();
  return name;
}

/** One literal; the server joins several, which nobody writes. */
export function string(reader: SqlReader): string {
  if (reader.next?.kind !== "string") throw new UnreadDefinition();
  const { text } = reader.take()!;
  if ((reader.next as SqlWord | undefined)?.kind === "string") throw new UnreadDefinition();
  return text;
}
