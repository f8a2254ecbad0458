import { pause } from "../base/backoff.ts";
import type { TablePlan } from "../core/plan.ts";
import { readTable } from "../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
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

  async #compare(plans: readonly TablePlan[]): Promise<void> {
    const { attempt, book, target, places, signal } = this.#parts;
    const { source, settings, journal } = attempt;
    const { sessions, skipsLobs } = settings.validation;
    const { withValues } = settings.rowErrors;
    const targets = await describeTargets(target, plans, signal);
    const tables = new Map<string, ComparedWhole>();
    for (const plan of plans) {
      const { id } = plan.source;
      const records = new FailureRecords(plan.target.id, journal, signal);
      const generation = book.begins(id, estimatedRows(plan, targets), this.#parts);
      tables.set(tableKey(id), { records, generation });
      await records.clear();
    }
    try {
      await validate({
        ...{ source, target, tables: plans, targets, sessions, skipsLobs, withValues, signal },
        ...{ sample: undefined, withTotals: false, places },
        observer: this.#observer(tables),
      });
      book.failed(await journal.countValidationFailures(signal));
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
        await of(table).records.different(difference, lookup?.target);
        // It may have changed since it was read, and have been found the same before it was recorded.
        if (lookup !== undefined) book.changed.recheck(table, JSON.stringify(lookup.source));
      },
      validated: async (found) => {
        const { table } = found;
        if (!this.#isCurrent(table, tables)) return;
        const { records } = of(table);
        for (const warning of Object.values(textsOf(found))) {
          if (warning !== undefined) await records.warning(warning);
        }
        await records.flush();
        const { journal } = attempt;
        book.failed(await journal.countValidationFailures(this.#parts.signal));
        if (this.#isCurrent(table, tables)) {
          const { undecided, seconds } = found;
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
