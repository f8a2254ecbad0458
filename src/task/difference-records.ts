import { MigrationError } from "../core/error.ts";
import type { RecordedDifference, RecordsRequest } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Snapshot } from "../core/source.ts";
import { type RetryRows, recordsOf, type TriedRecord } from "../pipeline/retry-rows.ts";
import type { KeyColumn } from "../pipeline/row-keys.ts";
import type { Attempt } from "./attempt.ts";
import { outdatedExceptions } from "./outdated-exceptions.ts";
import { RepairedRows } from "./repaired-rows.ts";
import type { RetryBook } from "./retry-book.ts";
import { ofWish, WishFailure } from "./retry-wish.ts";
import type { ValidationBook } from "./validation-book.ts";
import type { RecordedTable, RecordPages, WishRecords } from "./wish-records.ts";

/** Resolves when whole comparisons that are due by now have ended, of these tables or of all; see ValidationBesideChanges. */
export type Compared = (tables: readonly TableId[] | undefined) => Promise<void>;

interface TriedDifference extends TriedRecord {
  /** As it is recorded. */
  readonly key: RecordedDifference["key"];
}

/**
 * Rows that the task's validation has found to differ. When they have been brought they are compared while nothing else is brought,
 * and a record goes when its row is seen to be the same: a process that dies before leaves it.
 */
export class DifferenceRecords implements WishRecords<TriedDifference> {
  readonly #attempt: Attempt;
  readonly #validation: ValidationBook;
  readonly #compared: Compared;
  readonly #repaired: RepairedRows;
  /** By the key of the source's table: why rows were refused when all of its records were last tried. */
  readonly #refusals = new Map<string, Map<string, number>>();

  /** `compared`: undefined for a task that no changes follow. Throws a WishFailure when such rows cannot be brought by it. */
  constructor(attempt: Attempt, compared: Compared | undefined) {
    const { validation, settings, spec } = attempt;
    if (compared === undefined || settings.validation.only) throw refusal(spec.name, BY_ANOTHER);
    if (validation === undefined) throw refusal(spec.name, UNVALIDATED);
    this.#attempt = attempt;
    this.#validation = validation;
    this.#compared = compared;
    this.#repaired = new RepairedRows(attempt);
  }

  /** A table that is being compared whole has none of its records for a while. */
  ready(tables: readonly TableId[] | undefined): Promise<void> {
    return this.#compared(tables);
  }

  async recorded(): Promise<ReadonlyMap<string, RecordedTable>> {
    const { journal, signal } = this.#attempt;
    const recorded = await journal.differenceKinds(signal);
    return new Map(
      recorded.map(({ table, kinds, unnamed }) => [
        tableKey(table),
        { table, kinds, unnamed, records: [...kinds.values()].reduce((sum, rows) => sum + rows, 0) },
      ]),
    );
  }

  triesAll(table: TableId): void {
    this.#refusals.delete(tableKey(table));
  }

  async page(wanted: RecordsRequest, columns: readonly KeyColumn[]): Promise<readonly TriedDifference[]> {
    const { journal, signal } = this.#attempt;
    const records = await journal.differences(wanted, signal);
    return records.map(({ id, records: count, key }) => ({
      ...{ id, key, records: count, keys: keysOf(key, columns) },
      // Whatever it is recorded for: a row that the source has no more is not to be on the target.
      leaves: true,
    }));
  }

  removedWith(): undefined {
    return undefined;
  }

  async written(plan: TablePlan, rows: RetryRows<TriedDifference>, snapshot: Snapshot): Promise<number> {
    const { id } = plan.source;
    this.#note(id, rows.refusals);
    const { tried } = rows;
    const equal = await ofWish(() =>
      this.#repaired.equal(
        plan,
        tried.map(({ key }) => key),
        snapshot,
      ),
    );
    const settled = tried.filter(({ key }) => equal.has(key)).flatMap(({ records }) => records);
    const { journal, signal } = this.#attempt;
    const keys = settled.flatMap(({ key }) => (key === undefined ? [] : [key]));
    if (keys.length > 0) await journal.removeValidationFailures(plan.target.id, keys, signal);
    // One that was read before may only now be recorded as other; and what is not equal may be another row's doing.
    this.#validation.changed.putBack(
      id,
      tried.map(({ key }) => JSON.stringify(key)),
    );
    this.#validation.tell(id);
    return recordsOf(settled);
  }

  /** Changes have missed rows that were not there, and the target has refused some that it takes now. */
  outdated(tables: readonly TableId[] | undefined): Promise<readonly RecordPages[]> {
    return outdatedExceptions(this.#attempt, this.#repaired, tables);
  }

  async tell(book: RetryBook): Promise<void> {
    await this.#validation.countFailures(this.#attempt);
    const recorded = await this.recorded();
    const targets = new Map(
      this.#attempt.plan.tables.map(({ source, target }) => [tableKey(source.id), tableKey(target.id)]),
    );
    for (const { id } of book.progress?.tables ?? []) {
      const records = recorded.get(targets.get(tableKey(id)) ?? tableKey(id))?.records ?? 0;
      const codes = records === 0 ? undefined : this.#refusals.get(tableKey(id));
      book.left(id, { records, codes: codes ?? new Map() });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repaired[Symbol.asyncDispose]();
  }

  #note(id: TableId, refusals: ReadonlyMap<string, number>): void {
    const known = this.#refusals.get(tableKey(id)) ?? new Map<string, number>();
    for (const [code, count] of refusals) known.set(code, (known.get(code) ?? 0) + count);
    this.#refusals.set(tableKey(id), known);
  }
}

/** By the source's names. */
function keysOf(key: RecordedDifference["key"], columns: readonly KeyColumn[]): TriedRecord["keys"] {
  if (key === undefined || key.length !== columns.length) return [];
  return [Object.fromEntries(columns.map(({ name }, i) => [name, key[i]!]))];
}

const UNVALIDATED = {
  message: "The task does not compare its tables, so it has no records of rows that differ.",
  remedy:
    "Stop it, set EnableValidation of ValidationSettings to true and resume it; or leave it stopped, and carry out what `tideway validate --repair FILE` writes when no task goes on with these tables.",
};

const BY_ANOTHER = {
  message: "The task brings no changes, so it has no rows to bring.",
  remedy:
    "Repair by the task that brings them; what a full load has brought by `tideway validate --repair=apply`.",
};

function refusal(subject: string, { message, remedy }: typeof UNVALIDATED): WishFailure {
  return new WishFailure(new MigrationError("usage.invalid", { message, subject, remedy }));
}
