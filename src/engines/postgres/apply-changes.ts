import { type ChangeBatch, OP_WIDTH, Op } from "../../core/change-batch.ts";
import { MigrationError } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import { displayTable, type TableSchema, tableKey } from "../../core/schema.ts";
import { ApplyMode } from "../../core/target.ts";
import type { Piece } from "../shared/apply-group.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import { type ApplySession, EXPECT_WIDTH, Expect, NO_CELLS } from "./apply-session.ts";
import { hasSameCells, isComplete, TableStatements } from "./apply-statements.ts";
import { ownRows, type TargetTable } from "./apply-table.ts";
import type { CellSource, PreparedStatement } from "./apply-writer.ts";
import { classify } from "./errors.ts";
import { ServerError } from "./server-error.ts";

/** TRUNCATE is refused while tables outside the list refer to one in it, or without the privilege for it. */
const TRUNCATE_REFUSED: ReadonlySet<string> = new Set(["0A000", "42501"]);

const SAVEPOINT = "tideway_truncate";

export interface ApplyChangesParts {
  readonly plans: readonly TablePlan[];
  readonly targets: readonly (TargetTable | undefined)[];
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
  /** No trigger and no foreign key of the target acts on what is written. */
  readonly replica: boolean;
}

/** Turns a batch's ops into commands of the session. */
export class ApplyChanges {
  readonly #parts: ApplyChangesParts;
  readonly #indexes = new Map<string, number>();
  readonly #statements: (TableStatements | undefined)[] = [];
  #encoding: ChangeBatch["encoding"] | undefined;
  /** For each of the batch's tables its plan's index. */
  #tables: readonly TableSchema[] = [];
  #planOf = new Int32Array(0);
  readonly #cells: CellSource;

  constructor(parts: ApplyChangesParts) {
    this.#parts = parts;
    for (const [index, plan] of parts.plans.entries()) this.#indexes.set(tableKey(plan.source.id), index);
    this.#cells = { ...NO_CELLS };
  }

  /** For each of the batch's tables its plan's index; -1 for one that is in no plan. */
  planOf(batch: ChangeBatch): Int32Array {
    if (batch.tables !== this.#tables) {
      this.#tables = batch.tables;
      this.#planOf = Int32Array.from(batch.tables, (table) => this.#indexes.get(tableKey(table.id)) ?? -1);
    }
    return this.#planOf;
  }

  /** Writes the ops of a piece, but for those of plans that are not `wanted`. */
  async write(piece: Piece, isWanted: (plan: number) => boolean): Promise<void> {
    this.#use(piece.batch);
    for (let t = piece.from; t < piece.to; t++) await this.#transaction(piece, t, isWanted);
  }

