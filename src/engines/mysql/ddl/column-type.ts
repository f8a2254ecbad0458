import { literal } from "../catalog/identifier.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { type ColumnText, UnreadDefinition } from "./column-text.ts";

/** Other names of types. */
const ALIASES: Readonly<Record<string, string>> = {
  integer: "int",
  middleint: "mediumint",
  dec: "decimal",
  numeric: "decimal",
  fixed: "decimal",
  real: "double",
  "double precision": "double",
  character: "char",
  "character varying": "varchar",
  "char varying": "varchar",
};

/** Digits that the server shows of a type without any, signed and unsigned. */
const WIDTHS: Readonly<Record<string, readonly [number, number]>> = {
  tinyint: [4, 3],
  smallint: [6, 5],
  mediumint: [9, 8],
  int: [11, 10],
  bigint: [20, 20],
};

const FLOATING = new Set(["float", "double"]);
const TIMES = new Set(["time", "datetime", "timestamp"]);
/** Shown as they are written. */
const PLAIN = new Set([
  ...["date", "tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob"],
  ...["uuid", "inet4", "inet6"],
]);
const STRINGS = /^(?:char|varchar|tinytext|text|mediumtext|longtext|enum|set)\b/;
/** Characters that a column of any character set has room for. */
const MOST_CHARS = 16_383;
const MOST_FIXED = 255;

/** COLUMN_TYPE as the server will show it. Throws UnreadDefinition where that is not certain. */
export function columnTypeText(column: ColumnText, facts: ServerFacts): string {
  const name = ALIASES[column.type] ?? column.type;
  if (name === "bool" || name === "boolean") return without(column, "tinyint(1)");
  if (name === "enum" || name === "set") return `${name}(${labels(column)})`;
  const numbers = (column.arguments ?? []).map(({ text }) => Number(text));
  if (numbers.some((number) => !Number.isSafeInteger(number))) throw new UnreadDefinition();
  const [first, second] = numbers;
  const unsigned = column.unsigned ? " unsigned" : "";
  const widths = WIDTHS[name];
  if (widths !== undefined) {
    const isShown = !hidesWidths(facts) || (name === "tinyint" && first === 1 && !column.unsigned);
    const width = first ?? widths[column.unsigned ? 1 : 0];
    return `${name}${isShown ? `(${width})` : ""}${unsigned}`;
  }
  if (name === "decimal") return `decimal(${first ?? 10},${second ?? 0})${unsigned}`;
  if (FLOATING.has(name)) {
    if (first !== undefined) throw new UnreadDefinition();
    return `${name}${unsigned}`;
  }
  if (column.unsigned) throw new UnreadDefinition();
  if (name === "bit") return `bit(${first ?? 1})`;
  if (name === "year") return hidesWidths(facts) ? "year" : "year(4)";
  if (TIMES.has(name)) return first === undefined || first === 0 ? name : `${name}(${first})`;
  if (name === "char" || name === "binary") return `${name}(${bounded(first ?? 1, MOST_FIXED)})`;
  if (name === "varchar" || name === "varbinary") return `${name}(${bounded(first, MOST_CHARS)})`;
  if (name === "json") return without(column, facts.flavour === "mariadb" ? "longtext" : "json");
  if (PLAIN.has(name)) return without(column, name);
  throw new UnreadDefinition();
}

export function isString(columnType: string): boolean {
  return STRINGS.test(columnType);
}

/** From 8.0.19 on MySQL shows no digits of whole numbers. */
function hidesWidths(facts: ServerFacts): boolean {
  return facts.flavour === "mysql" && atLeast(facts, 8, 0, 19);
}

function without(column: ColumnText, shown: string): string {
  if (column.arguments !== undefined || column.unsigned) throw new UnreadDefinition();
  return shown;
}

function bounded(length: number | undefined, most: number): number {
  if (length === undefined || length > most) throw new UnreadDefinition();
  return length;
}

/** The server takes spaces from their ends, and writes backslashes in ways of its own. */
function labels({ arguments: words = [] }: ColumnText): string {
  const isCertain =
    words.length > 0 && words.every(({ kind, text }) => kind === "string" && !/\\| $/.test(text));
  if (!isCertain) throw new UnreadDefinition();
  return words.map(({ text }) => literal(text)).join(",");
}
