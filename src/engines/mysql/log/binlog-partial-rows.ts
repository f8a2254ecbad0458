import { MigrationError } from "../../../core/error.ts";
import { displayTable } from "../../../core/schema.ts";
import { EventCursor, malformed } from "./binlog-bytes.ts";
import { cellEnd } from "./binlog-cells.ts";
import { withDiffs } from "./binlog-json-diff.ts";
import type { RowPlan } from "./binlog-row-plan.ts";

/** A row after says what of it is told in parts: with this option, some JSON values are. */
const PARTIAL_JSON = 1;
const LENGTH_BYTES = 4;

/**
 * Updates of which MySQL 8 logs JSON values in parts (PARTIAL_UPDATE_ROWS_EVENT), from their width on, as the ordinary ones
 * that they would be with whole values. A row after begins with its options and, of every JSON column of the table, a bit
 * whether its value is a list of changes. What these change is in the row before; where that lacks it, `source.row_image`
 * is thrown.
 */
export function wholeRows(plan: RowPlan, event: EventCursor): Buffer {
  const rows = new PartialRows(plan, event);
  while (rows.left > 0) rows.next();
  return rows.take();
}

class PartialRows {
  readonly #plan: RowPlan;
  readonly #in = new EventCursor();
  readonly #pieces: Buffer[] = [];
  /** From here on to the cursor, nothing has been taken yet. */
  #from: number;
  /** Columns that rows before hold, and rows after. */
  readonly #before: readonly number[];
  readonly #after: readonly number[];
  /** The row's JSON values before, by column; null for NULL. */
  readonly #documents = new Map<number, Buffer | null>();

  constructor(plan: RowPlan, { bytes, at, end }: EventCursor) {
    this.#plan = plan;
    this.#in.reset(bytes, at, end);
    this.#from = at;
    if (this.#in.packed() !== plan.width) throw malformed("rows of another width than their table's");
    this.#before = this.#columns();
    this.#after = this.#columns();
  }

  get left(): number {
    return this.#in.left;
  }

  take(): Buffer {
    this.#flush();
    return Buffer.concat(this.#pieces);
  }

  next(): void {
    this.#documents.clear();
    this.#each(this.#before, (column) => {
      if (this.#plan.isJson[column]) this.#documents.set(column, this.#json());
      else this.#value(column);
    });
    this.#flush();
    const isPartial = this.#partial();
    this.#from = this.#in.at;
    this.#each(this.#after, (column) => {
      if (isPartial(column)) this.#changed(column);
      else this.#value(column);
    });
  }

  #columns(): readonly number[] {
    const bits = this.#in.slice((this.#plan.width + 7) >> 3);
    return Array.from({ length: this.#plan.width }, (_, i) => i).filter((i) => isSet(bits, i));
  }

  /** Which columns of the row after are told in parts. */
  #partial(): (column: number) => boolean {
    if ((this.#in.packed() & PARTIAL_JSON) === 0) return () => false;
    const json = this.#plan.isJson.flatMap((is, column) => (is ? [column] : []));
    const bits = this.#in.slice((json.length + 7) >> 3);
    const partial = new Set(json.filter((_, i) => isSet(bits, i)));
    return (column) => partial.has(column);
  }

  /** Walks over the values of an image that are not NULL. */
  #each(columns: readonly number[], read: (column: number) => void): void {
    const nulls = this.#in.slice((columns.length + 7) >> 3);
    for (const [i, column] of columns.entries()) {
      if (!isSet(nulls, i)) read(column);
      else if (this.#plan.isJson[column] && columns === this.#before) this.#documents.set(column, null);
    }
  }

  #value(column: number): void {
    const { bytes, at } = this.#in;
    const size = this.#plan.sizes[column]!;
    this.#in.need(Math.abs(size));
    this.#in.advance(cellEnd(size, bytes, at) - at);
  }

  #json(): Buffer {
    return this.#in.slice(this.#in.uint32());
  }

  #changed(column: number): void {
    this.#flush();
    const { bytes, at } = this.#in;
    const length = this.#in.uint32();
    this.#in.advance(length);
    const diffs = new EventCursor();
    diffs.reset(bytes, at + LENGTH_BYTES, this.#in.at);
    const whole = this.#isWanted(column) ? withDiffs(this.#documentOf(column), diffs) : Buffer.alloc(0);
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32LE(whole.length);
    this.#pieces.push(head, whole);
    this.#from = this.#in.at;
  }

  #isWanted(column: number): boolean {
    return this.#plan.cellOf[column]! >= 0 && !this.#plan.isOutside;
  }

  #documentOf(column: number): Buffer {
    const document = this.#documents.get(column);
    if (document === null) throw malformed("a change of a part of a value that is NULL");
    if (document !== undefined) return document;
    const { id } = this.#plan.schema;
    throw new MigrationError("source.row_image", {
      message: `The source's log says which parts of the column ${this.#plan.column(column).name} have changed, and lacks the value that they are parts of.`,
      subject: displayTable(id),
      table: id,
      remedy:
        "Set binlog_row_image = FULL or binlog_row_value_options = '' on the source, also for sessions that are open, and reload the table.",
    });
  }

  #flush(): void {
    const { bytes, at } = this.#in;
    if (at > this.#from) this.#pieces.push(bytes.subarray(this.#from, at));
    this.#from = at;
  }
}

function isSet(bits: Buffer, i: number): boolean {
  return (bits[i >> 3]! & (1 << (i & 7))) !== 0;
}
