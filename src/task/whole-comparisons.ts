import { pause } from "../base/backoff.ts";
import type { TablePlan } from "../core/plan.ts";
import { readTable } from "../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import { isRewritten } from "../pipeline/rereads.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import { type TargetPlaces, validate } from "../pipeline/validation/validate.ts";
import type { TableValidation, ValidationObserver } from "../pipeline/validation/validation-observer.ts";
import type { Attempt } from "./attempt.ts";
import type { WholeEnd } from "./booked-table.ts";
import { loadsRows } from "./loads-rows.ts";
import type { ValidationBook } from "./validation-book.ts";
import { FailureRecords } from "./validation-failures.ts";

/** Snapshots of both sides are kept for so much at once: servers keep old rows for them. */
const MOST_TABLES = 200;
const MOST_BYTES = 4 * 2 ** 30;
/** Of a table: what differs in more rows is hardly a matter of the moment. */
const MOST_RECHECKED = 10_000;

export interface ComparisonParts {
  readonly attempt: Attempt;
  readonly book: ValidationBook;
  /** The target's database, opened as one that is read. */
  readonly target: Source;
  readonly places: TargetPlaces;
  /** Whether the table has its rows, and its changes are applied. */
  readonly isReady: (table: TableId) => boolean;
  /** Changes are applied meanwhile, and the rows that they concern are looked at. */
  readonly follows: boolean;
  readonly signal: AbortSignal;
}

/** Compares tables whole, each when that is due. */
export class WholeComparisons {
  readonly #parts: ComparisonParts;

  constructor(parts: ComparisonParts) {
    this.#parts = parts;
  }

  /** Compares some of those that are due; resolves with whether there were any. `hurries`: see ValidationBook.due(). */
  async compareSome(hurries: boolean): Promise<boolean> {
    const { book } = this.#parts;
    const due = book.due(hurries);
    if (due.length === 0) return false;
    const ready = await this.#ready(due);
    if (ready.length === 0) return false;
    await this.#compare(upTo(ready));
    return true;
  }

