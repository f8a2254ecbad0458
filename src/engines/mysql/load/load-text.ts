import type { BodyReader } from "../../../core/copy-frames.ts";
import { MigrationError } from "../../../core/error.ts";
import { CellForm, trimmedEnd, writeLiteral } from "../values/cell-text.ts";
import type { RangeRule } from "../values/out-of-range.ts";
import { SqlText } from "../values/sql-text.ts";
import { bits, digit, escaped, escapes, raw } from "./load-escapes.ts";

/** How a column's cells come from COPY's text into LOAD DATA's. */
export const LoadForm = {
  /** As they are: the escapes are the same, but for two that LOAD DATA does not know. */
  plain: 0,
  /** `t` or `f` as 1 or 0. */
  truth: 1,
  /** `t` or `f` as true or false. */
  truthText: 2,
  /** Hexadecimal digits as the bytes themselves. */
  bytes: 3,
  /** Only what the whole cell says decides how it is written. */
  whole: 4,
} as const;
export type LoadForm = (typeof LoadForm)[keyof typeof LoadForm];

/** What stands in a cell so far. */
const State = {
  /** Nothing. */
  start: 0,
  /** Some characters. */
  inside: 1,
  /** A backslash whose second character is still to come. */
  escape: 2,
  /** Of bytes: their mark, then the first digit of two. */
  mark: 3,
  high: 4,
  low: 5,
  /** It is NULL. */
  null: 6,
} as const;

const TAB = 0x09;
const NEWLINE = 0x0a;
const QUOTE = 0x27;
const PLUS = 0x2b;
const ZERO = 0x30;
const ONE = 0x31;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
const SMALL_T = 0x74;

const LONGEST_WORD = 5;
const FIRST_HELD = 256;
/** More than a word, and than what an escape grows by whose backslash came before. */
const SPARE = 256;

/**
 * Turns rows of COPY's text format, in the shared text form of values (docs/decisions/021), into those that LOAD
 * DATA reads in the character set `binary`, fields escaped by a backslash. Rows may be cut anywhere. What comes out
 * is hardly longer than what goes in, but for cells that are read as a whole: #room() is made for each of those.
 */
export class LoadText implements BodyReader {
  readonly #forms: Uint8Array;
  /** CellForm of the columns that are read as a whole. */
  readonly #cells: Uint8Array;
  /** No column has a form of its own, so that cells need not be told apart. */
  readonly #isPlain: boolean;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;
  #column = 0;
  #state: number = State.start;
  /** First digit of a byte. */
  #high = 0;
  /** A cell that is read as a whole, so far, and its literal. */
  #held = Buffer.allocUnsafeSlow(FIRST_HELD);
  #heldLength = 0;
  readonly #literal = new SqlText();
  readonly #range: RangeRule | undefined;
  #replaced = 0;

  /** `forms`: LoadForm of each column that is loaded; `cells`: its CellForm. */
  constructor(forms: Uint8Array, cells: Uint8Array, range?: RangeRule) {
    this.#forms = forms;
    this.#cells = cells;
    this.#range = range;
    this.#isPlain = forms.every((form) => form === LoadForm.plain);
  }

  /** How many values of the rows have come as others. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Makes room for what `size` bytes become; what is written until output() goes there. */
  begin(size: number): void {
    this.#out = Buffer.allocUnsafe(size + this.#heldLength + SPARE);
    this.#length = 0;
  }

  /** What has been written since begin(). */
  output(): Buffer {
    // A buffer takes no byte beyond its end, and does not say so.
    if (this.#length > this.#out.length) throw overrun();
    return this.#out.subarray(0, this.#length);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#room(end - start);
    if (this.#isPlain) {
      this.#plain(bytes, start, end);
      return;
    }
    let at = start;
    while (at < end) {
      switch (this.#forms[this.#column]) {
        case LoadForm.plain:
          at = this.#plainCell(bytes, at, end);
          break;
        case LoadForm.bytes:
          at = this.#bytesCell(bytes, at, end);
          break;
        default:
          at = this.#heldCell(bytes, at, end);
      }
    }
  }

  /** Whole rows of plain cells: tabs and newlines mean the same on both sides. */
  #plain(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    const piece = bytes.subarray(start, end);
    let to = this.#length;
    let at = 0;
    if (this.#state === State.escape) {
      to = escaped(out, to, piece[at++]!);
      this.#state = State.inside;
    }
    while (at < piece.length) {
      const found = piece.indexOf(BACKSLASH, at);
      const stop = found < 0 ? piece.length : found;
      out.set(piece.subarray(at, stop), to);
      to += stop - at;
      at = stop + 2;
      if (at > piece.length) {
        if (found >= 0) this.#state = State.escape;
        break;
      }
      to = escaped(out, to, piece[at - 1]!);
    }
    this.#length = to;
  }

