import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type ApplyCounts, EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import { hasSameCells, isComplete, rowIncomplete } from "../../shared/apply/apply-rows.ts";
import type { ChangeVisitor } from "../../shared/apply/apply-walk.ts";
import { type ChangePlace, NO_PLACE } from "../../shared/apply/change-ring.ts";
import type { ApplySession } from "./apply-session.ts";
import type { TableSql } from "./apply-sql.ts";
import type { RowAt } from "./fitting-rows.ts";

export interface ApplyChangesParts {
  readonly plans: readonly TablePlan[];
  readonly tables: { of(plan: number): TableSql };
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
}

const NO_BYTES = new Uint8Array(0);
const NO_CELLS = new Int32Array(0);

/** Turns a batch's ops into statements of the session, one for each or a few. */
export class ApplyChanges implements ChangeVisitor {
  readonly #parts: ApplyChangesParts;
  readonly #place: ChangePlace = { ...NO_PLACE };
  readonly #before: RowAt = { bytes: NO_BYTES, cells: NO_CELLS, row: -1 };
  readonly #after: RowAt = { bytes: NO_BYTES, cells: NO_CELLS, row: -1 };

  constructor(parts: ApplyChangesParts) {
    this.#parts = parts;
  }

  use(batch: ChangeBatch): void {
    this.#place.batch = batch;
    for (const row of [this.#before, this.#after]) {
      row.bytes = batch.bytes;
      row.cells = batch.cells;
    }
  }

  exact(plan: number, ops: Int32Array, at: number): void {
    const { session } = this.#parts;
    const sql = this.#parts.tables.of(plan);
    const expectation = plan * EXPECT_WIDTH;
    this.#rowsOf(ops, at);
    switch (ops[at]) {
      case Op.insert:
        sql.insert(session.begin(), this.#after);
        session.end(expectation + Expect.insert, 0, this.#place);
        break;
      case Op.update:
        this.#update(sql, ops[at + 2]! >= 0, expectation + Expect.update);
        break;
      case Op.delete:
        sql.delete(session.begin(), this.#before);
        session.end(expectation + Expect.delete, 0, this.#place);
        break;
    }
  }

  /** Without a key a row that is there cannot be told from one like it. */
  converge(index: number, ops: Int32Array, at: number): void {
    const plan = this.#parts.plans[index]!;
    const sql = this.#parts.tables.of(index);
    if (!sql.hasKey) throw rowIncomplete(plan);
    this.#rowsOf(ops, at);
    const expectation = index * EXPECT_WIDTH;
    const { batch } = this.#place;
    const before = ops[at + 2]!;
    const after = ops[at + 3]!;
    // It may take several statements, of which each would count what has no place in the target's types.
    const row = after < 0 ? this.#after : sql.fitting(this.#after);
    // The row before of an unchanged key says nothing more.
    const moves =
      ops[at] === Op.update && before >= 0 && !hasSameCells(plan.source.key, batch, { before, after });
    if (ops[at] === Op.insert) {
      this.#upsert(sql, row, expectation + Expect.insertAny);
    } else if (ops[at] === Op.delete) {
      this.#delete(sql, expectation + Expect.deleteAny);
    } else if (isComplete(plan, batch.cells, after)) {
      if (moves) this.#delete(sql, expectation + Expect.done);
      this.#upsert(sql, row, expectation + Expect.updateAny);
    } else {
      if (moves) this.#move(sql, row, expectation + Expect.done);
      this.#set(sql, row, expectation + Expect.updateMust);
    }
  }

  restore(index: number, ops: Int32Array, at: number): void {
    const { session } = this.#parts;
    const sql = this.#parts.tables.of(index);
    this.#rowsOf(ops, at);
    const expectation = index * EXPECT_WIDTH;
    if (ops[at] === Op.delete) {
      sql.deleteIdentical(session.begin(), this.#before);
      session.end(expectation + Expect.deleteAny, 0, this.#place);
      return;
    }
    const row = sql.fitting(this.#after);
    sql.updateIdentical(session.begin(), row);
    session.end(expectation + Expect.done);
    sql.insertUnlessThere(session.begin(), row, "identical");
    session.end(expectation + Expect.insertAny);
  }

  /** TRUNCATE would commit what has been applied of the transaction: the rows are deleted, tables one after another. */
  async truncate(plans: readonly number[]): Promise<void> {
    const { session, counts, tables } = this.#parts;
    for (const plan of plans) {
      tables.of(plan).deleteAll(session.begin());
      session.end(plan * EXPECT_WIDTH + Expect.done);
    }
    await session.drain();
    for (const plan of plans) counts.truncated(plan);
  }

  /** The row gets its new key unless that is there already; then none of the old one is left. */
  #move(sql: TableSql, row: RowAt, expectation: number): void {
    const { session } = this.#parts;
    sql.moveUnlessThere(session.begin(), this.#before, row);
    session.end(expectation);
    this.#delete(sql, expectation);
  }

  #update(sql: TableSql, hasBefore: boolean, expectation: number): void {
    const { session } = this.#parts;
    const where = hasBefore ? this.#before : this.#after;
    sql.update(session.begin(), where, this.#after, hasBefore || !sql.hasKey);
    session.end(expectation, 0, this.#place);
  }

  /** Gives the row of the same key its values. */
  #set(sql: TableSql, row: RowAt, expectation: number): void {
    const { session } = this.#parts;
    sql.update(session.begin(), row, row, false);
    session.end(expectation);
  }

  #delete(sql: TableSql, expectation: number): void {
    const { session } = this.#parts;
    sql.delete(session.begin(), this.#before);
    session.end(expectation, 0, this.#place);
  }

  /** Inserts a row, or overwrites that of the same key. */
  #upsert(sql: TableSql, row: RowAt, expectation: number): void {
    const { session } = this.#parts;
    if (sql.overwrites) {
      const out = session.begin();
      sql.insertRows(out);
      sql.values(out, row);
      sql.overwrite(out);
    } else {
      // ON DUPLICATE KEY would change another row that has the same value in another unique index.
      this.#set(sql, row, expectation - (expectation % EXPECT_WIDTH) + Expect.done);
      sql.insertUnlessThere(session.begin(), row);
    }
    session.end(expectation);
  }

  #rowsOf(ops: Int32Array, at: number): void {
    this.#place.at = at;
    this.#before.row = ops[at + 2]!;
    this.#after.row = ops[at + 3]!;
  }
}
