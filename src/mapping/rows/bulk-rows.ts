import { type BodyReader, CopyFrames } from "../../core/copy-frames.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { RowChunk } from "../../core/row-chunk.ts";
import { Action, type BulkProgram, bulkProgram, type HeldCell, type MadeCell } from "./bulk-program.ts";
import { CellCut } from "./cell-cut.ts";
import { CellHash } from "./cell-hash.ts";
import { CopyOutput } from "./copy-output.ts";
import { BACKSLASH, CAPITAL_N, escaped, NEWLINE, TAB } from "./copy-text.ts";
import { valueCut } from "./cuts.ts";
import { Expressions, type InputCells } from "./expression.ts";
import { LoadHeaders } from "./headers.ts";
import { HeldCells } from "./held-cells.ts";
import { isDigit, maskText, randomDigit, sha256 } from "./masks.ts";

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
  readonly #out = new CopyOutput();
  /** Of the row at work: the place that is read, whether its cell has begun, and whether a cell was written. */
  #place = 0;
  #begun = false;
  #wrote = false;
  #evaluated = false;
  /** Values that were cut off so far. */
  cuts = 0;
  readonly #plan: TablePlan;
  readonly #hash = new CellHash();
  readonly #cut = new CellCut();
  readonly #held: HeldCells;

  constructor(plan: TablePlan) {
    this.#plan = plan;
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
    this.#out.begin(bytes.length);
    this.#frames.walk(bytes, this);
    release?.();
    return this.#out.take(rows);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const { actions, limits } = this.#program;
    let at = start;
    while (at < end) {
      if (!this.#begun) this.#begin();
      if (limits[this.#place]! > 0) {
        at = this.#limited(bytes, at, end);
        continue;
      }
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
    const limit = this.#program.limits[place]!;
    if (limit > 0) this.#cut.begin(limit);
  }

  /** A cell of which so much comes as its limit says. What is made of it is made of all of it. */
  #limited(bytes: Uint8Array, start: number, end: number): number {
    const action = this.#program.actions[this.#place];
    let stop = start;
    while (stop < end && bytes[stop] !== TAB && bytes[stop] !== NEWLINE) stop++;
    const upTo = this.#cut.take(bytes, start, stop, stop < end);
    if (action === Action.holdAndPass) this.#held.add(this.#place, bytes, start, stop);
    if (action === Action.pass || action === Action.holdAndPass) this.#out.copy(bytes, start, upTo);
    else this.#mask(bytes, start, upTo);
    if (stop === end) return end;
    if (this.#cut.isCut) this.#countCut(this.#place);
    this.#end(bytes[stop]!);
    return stop + 1;
  }

  #countCut(place: number): void {
    if (this.#plan.rows!.refusesCuts === true) {
      throw valueCut(this.#plan, { kind: "column", ordinal: this.#program.ordinals[place]! });
    }
    this.cuts++;
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
    this.#out.copy(bytes, start, at);
    if (at === end) return at;
    this.#end(bytes[at]!);
    return at + 1;
  }

  /** Letters behind a backslash are no digits. */
  #mask(bytes: Uint8Array, start: number, end: number): number {
    const isRandom = this.#program.actions[this.#place] === Action.randomDigits;
    const by = this.#digit[this.#place]!;
    this.#out.room((by === BACKSLASH ? 2 : 1) * (end - start));
    const out = this.#out.bytes;
    let to = this.#out.length;
    let at = start;
    while (at < end) {
      const byte = bytes[at++]!;
      if (byte === TAB || byte === NEWLINE) {
        this.#out.length = to;
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
    this.#out.length = to;
    return at;
  }

  #hashCell(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== TAB && bytes[at] !== NEWLINE) at++;
    this.#hash.add(bytes, start, at);
    if (at === end) return at;
    const digest = this.#hash.digest();
    if (digest === null) this.#null();
    else this.#out.text(digest);
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
    this.#out.byte(NEWLINE);
    this.#place = 0;
    this.#wrote = false;
    this.#evaluated = false;
    this.#held.clear();
  }

  #separate(): void {
    if (this.#wrote) this.#out.byte(TAB);
    this.#wrote = true;
  }

  #make(cells: readonly MadeCell[]): void {
    for (const cell of cells) {
      this.#separate();
      if (cell.kind === "null") this.#null();
      else if (cell.kind === "held") this.#heldCell(cell);
      else this.#result(cell.result);
    }
  }

  #heldCell({ place, mask, limit }: HeldCell): void {
    const held = this.#held;
    let size = held.size(place);
    if (limit > 0) {
      size = held.fitting(place, limit, this.#cut);
      if (this.#cut.isCut) this.#countCut(place);
    }
    if (mask === undefined || held.isNull(place)) {
      this.#out.room(size);
      held.copy(place, size, this.#out.bytes, this.#out.length);
      this.#out.length += size;
      return;
    }
    const value = held.value(place, size);
    this.#out.text(mask.kind === "hash" ? sha256(value) : escaped(maskText(mask, value.toString("utf8"))));
  }

  #result(result: number): void {
    const expressions = this.#expressions!;
    if (!this.#evaluated) expressions.evaluate(this, this.#headers);
    this.#evaluated = true;
    const text = expressions.texts[result]!;
    if (text === null) this.#null();
    else this.#out.text(escaped(text));
  }

  #null(): void {
    this.#out.byte(BACKSLASH);
    this.#out.byte(CAPITAL_N);
  }
}

/** Only a defect can bring it. */
function misread(): RangeError {
  return new RangeError("A row has other columns than were asked for.");
}
