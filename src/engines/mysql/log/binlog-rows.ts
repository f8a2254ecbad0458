import { NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableSchema } from "../../../core/schema.ts";
import type { ChangeBatchBuilder } from "../../shared/log/change-batch-builder.ts";
import type { CellBuffer } from "../values/cell-buffer.ts";
import { type EventCursor, malformed } from "./binlog-bytes.ts";
import { CellReader, cellEnd } from "./binlog-cells.ts";
import { LocatedValues, type Places } from "./binlog-located.ts";
import { ReferringRows } from "./binlog-referring.ts";
import type { Image, RowPlan } from "./binlog-row-plan.ts";

const NO_IMAGE: Image = { present: new Int32Array(0), absent: new Int32Array(0) };

/**
 * Reads the rows of an event into a batch. An update's row before is told when it is needed: where the whole row
 * identifies it, or its key has changed.
 */
export class RowsReader {
  readonly #builder: ChangeBatchBuilder;
  readonly #out: CellBuffer;
  readonly #cells: CellReader;
  readonly #referring: ReferringRows;
  /** Of the row at work: where the values of RowPlan.located stand. */
  readonly #located = new LocatedValues();
  readonly #tables: readonly TableSchema[];
  /** Of the event at work; the second is the first where its rows have but one. */
  #first = NO_IMAGE;
  #second = NO_IMAGE;

  /** `tables`: the stream's. */
  constructor(builder: ChangeBatchBuilder, out: CellBuffer, tables: readonly TableSchema[]) {
    this.#builder = builder;
    this.#out = out;
    this.#tables = tables;
    this.#cells = new CellReader(out);
    this.#referring = new ReferringRows({ builder, out, cells: this.#cells, located: this.#located });
  }

  /**
   * Rows from behind the table's number, flags and what else precedes their width. `keysAct`: foreign keys have acted
   * by themselves when the rows changed.
   */
  read(kind: Op, plan: RowPlan, cursor: EventCursor, keysAct: boolean): void {
    if (cursor.packed() !== plan.width) throw malformed("rows of another width than their table's");
    const refers = keysAct && kind !== Op.insert && plan.references.length > 0;
    if (plan.isOutside && !refers) return;
    const first = this.#image(plan, cursor);
    const second = kind === Op.update ? this.#image(plan, cursor) : first;
    this.#first = first;
    this.#second = second;
    if (kind === Op.insert) checkDefaults(plan, first);
    else checkKey(plan, first);
    this.#located.room(plan.located.length);
    if (refers) {
      const images = { kind, plan, before: first.present, after: second.present };
      this.#referring.begin(images, this.#tables);
    }
    if (!plan.isOutside || this.#referring.isActive) this.#all(kind, plan, cursor);
    if (refers) this.#referring.end();
  }

  #all(kind: Op, plan: RowPlan, cursor: EventCursor): void {
    const first = this.#first;
    const second = this.#second;
    const { bytes, end } = cursor;
    const { isActive } = this.#referring;
    let at = cursor.at;
    while (at < end) {
      if (plan.isOutside) at = this.#outside(kind, plan, bytes, at);
      else if (kind === Op.insert) at = this.#insert(plan, first, bytes, at);
      else if (kind === Op.delete) at = this.#delete(plan, first, bytes, at);
      else if (plan.isFull) at = this.#updateFull(plan, first, second, bytes, at);
      else at = this.#update(plan, first, second, bytes, at);
      if (at > end) throw malformed("a row beyond its event");
      if (isActive) this.#referring.row(bytes);
    }
    cursor.at = at;
  }

