import { type ChangeBatch, isReferring, OP_WIDTH, Op } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableSchema, tableKey } from "../../../core/schema.ts";
import { ApplyMode } from "../../../core/target.ts";
import type { Corrections } from "./apply-corrections.ts";
import { opsOfTransaction, type Piece } from "./apply-group.ts";

/** Which plan each table of the batches belongs to. */
export class PlanIndex {
  readonly #indexes = new Map<string, number>();
  #tables: readonly TableSchema[] = [];
  #planOf = new Int32Array(0);

  constructor(plans: readonly TablePlan[]) {
    for (const [index, plan] of plans.entries()) this.#indexes.set(tableKey(plan.source.id), index);
  }

  /** For each of the batch's tables its plan's index; -1 for one that is in no plan. */
  of(batch: ChangeBatch): Int32Array {
    if (batch.tables !== this.#tables) {
      this.#tables = batch.tables;
      this.#planOf = Int32Array.from(batch.tables, (table) => this.#indexes.get(tableKey(table.id)) ?? -1);
    }
    return this.#planOf;
  }
}

/** What an engine does with each change, in its order. A change is named by where it stands in the batch's ops. */
export interface ChangeVisitor {
  /** The batch that follows. */
  use(batch: ChangeBatch): void;
  exact(plan: number, ops: Int32Array, at: number): void;
  /** See ApplyMode.converge. */
  converge(plan: number, ops: Int32Array, at: number): void;
  /** See ApplyMode.restore; inserts and deletes of rows with a key. */
  restore(plan: number, ops: Int32Array, at: number): void;
  /** Tables that are truncated together. */
  truncate(plans: readonly number[]): Promise<void>;
}

/** What changes are written to, and that waits for the target only when it is told to. */
export interface ChangeOutlet {
  /** True when enough was written that push() is due. */
  readonly full: boolean;
  /** Resolves when more may be written. */
  push(): Promise<void>;
}

export interface Walk {
  /** Of the piece's batch, see PlanIndex. */
  readonly planOf: Int32Array;
  readonly visitor: ChangeVisitor;
  readonly corrections: Corrections | undefined;
  readonly outlet: ChangeOutlet;
  readonly isWanted: (plan: number) => boolean;
}

/**
 * Visits the changes of a piece, but for those that are skipped and those of plans that are not `wanted`; what foreign keys
 * do is left to others.
 */
export async function walkPiece(piece: Piece, walk: Walk): Promise<void> {
  walk.visitor.use(piece.batch);
  for (let t = piece.from; t < piece.to; t++) await walkTransaction(piece, t, walk);
}

async function walkTransaction(piece: Piece, transaction: number, walk: Walk): Promise<void> {
  const { batch, modes } = piece;
  const { ops } = batch;
  const { planOf, visitor, corrections, outlet, isWanted } = walk;
  const { start, end: last } = opsOfTransaction(piece, transaction);
  const offset = transaction * batch.tables.length;
  const end = last * OP_WIDTH;
  for (let at = start * OP_WIDTH; at < end; at += OP_WIDTH) {
    const table = ops[at + 1]!;
    const mode = modes === undefined ? ApplyMode.exact : modes[offset + table];
    if (mode === ApplyMode.skip || isReferring(ops[at]!) || !isWanted(planOf[table]!)) continue;
    const plan = planOf[table]!;
    if (plan < 0) throw outsidePlan(batch, table);
    if (ops[at] === Op.truncate) {
      const stop = truncatesEnd(ops, at, end);
      // Tables that are not wanted have changes before and after this that are written elsewhere.
      const isSkipped = (other: number): boolean =>
        (modes !== undefined && modes[offset + other] === ApplyMode.skip) || !isWanted(planOf[other]!);
      await visitor.truncate(truncated(batch, planOf, { from: at, to: stop, isSkipped }));
      at = stop - OP_WIDTH;
      continue;
    }
    if (mode === ApplyMode.restore) visitor.restore(plan, ops, at);
    else if (mode === ApplyMode.exact && corrections?.takes(plan, batch, at) !== true) {
      visitor.exact(plan, ops, at);
    } else visitor.converge(plan, ops, at);
    if (outlet.full) await outlet.push();
  }
}

function truncatesEnd(ops: Int32Array, at: number, end: number): number {
  let stop = at;
  while (stop < end && ops[stop] === Op.truncate) stop += OP_WIDTH;
  return stop;
}

function truncated(
  batch: ChangeBatch,
  planOf: Int32Array,
  range: { readonly from: number; readonly to: number; readonly isSkipped: (table: number) => boolean },
): readonly number[] {
  const plans = new Set<number>();
  for (let at = range.from; at < range.to; at += OP_WIDTH) {
    const table = batch.ops[at + 1]!;
    if (range.isSkipped(table)) continue;
    if (planOf[table]! < 0) throw outsidePlan(batch, table);
    plans.add(planOf[table]!);
  }
  return [...plans];
}

export function outsidePlan(batch: ChangeBatch, table: number): MigrationError {
  return new MigrationError("internal.unexpected", {
    message: "A change of a table that is not part of the plan.",
    subject: displayTable(batch.tables[table]!.id),
  });
}
