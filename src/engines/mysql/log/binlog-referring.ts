import { NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableId, type TableSchema } from "../../../core/schema.ts";
import type { ChangeBatchBuilder } from "../../shared/log/change-batch-builder.ts";
import type { CellBuffer } from "../values/cell-buffer.ts";
import type { CellReader } from "./binlog-cells.ts";
import type { LocatedValues } from "./binlog-located.ts";
import type { Reference, RowPlan } from "./binlog-row-plan.ts";

export interface ReferringParts {
  readonly builder: ChangeBatchBuilder;
  readonly out: CellBuffer;
  readonly cells: CellReader;
  readonly located: LocatedValues;
}

/** Rows of an event that others refer to: which columns the images hold, and what the statement does. */
interface ChangedRows {
  readonly kind: Op;
  readonly plan: RowPlan;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

const DONE = -3;

/**
 * What foreign keys do by themselves when rows go or change: told behind the rows of an event, and there key by key, so
 * that what many rows do by one key may be done at once. No row of the event depends on it, as long as it is found by its key.
 */
export class ReferringRows {
  readonly #parts: ReferringParts;
  #rows: ChangedRows | undefined;
  #active: readonly Reference[] = [];
  /** Op, row before and row after of each, by the reference. */
  #pending: number[][] = [];
  /** Where the texts of located values lie among the batch's bytes, once they are made; those after a change come last. */
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);

  constructor(parts: ReferringParts) {
    this.#parts = parts;
  }

  /** Rows follow. A table of which it cannot be told what becomes of its rows is a misfit. */
  begin(rows: ChangedRows, tables: readonly TableSchema[]): void {
    const { plan } = rows;
    this.#rows = rows;
    this.#active = plan.references.filter((reference) => {
      if ((rows.kind === Op.delete ? reference.onDelete : reference.onUpdate) === undefined) return false;
      const lacking = reference.located.filter((k) => !rows.before.includes(plan.located[k]!));
      if (lacking.length === 0) return true;
      // What a minimal image after does not hold has not changed.
      const mayAct = rows.kind === Op.delete || lacking.some((k) => rows.after.includes(plan.located[k]!));
      if (mayAct) {
        this.#parts.builder.misfit(reference.table, notTold(tables[reference.table]!.id, plan.schema.id));
      }
      return false;
    });
    this.#pending = this.#active.map(() => []);
    if (2 * plan.located.length > this.#starts.length) {
      this.#starts = new Int32Array(2 * plan.located.length);
      this.#ends = new Int32Array(2 * plan.located.length);
    }
  }

  get isActive(): boolean {
    return this.#active.length > 0;
  }

  /** The row whose values are located. */
  row(bytes: Buffer): void {
    const { located } = this.#parts;
    const { kind } = this.#rows!;
    this.#starts.fill(DONE);
    for (let r = 0; r < this.#active.length; r++) {
      const reference = this.#active[r]!;
      let refers = true;
      let changes = kind === Op.delete;
      for (const k of reference.located) {
        // A key with a NULL in it refers to nothing.
        refers &&= located.before.starts[k]! >= 0;
        changes ||= located.isOther(k, bytes);
      }
      if (refers && changes) this.#tell(reference, this.#pending[r]!, bytes);
    }
    // Where only all its values tell a row, the next one of the event may hold what this one's keys have done to it.
    if (this.#rows!.plan.isFull) this.#flush();
  }

  end(): void {
    this.#flush();
    this.#rows = undefined;
    this.#active = [];
  }

  #tell(reference: Reference, pending: number[], bytes: Buffer): void {
    const { kind } = this.#rows!;
    const before = this.#newRow(reference.width);
    for (let i = 0; i < reference.located.length; i++) {
      const isThere = this.#cell(before + 2 * reference.columns[i]!, reference.located[i]!, bytes);
      // A date that no calendar has: it came as NULL to the rows that refer to it, too.
      if (!isThere) return;
    }
    const action = kind === Op.delete ? reference.onDelete : reference.onUpdate;
    if (kind === Op.delete && action === "cascade") {
      pending.push(Op.deleteReferring, before, -1);
      return;
    }
    const after = this.#newRow(reference.width);
    for (let i = 0; i < reference.located.length; i++) {
      const k = reference.located[i]!;
      const cell = after + 2 * reference.columns[i]!;
      if (action === "set-null") this.#parts.builder.cells[cell] = NULL_CELL;
      else if (this.#parts.located.isOther(k, bytes)) {
        this.#parts.builder.cells[cell] = NULL_CELL;
        this.#cell(cell, this.#rows!.plan.located.length + k, bytes);
      }
    }
    pending.push(Op.updateReferring, before, after);
  }

  #newRow(width: number): number {
    const { builder } = this.#parts;
    const row = builder.row(width >> 1);
    builder.cells.fill(UNCHANGED_CELL, row, row + width);
    return row;
  }

  /** Makes a cell hold a located value, of the image after from `located.length` on; false when it is NULL. */
  #cell(cell: number, value: number, bytes: Buffer): boolean {
    if (this.#starts[value] === DONE) this.#read(value, bytes);
    const start = this.#starts[value]!;
    if (start < 0) return false;
    const { cells } = this.#parts.builder;
    cells[cell] = start;
    cells[cell + 1] = this.#ends[value]!;
    return true;
  }

  #read(value: number, bytes: Buffer): void {
    const { out, cells, located } = this.#parts;
    const { plan } = this.#rows!;
    const isAfter = value >= plan.located.length;
    const k = isAfter ? value - plan.located.length : value;
    const at = isAfter ? located.after.starts[k]! : located.before.starts[k]!;
    this.#starts[value] = NULL_CELL;
    if (at < 0) return;
    out.need(plan.room);
    const start = out.at - out.start;
    cells.read(plan, plan.located[k]!, bytes, at);
    const { isNone } = cells;
    cells.isNone = false;
    if (isNone) return;
    this.#starts[value] = start;
    this.#ends[value] = out.at - out.start;
  }

  #flush(): void {
    const { builder } = this.#parts;
    for (const [r, ops] of this.#pending.entries()) {
      const { table } = this.#active[r]!;
      for (let i = 0; i < ops.length; i += 3) builder.op(ops[i]! as Op, table, ops[i + 1]!, ops[i + 2]!);
      ops.length = 0;
    }
  }
}

function notTold(referring: TableId, referred: TableId): MigrationError {
  return new MigrationError("source.row_image", {
    message: `The source's log lacks the columns of a changed row of ${displayTable(referred)} that rows of the table refer to, and so what its foreign key has done to these.`,
    subject: displayTable(referring),
    table: referring,
  });
}
