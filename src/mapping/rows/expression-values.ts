import { isUtf8 } from "node:buffer";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { LogicalType } from "../../core/schema.ts";
import { realText } from "./sqlite.ts";

/** What SQLite is given for a value in the text form of its logical type (docs/decisions/021). */
export const InputKind = {
  text: 0,
  integer: 1,
  float: 2,
  decimal: 3,
  truth: 4,
  bytes: 5,
} as const;
export type InputKind = (typeof InputKind)[keyof typeof InputKind];

/** A value that an expression cannot take, or a result that is no value of its column; says why without the value. */
export class ValueFault extends Error {}

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** Digits of a decimal that a 64-bit float gives back, whatever they are. */
const EXACT_DIGITS = 15;

const SMALL_T = 0x74;

/**
 * Numbers are numbers, so that they compare as such: SQLite holds any text to be greater than any number. All others are
 * texts, but for bytes. Whether a decimal is an integer is for its type to say, not for its value: `/` divides integers into
 * integers, and is to do the same in every row.
 */
export function inputKind(type: LogicalType): InputKind {
  switch (type.kind) {
    case "int":
      return InputKind.integer;
    case "float":
      return InputKind.float;
    case "decimal":
      return type.scale !== undefined && type.scale <= 0 ? InputKind.integer : InputKind.decimal;
    case "boolean":
      return InputKind.truth;
    case "bytes":
      return InputKind.bytes;
    default:
      return InputKind.text;
  }
}

/** The value whose text is `bytes` [start, end). Throws a ValueFault for a number that SQLite has none for. */
export function inputValue(kind: InputKind, bytes: Buffer, start: number, end: number): SQLInputValue {
  if (kind === InputKind.text) return bytes.toString("utf8", start, end);
  if (kind === InputKind.truth) return bytes[start] === SMALL_T ? 1n : 0n;
  // Behind `\x`.
  if (kind === InputKind.bytes) return Buffer.from(bytes.toString("latin1", start + 2, end), "hex");
  const text = bytes.toString("latin1", start, end);
  // A text is greater than all numbers, as NaN is on a server.
  if (text === "NaN") return text;
  if (kind === InputKind.integer) return integer(text);
  return kind === InputKind.float ? Number(text) : decimal(text);
}

/** SQLite has no decimals. What its numbers cannot hold would become another value without a word. */
function decimal(text: string): SQLInputValue {
  if (!text.includes(".")) {
    const real = Number(text);
    return Number.isSafeInteger(real) || text.endsWith("Infinity") ? real : integer(text);
  }
  const digits = text.length - 1 - (text.startsWith("-") ? 1 : 0);
  if (digits > EXACT_DIGITS && text.replace(/^-?[0.]*/, "").replace(".", "").length > EXACT_DIGITS) {
    throw new ValueFault("a decimal has more than the 15 digits that SQLite's numbers hold");
  }
  return Number(text);
}

function integer(text: string): bigint {
  const value = BigInt(text);
  if (value < LEAST || value > MOST) throw new ValueFault("a number is beyond SQLite's 64-bit integers");
  return value;
}

/** A result in the text form of the column's logical type. Throws a ValueFault for one that is no value of it. */
export function resultText(value: Exclude<SQLOutputValue, null>, type: LogicalType): string {
  switch (type.kind) {
    case "boolean":
      return truthText(value);
    case "int":
      return integerText(value);
    case "decimal":
      return decimalText(value);
    case "float":
      return floatText(value);
    case "bytes":
      return `\\x${Buffer.from(typeof value === "object" ? value : plainText(value)).toString("hex")}`;
    case "date":
      return matched(DATE, plainText(value), "a date");
    case "time":
      return zoned(matched(TIME, plainText(value), "a time"), type.zoned);
    case "timestamp":
      return momentText(plainText(value), type.zoned);
    case "bit":
      return matched(/^[01]+$/, plainText(value), "bits");
    default:
      return plainText(value);
  }
}

const DATE = /^(?:\d{4,}-\d\d-\d\d(?: BC)?|-?infinity)$/;
const TIME = /^-?\d{2,3}:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::\d\d){0,2})?$/;
const MOMENT = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::\d\d){0,2})?(?: BC)?$/;
const OFFSET = /[+-]\d\d(?::\d\d){0,2}(?: BC)?$/;

function plainText(value: Exclude<SQLOutputValue, null>): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return realText(value);
  if (!isUtf8(value)) throw new ValueFault("its result is bytes that are no text");
  return Buffer.from(value).toString("utf8");
}

function truthText(value: Exclude<SQLOutputValue, null>): string {
  if (typeof value === "bigint" || typeof value === "number") return Number(value) === 0 ? "f" : "t";
  const text = plainText(value).toLowerCase();
  if (text === "t" || text === "true") return "t";
  if (text === "f" || text === "false") return "f";
  throw noValue("a boolean");
}

function integerText(value: Exclude<SQLOutputValue, null>): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") {
    if (!Number.isInteger(value)) throw noValue("a whole number");
    return BigInt(value).toString();
  }
  return BigInt(matched(/^-?\d+$/, plainText(value), "a whole number")).toString();
}

function decimalText(value: Exclude<SQLOutputValue, null>): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "number") {
    return matched(/^(?:-?\d+(?:\.\d+)?|NaN|-?Infinity)$/, plainText(value), "a number");
  }
  const shortest = String(value);
  if (shortest.length <= EXACT_DIGITS || !Number.isFinite(value)) {
    if (!shortest.includes("e")) return shortest;
  }
  if (Number.isInteger(value)) return BigInt(value).toString();
  const rounded = value.toPrecision(EXACT_DIGITS);
  // From 1e15 on its digits before the point are more than that, and no zeros end them.
  if (rounded.includes("e+")) return shortest;
  return withoutExponent(rounded).replace(/\.?0+$/, "");
}

/** Of a number below 1e15 that is not whole. */
function withoutExponent(text: string): string {
  const [digits = "", exponent] = text.split("e");
  if (exponent === undefined) return digits;
  const sign = digits.startsWith("-") ? "-" : "";
  return `${sign}0.${"0".repeat(-Number(exponent) - 1)}${digits.replaceAll(/[-.]/g, "")}`;
}

function floatText(value: Exclude<SQLOutputValue, null>): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = matched(/^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|-?Infinity)$/i, plainText(value), "a number");
  return String(Number(text));
}

/** What SQLite's own functions give is UTC. */
function momentText(text: string, isZoned: boolean): string {
  if (/^-?infinity$/.test(text)) return text;
  const spaced = text.replace(/^([^ T]+)T/, "$1 ");
  const whole = DATE.test(spaced) ? `${spaced} 00:00:00` : spaced;
  return zoned(matched(MOMENT, whole, "a date and a time"), isZoned);
}

function zoned(text: string, isZoned: boolean): string {
  if (OFFSET.test(text.slice(5)) === isZoned) return text;
  if (!isZoned) throw noValue("a time without a zone");
  return text.endsWith(" BC") ? text.replace(" BC", "+00 BC") : `${text}+00`;
}

function matched(pattern: RegExp, text: string, what: string): string {
  const trimmed = text.trim();
  if (!pattern.test(trimmed)) throw noValue(what);
  return trimmed;
}

function noValue(what: string): ValueFault {
  return new ValueFault(`its result is not ${what}`);
}
