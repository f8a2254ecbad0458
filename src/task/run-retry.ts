import { setTimeout } from "node:timers/promises";
import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import { readTable, type TablePlan } from "../core/plan.ts";
import { passesOver } from "../core/row-errors.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Snapshot } from "../core/source.ts";
import type { Applier } from "../core/target.ts";
import type { ChangeApply } from "../pipeline/change-apply.ts";
import { type KeyColumn, type KeyFault, keyColumns } from "../pipeline/row-keys.ts";
import type { Attempt } from "./attempt.ts";
import { type RetryBook, sumOf } from "./retry-book.ts";
import { ASIDE, TableRecords, type TriedTable } from "./retry-pages.ts";
import { ofWish, WishFailure } from "./retry-wish.ts";
import { waitForWriters } from "./wait-for-writers.ts";

/** How long changes may wait for rows that are tried; then they go on, and the rest is tried at another snapshot. */
const ROUND_MS = 10_000;

/** How long changes wait for a snapshot to begin; then they go on for as long before the next try. */
const STAND_LIMIT_MS = 10_000;

/** Does something while the target holds what the source showed in a snapshot of some tables. */
type Stand = (tables: readonly TablePlan[], work: (snapshot: Snapshot) => Promise<void>) => Promise<void>;

export interface Retry {
  readonly attempt: Attempt;
  readonly applier: Applier;
  readonly book: RetryBook;
  readonly stand: Stand;
  /** What the target has by now of those rows gives way to what the source has; else it stays. */
  readonly overwrites: boolean;
}

/**
 * Tries rows again that were passed over, while changes go on. What counts is the source's row as it is now:
 *
 *     snapshot taken at S      nothing is applied meanwhile
 *     all applied up to S      nothing beyond it is taken: the target shows that moment, but for what it has passed over
 *     rows of the records      read from the snapshot and applied, in one transaction with the removal of the records
 *     changes go on            each finds the rows as the source had them
 *
 * A crash at any point leaves a record and what the target had before, or neither; the wish is carried out again. A row that
 * the target refuses once more is recorded anew. Some come only after others, such as those that they refer to, so what is left is
 * tried again for as long as it gets less.
 */
export async function retryErrors(retry: Retry): Promise<void> {
  const { attempt, book } = retry;
  const wish = book.wanted;
  if (wish === undefined) return;
  try {
    let tables = await tablesToTry(retry, wish.tables);
    attempt.statistics.report();
    for (let before = Number.POSITIVE_INFINITY; tables.length > 0; ) {
      await tryAll(retry, tables);
      const left = await recordedRows(attempt);
      tables = tables.filter(({ plan }) => left.has(tableKey(plan.target.id)));
      const now = tables.reduce((total, { plan }) => total + left.get(tableKey(plan.target.id))!.records, 0);
      // Changes may bring new ones all the time.
      if (now >= before) break;
      before = now;
    }
  } catch (error) {
    if (!(error instanceof WishFailure) || attempt.signal.aborted) throw error;
    book.failed(error.cause);
  }
  await tellLeft(retry);
  await attempt.validation?.anew(
    (book.progress?.tables ?? []).map(({ id }) => id),
    attempt.journal,
    attempt.signal,
  );
  if (book.progress?.state !== "failed") book.done();
  attempt.statistics.report();
}

const FAULTS: Readonly<Record<KeyFault, string>> = {
  "no-key": "its rows have no key to be found by; reload the table",
  "key-is-made":
    "rules make or mask its key, so that rows cannot be found by it on the source; reload the table",
  "keeps-deleted": "its rules keep rows that the source has deleted; reload the table",
};

/** Notes what is recorded of each table that is asked for, and why nothing can be tried of some. */
async function tablesToTry(
  { attempt, book }: Retry,
  wanted: readonly TableId[] | undefined,
): Promise<readonly TriedTable[]> {
  const { plan, errors, settings, spec } = attempt;
  if (!passesOver(settings.rowErrors.refused)) {
    throw new WishFailure(
      new MigrationError("usage.invalid", {
        message: "DataErrorPolicy does not let rows pass that the target refuses, so none are tried again.",
        subject: spec.name,
        remedy: "Set it to LOG_ERROR or IGNORE_RECORD, or reload the tables.",
      }),
    );
  }
  const recorded = await recordedRows(attempt);
  const named = wanted && new Set(wanted.map(tableKey));
  const tables: TriedTable[] = [];
  for (const one of plan.tables) {
    const { id } = one.source;
    const records = recorded.get(tableKey(one.target.id))?.records ?? 0;
    recorded.delete(tableKey(one.target.id));
    if (named === undefined ? records === 0 : !named.has(tableKey(id))) continue;
    book.begins(id, records);
    if (records === 0) continue;
    const columns = keyColumns(one);
    const reason = errors.isSuspended(id) ? ASIDE : typeof columns === "string" ? FAULTS[columns] : undefined;
    if (reason === undefined) tables.push({ plan: one, columns: columns as readonly KeyColumn[] });
    else book.untried(id, { records, reason });
  }
  if (named !== undefined) return tables;
  for (const { table, records } of recorded.values()) {
    book.begins(table, records);
    book.untried(table, { records, reason: "the table is no part of the task any more" });
  }
  return tables;
}