  /** Mostly the whole row is there, and nothing has to be made. */
  #image(plan: RowPlan, cursor: EventCursor): Image {
    const { width } = plan;
    const { bytes, at: bits } = cursor;
    cursor.advance((width + 7) >> 3);
    let i = 0;
    while (i < width && isSet(bytes, bits, i)) i++;
    if (i === width) return plan.whole;
    const present: number[] = [];
    const absent: number[] = [];
    for (i = 0; i < width; i++) {
      if (isSet(bytes, bits, i)) present.push(i);
      else if (plan.cellOf[i]! >= 0) absent.push(plan.cellOf[i]!);
    }
    return { present: Int32Array.from(present), absent: Int32Array.from(absent) };
  }

  #insert(plan: RowPlan, image: Image, bytes: Buffer, at: number): number {
    const row = this.#builder.row(plan.columns);
    const next = this.#newRow(plan, image.present, row, bytes, at);
    const { absent } = image;
    for (let i = 0; i < absent.length; i++) {
      const value = plan.defaults.get(absent[i]!);
      if (value != null) this.#builder.append(row + absent[i]!, value);
    }
    this.#addLater(plan, row);
    this.#builder.op(Op.insert, plan.table, -1, row);
    return next;
  }

  #delete(plan: RowPlan, image: Image, bytes: Buffer, at: number): number {
    const row = this.#builder.row(plan.columns);
    let next: number;
    if (plan.isFull) {
      next = this.#row(plan, image.present, row, bytes, at);
      this.#addLater(plan, row);
      if (this.#referring.isActive) this.#locateOld(plan, image.present, bytes, at);
    } else {
      next = this.#locateOld(plan, image.present, bytes, at);
      for (let k = 0; k < plan.key.length; k++) this.#keyCell(plan, k, row, bytes);
    }
    this.#builder.op(Op.delete, plan.table, row, -1);
    return next;
  }

  #updateFull(plan: RowPlan, old: Image, image: Image, bytes: Buffer, at: number): number {
    const before = this.#builder.row(plan.columns);
    const middle = this.#row(plan, old.present, before, bytes, at);
    this.#addLater(plan, before);
    if (this.#referring.isActive) this.#locateOld(plan, old.present, bytes, at);
    const after = this.#builder.row(plan.columns);
    const next = this.#newRow(plan, image.present, after, bytes, middle);
    this.#addLater(plan, after);
    const cells = this.#builder.cells;
    for (let i = 0; i < image.absent.length; i++) {
      const cell = image.absent[i]!;
      cells[after + cell] = cells[before + cell]!;
      cells[after + cell + 1] = cells[before + cell + 1]!;
    }
    this.#builder.op(Op.update, plan.table, before, after);
    return next;
  }

  #update(plan: RowPlan, old: Image, image: Image, bytes: Buffer, at: number): number {
    const middle = this.#locateOld(plan, old.present, bytes, at);
    const after = this.#builder.row(plan.columns);
    const { absent } = image;
    for (let i = 0; i < absent.length; i++) this.#builder.cells[after + absent[i]!] = UNCHANGED_CELL;
    const next = this.#newRow(plan, image.present, after, bytes, middle);
    this.#addLater(plan, after);
    let isMoved = false;
    for (let k = 0; k < plan.key.length; k++) {
      // A key that is not sent has not changed; the row after says it all the same.
      if (this.#located.after.starts[k] === -2) this.#keyCell(plan, k, after, bytes);
      else if (this.#located.isOther(k, bytes)) isMoved = true;
    }
    let before = -1;
    if (isMoved) {
      before = this.#builder.row(plan.columns);
      for (let k = 0; k < plan.key.length; k++) this.#keyCell(plan, k, before, bytes);
    }
    this.#builder.op(Op.update, plan.table, before, after);
    return next;
  }

  /** Only keeps where the values stand that rows of other tables refer to; returns where the row ends. */
  #outside(kind: Op, plan: RowPlan, bytes: Buffer, at: number): number {
    const next = this.#locateOld(plan, this.#first.present, bytes, at);
    return kind === Op.update ? this.#locateNew(plan, this.#second.present, bytes, next) : next;
  }

  /** Like #row() of what a row has become. */
  #newRow(plan: RowPlan, present: Int32Array, row: number, bytes: Buffer, at: number): number {
    const before = this.#cells.zeroDates;
    const next = this.#row(plan, present, row, bytes, at);
    const count = this.#cells.zeroDates - before;
    if (count > 0) plan.countZeroDates(count);
    return next;
  }

  /** Reads an image into a row, and keeps where its located values stand; returns where it ends. */
  #row(plan: RowPlan, present: Int32Array, row: number, bytes: Buffer, at: number): number {
    const { sizes, cellOf, locatedOf } = plan;
    const { starts, ends } = this.#located.after;
    const out = this.#out;
    const reader = this.#cells;
    const cells = this.#builder.cells;
    out.need(plan.room);
    for (let k = 0; k < plan.located.length; k++) starts[k] = -2;
    let next = at + ((present.length + 7) >> 3);
    for (let n = 0; n < present.length; n++) {
      const i = present[n]!;
      const isNull = isSet(bytes, at, n);
      const k = locatedOf[i]!;
      if (k >= 0) starts[k] = isNull ? -1 : next;
      if (isNull) continue;
      const cell = cellOf[i]!;
      if (cell < 0) {
        next = cellEnd(sizes[i]!, bytes, next);
        continue;
      }
      const start = out.at - out.start;
      next = reader.read(plan, i, bytes, next);
      if (k >= 0) ends[k] = next;
      if (reader.isNone) {
        reader.isNone = false;
        continue;
      }
      cells[row + cell] = start;
      cells[row + cell + 1] = out.at - out.start;
    }
    return next;
  }

  #locateOld(plan: RowPlan, present: Int32Array, bytes: Buffer, at: number): number {
    return locate(plan, present, this.#located.before, bytes, at);
  }

  #locateNew(plan: RowPlan, present: Int32Array, bytes: Buffer, at: number): number {
    const { after } = this.#located;
    after.starts.fill(-2, 0, plan.located.length);
    return locate(plan, present, after, bytes, at);
  }

  /** Writes the k-th value of the key that was located into a row. */
  #keyCell(plan: RowPlan, k: number, row: number, bytes: Buffer): void {
    const i = plan.key[k]!;
    const cells = this.#builder.cells;
    const cell = row + plan.cellOf[i]!;
    cells[cell] = NULL_CELL;
    if (this.#located.before.starts[k]! < 0) return;
    this.#out.need(plan.room);
    const start = this.#out.at - this.#out.start;
    this.#cells.read(plan, i, bytes, this.#located.before.starts[k]!);
    if (this.#cells.isNone) {
      this.#cells.isNone = false;
      return;
    }
    cells[cell] = start;
    cells[cell + 1] = this.#out.at - this.#out.start;
  }

  /** At the time of the change every row held the same in a column that was not there yet. */
  #addLater({ later }: RowPlan, row: number): void {
    for (let i = 0; i < later.length; i++) this.#builder.append(row + later[i]!.cell, later[i]!.bytes);
  }
}