  /** One cell, or what is there of it, with the tab or newline behind it; resolves with where the next begins. */
  #plainCell(bytes: Uint8Array, start: number, end: number): number {
    const out = this.#out;
    let to = this.#length;
    let at = start;
    if (this.#state === State.escape) {
      to = escaped(out, to, bytes[at++]!);
      this.#state = State.inside;
    }
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === BACKSLASH) {
        if (at === end) {
          this.#state = State.escape;
          break;
        }
        to = escaped(out, to, bytes[at++]!);
        continue;
      }
      out[to++] = byte;
      if (byte === TAB || byte === NEWLINE) {
        this.#next(byte);
        break;
      }
    }
    this.#length = to;
    return at;
  }

  /** `\\x` and digits, or `\N`. */
  #bytesCell(bytes: Uint8Array, start: number, end: number): number {
    const out = this.#out;
    let to = this.#length;
    let at = start;
    let state = this.#state;
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === TAB || byte === NEWLINE) {
        out[to++] = byte;
        this.#length = to;
        this.#next(byte);
        return at;
      }
      if (state === State.high) {
        this.#high = digit(byte) << 4;
        state = State.low;
      } else if (state === State.low) {
        to = raw(out, to, this.#high | digit(byte));
        state = State.high;
      } else if (state === State.start) state = State.escape;
      else if (state === State.escape) {
        if (byte === CAPITAL_N) {
          out[to++] = BACKSLASH;
          out[to++] = CAPITAL_N;
          state = State.null;
        } else state = State.mark;
      } else if (state === State.mark) state = State.high;
    }
    this.#state = state;
    this.#length = to;
    return at;
  }

  /** What is short, or must be known to its end: kept until then. */
  #heldCell(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === TAB || byte === NEWLINE) {
        this.#write(end - at);
        this.#out[this.#length++] = byte;
        this.#next(byte);
        return at;
      }
      if (this.#heldLength === this.#held.length) this.#held = twice(this.#held);
      this.#held[this.#heldLength++] = byte;
    }
    return at;
  }

  #next(separator: number): void {
    this.#column = separator === NEWLINE ? 0 : this.#column + 1;
    this.#state = State.start;
    this.#heldLength = 0;
  }

  /** Makes room for what `size` bytes become where nothing is held of them. */
  #room(size: number): void {
    const needed = this.#length + size + SPARE;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#out.length));
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }

  /** Writes the held cell; `rest`: how many bytes follow it. */
  #write(rest: number): void {
    const held = this.#held;
    let isNull = held[0] === BACKSLASH && held[1] === CAPITAL_N;
    const instead = isNull ? undefined : this.#range?.instead(this.#column, held, 0, this.#heldLength);
    if (instead !== undefined) this.#replaced++;
    if (instead === null) isNull = true;
    else if (instead !== undefined) this.#heldLength = instead.copy(held);
    const length = this.#heldLength;
    this.#room(length + rest);
    const out = this.#out;
    let to = this.#length;
    if (isNull) {
      out[to++] = BACKSLASH;
      out[to++] = CAPITAL_N;
    } else {
      const form = this.#forms[this.#column]!;
      if (form === LoadForm.truth) out[to++] = held[0] === SMALL_T ? ONE : ZERO;
      else if (form === LoadForm.truthText)
        to += out.write(held[0] === SMALL_T ? "true" : "false", to, LONGEST_WORD);
      else to = this.#whole(to, length, rest);
    }
    this.#length = to;
  }

  #whole(at: number, length: number, rest: number): number {
    const held = this.#held;
    const cell = this.#cells[this.#column]!;
    if (cell === CellForm.bits) return bits(this.#out, at, held, length);
    if (cell === CellForm.trimmed) return escapes(this.#out, at, held, trimmedEnd(held, 0, length));
    if (cell === CellForm.moment && isUtc(held, length)) {
      held.copy(this.#out, at, 0, length - 3);
      return at + length - 3;
    }
    const literal = this.#literal;
    literal.length = 0;
    // The backslash before `x` is escaped.
    const start = cell === CellForm.geometry ? 1 : 0;
    writeLiteral(literal, cell, held, start, length);
    const made = literal.bytes;
    this.#room(literal.length + rest);
    const out = this.#out;
    if (cell !== CellForm.geometry) {
      // Quotes belong to SQL alone.
      const quotes = made[0] === QUOTE ? 1 : 0;
      made.copy(out, at, quotes, literal.length - quotes);
      return at + literal.length - 2 * quotes;
    }
    let to = at;
    for (let i = 2; i + 1 < literal.length; i += 2)
      to = raw(out, to, (digit(made[i]!) << 4) | digit(made[i + 1]!));
    return to;
  }
}

function overrun(): MigrationError {
  return new MigrationError("internal.unexpected", { message: "A buffer of rows is too small." });
}

/** Whether a moment has an offset of zero hours, which is nearly always so. */
function isUtc(held: Buffer, length: number): boolean {
  return length > 8 && held[length - 3] === PLUS && held[length - 2] === ZERO && held[length - 1] === ZERO;
}

function twice(bytes: Buffer): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(2 * bytes.length);
  bytes.copy(larger);
  return larger;
}