  async #transaction(
    { batch, modes }: Piece,
    transaction: number,
    isWanted: (plan: number) => boolean,
  ): Promise<void> {
    const { ops } = batch;
    const { session } = this.#parts;
    const { start, end: last } = batch.transactions[transaction]!;
    const offset = transaction * batch.tables.length;
    const end = last * OP_WIDTH;
    for (let at = start * OP_WIDTH; at < end; at += OP_WIDTH) {
      const index = ops[at + 1]!;
      const mode = modes === undefined ? ApplyMode.exact : modes[offset + index];
      if (mode === ApplyMode.skip || !isWanted(this.#planOf[index]!)) continue;
      if (ops[at] === Op.truncate) {
        const stop = this.#truncatesEnd(ops, at, end);
        const isSkipped = (table: number): boolean =>
          modes !== undefined && modes[offset + table] === ApplyMode.skip;
        await this.#truncate(this.#truncated(ops.subarray(at, stop), isSkipped));
        at = stop - OP_WIDTH;
        continue;
      }
      if (mode === ApplyMode.exact) this.#exact(ops, at);
      else this.#converge(ops, at);
      if (session.full) await session.push();
    }
  }

  /** Statements belong to one encoding; tables to one list of the stream. */
  #use(batch: ChangeBatch): void {
    if (batch === this.#cells.batch) return;
    const { bytes } = batch;
    this.#cells.batch = batch;
    this.#cells.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (batch.encoding !== this.#encoding) {
      this.#encoding = batch.encoding;
      this.#statements.length = 0;
    }
    this.planOf(batch);
  }

  #exact(ops: Int32Array, at: number): void {
    const plan = this.#plan(ops[at + 1]!);
    const statements = this.#statementsOf(plan);
    const before = ops[at + 2]!;
    const after = ops[at + 3]!;
    const expectation = plan * EXPECT_WIDTH;
    switch (ops[at]) {
      case Op.insert:
        this.#execute(statements.insert(), before, after, expectation + Expect.insert);
        break;
      case Op.update:
        this.#update(statements, before, after, expectation + Expect.update);
        break;
      case Op.delete:
        this.#execute(statements.delete(), before, after, expectation + Expect.delete);
        break;
    }
  }

  /** An update whose rows lie there in the batch; `before` is -1 when it was not sent. */
  #update(statements: TableStatements, before: number, after: number, expectation: number): void {
    const { cells } = this.#cells.batch;
    const { replica } = this.#parts;
    const hasBefore = before >= 0;
    const change = statements.changesFixed(this.#cells.batch, before, after);
    if (change === "yes") {
      // Foreign keys would act on the row's deletion.
      if (!replica) throw statements.fixedChanged();
      this.#execute(statements.rewrite(cells, after, hasBefore), before, after, expectation);
      return;
    }
    // Where foreign keys act on a deletion, the row is taken to have changed no such column.
    if (change === "unknown" && replica) this.#setFixed(statements, before, after, expectation);
    this.#execute(statements.update(cells, after, hasBefore), before, after, expectation);
  }

  /** A command of its own, so that the one that follows finds the row wherever it is then. */
  #setFixed(statements: TableStatements, before: number, after: number, expectation: number): void {
    const quiet = expectation - (expectation % EXPECT_WIDTH) + Expect.done;
    this.#execute(statements.setFixed(before >= 0), before, after, quiet);
  }

  /** See ApplyMode.converge. Without a key a row that is there cannot be told from one like it. */
  #converge(ops: Int32Array, at: number): void {
    const index = this.#plan(ops[at + 1]!);
    const plan = this.#parts.plans[index]!;
    const statements = this.#statementsOf(index);
    if (!statements.hasKey) throw rowIncomplete(plan);
    const { batch } = this.#cells;
    const after = ops[at + 3]!;
    // The row before of an unchanged key says nothing more.
    const before =
      ops[at] === Op.update &&
      ops[at + 2]! >= 0 &&
      hasSameCells(plan.source.key, batch, { before: ops[at + 2]!, after })
        ? -1
        : ops[at + 2]!;
    const expectation = index * EXPECT_WIDTH;
    // ON CONFLICT may not set such a column either: a row that is there gets it first, by the key that it has after.
    if (statements.hasFixed && this.#parts.replica && ops[at] !== Op.delete) {
      this.#setFixed(statements, -1, after, expectation);
    }
    if (ops[at] === Op.insert) {
      this.#execute(statements.upsert(), before, after, expectation + Expect.insertAny);
    } else if (ops[at] === Op.delete) {
      this.#execute(statements.delete(), before, after, expectation + Expect.deleteAny);
    } else if (isComplete(plan, batch.cells, after)) {
      if (before >= 0) this.#execute(statements.delete(), before, after, expectation + Expect.done);
      this.#execute(statements.upsert(), before, after, expectation + Expect.updateAny);
    } else {
      if (before >= 0) {
        const move = statements.moveUnlessThere(batch.cells, after);
        this.#execute(move, before, after, expectation + Expect.done);
        this.#execute(statements.delete(), before, after, expectation + Expect.done);
      }
      this.#update(statements, -1, after, expectation + Expect.updateMust);
    }
  }

  #execute(statement: PreparedStatement, before: number, after: number, expectation: number): void {
    this.#cells.before = before;
    this.#cells.after = after;
    this.#parts.session.execute(statement, this.#cells, expectation);
  }

  #truncatesEnd(ops: Int32Array, at: number, end: number): number {
    let stop = at;
    while (stop < end && ops[stop] === Op.truncate) stop += OP_WIDTH;
    return stop;
  }

  #truncated(ops: Int32Array, isSkipped: (table: number) => boolean): readonly number[] {
    const plans = new Set<number>();
    for (let at = 0; at < ops.length; at += OP_WIDTH) {
      const table = ops[at + 1]!;
      if (!isSkipped(table)) plans.add(this.#plan(table));
    }
    return [...plans];
  }

  /**
   * Truncates tables together, so that foreign keys among them do not matter. When others refer to
   * them, which on the source they do not, the rows are deleted instead.
   */
  async #truncate(plans: readonly number[]): Promise<void> {
    const { session, counts } = this.#parts;
    const names = plans.map((index) =>
      ownRows(this.#parts.plans[index]!.target.id, this.#parts.targets[index]),
    );
    await session.drain();
    try {
      await session.ask(
        `savepoint ${SAVEPOINT}; truncate ${names.join(", ")}; release savepoint ${SAVEPOINT}`,
      );
    } catch (error) {
      if (!(error instanceof ServerError) || !TRUNCATE_REFUSED.has(error.fields.code)) {
        throw classify(error, {
          side: "target",
          phase: "apply",
          table: this.#parts.plans[plans[0]!]!.source.id,
        });
      }
      const deletes = names.map((name) => `delete from ${name}`).join("; ");
      await session.ask(`rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}; ${deletes}`);
    }
    for (const index of plans) counts.truncated(index);
  }

  #plan(index: number): number {
    const plan = this.#planOf[index]!;
    if (plan < 0) {
      throw new MigrationError("internal.unexpected", {
        message: "A change of a table that is not part of the plan.",
        subject: displayTable(this.#tables[index]!.id),
      });
    }
    return plan;
  }

  #statementsOf(index: number): TableStatements {
    const known = this.#statements[index];
    if (known !== undefined) return known;
    const statements = new TableStatements({
      plan: this.#parts.plans[index]!,
      target: this.#parts.targets[index],
      encoding: this.#encoding!,
      prefix: `${this.#encoding === "text" ? "t" : "b"}${index}`,
    });
    this.#statements[index] = statements;
    return statements;
  }
}

/** The failure of an update whose row is not there and cannot be made up from what was sent. */
export function rowIncomplete(plan: TablePlan): MigrationError {
  const { id } = plan.source;
  return new MigrationError("apply.row_incomplete", {
    message: "A change does not hold all values of a row that the target may lack.",
    subject: displayTable(id),
    table: id,
  });
}
