import type { ChangeBatch } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable } from "../../../core/schema.ts";
import { hasSameCells } from "../../shared/apply/apply-rows.ts";
import { ApplyColumns } from "./apply-columns.ts";
import { type ApplyCommand, ApplySql, type Restoring } from "./apply-sql.ts";
import type { TargetTable } from "./apply-table.ts";
import type { PreparedStatement } from "./apply-writer.ts";
import { UpdateShapes, unchangedOf } from "./update-shapes.ts";

export interface StatementsOptions {
  readonly plan: TablePlan;
  /** undefined when the table is not there; then the server will say so. */
  readonly target: TargetTable | undefined;
  readonly encoding: "pg-binary" | "text";
  /** Unique in the session, for the statements' names. */
  readonly prefix: string;
}

/** The statements that apply one table's changes, made when first needed; ApplySql says what each does. */
export class TableStatements {
  readonly hasKey: boolean;
  /** There are columns outside of the key that no UPDATE may set. */
  readonly hasFixed: boolean;
  /** upsert() overwrites the row of the same key, and no other: see ApplySql. */
  readonly overwrites: boolean;
  /** Columns that no UPDATE may set: those of which an update's row before tells, and the others. */
  readonly #told: readonly number[];
  readonly #untold: readonly number[];
  readonly #plan: TablePlan;
  readonly #sql: ApplySql;
  readonly #prefix: string;
  #count = 0;
  #insert: PreparedStatement | undefined;
  #upsert: PreparedStatement | undefined;
  #delete: PreparedStatement | undefined;
  readonly #restoring = new Map<Restoring, PreparedStatement>();
  readonly #updates = new UpdateShapes();
  readonly #moves = new UpdateShapes();
  readonly #rewrites = new UpdateShapes();
  /** Without and with the row before. */
  readonly #fixings: (PreparedStatement | undefined)[] = [];

  constructor({ plan, target, encoding, prefix }: StatementsOptions) {
    const columns = new ApplyColumns(plan, target, encoding);
    this.#plan = plan;
    this.#sql = new ApplySql(plan, target, columns);
    this.#prefix = prefix;
    this.overwrites = !this.#sql.isExact && this.#sql.canOverwrite;
    const { key, rowIdentity } = plan.source;
    this.hasKey = key.length > 0;
    this.hasFixed = columns.fixed.some((o) => !key.includes(o));
    const isTold = (o: number): boolean => rowIdentity === "full" || key.includes(o);
    this.#told = columns.fixed.filter(isTold);
    this.#untold = columns.fixed.filter((o) => !isTold(o));
  }

  insert(): PreparedStatement {
    this.#insert ??= this.#statement(this.#sql.insert());
    return this.#insert;
  }

  upsert(): PreparedStatement {
    this.#upsert ??= this.#statement(this.#sql.upsert());
    return this.#upsert;
  }

  delete(): PreparedStatement {
    this.#delete ??= this.#statement(this.#sql.delete());
    return this.#delete;
  }

  /** See ApplyMode.restore: an insert is an update, then an insert of what that has not found. */
  restoring(what: Restoring): PreparedStatement {
    const known = this.#restoring.get(what);
    if (known !== undefined) return known;
    const statement = this.#statement(this.#sql.restoring(what));
    this.#restoring.set(what, statement);
    return statement;
  }

  /** The update for what this change's row holds; without a row before, the key has not changed. */
  update(cells: Int32Array, after: number, hasBefore: boolean): PreparedStatement {
    const known = this.#updates.find(cells, after, hasBefore);
    if (known !== undefined) return known;
    const unchanged = this.#unchanged(cells, after);
    const statement = this.#statement(this.#sql.update(unchanged, hasBefore));
    return this.#updates.add({ hasBefore, unchanged, statement });
  }

  /** The rewrite for what this change's row holds. */
  rewrite(cells: Int32Array, after: number, hasBefore: boolean): PreparedStatement {
    const known = this.#rewrites.find(cells, after, hasBefore);
    if (known !== undefined) return known;
    const unchanged = this.#unchanged(cells, after);
    const statement = this.#statement(this.#sql.rewrite(unchanged, hasBefore));
    return this.#rewrites.add({ hasBefore, unchanged, statement });
  }

  /** The move for what this change's row holds. */
  moveUnlessThere(cells: Int32Array, after: number): PreparedStatement {
    const known = this.#moves.find(cells, after, true);
    if (known !== undefined) return known;
    const unchanged = this.#unchanged(cells, after);
    const statement = this.#statement(this.#sql.moveUnlessThere(unchanged));
    return this.#moves.add({ hasBefore: true, unchanged, statement });
  }

  setFixed(hasBefore: boolean): PreparedStatement {
    const at = hasBefore ? 1 : 0;
    this.#fixings[at] ??= this.#statement(this.#sql.setFixed(hasBefore));
    return this.#fixings[at];
  }

  /** Whether an update changes a column that no UPDATE may set. Of a row before that was not sent only the key is known. */
  changesFixed(batch: ChangeBatch, before: number, after: number): "no" | "unknown" | "yes" {
    const told = this.#told;
    if (told.length > 0 && before >= 0 && !hasSameCells(told, batch, { before, after })) return "yes";
    return this.#untold.length > 0 ? "unknown" : "no";
  }

  /** The failure of an update that cannot be made without rewrite(). */
  fixedChanged(): MigrationError {
    const { id } = this.#plan.source;
    return new MigrationError("apply.rejected", {
      message: "The source has given a row another value in a column that is GENERATED ALWAYS AS IDENTITY.",
      subject: displayTable(id),
      table: id,
      remedy: "Let the target's user set session_replication_role, then reload the table.",
    });
  }

  #unchanged(cells: Int32Array, row: number): Uint8Array {
    return unchangedOf(cells, row, this.#plan.source.columns.length);
  }

  #statement({ sql, params }: ApplyCommand): PreparedStatement {
    return { name: `${this.#prefix}_${this.#count++}`, sql, params, prepared: false, usedAt: 0 };
  }
}