/** Walks over an image and keeps where its located values stand; returns where it ends. */
function locate(
  plan: RowPlan,
  present: Int32Array,
  { starts, ends }: Places,
  bytes: Buffer,
  at: number,
): number {
  const { sizes, locatedOf } = plan;
  let next = at + ((present.length + 7) >> 3);
  for (let n = 0; n < present.length; n++) {
    const i = present[n]!;
    const k = locatedOf[i]!;
    if (isSet(bytes, at, n)) {
      if (k >= 0) starts[k] = -1;
      continue;
    }
    const end = cellEnd(sizes[i]!, bytes, next);
    if (k >= 0) {
      starts[k] = next;
      ends[k] = end;
    }
    next = end;
  }
  return next;
}

/** The i-th bit of those that begin at `from`. */
function isSet(bytes: Buffer, from: number, i: number): boolean {
  return (bytes[from + (i >> 3)]! & (1 << (i & 7))) !== 0;
}

/** With binlog_row_image = MINIMAL a new row lacks the columns that the statement did not name. */
function checkDefaults(plan: RowPlan, { absent }: Image): void {
  for (const cell of absent) if (!plan.defaults.has(cell)) throw incomplete(plan, cell);
}

/** An old row has to be found by its key, or by all of it. */
function checkKey(plan: RowPlan, { absent }: Image): void {
  for (const cell of absent) {
    if (plan.isFull || plan.schema.key.includes(cell >> 1)) throw incomplete(plan, cell);
  }
}

function incomplete({ schema }: RowPlan, cell: number): MigrationError {
  return new MigrationError("source.row_image", {
    message: `The source's log lacks the column ${schema.columns[cell >> 1]!.name} of a changed row.`,
    subject: displayTable(schema.id),
    table: schema.id,
  });
}
