import { hash } from "node:crypto";
import { type DigestForm, LONGEST_PLAIN_BYTES, NULLS } from "../core/row-digest.ts";
import type { Column } from "../core/schema.ts";
import { canonicalWriter } from "./canonical.ts";
import { md5 } from "./md5.ts";

const COMMA = 0x2c;
const ZERO = 0x30;
const LETTER_F = 0x66;
const LETTER_T = 0x74;
/** What a value takes at most beside its own bytes: a comma before and after the number of its bytes. */
const SLACK = 24;

/** How a form stands in a row's text: as it is, behind its length, behind the length of the bytes it has digits of, as its MD5. */
const Place = { closed: 0, text: 1, bytes: 2, hashed: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

interface ComparedColumn {
  readonly column: Pick<Column, "type">;
  readonly form: DigestForm;
}

/**
 * Texts of rows of cells in the text form that all engines share, as databases write them (core/row-digest.ts). What it
 * tells is of the row that was written last.
 */
export class CanonicalRow {
  readonly #writers: readonly ((cell: Buffer) => Buffer)[];
  readonly #places: readonly Place[];
  #bytes: Buffer = Buffer.allocUnsafeSlow(1 << 12);
  #start = 0;
  #length = 0;
  /** Of each column, whether it is NULL; what may stand before the values takes that and two bytes more. */
  readonly #isNull: Uint8Array;
  readonly #room: number;

  constructor(columns: readonly ComparedColumn[]) {
    this.#writers = columns.map(({ column, form }) => canonicalWriter(column, form));
    this.#places = columns.map(({ form }) => placeOf(form));
    this.#isNull = new Uint8Array(columns.length);
    this.#room = columns.length + 2;
    this.#reserve(this.#room);
  }

  /** A cell for each column, null for NULL. */
  write(cells: readonly (Buffer | null)[]): void {
    this.#start = this.#room;
    this.#length = this.#room;
    let hasNull = false;
    for (let column = 0; column < this.#writers.length; column++) {
      const cell = cells[column]!;
      this.#isNull[column] = cell === null ? LETTER_T : LETTER_F;
      if (cell === null) hasNull = true;
      else this.#add(column, cell);
    }
    if (hasNull) this.#writeNulls();
  }

  get text(): Buffer {
    return this.#bytes.subarray(this.#start, this.#length);
  }

  /** The MD5 of the text: two rows of one are the same row. It is computed for each call. */
  key(): string {
    return hash("md5", this.text, "binary");
  }

  /** Before the values, where there is room for it. */
  #writeNulls(): void {
    this.#start = this.#length > this.#room ? 0 : 1;
    this.#bytes[this.#start] = NULLS.charCodeAt(0);
    this.#bytes.set(this.#isNull, this.#start + 1);
    if (this.#start === 0) this.#bytes[this.#room - 1] = COMMA;
  }

  #add(column: number, cell: Buffer): void {
    this.#reserve(cell.length + LONGEST_PLAIN_BYTES + SLACK);
    if (this.#length > this.#room) this.#bytes[this.#length++] = COMMA;
    const value = this.#writers[column]!(cell);
    switch (this.#places[column]!) {
      case Place.closed:
        this.#copy(value);
        return;
      case Place.hashed:
        this.#digits(md5(value));
        return;
      case Place.text:
        this.#count(value.length);
        if (value.length <= LONGEST_PLAIN_BYTES) this.#copy(value);
        else this.#digits(md5(value));
        return;
      case Place.bytes:
        this.#count(value.length / 2);
        if (value.length <= 2 * LONGEST_PLAIN_BYTES) this.#copy(value);
        else this.#digits(md5(Buffer.from(value.toString("latin1"), "hex")));
    }
  }

  #copy(value: Buffer): void {
    this.#reserve(value.length);
    this.#length += value.copy(this.#bytes, this.#length);
  }

  /** In decimal and with its comma: a text is not worth its while for each value. */
  #count(number: number): void {
    let unit = 1;
    while (unit * 10 <= number) unit *= 10;
    for (; unit >= 1; unit /= 10) this.#bytes[this.#length++] = ZERO + (Math.floor(number / unit) % 10);
    this.#bytes[this.#length++] = COMMA;
  }

  #digits(text: string): void {
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function placeOf({ kind }: DigestForm): Place {
  switch (kind) {
    case "text":
      return Place.text;
    case "bytes":
      return Place.bytes;
    case "json":
    case "own":
      return Place.hashed;
    default:
      return Place.closed;
  }
}
