import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type ApplyCounts, EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import { hasSameCells, isComplete, rowIncomplete } from "../../shared/apply/apply-rows.ts";
import type { ChangeVisitor } from "../../shared/apply/apply-walk.ts";
import { classify } from "../connection/errors.ts";
import { ServerError } from "../connection/server-error.ts";
import { type ApplySession, NO_CELLS } from "./apply-session.ts";
import { TableStatements } from "./apply-statements.ts";
import { ownRows, type TargetTable } from "./apply-table.ts";
import type { CellSource, PreparedStatement } from "./apply-writer.ts";

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
export class ApplyChanges implements ChangeVisitor {
  readonly #parts: ApplyChangesParts;
  /** By plan; the server knows each by its name as long as the session lasts. */
  readonly #statements: Record<ChangeBatch["encoding"], (TableStatements | undefined)[]> = {
    "pg-binary": [],
    text: [],
  };
  readonly #cells: CellSource;

  constructor(parts: ApplyChangesParts) {
    this.#parts = parts;
    this.#cells = { ...NO_CELLS };
  }

  use(batch: ChangeBatch): void {
    if (batch === this.#cells.batch) return;
    const { bytes } = batch;
    this.#cells.batch = batch;
    this.#cells.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  exact(plan: number, ops: Int32Array, at: number): void {
    const statements = this.#statementsOf(plan);
    this.#cells.at = at;
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
    this.#execute(statements.setFixed(before >= 0), before, after, quietly(expectation));
  }

  /** Without a key a row that is there cannot be told from one like it. */
  converge(index: number, ops: Int32Array, at: number): void {
    const plan = this.#parts.plans[index]!;
    const statements = this.#statementsOf(index);
    if (!statements.hasKey) throw rowIncomplete(plan);
    this.#cells.at = at;
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
      this.#upsert(statements, before, after, expectation + Expect.insertAny);
    } else if (ops[at] === Op.delete) {
      this.#execute(statements.delete(), before, after, expectation + Expect.deleteAny);
    } else if (isComplete(plan, batch.cells, after)) {
      if (before >= 0) this.#execute(statements.delete(), before, after, expectation + Expect.done);
      this.#upsert(statements, before, after, expectation + Expect.updateAny);
    } else {
      if (before >= 0) {
        const move = statements.moveUnlessThere(batch.cells, after);
        this.#execute(move, before, after, expectation + Expect.done);
        this.#execute(statements.delete(), before, after, expectation + Expect.done);
      }
      this.#update(statements, -1, after, expectation + Expect.updateMust);
    }
  }

  restore(index: number, ops: Int32Array, at: number): void {
    const statements = this.#statementsOf(index);
    this.#cells.at = at;
    const before = ops[at + 2]!;
    const after = ops[at + 3]!;
    const expectation = index * EXPECT_WIDTH;
    if (ops[at] === Op.delete) {
      this.#execute(statements.restoring("delete"), before, after, expectation + Expect.deleteAny);
      return;
    }
    if (statements.hasFixed && this.#parts.replica) {
      this.#execute(statements.restoring("setFixed"), before, after, expectation + Expect.done);
    }
    this.#overwriteIdentical(statements, before, after, expectation + Expect.insertAny);
  }

  /** Inserts a row, or overwrites that of the same key. */
  #upsert(statements: TableStatements, before: number, after: number, expectation: number): void {
    // ON CONFLICT would change another row that the target takes for the same, or has no index to find the row by.
    if (statements.overwrites) this.#execute(statements.upsert(), before, after, expectation);
    else this.#overwriteIdentical(statements, before, after, expectation);
  }

  #overwriteIdentical(statements: TableStatements, before: number, after: number, expectation: number): void {
    this.#execute(statements.restoring("update"), before, after, quietly(expectation));
    this.#execute(statements.restoring("insert"), before, after, expectation);
  }

  #execute(statement: PreparedStatement, before: number, after: number, expectation: number): void {
    this.#cells.before = before;
    this.#cells.after = after;
    this.#parts.session.execute(statement, this.#cells, expectation);
  }

  /**
   * Truncates tables together, so that foreign keys among them do not matter. When others refer to
   * them, which on the source they do not, the rows are deleted instead.
   */
  async truncate(plans: readonly number[]): Promise<void> {
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

  #statementsOf(index: number): TableStatements {
    const { encoding } = this.#cells.batch;
    const statements = this.#statements[encoding];
    const known = statements[index];
    if (known !== undefined) return known;
    const made = new TableStatements({
      plan: this.#parts.plans[index]!,
      target: this.#parts.targets[index],
      encoding,
      prefix: `${encoding === "text" ? "t" : "b"}${index}`,
    });
    statements[index] = made;
    return made;
  }
}

/** Of a command that goes before the one which counts. */
function quietly(expectation: number): number {
  return expectation - (expectation % EXPECT_WIDTH) + Expect.done;
}