/** Tries every record of the tables once. */
async function tryAll(retry: Retry, tables: readonly TriedTable[]): Promise<void> {
  const { book } = retry;
  const left = tables.map((table) => new TableRecords(table));
  for (const { plan } of tables) book.triesAll(plan.source.id);
  while (left.length > 0) {
    const plans = left.map(({ table }) => table.plan);
    await retry.stand(plans, async (snapshot) => {
      const until = performance.now() + ROUND_MS;
      while (left.length > 0 && performance.now() < until) {
        retry.attempt.signal.throwIfAborted();
        const outcome = await left[0]!.tryPage(retry, snapshot);
        if (outcome === "done") left.shift();
        if (outcome === "rewritten") return;
      }
    });
  }
}

/** What the target has recorded now, for whoever asked, and for the statistics. */
async function tellLeft({ attempt, book }: Retry): Promise<void> {
  const { journal, plan, statistics, signal } = attempt;
  const errors = await journal.recordedErrors(signal);
  const left = new Map(
    (await journal.recordedCodes(signal)).map(({ table, codes }) => [tableKey(table), codes]),
  );
  const targets = new Map(
    plan.tables.map(({ source, target }) => [tableKey(source.id), tableKey(target.id)]),
  );
  for (const { id } of book.progress?.tables ?? []) {
    const target = targets.get(tableKey(id)) ?? tableKey(id);
    book.left(id, left.get(target) ?? new Map());
    statistics.recorded(id, errors.get(target));
  }
}

/** How many records each table of the target has, by key. */
async function recordedRows({
  journal,
  signal,
}: Attempt): Promise<Map<string, { readonly table: TableId; readonly records: number }>> {
  const recorded = await journal.recordedCodes(signal);
  return new Map(recorded.map(({ table, codes }) => [tableKey(table), { table, records: sumOf(codes) }]));
}

/** Between two batches of a task's changes; see ChangeApply.at. `inTurn`: nothing else is done beside the changes meanwhile. */
export function standAmongChanges(
  attempt: Attempt,
  apply: ChangeApply,
  inTurn: (work: () => Promise<void>) => Promise<void>,
): Stand {
  return async (plans, work) => {
    await using opened = new AsyncDisposableStack();
    const request = {
      ...attempt.streamRequest,
      tables: plans.map(readTable),
      anchor: "existing-stream",
      exact: true,
    } as const;
    let snapshot: Snapshot | undefined;
    const open = (): Promise<Snapshot> =>
      waitForWriters(attempt, { isNew: false, isLimited: true, limitMs: STAND_LIMIT_MS }, (signal) =>
        attempt.source.openSnapshot(request, signal),
      );
    let until = Number.POSITIVE_INFINITY;
    const stand = (): Promise<void> => {
      // It has waited for nobody before it has its first turn.
      until = Math.min(until, performance.now() + attempt.settings.streamStartLimitS * 1000);
      return apply.at(
        async () => {
          snapshot = opened.use(await open());
          return snapshot.position!;
        },
        async () => {
          failpoint("retry.stands");
          await work(snapshot!);
        },
      );
    };
    for (;;) {
      try {
        return await inTurn(stand);
      } catch (error) {
        if (snapshot !== undefined) throw error;
        if (!isLongTransaction(error) || performance.now() > until) await ofWish(() => Promise.reject(error));
      }
      await setTimeout(STAND_LIMIT_MS, undefined, { signal: attempt.signal });
    }
  };
}

function isLongTransaction(error: unknown): boolean {
  return error instanceof MigrationError && error.code === "source.long_transaction";
}

/**
 * After a full load that no changes follow. Its tables may be in use on the target since: what is there by now stays, foreign keys
 * act, and a row that is in the way is an error like any other.
 */
export async function retryAfterLoad(attempt: Attempt, book: RetryBook): Promise<void> {
  if (book.wanted === undefined) return;
  const { source, target, plan, settings, streamRequest, signal } = attempt;
  const { rowErrors } = settings;
  const request = { ...attempt.journalRequest, plan, positions: source.positions, rowErrors } as const;
  await using applier = await target.openApplier({ ...request, screens: true, isOfLoad: true }, signal);
  const stand: Stand = async (plans, work) => {
    const tables = plans.map(readTable);
    const wanted = { ...streamRequest, tables, anchor: "none" } as const;
    await using snapshot = await ofWish(() =>
      waitForWriters(attempt, { isNew: false, isLimited: true }, (limited) =>
        source.openSnapshot(wanted, limited),
      ),
    );
    failpoint("retry.stands");
    await work(snapshot);
  };
  await retryErrors({ attempt, applier, book, stand, overwrites: false });
}
