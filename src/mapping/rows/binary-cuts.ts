import { type BodyReader, CopyFrames } from "../../core/copy-frames.ts";
import type { ColumnOrigin, TablePlan } from "../../core/plan.ts";
import type { RowChunk } from "../../core/row-chunk.ts";
import { CopyOutput } from "./copy-output.ts";
import { binaryCut, cutsBytes, endOfWhole, valueCut } from "./cuts.ts";
import { readOrdinals } from "./row-needs.ts";

/** Of COPY's binary format (PostgreSQL's manual, COPY, "Binary Format"): signature and flags, before the extension. */
const HEADER = 15;
const LENGTH = 4;
const COUNT = 2;

/** What comes next. */
const Part = { header: 0, extension: 1, count: 2, length: 3 } as const;
type Part = (typeof Part)[keyof typeof Part];

/** What is done with bytes that come next. */
const Way = { pass: 0, hold: 1, skip: 2 } as const;
type Way = (typeof Way)[keyof typeof Way];

interface Limit {
  readonly bytes: number;
  readonly isText: boolean;
  readonly origin: ColumnOrigin;
}

/**
 * Cuts values off in rows of the format `pg-copy-binary` that pass otherwise as they are. Rows may be cut anywhere. A text
 * that is too long is kept up to its limit, since its length comes before it.
 */
export class BinaryCuts implements BodyReader {
  /** Values that were cut off so far. */
  cuts = 0;
  readonly #plan: TablePlan;
  readonly #limits: readonly (Limit | undefined)[];
  readonly #frames = new CopyFrames();
  readonly #out = new CopyOutput();
  #part: Part = Part.header;
  /** Of the row at hand, and which of them is next. */
  #fields = 0;
  #field = 0;
  /** Bytes that come next, what is done with them, and how many are skipped behind them. */
  #left = HEADER;
  #way: Way = Way.pass;
  #behind = 0;
  /** A number that a chunk has cut. */
  readonly #number = Buffer.alloc(LENGTH);
  #numberBytes = 0;
  /** Of the value at hand. */
  #cutting: Limit | undefined;
  /** The beginning of a text that is too long. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    const origins = new Map(
      plan.rows!.columns.flatMap((origin) => (origin.kind === "column" ? [[origin.ordinal, origin]] : [])),
    );
    this.#limits = readOrdinals(plan).map((ordinal) => {
      const origin = origins.get(ordinal)!;
      const bytes = binaryCut(origin);
      return bytes === undefined ? undefined : { bytes, isText: !cutsBytes(origin, plan), origin };
    });
  }

  /** The chunk with cut values; undefined for nothing yet. It is not needed any more. */
  map({ bytes, rows, release }: RowChunk): RowChunk | undefined {
    this.#out.begin(bytes.length);
    this.#frames.walk(bytes, this);
    release?.();
    return this.#out.take(rows);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    // All before it is written.
    let from = start;
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, end - at);
        if (this.#way !== Way.pass) {
          this.#out.copy(bytes, from, at);
          if (this.#way === Way.hold) this.#hold(bytes, at, size);
          from = at + size;
        }
        at += size;
        this.#left -= size;
        if (this.#left === 0) this.#endOfBytes();
        continue;
      }
      const width = this.#part === Part.count ? COUNT : LENGTH;
      const isWhole = this.#numberBytes === 0 && end - at >= width;
      if (isWhole && !this.#take(numberOf(bytes, at, width))) {
        at += width;
        continue;
      }
      this.#out.copy(bytes, from, at);
      if (isWhole) at += width;
      else {
        while (at < end && this.#numberBytes < width) this.#number[this.#numberBytes++] = bytes[at++]!;
        from = at;
        if (this.#numberBytes < width) return;
        this.#numberBytes = 0;
        if (!this.#take(numberOf(this.#number, 0, width))) {
          this.#out.copy(this.#number, 0, width);
          continue;
        }
      }
      from = at;
      this.#beginCut();
    }
    this.#out.copy(bytes, from, end);
  }

  /** A number has come. Whether it is the length of a value that is cut off, and so is not to pass. */
  #take(number: number): boolean {
    switch (this.#part) {
      case Part.count:
        // What ends the rows is -1.
        this.#fields = number;
        this.#field = 0;
        if (number > 0) this.#part = Part.length;
        return false;
      case Part.length: {
        const limit = this.#limits[this.#field++];
        if (this.#field === this.#fields) this.#part = Part.count;
        // NULL is -1.
        this.#left = Math.max(0, number);
        this.#cutting = limit;
        return limit !== undefined && number > limit.bytes;
      }
      default:
        this.#left = number;
        this.#part = Part.count;
        return false;
    }
  }

  /** Of a value of `left` bytes. */
  #beginCut(): void {
    const { bytes, isText, origin } = this.#cutting!;
    if (this.#plan.rows!.refusesCuts === true) throw valueCut(this.#plan, origin);
    this.cuts++;
    this.#way = isText ? Way.hold : Way.pass;
    this.#behind = this.#left - bytes;
    this.#left = bytes;
    if (!isText) this.#writeLength(bytes);
    else if (this.#held.length < bytes) this.#held = Buffer.allocUnsafeSlow(bytes);
  }

  #hold(bytes: Uint8Array, start: number, size: number): void {
    this.#held.set(bytes.subarray(start, start + size), this.#heldBytes);
    this.#heldBytes += size;
  }

  #endOfBytes(): void {
    if (this.#part === Part.header) this.#part = Part.extension;
    if (this.#way === Way.hold) {
      const end = endOfWhole(this.#held, 0, this.#heldBytes);
      this.#writeLength(end);
      this.#out.copy(this.#held, 0, end);
      this.#heldBytes = 0;
    }
    this.#left = this.#behind;
    this.#behind = 0;
    this.#way = this.#left > 0 ? Way.skip : Way.pass;
  }

  #writeLength(length: number): void {
    this.#out.room(LENGTH);
    this.#out.length = this.#out.bytes.writeInt32BE(length, this.#out.length);
  }
}

function numberOf(bytes: Uint8Array, at: number, width: number): number {
  const high = ((bytes[at]! << 24) | (bytes[at + 1]! << 16)) >> 16;
  return width === COUNT ? high : (high << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
