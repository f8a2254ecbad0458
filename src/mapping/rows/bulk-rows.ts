import { type BodyReader, CopyFrames } from "../../core/copy-frames.ts";
import type { Mask, TablePlan } from "../../core/plan.ts";
import type { RowChunk } from "../../core/row-chunk.ts";
import { Action, type BulkProgram, bulkProgram, type MadeCell } from "./bulk-program.ts";
import { CellHash } from "./cell-hash.ts";
import { BACKSLASH, CAPITAL_N, escaped, NEWLINE, TAB } from "./copy-text.ts";
import { Expressions, type InputCells } from "./expression.ts";
import { LoadHeaders } from "./headers.ts";
import { HeldCells } from "./held-cells.ts";
import { isDigit, maskText, randomDigit, sha256 } from "./masks.ts";

/** CopyData: `d`, and the length of itself and what follows (PostgreSQL's protocol manual). */
const FRAME_HEADER = 5;
const COPY_DATA = 0x64;

/** Room beyond what comes in: separators, NULLs. */
const SPARE = 1 << 10;
/** One that a long value has made larger is not kept. */
const LARGEST_SPARE = 1 << 21;

/**
 * Makes a plan's rows of those that are read for it (readOrdinals), in the format `pg-copy-text`. Rows may be cut
 * anywhere; what is only copied or masked in its turn passes, however long it is, and what other cells are made of is
 * kept until they are.
 */
export class BulkRows implements BodyReader, InputCells {
  readonly #program: BulkProgram;
  readonly #frames = new CopyFrames();
  readonly #expressions: Expressions | undefined;
  readonly #headers = new LoadHeaders();
  /** The byte that digits of a place become. */
  readonly #digit: Uint8Array;
  readonly #placeOf: Int32Array;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Buffers of chunks that were given back. */
  readonly #spare: Buffer[] = [];
  /** Of the row at work: the place that is read, whether its cell has begun, and whether a cell was written. */
  #place = 0;
  #begun = false;
  #wrote = false;
  #evaluated = false;
  readonly #hash = new CellHash();
  readonly #held: HeldCells;

  constructor(plan: TablePlan) {
    this.#program = bulkProgram(plan);
    const { ordinals } = this.#program;
    this.#placeOf = new Int32Array(plan.rows!.reads.columns.length).fill(-1);
    for (const [place, ordinal] of ordinals.entries()) this.#placeOf[ordinal] = place;
    this.#digit = new Uint8Array(ordinals.length);
    for (const origin of plan.rows!.columns) {
      if (origin.kind !== "column" || origin.mask?.kind !== "digits") continue;
      this.#digit[this.#placeOf[origin.ordinal]!] = origin.mask.by;
    }
    this.#held = new HeldCells(ordinals.length);
    if (plan.rows!.columns.some(({ kind }) => kind === "expression"))
      this.#expressions = new Expressions(plan);
  }

