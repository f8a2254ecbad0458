import type { Column } from "../../../core/schema.ts";
import { numberSql } from "../../shared/snapshot/filter-sql.ts";
import { identifier, literal } from "../catalog/identifier.ts";

/** How values of a key's column are compared and written, whatever lies between two of them. */
export interface KeyColumn {
  readonly name: string;
  /** What a SELECT asks for to get a value's text. */
  readonly expression: string;
  /** A value's text as SQL writes it, so that the server finds it by the index. Throws on what is no value. */
  readonly literal: (text: string) => string;
  /** A text above the first value and not above the second, about halfway; undefined when none is known. */
  readonly middle: (low: string, high: string) => string | undefined;
  /**
   * SQL of a value that compares as the column's do; NULL for a text that the column cannot hold. undefined where the
   * order of values is known here, so that a middle lies between the two for certain.
   */
  readonly sorted?: (text: string) => string;
}

/** undefined for types by whose values a key is not cut. */
export function keyColumn(column: Column): KeyColumn | undefined {
  const { name, type } = column;
  const plain = { name, expression: identifier(name) };
  switch (type.kind) {
    case "int":
    case "boolean":
      return { ...plain, literal: numberSql, middle: (low, high) => middleNumber(low, high, 0) };
    case "decimal": {
      const scale = type.scale ?? 0;
      return { ...plain, literal: numberSql, middle: (low, high) => middleNumber(low, high, scale) };
    }
    case "date":
      return { ...plain, literal, middle: middleDate };
    case "timestamp":
      return { ...plain, literal, middle: (low, high) => middleTime(low, high, type.precision) };
    case "bytes":
      return { ...plain, expression: `hex(${identifier(name)})`, literal: hexLiteral, middle: middleHex };
    case "uuid":
      return { ...plain, literal, middle: middleUuid, sorted: (text) => `cast(${literal(text)} as uuid)` };
    case "string": {
      const collation = column.collation ?? "";
      return { ...plain, literal, middle: stringMiddle(collation), sorted: sortedString(collation) };
    }
    default:
      return undefined;
  }
}

/** A character set's name is the first part of its collations' names. */
function sortedString(collation: string): (text: string) => string {
  const charset = collation.replace(/_.*/s, "");
  if (!/^\w+$/.test(collation)) return literal;
  return (text) => {
    const own = `convert(${literal(text)} using ${charset})`;
    return `if(hex(convert(${own} using utf8mb4)) = hex(${literal(text)}), ${own}, null) collate ${collation}`;
  };
}

function hexLiteral(text: string): string {
  if (!/^(?:[\dA-F]{2})*$/.test(text)) throw new RangeError("not hexadecimal");
  return `x'${text}'`;
}

