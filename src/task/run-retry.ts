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
import { type Compared, DifferenceRecords } from "./difference-records.ts";
import { ExceptionRecords } from "./exception-records.ts";
import type { RetryBook } from "./retry-book.ts";
import { ASIDE, TableRecords, type TriedTable, UNCLEAR } from "./retry-pages.ts";
import { ofWish, WishFailure } from "./retry-wish.ts";
import type { RetryWish } from "./task.ts";
import { waitForWriters } from "./wait-for-writers.ts";
import type { RecordedTable, RecordPages, WishRecords } from "./wish-records.ts";

/** How long changes may wait for rows that are tried; then they go on, and the rest is tried at another snapshot. */
const ROUND_MS = 10_000;

/** How long changes wait for a snapshot to begin; then they go on for as long before the next try. */
const STAND_LIMIT_MS = 10_000;

/** Does something while the target holds what the source showed in a snapshot of some tables. */
type Stand = (tables: readonly TablePlan[], work: (snapshot: Snapshot) => Promise<void>) => Promise<void>;

export interface RetryParts {
  readonly attempt: Attempt;
  readonly applier: Applier;
  readonly book: RetryBook;
  readonly stand: Stand;
  /** What the target has by now of those rows gives way to what the source has; else it stays. */
  readonly overwrites: boolean;
  /** Undefined where no changes follow. */
  readonly compared: Compared | undefined;
}

export interface Retry extends RetryParts {
  readonly records: WishRecords;
}

/**
 * Brings rows that are recorded as passed over, or as different, while changes go on. What counts is the source's row as it is now:
 *
 *     snapshot taken at S      nothing is applied meanwhile
 *     all applied up to S      nothing beyond it is taken: the target shows that moment, but for what it has passed over
 *     rows of the records      read from the snapshot and applied, in one transaction with the removal of the records; those
 *                              of rows that differ go when the target's are seen to be the snapshot's
 *     changes go on            each finds the rows as the source had them
 *
 * A crash at any point leaves a record and what the target had before, or neither, or a record of a row that is brought once
 * more; the wish is carried out again. A row that the target refuses is recorded anew, or stays so. Some come only after others, such
 * as those that they refer to, so what is left is tried again for as long as it gets less.
 */
export async function fulfilWish(parts: RetryParts): Promise<void> {
  const { attempt, book } = parts;
  const wish = book.wanted;
  if (wish === undefined) return;
  await using opened = new AsyncDisposableStack();
  let records: WishRecords | undefined;
  try {
    records = opened.use(recordsOf(wish, parts));
    await bring({ ...parts, records }, wish);
  } catch (error) {
    if (!(error instanceof WishFailure) || attempt.signal.aborted) throw error;
    book.failed(error.cause);
  }
  await records?.tell(book);
  if (book.progress?.state !== "failed") book.done();
  attempt.statistics.report();
}

function recordsOf({ of }: RetryWish, { attempt, compared }: RetryParts): WishRecords {
  return of === "differences" ? new DifferenceRecords(attempt, compared) : new ExceptionRecords(attempt);
}

async function bring(retry: Retry, { tables: wanted, looksOnly }: RetryWish): Promise<void> {
  const { attempt, records } = retry;
  if (looksOnly !== true) await records.ready(wanted);
  let tables = await tablesToTry(retry, wanted);
  attempt.statistics.report();
  if (looksOnly === true) return;
  for (let before = Number.POSITIVE_INFINITY; tables.length > 0; ) {
    await tryAll(retry, tables);
    const left = await records.recorded();
    const leftOf = ({ plan }: TriedTable): number => left.get(tableKey(plan.target.id))?.records ?? 0;
    tables = tables.filter((table) => leftOf(table) > 0);
    const now = tables.reduce((total, table) => total + leftOf(table), 0);
    // Changes may bring new ones all the time.
    if (now >= before) break;
    before = now;
  }
  await byPages(retry, await records.outdated(wanted));
}

const FAULTS: Readonly<Record<KeyFault, string>> = {
  "no-key": "its rows have no key to be found by; reload the table",
  "key-is-made":
    "rules make or mask its key, so that rows cannot be found by it on the source; reload the table",
  "keeps-deleted": "its rules keep rows that the source has deleted; reload the table",
};

/** Notes what is recorded of each table that is asked for, and why nothing can be tried of some. */
async function tablesToTry(
  { attempt, book, records: wished }: Retry,
  wanted: readonly TableId[] | undefined,
): Promise<readonly TriedTable[]> {
  const { plan, errors, settings, spec } = attempt;
  if (!passesOver(settings.rowErrors.refused)) {
    throw new WishFailure(
      new MigrationError("usage.invalid", {
        message: "DataErrorPolicy does not let rows pass that the target refuses, so none are brought.",
        subject: spec.name,
        remedy: "Set it to LOG_ERROR or IGNORE_RECORD, or reload the tables.",
      }),
    );
  }
  const recorded = new Map(await wished.recorded());
  const named = wanted && new Set(wanted.map(tableKey));
  const tables: TriedTable[] = [];
  for (const one of plan.tables) {
    const { id } = one.source;
    const found = recorded.get(tableKey(one.target.id)) ?? nothing(one.target.id);
    const { records, unnamed } = found;
    recorded.delete(tableKey(one.target.id));
    if (named === undefined ? records === 0 : !named.has(tableKey(id))) continue;
    book.begins(id, found);
    if (records === 0) continue;
    const columns = keyColumns(one);
    const reason = errors.isSuspended(id) ? ASIDE : typeof columns === "string" ? FAULTS[columns] : undefined;
    if (reason === undefined) tables.push({ plan: one, columns: columns as readonly KeyColumn[] });
    if (reason !== undefined) book.untried(id, { records, reason });
    else if (unnamed > 0) book.untried(id, { records: unnamed, reason: UNCLEAR });
  }
  if (named !== undefined) return tables;
  for (const found of recorded.values()) {
    const { table, records } = found;
    book.begins(table, found);
    book.untried(table, { records, reason: "the table is no part of the task any more" });
  }
  return tables;
}

function nothing(table: TableId): RecordedTable {
  return { table, records: 0, unnamed: 0, kinds: undefined };
}

/** Tries every record of the tables once. */
async function tryAll(retry: Retry, tables: readonly TriedTable[]): Promise<void> {
  const { book, records } = retry;
  for (const { plan } of tables) {
    book.triesAll(plan.source.id);
    records.triesAll(plan.source.id);
  }
  await byPages(
    retry,
    tables.map((table) => new TableRecords(table)),
  );
}

async function byPages(retry: Retry, tables: readonly RecordPages[]): Promise<void> {
  const left = [...tables];
  while (left.length > 0) {
    const plans = left.map(({ plan }) => plan);
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
  await fulfilWish({ attempt, applier, book, stand, overwrites: false, compared: undefined });
}
