import { MigrationError } from "../../../core/error.ts";
import { NOT_IN_PIECES, type RowForm } from "./row-form.ts";

const PACKET_HEADER = 4;
const MAX_PACKET = 0xffffff;
const NULL_CELL = 0xfb;
/** Cells of the kinds that are not written piece by piece are shorter. */
const HELD = 1 << 10;

/** What the bytes that come next are. */
const Part = { length: 0, moreLength: 1, cell: 2, head: 3, rest: 4 } as const;
type Part = (typeof Part)[keyof typeof Part];

/**
 * Writes a row whose packets are not waited for, in pieces as they come: cells of any size are cut anywhere, as are
 * packets, which a row of 16 MB and more has several of.
 */
export class LongRow {
  /** The row has not ended. */
  open = false;
  /** Where in the target the last walk stopped. */
  end = 0;
  readonly #form: RowForm;
  /** Bytes of the current packet still to come, and whether another follows it. */
  #packet = 0;
  #goesOn = false;
  #column = 0;
  #part: Part = Part.length;
  /** Bytes of the current cell still to come. */
  #left = 0;
  /** Bytes that are wanted together, as far as they have come. */
  readonly #held = Buffer.alloc(HELD);
  #heldLength = 0;
  #wanted = 0;

  constructor(form: RowForm) {
    this.#form = form;
  }

  /** `length`: of the row's first packet, whose payload follows. */
  begin(length: number): void {
    this.open = true;
    this.#packet = length;
    this.#goesOn = length === MAX_PACKET;
    this.#column = -1;
  }

  /**
   * Writes what bytes from `at` on hold of the row to the target from `end` on; returns where it stopped: at the
   * row's end, when the bytes or the room are used up, or before a packet's header that has not come whole.
   */
  walk(bytes: Buffer, at: number, target: Buffer, end: number): number {
    let next = at;
    this.end = end;
    if (this.#column < 0) this.#nextColumn(target);
    for (;;) {
      if (this.#packet === 0) {
        if (!this.#goesOn) {
          this.#endRow(target);
          return next;
        }
        if (bytes.length - next < PACKET_HEADER) return next;
        this.#packet = bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16);
        this.#goesOn = this.#packet === MAX_PACKET;
        next += PACKET_HEADER;
        continue;
      }
      const stop = Math.min(bytes.length, next + this.#packet);
      if (stop === next || target.length - this.end < this.#form.slack + 2 * HELD) return next;
      const taken =
        this.#part === Part.rest
          ? this.#stream(bytes, next, stop, target)
          : this.#hold(bytes, next, stop, target);
      this.#packet -= taken - next;
      next = taken;
    }
  }

  #endRow(target: Buffer): void {
    const { count, terminator } = this.#form;
    if (this.#column !== count) throw malformed();
    if (terminator >= 0) target[this.end++] = terminator;
    this.open = false;
  }

  #nextColumn(target: Buffer): void {
    const { count, separator, isCounted } = this.#form;
    this.#column++;
    if (this.#column === 0 && isCounted) this.end = target.writeInt16BE(count, this.end);
    if (this.#column > 0 && this.#column < count && separator >= 0) target[this.end++] = separator;
    this.#want(Part.length, 1);
  }

  #want(part: Part, bytes: number): void {
    if (bytes > HELD) throw malformed();
    this.#part = part;
    this.#wanted = bytes;
    this.#heldLength = 0;
  }

  /** Gathers what is wanted together. */
  #hold(bytes: Buffer, at: number, stop: number, target: Buffer): number {
    const taken = Math.min(this.#wanted - this.#heldLength, stop - at);
    bytes.copy(this.#held, this.#heldLength, at, at + taken);
    this.#heldLength += taken;
    if (this.#heldLength === this.#wanted) this.#useHeld(target);
    return at + taken;
  }

  #useHeld(target: Buffer): void {
    const held = this.#held;
    switch (this.#part) {
      case Part.length:
        if (this.#column >= this.#form.count) throw malformed();
        if (held[0]! < NULL_CELL) this.#beginCell(held[0]!, target);
        else if (held[0] === NULL_CELL) {
          this.end = this.#form.writeNull(target, this.end);
          this.#nextColumn(target);
        } else this.#want(Part.moreLength, held[0] === 0xfc ? 2 : held[0] === 0xfd ? 3 : 8);
        break;
      case Part.moreLength: {
        const low = held.readUIntLE(0, Math.min(this.#wanted, 4));
        this.#beginCell(low + (this.#wanted === 8 ? held.readUInt32LE(4) * 2 ** 32 : 0), target);
        break;
      }
      case Part.head:
        this.#beginPieces(this.#wanted, target);
        break;
      default:
        this.end = this.#form.write(this.#column, held, 0, this.#wanted, target, this.end);
        this.#nextColumn(target);
    }
  }

  #beginCell(length: number, target: Buffer): void {
    this.#left = length;
    const head = this.#form.pieceHead(this.#column);
    if (head === 0) this.#beginPieces(0, target);
    else if (head !== NOT_IN_PIECES && head <= length) this.#want(Part.head, head);
    else if (length > 0) this.#want(Part.cell, length);
    else {
      this.end = this.#form.write(this.#column, this.#held, 0, 0, target, this.end);
      this.#nextColumn(target);
    }
  }

  /** `head`: bytes that are held, and belong to the cell. */
  #beginPieces(head: number, target: Buffer): void {
    this.end = this.#form.beginPieces(this.#column, this.#left, this.#held, target, this.end);
    this.#goOn(this.#left - head, target);
  }

  #goOn(left: number, target: Buffer): void {
    this.#left = left;
    this.#part = Part.rest;
    if (left === 0) this.#nextColumn(target);
  }

  /** Writes a piece of a cell whose bytes need nothing of their neighbours. */
  #stream(bytes: Buffer, at: number, stop: number, target: Buffer): number {
    const room = (target.length - this.end - this.#form.slack) >> 1;
    const to = Math.min(stop, at + this.#left, at + room);
    this.end = this.#form.writePiece(this.#column, bytes, at, to, target, this.end);
    this.#goOn(this.#left - (to - at), target);
    return to;
  }
}

function malformed(): MigrationError {
  return new MigrationError("source.protocol", { message: "The source sent a row that is not well formed." });
}
