import type { Column } from "../../../core/schema.ts";
import { type Comparison, numberSql, type Operator } from "../../shared/snapshot/filter-sql.ts";
import { identifier, literal } from "../catalog/identifier.ts";
import { keyColumn } from "./key-values.ts";

/** How a column is compared with values in the text form of its logical type. */
export function comparison(column: Column): Comparison {
  const { type } = column;
  const name = identifier(column.name);
  switch (type.kind) {
    case "int":
    case "decimal": {
      // A YEAR takes numbers of two digits for years of this century or the last.
      const operand = /\byear\b/i.test(column.nativeType) ? `(${name} + 0)` : name;
      return (operator, value) => `${operand} ${operator} ${numberSql(value)}`;
    }
    case "float":
      return (operator, value) => `${name} ${operator} ${doubleLiteral(value, type.bits)}`;
    case "boolean":
      return (operator, value) => `(${name} <> 0) ${operator} ${value === "t" ? 1 : 0}`;
    case "bit":
      return (operator, value) => `(${name} + 0) ${operator} ${BigInt(`0b${value}`)}`;
    case "date":
    case "timestamp":
      return (operator, value) => `${name} ${operator} ${momentLiteral(type.kind, value)}`;
    case "time":
    case "interval":
      return (operator, value) => timeComparison(name, operator, value);
    case "bytes":
      return (operator, value) => `${name} ${operator} x'${hexDigits(value)}'`;
    case "uuid":
      return (operator, value) =>
        operator === "=" ? `${name} = ${literal(value)}` : utf8Comparison(name, operator, value);
    case "enum":
    case "set":
      return (operator, value) => utf8Comparison(name, operator, value);
    case "string":
      return textComparison(column, type.fixed);
    default:
      throw new RangeError(`values of the type ${type.kind} are not compared`);
  }
}

/** As the number that a column of this size holds, with the digits that a DOUBLE needs. */
function doubleLiteral(text: string, bits: 32 | 64): string {
  const number = bits === 32 ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(number)) throw new RangeError("not a number");
  const digits = String(number);
  return `(${digits}${digits.includes("e") ? "" : "e0"})`;
}

/** A date or a timestamp; the session's zone is UTC, so that an offset, which is of UTC, is left out. */
export function momentLiteral(kind: string, text: string): string {
  if (kind === "date") return `date${literal(text)}`;
  const local = text.replace(/\+00$/, "");
  return `timestamp${literal(local.includes(" ") ? local : `${local} 00:00:00`)}`;
}

const LONGEST_TIME = 838 * 3600 + 59 * 60 + 59;

/** Of what is beyond the longest TIME there is, all values are on one side; a literal would be cut to the longest. */
function timeComparison(name: string, operator: Operator, text: string): string {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^-/, "").split(":").map(Number);
  if (3600 * hours + 60 * minutes + seconds <= LONGEST_TIME)
    return `${name} ${operator} time${literal(text)}`;
  const holds = operator === "<>" || operator.startsWith(text.startsWith("-") ? ">" : "<");
  return holds ? `${name} is not null` : "false";
}

function hexDigits(text: string): string {
  if (!/^\\x(?:[\da-f]{2})*$/.test(text)) throw new RangeError("not hexadecimal");
  return text.slice(2);
}

/** Equal ones are found by an index, too, since the same text is equal in any collation. */
function textComparison(column: Column, fixed: boolean): Comparison {
  const name = identifier(column.name);
  const sorted = column.collation === undefined ? undefined : keyColumn(column)?.sorted;
  return (operator, value) => {
    const text = fixed ? value.replace(/ +$/, "") : value;
    const compared = utf8Comparison(name, operator, text);
    return operator === "=" && sorted !== undefined
      ? `(${name} = ${sorted(text)} and ${compared})`
      : compared;
  };
}

/** In UTF-8 the order of bytes is that of code points; bytes are compared without a collation, and blanks count. */
function utf8Comparison(name: string, operator: Operator, text: string): string {
  const bytes = Buffer.from(text).toString("hex");
  return `cast(convert(${name} using utf8mb4) as binary) ${operator} x'${bytes}'`;
}

/** SQL that holds for dates that a calendar has, and is NULL for NULL. */
export function isRealDate(name: string): string {
  const inCentury = `year(${name}) % 100`;
  const leapYear = `if(${inCentury} = 0, year(${name}) % 400 = 0, ${inCentury} % 4 = 0)`;
  const days = `case when month(${name}) = 2 then 28 + (${leapYear}) when month(${name}) in (4, 6, 9, 11) then 30 else 31 end`;
  return `(month(${name}) > 0 and day(${name}) between 1 and ${days})`;
}
