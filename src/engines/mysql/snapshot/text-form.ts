import { writeFloat } from "../values/float-text.ts";
import type { ZeroDateRule } from "../values/zero-dates.ts";
import { Cell, type ReadColumn } from "./read-columns.ts";
import {
  copyCell,
  escapeText,
  GEOMETRY_HEAD,
  NO_DATE,
  startHex,
  writeBits,
  writeBoolean,
  writeDate,
  writeDouble,
  writeGeometryHead,
  writeHex,
  writeNull,
  writeNumber,
  writeShownDate,
  writeTime,
} from "./row-cells.ts";
import { NOT_IN_PIECES, type RowForm } from "./row-form.ts";

/** The most that a cell takes beyond twice the bytes that the server sent for it. */
const CELL_SLACK = 72;

const TAB = 0x09;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);
const EPOCH = Buffer.from("1970-01-01 00:00:00+00", "latin1");
const DATE_LENGTH = 10;
const ZONE_LENGTH = 3;

/** Rows as COPY's text, with values in the text form that all engines share; see row-cells.ts for the functions. */
export class TextForm implements RowForm {
  readonly count: number;
  readonly slack: number;
  readonly head = NOTHING;
  readonly tail = NOTHING;
  readonly separator = TAB;
  readonly terminator = NEWLINE;
  readonly isCounted = false;
  /** Of each column, a value of Cell. */
  readonly #cells: Uint8Array;
  readonly #lengths: Uint8Array;
  readonly #zeroDates: ZeroDateRule;
  /** 1 for a column whose dates come as they are. */
  readonly #keepsDates: Uint8Array;

  constructor(columns: readonly ReadColumn[], zeroDates: ZeroDateRule) {
    this.count = columns.length;
    this.#cells = Uint8Array.from(columns, ({ cell }) => cell);
    this.#lengths = Uint8Array.from(columns, ({ length }) => length);
    this.#zeroDates = zeroDates;
    this.#keepsDates = Uint8Array.from(columns, (_, i) => (zeroDates.keeps(i) ? 1 : 0));
    this.slack = CELL_SLACK * (columns.length + 1);
  }

  writeNull(target: Buffer, at: number): number {
    return writeNull(target, at);
  }

  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    switch (this.#cells[column]) {
      case Cell.copied:
        return copyCell(source, from, to, target, at);
      case Cell.text:
        return escapeText(source, from, to, target, at);
      case Cell.number:
        return writeNumber(source, from, to, target, at);
      case Cell.hex:
        return writeHex(source, from, to, target, startHex(target, at));
      case Cell.geometry:
        return this.#geometry(source, from, to, target, at);
      case Cell.bits:
        return writeBits(source, to, this.#lengths[column]!, target, at);
      case Cell.boolean:
        return writeBoolean(source, from, to, target, at);
      case Cell.time:
        return writeTime(source, from, to, target, at);
      case Cell.double:
        return writeDouble(source, from, to, target, at);
      case Cell.float:
        return writeFloat(source, from, to, target, at);
      default:
        return this.#date(column, source, from, to, target, at);
    }
  }

  pieceHead(column: number): number {
    switch (this.#cells[column]) {
      case Cell.copied:
      case Cell.text:
      case Cell.hex:
        return 0;
      case Cell.geometry:
        return GEOMETRY_HEAD;
      default:
        return NOT_IN_PIECES;
    }
  }

  beginPieces(column: number, _length: number, head: Buffer, target: Buffer, at: number): number {
    const cell = this.#cells[column];
    if (cell === Cell.hex) return startHex(target, at);
    return cell === Cell.geometry ? writeGeometryHead(head, 0, target, startHex(target, at)) : at;
  }

  writePiece(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const cell = this.#cells[column];
    if (cell === Cell.text) return escapeText(source, from, to, target, at);
    return cell === Cell.copied
      ? copyCell(source, from, to, target, at)
      : writeHex(source, from, to, target, at);
  }

  #geometry(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const end = startHex(target, at);
    if (to - from < GEOMETRY_HEAD) return writeHex(source, from, to, target, end);
    return writeHex(source, from + GEOMETRY_HEAD, to, target, writeGeometryHead(source, from, target, end));
  }

  #date(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const zoned = this.#cells[column] === Cell.zonedDate;
    if (this.#keepsDates[column] === 1) return writeShownDate(source, from, to, target, at, zoned);
    const end = writeDate(source, from, to, target, at, zoned);
    if (end !== NO_DATE) return end;
    if (!this.#zeroDates.isEpoch(column)) return writeNull(target, at);
    const length = to - from === DATE_LENGTH ? DATE_LENGTH : EPOCH.length - (zoned ? 0 : ZONE_LENGTH);
    return at + EPOCH.copy(target, at, 0, length);
  }
}
