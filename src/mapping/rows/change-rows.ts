import { type ChangeBatch, isReferring, OP_WIDTH, Op } from "../../core/change-batch.ts";
import { MigrationError } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import { type TableSchema, tableKey } from "../../core/schema.ts";
import { ChangeOutput } from "./change-output.ts";
import { ChangeHeaders } from "./headers.ts";
import { TableChanges } from "./table-changes.ts";

/**
 * Makes a plan's changes of the source's (docs/decisions/023). Changes of tables without rules of rows stay as they are,
 * and a batch that has no others is passed on itself.
 *
 *     the filter held    holds now    update becomes     delete
 *     yes                yes          update             delete
 *     no                 yes          insert             -
 *     yes                no           delete             -
 *     no                 no           nothing            nothing
 *     not known          yes          update, converging -
 *     not known          no           delete, converging delete, converging
 *
 * What a change does not tell, and the rules need, is a misfit. A deleted row that is to stay needs the filter's answer:
 * what is sent of it does not make the row that the target may not have.
 */
export class ChangeRows {
  readonly #changes = new Map<string, TableChanges>();
  readonly #headers = new ChangeHeaders();
  /** Those of the last batch, by source schema and as the rules leave them. */
  #given: readonly TableSchema[] = [];
  #tables: readonly TableSchema[] = [];
  #changesOf: readonly (TableChanges | undefined)[] = [];

  /** Those of `plans` that have rules of rows. */
  constructor(plans: readonly TablePlan[]) {
    for (const plan of plans) {
      if (plan.rows !== undefined) this.#changes.set(tableKey(plan.source.id), new TableChanges(plan));
    }
  }

  map(batch: ChangeBatch): ChangeBatch {
    if (batch.tables !== this.#given) this.#use(batch.tables);
    const changesOf = this.#changesOf;
    const { ops, cells, transactions } = batch;
    let added = 0;
    for (let at = 0; at < ops.length; at += OP_WIDTH) {
      const changes = changesOf[ops[at + 1]!];
      if (changes !== undefined) added += 4 * changes.plan.source.columns.length;
    }
    if (added === 0 && !batch.misfits?.some(({ table }) => changesOf[table] !== undefined)) {
      return changesOf.every((changes) => changes === undefined) ? batch : { ...batch, tables: this.#tables };
    }
    const output = new ChangeOutput(batch, added);
    for (const changes of changesOf) changes?.use(batch, output);
    for (const transaction of transactions) {
      for (let at = transaction.start * OP_WIDTH; at < transaction.end * OP_WIDTH; at += OP_WIDTH) {
        const op = ops[at] as Op;
        const table = ops[at + 1]!;
        const before = ops[at + 2]!;
        const after = ops[at + 3]!;
        const changes = changesOf[table];
        if (changes === undefined || op === Op.truncate) {
          output.op(op, table, before, after);
          continue;
        }
        this.#headers.use(transaction, op);
        try {
          if (isReferring(op)) refer(output, { changes, table, op, cells, before, after });
          else this.#change(output, { changes, table, op, cells, before, after });
        } catch (error) {
          if (!(error instanceof MigrationError)) throw error;
          output.misfit(table, error);
        }
        const cuts = changes.takeCuts();
        if (cuts > 0) output.cut(table, cuts);
      }
      output.endTransaction();
    }
    return output.take(this.#tables);
  }

  #use(given: readonly TableSchema[]): void {
    this.#given = given;
    this.#changesOf = given.map(({ id }) => this.#changes.get(tableKey(id)));
    this.#tables = given.map((table, i) => this.#changesOf[i]?.plan.source ?? table);
  }

  #change(output: ChangeOutput, change: OneChange): void {
    const { changes, op, cells, before, after } = change;
    changes.look(op, cells, before, after);
    if (op === Op.delete) this.#delete(output, change);
    else if (op === Op.insert) this.#insert(output, change);
    else this.#update(output, change);
  }

  /** A row whose deletes are told by an expression may be there yet. */
  #insert(output: ChangeOutput, { changes, table }: OneChange): void {
    if (changes.holdsAfter() === false) return;
    output.op(Op.insert, table, -1, changes.makeAfter(this.#headers));
    if (changes.keepsDeleted) output.converge(table);
  }

  #delete(output: ChangeOutput, { changes, table }: OneChange): void {
    const held = changes.holdsBefore();
    if (held === false) return;
    if (changes.keepsDeleted) {
      if (held === "unknown") throw changes.notSent("a value of the filter");
      changes.lookKept();
      output.op(Op.update, table, -1, changes.makeAfter(this.#headers));
      return;
    }
    if (held === "unknown") output.converge(table);
    output.op(Op.delete, table, changes.makeBefore(this.#headers), -1);
  }

  #update(output: ChangeOutput, { changes, table, before }: OneChange): void {
    const holds = changes.holdsAfter();
    if (holds === "unknown") throw changes.notSent("a value of the filter");
    const held = changes.holdsBefore();
    if (!holds && held === false) return;
    if (held === "unknown") output.converge(table);
    if (!holds) {
      output.op(Op.delete, table, changes.makeBefore(this.#headers), -1);
    } else if (held === false) {
      if (!changes.isWhole) throw changes.notSent("all values of a row that the filter takes now");
      output.op(Op.insert, table, -1, changes.makeAfter(this.#headers));
    } else {
      const old = before < 0 ? -1 : changes.makeBefore(this.#headers);
      output.op(Op.update, table, old, changes.makeAfter(this.#headers));
    }
  }
}

interface OneChange {
  readonly changes: TableChanges;
  readonly table: number;
  readonly op: Op;
  readonly cells: Int32Array;
  readonly before: number;
  readonly after: number;
}

/** What a foreign key of the source has done by itself. */
function refer(output: ChangeOutput, { changes, table, op, cells, before, after }: OneChange): void {
  if (op === Op.deleteReferring && changes.keepsDeleted) {
    throw changes.notSent("which rows a foreign key has deleted by itself");
  }
  const old = changes.makeReferring(cells, before, true);
  if (op === Op.deleteReferring) {
    output.op(op, table, old, -1);
    return;
  }
  const made = changes.makeReferring(cells, after, false);
  if (made >= 0) output.op(op, table, old, made);
}
