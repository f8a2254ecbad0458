import type { Column, TableId } from "../../../core/schema.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { type Constant, constantOf, unquotedName } from "./convert-literal.ts";

export interface ConvertedDefault {
  /** Undefined when the column has none, or none that PostgreSQL has. */
  readonly sql: string | undefined;
  readonly isLeftOut: boolean;
  /** The source gives the column the current time with every update. */
  readonly followsUpdates: boolean;
}

const ON_UPDATE = /\s*\bon update\b.*$/is;
const NOW = /^(?:current_timestamp|now|localtime|localtimestamp)(?:\(\d*\))?$/i;
const TODAY = /^(?:curdate\(\)|current_date(?:\(\))?)$/i;
const NAME = "(?:`(?:[^`]|``)+`|\\w+)";
const NEXT_VALUE = new RegExp(
  `^(?:nextval\\((${NAME})\\.(${NAME})\\)|next value for (${NAME})\\.(${NAME}))$`,
  "i",
);

/**
 * A column's default as MySQL's and MariaDB's column definitions write it, in PostgreSQL's words. `sequenceOf` gives
 * the target's name of a sequence, undefined for one that does not come.
 */
export function convertDefault(
  { default: native, type }: Column,
  sequenceOf: (source: TableId) => TableId | undefined,
): ConvertedDefault {
  const followsUpdates = native !== undefined && ON_UPDATE.test(native);
  const text = withoutParentheses((native ?? "").replace(ON_UPDATE, "").trim());
  const constant = text === "" ? { kind: "null" as const } : constantOf(text);
  if (constant?.kind === "null") return { sql: undefined, isLeftOut: false, followsUpdates };
  const sql = constant === undefined ? functionOf(text, type, sequenceOf) : literalOf(constant, type);
  return { sql, isLeftOut: sql === undefined, followsUpdates };
}

function withoutParentheses(text: string): string {
  // Of an expression only such pairs can be taken away that surely belong together.
  const inner = /^\(([^()]*(?:\([^()]*\))?)\)$/s.exec(text);
  return inner === null ? text : inner[1]!.trim();
}

function functionOf(
  text: string,
  type: Column["type"],
  sequenceOf: (source: TableId) => TableId | undefined,
): string | undefined {
  if (NOW.test(text)) {
    if (type.kind === "date") return "current_date";
    if (type.kind !== "timestamp") return undefined;
    return `${type.zoned ? "current_timestamp" : "localtimestamp"}(${Math.min(type.precision, 6)})`;
  }
  if (TODAY.test(text)) return type.kind === "date" || type.kind === "timestamp" ? "current_date" : undefined;
  const [, schema, name, otherSchema, otherName] = NEXT_VALUE.exec(text) ?? [];
  if ((schema ?? otherSchema) === undefined) return undefined;
  const sequence = sequenceOf({
    schema: unquotedName(schema ?? otherSchema!),
    name: unquotedName(name ?? otherName!),
  });
  return sequence === undefined ? undefined : `nextval(${literal(qualified(sequence))}::regclass)`;
}

/** A constant as a literal of the type; undefined when PostgreSQL's type has no such value. */
function literalOf(constant: Exclude<Constant, { kind: "null" }>, type: Column["type"]): string | undefined {
  switch (type.kind) {
    case "boolean": {
      const number = numberOf(constant);
      return number === undefined ? undefined : String(Number(number) !== 0);
    }
    case "int":
    case "decimal":
    case "float":
      return numberOf(constant);
    case "bit": {
      const bits = bitsOf(constant);
      return bits === undefined || bits.length > type.length
        ? undefined
        : `B'${bits.padStart(type.length, "0")}'`;
    }
    case "bytes": {
      // The source's own form of a shape is another one.
      if (type.shape !== undefined) return undefined;
      const hex = hexOf(constant).padEnd(type.fixed ? (type.maxBytes ?? 0) * 2 : 0, "0");
      return `'\\x${hex}'::bytea`;
    }
    default: {
      const text = textOf(constant);
      return text !== undefined && isOf(text, type) ? written(text, type) : undefined;
    }
  }
}

function numberOf(constant: Exclude<Constant, { kind: "null" }>): string | undefined {
  if (constant.kind === "bits") return BigInt(`0b${constant.bits}`).toString();
  if (constant.kind === "bytes") return constant.hex === "" ? "0" : BigInt(`0x${constant.hex}`).toString();
  const text = constant.text.trim();
  return /^-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? text : undefined;
}

function bitsOf(constant: Exclude<Constant, { kind: "null" }>): string | undefined {
  if (constant.kind === "bits") return constant.bits;
  const number = numberOf(constant);
  return number === undefined || !/^\d+$/.test(number) ? undefined : BigInt(number).toString(2);
}

function hexOf(constant: Exclude<Constant, { kind: "null" }>): string {
  if (constant.kind === "bytes") return constant.hex;
  if (constant.kind === "bits") {
    const hex = BigInt(`0b${constant.bits}`).toString(16);
    return hex.length % 2 === 1 ? `0${hex}` : hex;
  }
  return Buffer.from(constant.text).toString("hex");
}

/** Bytes that are no characters are no text. */
function textOf(constant: Exclude<Constant, { kind: "null" }>): string | undefined {
  if (constant.kind === "text" || constant.kind === "number") return constant.text;
  const bytes = Buffer.from(hexOf(constant), "hex");
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;
const SPAN = /^-?\d{1,3}:\d\d:\d\d(?:\.\d{1,6})?$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function isOf(text: string, type: Column["type"]): boolean {
  if (text.includes("\0")) return false;
  switch (type.kind) {
    case "string":
    case "set":
      return true;
    case "enum":
      return type.values.includes(text);
    case "date":
      return isDate(text);
    case "timestamp": {
      const [date = "", time = "00:00:00", ...more] = text.split(" ");
      return isDate(date) && TIME.test(time) && more.length === 0;
    }
    case "time":
      return TIME.test(text);
    case "interval":
      return SPAN.test(text);
    case "uuid":
      return UUID.test(text);
    case "json":
      return isJson(text);
    default:
      return false;
  }
}

/** A zero or partial date is none. */
function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || year === 0) return false;
  const date = new Date(Date.UTC(2000, month! - 1, day!));
  date.setUTCFullYear(year, month! - 1, day!);
  return date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The catalog is read in a session of UTC. */
function written(text: string, type: Column["type"]): string {
  return literal(type.kind === "timestamp" && type.zoned ? `${text}+00` : text);
}
