import type { MigrationError } from "../../../core/error.ts";
import type { TableId } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import { noCharacterIn } from "../values/binlog-charset.ts";
import type { RowForm } from "./row-form.ts";

/** No text in UTF-8 has this byte. */
const REFUSED = 0xff;

/**
 * A column's text in UTF-8, or the one byte REFUSED for text of which something would be replaced: then it has more of
 * the characters that stand for others than the column has.
 */
export function checkedText(column: string): string {
  const text = `convert(${column} using utf8mb4)`;
  const without = (value: string, ...marks: readonly string[]): string =>
    marks.reduce((rest, mark) => `replace(${rest}, ${mark}, '')`, value);
  const kept = `char_length(${text}) - char_length(${without(text, "'?'", literal("\ufffd"))})`;
  const had = `char_length(${column}) - char_length(${without(column, "'?'")})`;
  return `if(${column} is null or ${kept} = ${had}, cast(${text} as binary), x'${REFUSED.toString(16)}')`;
}

interface CheckedColumn {
  readonly name: string;
  readonly collation?: string;
  /** It is asked for by checkedText(). */
  readonly isChecked: boolean;
}

/** Another form, which looks for texts that checkedText() has refused. */
export class CharacterCheck implements RowForm {
  /** Of the first one: the rows from then on are of no use. A walk that threw could not go on to their end. */
  error: MigrationError | undefined;
  readonly count: number;
  readonly slack: number;
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly separator: number;
  readonly terminator: number;
  readonly isCounted: boolean;
  readonly #form: RowForm;
  readonly #table: TableId;
  readonly #columns: readonly CheckedColumn[];
  /** The cell whose pieces come is one byte. */
  #isByte = false;

  constructor(form: RowForm, table: TableId, columns: readonly CheckedColumn[]) {
    this.#form = form;
    this.#table = table;
    this.#columns = columns;
    this.count = form.count;
    this.slack = form.slack;
    this.head = form.head;
    this.tail = form.tail;
    this.separator = form.separator;
    this.terminator = form.terminator;
    this.isCounted = form.isCounted;
  }

  writeNull(target: Buffer, at: number): number {
    return this.#form.writeNull(target, at);
  }

  write(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    if (to - from === 1) this.#check(column, source[from]!);
    return this.#form.write(column, source, from, to, target, at);
  }

  pieceHead(column: number): number {
    return this.#form.pieceHead(column);
  }

  beginPieces(column: number, length: number, head: Buffer, target: Buffer, at: number): number {
    this.#isByte = length === 1;
    return this.#form.beginPieces(column, length, head, target, at);
  }

  writePiece(column: number, source: Buffer, from: number, to: number, target: Buffer, at: number): number {
    if (this.#isByte && to > from) this.#check(column, source[from]!);
    return this.#form.writePiece(column, source, from, to, target, at);
  }

  #check(column: number, byte: number): void {
    const checked = this.#columns[column]!;
    if (byte === REFUSED && checked.isChecked) this.error ??= noCharacterIn(this.#table, checked);
  }
}