  async #ready(due: readonly TablePlan[]): Promise<readonly TablePlan[]> {
    const { attempt, isReady, signal } = this.#parts;
    const { journal, errors } = attempt;
    const states = new Map(
      (await journal.tables(signal)).map(({ id, state }) => [tableKey(id), state] as const),
    );
    return due.filter(({ source: { id } }) => {
      const state = states.get(tableKey(id)) ?? (loadsRows(attempt) ? undefined : "ready");
      return state === "ready" && isReady(id) && !errors.isSuspended(id);
    });
  }

  async #compare(wanted: readonly TablePlan[]): Promise<void> {
    const { attempt, book, target, places, isReady, signal } = this.#parts;
    const { source, settings, journal } = attempt;
    const { sessions, skipsLobs } = settings.validation;
    const { withValues } = settings.rowErrors;
    const targets = await describeTargets(target, wanted, signal);
    // Since it was asked for, a table may be being loaded again.
    const plans = wanted.filter(({ source: { id } }) => isReady(id) && !attempt.errors.isSuspended(id));
    if (plans.length === 0) return;
    const tables = new Map<string, ComparedWhole>();
    for (const plan of plans) {
      const { id } = plan.source;
      const records = new FailureRecords(plan.target.id, journal, signal);
      const generation = book.begins(id, estimatedRows(plan, targets), this.#parts);
      tables.set(tableKey(id), { records, generation, rechecks: [] });
    }
    try {
      for (const { records } of tables.values()) await records.clear();
      await validate({
        ...{ source, target, tables: plans, targets, sessions, skipsLobs, withValues, signal },
        ...{ sample: undefined, withTotals: false, places },
        observer: this.#observer(tables),
      });
    } finally {
      for (const { source: table } of plans) {
        if (this.#isCurrent(table.id, tables)) book.ended(table.id, undefined);
      }
    }
  }

  #observer(tables: ReadonlyMap<string, ComparedWhole>): ValidationObserver {
    const { book, attempt } = this.#parts;
    const of = (id: TableId): ComparedWhole => tables.get(tableKey(id))!;
    return {
      compared: (id, rows) => {
        if (this.#isCurrent(id, tables)) book.compared(id, rows);
      },
      settling: () => undefined,
      checked: () => undefined,
      difference: async (difference, lookup) => {
        const { table } = difference;
        if (!this.#isCurrent(table, tables)) return;
        const { records, rechecks } = of(table);
        await records.different(difference, lookup?.target);
        if (lookup !== undefined && rechecks.length < MOST_RECHECKED)
          rechecks.push(JSON.stringify(lookup.source));
      },
      validated: async (found) => {
        const { table } = found;
        if (!this.#isCurrent(table, tables)) return;
        // It stays due: the change may come behind what was read.
        if (isRewritten(found.error)) return book.ended(table, undefined);
        const { records, rechecks } = of(table);
        for (const warning of Object.values(textsOf(found))) {
          if (warning !== undefined) await records.warning(warning);
        }
        await records.flush();
        // When its comparison begins nothing is recorded of a table, and who has counted then may have found what was before.
        const { signal } = this.#parts;
        if (records.hasAny || book.hasFailures(table)) await book.countFailures({ ...attempt, signal });
        if (this.#isCurrent(table, tables)) {
          const { undecided, seconds } = found;
          // They may have changed since they were read, and have been found the same before they were recorded.
          for (const key of rechecks) book.changed.recheck(table, key);
          book.ended(table, { undecided, ms: seconds * 1000, ...textsOf(found) });
        }
      },
    };
  }

  /** What was found of a table that has been set aside, or is being loaded again, does not count. */
  #isCurrent(id: TableId, tables: ReadonlyMap<string, ComparedWhole>): boolean {
    const { attempt, book } = this.#parts;
    return book.isCurrent(id, tables.get(tableKey(id))!.generation) && !attempt.errors.isSuspended(id);
  }
}

interface ComparedWhole {
  readonly records: FailureRecords;
  readonly generation: number;
  /** Keys of rows that are to be looked at once more when all of them are recorded. */
  readonly rechecks: string[];
}

function upTo(plans: readonly TablePlan[]): readonly TablePlan[] {
  let bytes = 0;
  let end = 0;
  for (; end < Math.min(plans.length, MOST_TABLES); end++) {
    bytes += readTable(plans[end]!).estimatedBytes;
    if (end > 0 && bytes > MOST_BYTES) break;
  }
  return plans.slice(0, end);
}

/** Of both sides; undefined where one of them has no estimate. */
function estimatedRows(plan: TablePlan, targets: ReadonlyMap<string, TableSchema>): number | undefined {
  const there = targets.get(tableKey(plan.target.id));
  const estimates = [readTable(plan).estimatedRows, there?.estimatedRows ?? 0];
  return estimates.every((rows) => rows >= 0) ? estimates.reduce((a, b) => a + b, 0) : undefined;
}

/** What is to be said of the table as a whole. */
function textsOf(found: TableValidation): Pick<WholeEnd, "fault" | "lacks" | "notes"> {
  const open = found.uncompared.filter(({ isOpen }) => isOpen);
  const joined = (texts: readonly string[]): string | undefined =>
    texts.length === 0 ? undefined : texts.join(" ");
  return {
    fault: whyNot(found),
    lacks: joined(found.missingColumns.map((name) => `The target has no column ${name}.`)),
    notes: joined(open.map(({ column, note }) => `The column ${column} is not compared: ${note}.`)),
  };
}

/** Why a table as a whole is not compared. */
function whyNot({ verdict, reason, error }: TableValidation): string | undefined {
  if (verdict === "missing") return "The target has no such table.";
  if (verdict === "not-compared") return reason ?? "Its rows cannot be compared.";
  return verdict === "failed" ? `${error!.code}: ${error!.message}` : undefined;
}

/** Waits a moment before it is looked again whether something is due. */
export async function untilNextLook(signal: AbortSignal): Promise<void> {
  await pause(LOOK_MS, signal);
}

const LOOK_MS = 500;