  /** What the chunk's rows become; undefined for nothing yet. Its `rows` are the chunk's, which is not needed any more. */
  map({ bytes, rows, release }: RowChunk): RowChunk | undefined {
    this.#headers.now();
    const spare = this.#spare.pop();
    const size = FRAME_HEADER + bytes.length + SPARE;
    this.#out = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    this.#length = FRAME_HEADER;
    this.#frames.walk(bytes, this);
    release?.();
    const out = this.#out;
    const done = (): void => {
      if (out.length <= LARGEST_SPARE) this.#spare.push(out);
    };
    if (this.#length === FRAME_HEADER) {
      done();
      return undefined;
    }
    const frame = this.#out.subarray(0, this.#length);
    frame[0] = COPY_DATA;
    frame.writeUInt32BE(this.#length - 1, 1);
    return { bytes: frame, rows, release: done };
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const { actions } = this.#program;
    let at = start;
    while (at < end) {
      if (!this.#begun) this.#begin();
      switch (actions[this.#place]) {
        case Action.pass:
          at = this.#pass(bytes, at, end);
          break;
        case Action.digits:
        case Action.randomDigits:
          at = this.#mask(bytes, at, end);
          break;
        case Action.hash:
          at = this.#hashCell(bytes, at, end);
          break;
        case Action.hold:
          at = this.#hold(bytes, at, end);
          break;
        case Action.holdAndPass:
          this.#hold(bytes, at, end);
          at = this.#pass(bytes, at, end);
          break;
        // A row of no columns, or a place that there is not.
        default:
          this.#end(bytes[at++]!);
      }
    }
  }

  give(inputs: Expressions, place: number, ordinal: number, isBefore: boolean): void {
    if (isBefore) inputs.takeNull(place);
    else this.#held.give(this.#placeOf[ordinal]!, inputs, place);
  }

  /** A cell, or what follows it in its row's place, is about to come. */
  #begin(): void {
    this.#begun = true;
    const place = this.#place;
    const made = this.#program.before[place]!;
    if (made.length > 0) this.#make(made);
    const action = this.#program.actions[place];
    if (action !== Action.hold && action !== undefined) this.#separate();
    if (action === Action.hold || action === Action.holdAndPass) this.#held.begin(place);
  }

  /** One cell, or several that follow each other with nothing made between them. */
  #pass(bytes: Uint8Array, start: number, end: number): number {
    const { runs } = this.#program;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      // What is in a cell has escapes for these two.
      if (byte > TAB && byte !== NEWLINE) continue;
      if (byte === TAB && runs[this.#place] === 1) this.#place++;
      else if (byte === TAB || byte === NEWLINE) break;
    }
    this.#copy(bytes, start, at);
    if (at === end) return at;
    this.#end(bytes[at]!);
    return at + 1;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#room(length);
    const to = this.#length;
    this.#length = to + length;
    // A call into the runtime costs as much as some dozen bytes.
    if (length > 48) {
      this.#out.set(bytes.subarray(start, end), to);
      return;
    }
    const out = this.#out;
    for (let i = 0; i < length; i++) out[to + i] = bytes[start + i]!;
  }

  /** Letters behind a backslash are no digits. */
  #mask(bytes: Uint8Array, start: number, end: number): number {
    const isRandom = this.#program.actions[this.#place] === Action.randomDigits;
    const by = this.#digit[this.#place]!;
    this.#room((by === BACKSLASH ? 2 : 1) * (end - start));
    const out = this.#out;
    let to = this.#length;
    let at = start;
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === TAB || byte === NEWLINE) {
        this.#length = to;
        this.#end(byte);
        return at;
      }
      if (!isDigit(byte)) out[to++] = byte;
      else if (isRandom) out[to++] = randomDigit();
      else {
        if (by === BACKSLASH) out[to++] = BACKSLASH;
        out[to++] = by;
      }
    }
    this.#length = to;
    return at;
  }

  #hashCell(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== TAB && bytes[at] !== NEWLINE) at++;
    this.#hash.add(bytes, start, at);
    if (at === end) return at;
    const digest = this.#hash.digest();
    if (digest === null) this.#null();
    else this.#text(digest);
    this.#end(bytes[at]!);
    return at + 1;
  }

  #hold(bytes: Uint8Array, start: number, end: number): number {
    const alone = this.#program.actions[this.#place] === Action.hold;
    let at = start;
    while (at < end && bytes[at] !== TAB && bytes[at] !== NEWLINE) at++;
    this.#held.add(this.#place, bytes, start, at);
    if (at === end) return at;
    if (alone) this.#end(bytes[at]!);
    return at + 1;
  }

  /** A cell ends, and with a newline the row. */
  #end(separator: number): void {
    this.#begun = false;
    this.#place++;
    const columns = this.#program.ordinals.length;
    if (this.#place < columns !== (separator === TAB)) throw misread();
    if (separator === TAB) return;
    const made = this.#program.before[columns]!;
    // A row of no columns has begun with them.
    if (made.length > 0 && columns > 0) this.#make(made);
    this.#room(1);
    this.#out[this.#length++] = NEWLINE;
    this.#place = 0;
    this.#wrote = false;
    this.#evaluated = false;
    this.#held.clear();
  }

  #separate(): void {
    if (this.#wrote) {
      this.#room(1);
      this.#out[this.#length++] = TAB;
    }
    this.#wrote = true;
  }

  #make(cells: readonly MadeCell[]): void {
    for (const cell of cells) {
      this.#separate();
      if (cell.kind === "null") this.#null();
      else if (cell.kind === "held") this.#heldCell(cell.place, cell.mask);
      else this.#result(cell.result);
    }
  }

  #heldCell(place: number, mask: Mask | undefined): void {
    const held = this.#held;
    if (mask === undefined || held.isNull(place)) {
      const size = held.size(place);
      this.#room(size);
      held.copy(place, this.#out, this.#length);
      this.#length += size;
      return;
    }
    const value = held.value(place);
    this.#text(mask.kind === "hash" ? sha256(value) : escaped(maskText(mask, value.toString("utf8"))));
  }

  #result(result: number): void {
    const expressions = this.#expressions!;
    if (!this.#evaluated) expressions.evaluate(this, this.#headers);
    this.#evaluated = true;
    const text = expressions.texts[result]!;
    if (text === null) this.#null();
    else this.#text(escaped(text));
  }

  #text(text: string): void {
    this.#room(3 * text.length);
    this.#length += this.#out.write(text, this.#length, "utf8");
  }

  #null(): void {
    this.#room(2);
    this.#out[this.#length++] = BACKSLASH;
    this.#out[this.#length++] = CAPITAL_N;
  }

  /** Makes room for `size` bytes. */
  #room(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#out.length));
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }
}

/** Only a defect can bring it. */
function misread(): RangeError {
  return new RangeError("A row has other columns than were asked for.");
}
