import { OP_WIDTH } from "../../../core/change-batch.ts";
import type { RecordedException } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Position } from "../../../core/position.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { silentKeysOf } from "../../../core/silent-keys.ts";
import { type OwnWrite, ownWrites } from "../writers/own-writes.ts";
import type { RowException } from "./apply-counts.ts";
import { type ApplyGroup, opsOf } from "./apply-group.ts";
import type { ApplyTransactions, Committed } from "./apply-loop.ts";

/** Transactions of an applier, of which it is known which tables they write to, and when. */
export class NotedTransactions implements ApplyTransactions {
  readonly #transactions: ApplyTransactions;
  /** By key of the source's id: the target's table, and those whose rows the applier changes with its rows. */
  readonly #written: ReadonlyMap<string, readonly TableId[]>;
  #write: OwnWrite | undefined;

  constructor(transactions: ApplyTransactions, plans: readonly TablePlan[]) {
    this.#transactions = transactions;
    const keys = silentKeysOf(plans.map(({ source }) => source));
    this.#written = new Map(
      plans.map(({ source }, i) => [
        tableKey(source.id),
        [...keys.family(i)].map((one) => plans[one]!.target.id),
      ]),
    );
  }

  begin(...how: Parameters<ApplyTransactions["begin"]>): void {
    this.#write ??= ownWrites.begin([]);
    this.#transactions.begin(...how);
  }

  write(group: ApplyGroup): Promise<readonly RowException[]> {
    this.#note(group);
    return this.#transactions.write(group);
  }

  async rollBack(): Promise<void> {
    await this.#transactions.rollBack();
    this.#ended();
  }

  async commit(position: Position): Promise<Committed> {
    const committed = await this.#transactions.commit(position);
    this.#ended();
    return committed;
  }

  checkRetry(plan: TablePlan): void {
    this.#transactions.checkRetry(plan);
  }

  forgetExceptions(plan: TablePlan, exceptions: readonly RecordedException[]): Promise<void> {
    return this.#transactions.forgetExceptions(plan, exceptions);
  }

  async commitRetry(): Promise<void> {
    await this.#transactions.commitRetry();
    this.#ended();
  }

  save(position: Position, waits: boolean): Promise<Position | undefined> {
    return this.#transactions.save(position, waits);
  }

  get undurable(): Position | undefined {
    return this.#transactions.undurable;
  }

  get isDue(): boolean {
    return this.#transactions.isDue;
  }

  get dueInMs(): number | undefined {
    return this.#transactions.dueInMs;
  }

  askDurable(): Promise<Position | undefined> {
    return this.#transactions.askDurable();
  }

  describe(error: unknown): unknown {
    return this.#transactions.describe(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transactions[Symbol.asyncDispose]();
    this.#ended();
  }

  #note(group: ApplyGroup): void {
    for (const piece of group.pieces) {
      const { ops, tables } = piece.batch;
      const occurs = new Uint8Array(tables.length);
      const { start, end } = opsOf(piece);
      for (let op = start; op < end; op++) occurs[ops[op * OP_WIDTH + 1]!] = 1;
      for (const [i, { id }] of tables.entries()) {
        if (occurs[i] === 0) continue;
        for (const table of this.#written.get(tableKey(id)) ?? []) this.#write?.add(table);
      }
    }
  }

  #ended(): void {
    this.#write?.[Symbol.dispose]();
    this.#write = undefined;
  }
}
