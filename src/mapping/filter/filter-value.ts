import type { FilterCondition } from "../../core/plan.ts";
import type { Column, LogicalType } from "../../core/schema.ts";
import { valuesOf } from "./filter-test.ts";
import { clockText, dateText, intervalText, momentText } from "./moment-text.ts";

/** What every source takes as a number: MySQL's DECIMAL has 65 digits, 30 of them behind the point. */
const MOST_DIGITS = 65;
const MOST_DECIMALS = 30;

/**
 * A condition with its values in the text form of the column's logical type, as RowFilter has them. Documents write
 * numbers as texts, dates as `2026-02-28` for timestamps, too, and booleans in several ways. A time without a zone is one of
 * UTC where the column has zones. Throws RangeError for what filterFault() has a word against.
 */
export function normalised(condition: FilterCondition, column: Column): FilterCondition {
  switch (condition.operator) {
    case "null":
    case "notnull":
      return condition;
    case "between":
    case "notbetween":
      return {
        operator: condition.operator,
        from: normalisedValue(condition.from, column),
        to: normalisedValue(condition.to, column),
      };
    default:
      return { operator: condition.operator, value: normalisedValue(condition.value, column) };
  }
}

/** Why rows cannot be filtered by a condition on a column; undefined when they can. It never quotes the value. */
export function filterFault(condition: FilterCondition, { type }: Column): string | undefined {
  const values = valuesOf(condition);
  if (values.length === 0) return undefined;
  return typeFault(type) ?? valuesFault(values, type);
}

/** Of one value; the same for the bounds of ranges that a table is read in. */
export function normalisedValue(value: string, { type }: Column): string {
  const text = valueText(value, type);
  if (text === undefined) throw new RangeError(`not a value of the type ${type.kind}`);
  return text;
}

function valuesFault(values: readonly string[], type: LogicalType): string | undefined {
  const isGood = values.every((value) => valueText(value, type) !== undefined);
  return isGood ? undefined : `what it is compared with is no ${wanted(type)}`;
}

/** Why values of a type are not compared; undefined for those that are. */
export function typeFault(type: LogicalType): string | undefined {
  switch (type.kind) {
    case "json":
    case "xml":
    case "array":
    case "opaque":
      return "values of its type are not compared";
    case "bytes":
      return type.maxBytes === undefined ? "it holds large objects, which are not compared" : undefined;
    default:
      return undefined;
  }
}

/** What a value has to be, in words. */
function wanted(type: LogicalType): string {
  switch (type.kind) {
    case "int":
      return "whole number of at most 20 digits";
    case "decimal":
      return `number of at most ${MOST_DIGITS} digits, ${MOST_DECIMALS} of them behind the point`;
    case "float":
      return `number of ${type.bits} bits`;
    case "date":
      return "date like 2026-02-28";
    case "timestamp":
      return `date or time like 2026-02-28 23:59:59.5${type.zoned ? "+01" : ", without a zone"}`;
    case "time":
      return `time like 23:59:59.5${type.zoned ? "+01" : ", without a zone"}`;
    case "interval":
      return "time like -26:59:59.5";
    case "bytes":
      return "row of hexadecimal digits";
    case "bit":
      return `row of ${type.length} digits that are 0 or 1`;
    case "boolean":
      return "true or false";
    case "uuid":
      return "UUID";
    case "enum":
      return "value of the column's list";
    case "set":
      return "part of the column's list";
    default:
      return "text that a database can hold";
  }
}

/**
 * The text form of a value; undefined when it is none of the type, or the type is one whose values are not compared. Bytes of
 * any length have one: a key's are compared, too.
 */
export function valueText(value: string, type: LogicalType): string | undefined {
  switch (type.kind) {
    case "int":
      return intText(value);
    case "decimal":
      return decimalText(value);
    case "float":
      return floatText(value, type.bits);
    case "boolean":
      return booleanText(value);
    case "date":
      return dateText(value);
    case "timestamp":
      return momentText(value, type.zoned);
    case "time":
      return clockText(value, type.zoned);
    case "interval":
      return intervalText(value);
    case "uuid":
      return uuidText(value);
    case "bytes":
      return bytesText(value);
    case "bit":
      return value.length === type.length && /^[01]*$/.test(value) ? value : undefined;
    case "enum":
      return type.values.includes(value) ? value : undefined;
    case "set":
      return setText(value, type.values);
    case "string":
      return value.isWellFormed() && !value.includes("\0") ? value : undefined;
    default:
      return undefined;
  }
}

const NUMBER = /^\s*([-+]?)0*(\d*)(?:\.(\d*?)0*)?\s*$/;

/** Digits without zeros at either end; undefined for what is no number, or has no digits at all. */
function decimalText(value: string): string | undefined {
  const found = NUMBER.exec(value);
  if (found === null || !/\d/.test(value)) return undefined;
  const [, sign = "", whole = "", fraction = ""] = found;
  if (whole.length + fraction.length > MOST_DIGITS || fraction.length > MOST_DECIMALS) return undefined;
  const digits = `${whole === "" ? "0" : whole}${fraction === "" ? "" : `.${fraction}`}`;
  return sign === "-" && digits !== "0" ? `-${digits}` : digits;
}

function intText(value: string): string | undefined {
  const text = decimalText(value);
  return text === undefined || !/^-?\d{1,20}$/.test(text) ? undefined : text;
}

/** The number of the column's size that is nearest, as what is in the column has been rounded, too. */
function floatText(value: string, bits: 32 | 64): string | undefined {
  if (!/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/i.test(value)) return undefined;
  const exact = Number(value);
  const number = bits === 32 ? Math.fround(exact) : exact;
  const isLost = number === 0 && /[1-9]/.test(value.replace(/e.*$/i, ""));
  return Number.isFinite(number) && !isLost ? String(number === 0 ? 0 : number) : undefined;
}

function booleanText(value: string): string | undefined {
  if (/^(?:t|true|1)$/i.test(value)) return "t";
  return /^(?:f|false|0)$/i.test(value) ? "f" : undefined;
}

function uuidText(value: string): string | undefined {
  const digits = value.toLowerCase().replace(/^([\da-f]{8})-(....)-(....)-(....)-/, "$1$2$3$4");
  if (!/^[\da-f]{32}$/.test(digits)) return undefined;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function bytesText(value: string): string | undefined {
  const digits = value.replace(/^(?:\\x|0x)/i, "").toLowerCase();
  return /^(?:[\da-f]{2})*$/.test(digits) ? `\\x${digits}` : undefined;
}

/** Members in the order of the list. */
function setText(value: string, members: readonly string[]): string | undefined {
  const wanted = new Set(value === "" ? [] : value.split(","));
  const found = members.filter((member) => wanted.has(member));
  return found.length === wanted.size ? found.join(",") : undefined;
}
