import type { LogicalType } from "../../../core/schema.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { literal } from "./identifier.ts";

/** A column's default as information_schema shows it. */
export interface DefaultRow {
  readonly defaultText: string | null;
  readonly extra: string;
}

/** What a column takes when a statement does not name it. */
export type ColumnDefault =
  | { readonly kind: "none" }
  /** The value's text, as the server would print it. */
  | { readonly kind: "constant"; readonly native: string; readonly text: string }
  | { readonly kind: "expression"; readonly native: string };

const NONE: ColumnDefault = { kind: "none" };
const NOW = /^current_timestamp(?:\(\d*\))?$/i;
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const BITS = /^b'([01]*)'$/i;
const HEX = /^0x([0-9a-f]*)$/i;

/**
 * MariaDB shows the default as SQL writes it, NULL included. MySQL shows the bare value of a constant, so that
 * `NULL` or `current_timestamp` may be a string, and marks an expression in EXTRA; 5.7 has none but the current time.
 */
export function columnDefault(row: DefaultRow, type: LogicalType, facts: ServerFacts): ColumnDefault {
  const text = row.defaultText;
  if (text === null) return NONE;
  return facts.flavour === "mariadb" ? ofMariadb(text) : ofMysql(text, row, type);
}

function ofMariadb(text: string): ColumnDefault {
  if (text.toUpperCase() === "NULL") return NONE;
  const string = stringValue(text);
  if (string !== undefined) return { kind: "constant", native: text, text: string };
  if (NUMBER.test(text)) return { kind: "constant", native: text, text };
  const bits = BITS.exec(text);
  if (bits !== null) return { kind: "constant", native: text, text: bits[1]! };
  return { kind: "expression", native: text };
}

function ofMysql(text: string, { extra }: DefaultRow, type: LogicalType): ColumnDefault {
  const isTime = type.kind === "timestamp" || type.kind === "date" || type.kind === "time";
  if (isTime && NOW.test(text)) return { kind: "expression", native: text };
  if (/default_generated/i.test(extra)) return { kind: "expression", native: `(${unescaped(text)})` };
  const bits = BITS.exec(text);
  if (type.kind === "bit" && bits !== null) return { kind: "constant", native: text, text: bits[1]! };
  const isNumber =
    type.kind === "int" || type.kind === "float" || type.kind === "decimal" || type.kind === "boolean";
  if (isNumber && NUMBER.test(text)) return { kind: "constant", native: text, text };
  const hex = type.kind === "bytes" ? HEX.exec(text) : null;
  if (hex !== null) {
    return { kind: "constant", native: text, text: Buffer.from(hex[1]!, "hex").toString("latin1") };
  }
  return { kind: "constant", native: literal(text), text };
}

/** MySQL 8 shows expressions with a backslash before quotes and backslashes. */
export function unescaped(expression: string): string {
  return expression.replace(/\\(['\\])/g, "$1");
}

/** `on update CURRENT_TIMESTAMP(6)`; undefined for a column that an update leaves as it is. */
export function updateExpression(extra: string): string | undefined {
  return /\bon update (current_timestamp(?:\(\d*\))?)/i.exec(extra)?.[1];
}

const escapes: Readonly<Record<string, string>> = {
  "0": "\0",
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  Z: "\u001a",
};

/** The value of one string literal; undefined for anything else. */
function stringValue(sql: string): string | undefined {
  if (!/^'(?:[^'\\]|''|\\[\s\S])*'$/.test(sql)) return undefined;
  return sql.slice(1, -1).replace(/''|\\([\s\S])/g, (pair, character: string | undefined) => {
    return character === undefined ? pair[0]! : (escapes[character] ?? character);
  });
}