function middleNumber(low: string, high: string, scale: number): string | undefined {
  const middle = middleBig(scaled(low, scale), scaled(high, scale));
  if (middle === undefined || scale === 0) return middle?.toString();
  const digits = (middle < 0n ? -middle : middle).toString().padStart(scale + 1, "0");
  return `${middle < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function scaled(text: string, scale: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, "0"));
}

/** The upper of the two in the middle, so that what is below it is never empty. */
function middleBig(low: bigint, high: bigint): bigint | undefined {
  return high <= low ? undefined : low + (high - low + 1n) / 2n;
}

const DAY_MS = 86_400_000;

function middleDate(low: string, high: string): string | undefined {
  const middle = middleBig(
    BigInt(Math.floor(instant(low) / DAY_MS)),
    BigInt(Math.floor(instant(high) / DAY_MS)),
  );
  return middle === undefined ? undefined : timeText(Number(middle) * DAY_MS).slice(0, 10);
}

/** To the column's last digit, so that keys of one second are cut, too. */
function middleTime(low: string, high: string, precision: number): string | undefined {
  const ticks = 10n ** BigInt(precision);
  const count = (text: string): bigint =>
    BigInt(instant(text) / 1000) * ticks +
    BigInt((text.split(".")[1] ?? "").slice(0, precision).padEnd(precision, "0"));
  const middle = middleBig(count(low), count(high));
  if (middle === undefined) return undefined;
  const fraction = ((middle % ticks) + ticks) % ticks;
  const second = timeText(Number((middle - fraction) / ticks) * 1000);
  return precision === 0 ? second : `${second}.${fraction.toString().padStart(precision, "0")}`;
}

/** Milliseconds since 1970 of MySQL's text without its fraction, also of dates that no calendar has. */
function instant(text: string): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = text.split(/[-: .]/).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function timeText(milliseconds: number): string {
  return new Date(Math.max(milliseconds, -62_167_219_200_000)).toISOString().slice(0, 19).replace("T", " ");
}

/** Bytes behind the first that differs which the middle is worked out of. */
const DEPTH = 8;

function middleHex(low: string, high: string): string | undefined {
  let same = 0;
  while (same < low.length && low.slice(same, same + 2) === high.slice(same, same + 2)) same += 2;
  const digits = 2 * DEPTH;
  const number = (text: string): bigint => BigInt(`0x${text.slice(same, same + digits).padEnd(digits, "0")}`);
  const middle = middleBig(number(low), number(high));
  if (middle === undefined) return undefined;
  const tail = middle.toString(16).toUpperCase().padStart(digits, "0");
  return high.slice(0, same) + tail.replace(/(?:00)+$/, "");
}

/** MariaDB sorts UUIDs by their last part first, unless they are of version 6 or later. */
function middleUuid(low: string, high: string): string | undefined {
  const order = isSwapped(low) && isSwapped(high) ? SWAPPED : IN_ORDER;
  const sorted = (text: string): string =>
    order
      .map((part) => text.split("-")[part] ?? "")
      .join("")
      .toUpperCase();
  const middle = middleHex(sorted(low), sorted(high))?.toLowerCase().padEnd(32, "0");
  if (middle === undefined) return undefined;
  const parts: string[] = [];
  let at = 0;
  for (const part of order) {
    parts[part] = middle.slice(at, at + PART_LENGTHS[part]!);
    at += PART_LENGTHS[part]!;
  }
  return parts.join("-");
}

const PART_LENGTHS = [8, 4, 4, 4, 12];
const IN_ORDER = [0, 1, 2, 3, 4];
const SWAPPED = [4, 3, 2, 1, 0];

function isSwapped(uuid: string): boolean {
  return /^.{14}[1-5]/.test(uuid);
}

const LOWEST = 0x20;
const HIGHEST = 0x7e;
const DIGIT_NINE = 0x39;
const SMALL_A = 0x61;
const SURROGATES = 0xd800;

/**
 * Where a collation puts a character is for the server to say; a guess that is wrong costs a round. Of a collation that
 * does not tell capital letters from small ones, the characters are small ones.
 */
function stringMiddle(collation: string): KeyColumn["middle"] {
  const folds = !/_(?:bin|cs)$|_as_cs/.test(collation);
  const highest = /^(?:utf8|utf16|utf32|ucs2)/.test(collation) ? SURROGATES - 1 : HIGHEST;
  const between = (first: number, last: number): number | undefined => {
    const middle = (first + last + 1) >> 1;
    const isBefore = folds && middle > DIGIT_NINE && middle < SMALL_A;
    const chosen = isBefore && last > SMALL_A ? SMALL_A : middle;
    return chosen > first && chosen < last && chosen <= highest ? chosen : undefined;
  };
  return (low, high) => {
    const fold = (text: string): number[] =>
      Array.from(folds ? text.toLowerCase() : text, (character) => character.codePointAt(0)!);
    return middleString(fold(low), fold(high), between);
  };
}

function middleString(
  low: readonly number[],
  high: readonly number[],
  between: (first: number, last: number) => number | undefined,
): string | undefined {
  let same = 0;
  while (same < low.length && low[same] === high[same]) same++;
  if (same >= high.length) return undefined;
  const common = low.slice(0, same);
  const first = low[same] ?? LOWEST;
  const middle = between(first, high[same]!);
  if (middle !== undefined) return String.fromCodePoint(...common, middle);
  // Next to each other. Above the first, by the character behind it, or else the last alone.
  if (same < low.length) {
    const above = between(low[same + 1] ?? LOWEST, HIGHEST);
    if (above !== undefined) return String.fromCodePoint(...common, first, above);
  }
  const last = String.fromCodePoint(...common, high[same]!);
  return high.length > same + 1 || same >= low.length ? last : undefined;
}
