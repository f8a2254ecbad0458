import { NULL_CELL } from "../../../core/change-batch.ts";
import type { BodyReader } from "../../../core/copy-frames.ts";
import { writeLiteral } from "../values/cell-text.ts";
import type { RangeRule } from "../values/out-of-range.ts";
import { SqlText } from "../values/sql-text.ts";

const TAB = 0x09;
const NEWLINE = 0x0a;
const OPENING = 0x28;
const CLOSING = 0x29;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;

/** The character that an escape of COPY's text format stands for, by its second one; itself when none is given. */
const escapes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, character] of ["b\b", "f\f", "n\n", "r\r", "t\t", "v\v"].map((pair) => [...pair])) {
  escapes[letter!.charCodeAt(0)] = character!.charCodeAt(0);
}

const FIRST_CELL = 4096;

export interface InsertOptions {
  readonly insertSql: string;
  /** CellForm of each column. */
  readonly cells: Uint8Array;
  /** Bytes after which a statement is full. */
  readonly limit: number;
  readonly range?: RangeRule | undefined;
}

/**
 * Turns rows of COPY's text format into INSERT statements of many rows, for servers that take no LOAD DATA LOCAL.
 * Rows may be cut anywhere. Statements that are full wait in `full` until they are taken.
 */
export class InsertText implements BodyReader {
  /** Statements with the rows of each, in order. */
  readonly full: { readonly sql: string; readonly rows: number }[] = [];
  readonly #cells: Uint8Array;
  readonly #head: Buffer;
  readonly #limit: number;
  readonly #range: RangeRule | undefined;
  #replaced = 0;
  readonly #sql = new SqlText();
  #rows = 0;
  #column = 0;
  #cell = Buffer.allocUnsafeSlow(FIRST_CELL);
  #length = 0;
  #isEscape = false;
  #isNull = false;

  constructor({ insertSql, cells, limit, range }: InsertOptions) {
    this.#head = Buffer.from(insertSql);
    this.#cells = cells;
    this.#limit = limit;
    this.#range = range;
  }

  /** How many values of the rows have come as others. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Makes what is left a statement, too. */
  finish(): void {
    if (this.#rows > 0) this.#close();
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (this.#isEscape) {
        this.#isEscape = false;
        if (byte === CAPITAL_N && this.#length === 0) this.#isNull = true;
        else this.#put(escapes[byte]!);
      } else if (byte === BACKSLASH) this.#isEscape = true;
      else if (byte === TAB || byte === NEWLINE) this.#endCell(byte === NEWLINE);
      else this.#put(byte);
    }
  }

  #put(byte: number): void {
    if (this.#length === this.#cell.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#cell.length);
      this.#cell.copy(larger);
      this.#cell = larger;
    }
    this.#cell[this.#length++] = byte;
  }

  #endCell(endsRow: boolean): void {
    const sql = this.#sql;
    if (this.#rows === 0 && this.#column === 0) {
      sql.length = 0;
      sql.append(this.#head);
    }
    sql.reserve(2);
    if (this.#column === 0 && this.#rows > 0) sql.bytes[sql.length++] = COMMA;
    sql.bytes[sql.length++] = this.#column === 0 ? OPENING : COMMA;
    const instead = this.#isNull
      ? undefined
      : this.#range?.instead(this.#column, this.#cell, 0, this.#length);
    if (instead !== undefined) this.#replaced++;
    const cell = instead ?? this.#cell;
    const start = this.#isNull || instead === null ? NULL_CELL : 0;
    writeLiteral(sql, this.#cells[this.#column]!, cell, start, instead?.length ?? this.#length);
    this.#length = 0;
    this.#isNull = false;
    this.#column++;
    if (!endsRow) return;
    this.#column = 0;
    sql.reserve(1);
    sql.bytes[sql.length++] = CLOSING;
    this.#rows++;
    if (sql.length >= this.#limit) this.#close();
  }

  #close(): void {
    this.full.push({ sql: this.#sql.bytes.toString("utf8", 0, this.#sql.length), rows: this.#rows });
    this.#rows = 0;
  }
}
