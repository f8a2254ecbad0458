import type { TableId } from "../../core/schema.ts";
import { writeFloat } from "./float-text.ts";
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
  writeTime,
} from "./row-cells.ts";
import { type ZeroDates, zeroDateError } from "./zero-dates.ts";

/** The most that a cell takes beyond twice the bytes that the server sent for it. */
const CELL_SLACK = 72;

const EPOCH = Buffer.from("1970-01-01 00:00:00+00", "latin1");
const DATE_LENGTH = 10;
const ZONE_LENGTH = 3;

/** Writes the cells of one table's rows; see row-cells.ts for the form of the functions. */
export class CellWriter {
  /** Dates that no calendar has, so far. */
  zeroDates = 0;
  /** No date is an error: what is written is thrown away. */
  isLenient = false;
  /** The most that a row takes beyond twice its bytes. */
  readonly slack: number;
  readonly count: number;
  /** Of each column, a value of Cell. */
  readonly cells: Uint8Array;
  readonly #lengths: Uint8Array;
  readonly #columns: readonly ReadColumn[];
  readonly #table: TableId;
  readonly #policy: ZeroDates;

  constructor(table: TableId, columns: readonly ReadColumn[], policy: ZeroDates) {
    this.#table = table;
    this.#columns = columns;
    this.#policy = policy;
    this.count = columns.length;
    this.cells = Uint8Array.from(columns, ({ cell }) => cell);
    this.#lengths = Uint8Array.from(columns, ({ length }) => length);
    this.slack = CELL_SLACK * (columns.length + 1);
  }

  /** Writes the value of a column that the server sent as bytes [from, to); returns where it stopped. */
  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    switch (this.cells[column]) {
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

  #geometry(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const end = startHex(target, at);
    if (to - from < GEOMETRY_HEAD) return writeHex(source, from, to, target, end);
    return writeHex(source, from + GEOMETRY_HEAD, to, target, writeGeometryHead(source, from, target, end));
  }

  #date(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const zoned = this.cells[column] === Cell.zonedDate;
    const end = writeDate(source, from, to, target, at, zoned);
    if (end !== NO_DATE) return end;
    this.zeroDates++;
    const { name, nullable } = this.#columns[column]!;
    if (this.#policy === "epoch") {
      const isDate = to - from === DATE_LENGTH;
      const length = isDate ? DATE_LENGTH : EPOCH.length - (zoned ? 0 : ZONE_LENGTH);
      return at + EPOCH.copy(target, at, 0, length);
    }
    if (!this.isLenient && (this.#policy === "error" || !nullable))
      throw zeroDateError(this.#table, name, this.#policy);
    return writeNull(target, at);
  }
}
