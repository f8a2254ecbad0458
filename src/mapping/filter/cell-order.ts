import type { LogicalType } from "../../core/schema.ts";
import { Moment, type MomentKind } from "./moment.ts";

const SPACE = 0x20;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_I = 0x49;
const NOTHING = new Uint8Array(0);

/** Where cells of a column stand to one value, both in the text form that all engines share (docs/decisions/021). */
export interface CellOrder {
  /** Of the cell in bytes [start, end): below 0 where it is less than the value, 0 where it is equal, above 0 else. */
  compare(bytes: Uint8Array, start: number, end: number): number;
}

/** undefined for types whose values have no order that all engines share. */
export function cellOrder(type: LogicalType, value: string): CellOrder | undefined {
  switch (type.kind) {
    case "int":
    case "decimal":
      return new DecimalOrder(value);
    case "float":
      return new FloatOrder(value, type.bits);
    case "date":
    case "time":
    case "timestamp":
    case "interval":
      return new MomentOrder(type.kind, value);
    case "string":
      return type.fixed ? new PaddedOrder(value) : new TextOrder(value);
    // "f" before "t"; digits and bits in their order, bytes as their digits.
    case "boolean":
    case "enum":
    case "set":
    case "bytes":
    case "bit":
    case "uuid":
      return new TextOrder(value);
    default:
      return undefined;
  }
}

/** By code points, which is the order of UTF-8's bytes. */
class TextOrder implements CellOrder {
  readonly #value: Buffer;

  constructor(value: string) {
    this.#value = Buffer.from(value);
  }

  compare(bytes: Uint8Array, start: number, end: number): number {
    return -this.#value.compare(bytes, start, end);
  }
}

/** Texts of a fixed length, where spaces at the end are what fills them up. */
class PaddedOrder implements CellOrder {
  readonly #order: TextOrder;

  constructor(value: string) {
    this.#order = new TextOrder(value.replace(/ +$/, ""));
  }

  compare(bytes: Uint8Array, start: number, end: number): number {
    let last = end;
    while (last > start && bytes[last - 1] === SPACE) last--;
    return this.#order.compare(bytes, start, last);
  }
}

/** Numbers of any length. Like PostgreSQL, NaN is above all others. */
class DecimalOrder implements CellOrder {
  readonly #value: Digits;
  readonly #cell = new Digits();

  constructor(value: string) {
    const bytes = Buffer.from(value);
    this.#value = new Digits();
    this.#value.read(bytes, 0, bytes.length);
  }

  compare(bytes: Uint8Array, start: number, end: number): number {
    const first = bytes[start]!;
    const isNegative = first === MINUS;
    const digit = isNegative ? bytes[start + 1]! : first;
    if (digit === LETTER_I) return isNegative ? -1 : 1;
    if (digit > NINE) return 1;
    this.#cell.read(bytes, start, end);
    return this.#cell.compare(this.#value);
  }
}

/** Where the digits of a number are. */
class Digits {
  #sign = 0;
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  /** Of the digits before the point, without zeros that lead. */
  #dot = 0;
  /** Of all digits, without zeros behind the point that trail. */
  #end = 0;

  read(bytes: Uint8Array, start: number, end: number): void {
    const isNegative = bytes[start] === MINUS;
    let first = isNegative ? start + 1 : start;
    let dot = first;
    while (dot < end && bytes[dot] !== DOT) dot++;
    while (first < dot && bytes[first] === ZERO) first++;
    let last = end;
    while (last > dot + 1 && bytes[last - 1] === ZERO) last--;
    if (last === dot + 1) last = dot;
    this.#bytes = bytes;
    this.#start = first;
    this.#dot = dot;
    this.#end = last;
    this.#sign = first === last ? 0 : isNegative ? -1 : 1;
  }

  compare(other: Digits): number {
    if (this.#sign !== other.#sign || this.#sign === 0) return this.#sign - other.#sign;
    return this.#sign * this.#compareSizes(other);
  }

  #compareSizes(other: Digits): number {
    const longer = this.#dot - this.#start - (other.#dot - other.#start);
    if (longer !== 0) return longer;
    const length = this.#end - this.#start;
    const otherLength = other.#end - other.#start;
    const shared = Math.min(length, otherLength);
    for (let i = 0; i < shared; i++) {
      const difference = this.#bytes[this.#start + i]! - other.#bytes[other.#start + i]!;
      if (difference !== 0) return difference;
    }
    return length - otherLength;
  }
}

/** Numbers of 32 or 64 bits, as their shortest digits read. Like PostgreSQL, NaN is above all others. */
class FloatOrder implements CellOrder {
  readonly #value: number;
  readonly #isSingle: boolean;

  constructor(value: string, bits: 32 | 64) {
    this.#isSingle = bits === 32;
    this.#value = this.#number(value);
  }

  compare(bytes: Uint8Array, start: number, end: number): number {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
    const cell = this.#number(text);
    if (Number.isNaN(cell)) return 1;
    return cell < this.#value ? -1 : cell > this.#value ? 1 : 0;
  }

  #number(text: string): number {
    return this.#isSingle ? Math.fround(Number(text)) : Number(text);
  }
}

class MomentOrder implements CellOrder {
  readonly #kind: MomentKind;
  readonly #value = new Moment();
  readonly #cell = new Moment();

  constructor(kind: MomentKind, value: string) {
    const bytes = Buffer.from(value);
    this.#kind = kind;
    this.#value.read(kind, bytes, 0, bytes.length);
  }

  compare(bytes: Uint8Array, start: number, end: number): number {
    this.#cell.read(this.#kind, bytes, start, end);
    return this.#cell.compare(this.#value);
  }
}
