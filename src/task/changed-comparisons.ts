import { pause } from "../base/backoff.ts";
import { Limiter } from "../base/limiter.ts";
import type { TablePlan } from "../core/plan.ts";
import { tableKey } from "../core/schema.ts";
import type { Candidate } from "../pipeline/validation/candidate.ts";
import { KeyedRows } from "../pipeline/validation/compare-keys.ts";
import { type ComparedTable, compareTable } from "../pipeline/validation/compared-table.ts";
import { differenceOf } from "../pipeline/validation/difference-of.ts";
import type { Settled } from "../pipeline/validation/followed-row.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import { FailureCounting } from "./failure-counting.ts";
import { FailureRecords } from "./validation-failures.ts";
import type { ComparisonParts } from "./whole-comparisons.ts";

/** Rows of a table that are looked at together. */
const AT_ONCE = 5_000;

/** A row whose key is known, as changes tell it. */
interface ChangedRow {
  readonly key: string;
  readonly candidate: Candidate;
}

interface DescribedTable {
  readonly table: ComparedTable;
  readonly rows: KeyedRows | undefined;
  /** See BookedTable: a table that has begun anew may be another one on the target, too. */
  readonly generation: number | undefined;
}

/** Compares the rows that changes concern, some of each table at a time. */
export class ChangedComparisons {
  readonly #parts: ComparisonParts;
  readonly #lanes: Limiter;
  readonly #sides;
  readonly #tables = new Map<string, DescribedTable>();
  readonly #working = new Set<Promise<void>>();
  readonly #counting: FailureCounting;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: ComparisonParts) {
    const { sessions } = parts.attempt.settings.validation;
    this.#parts = parts;
    this.#lanes = new Limiter(sessions);
    this.#counting = new FailureCounting(parts);
    this.#sides = {
      source: { source: parts.attempt.source, sessions: new Limiter(sessions) },
      target: { source: parts.target, sessions: new Limiter(sessions) },
    };
  }

  /** Begins to look at rows that wait, once a round. Throws what has ended an earlier look. */
  async beginSome(): Promise<void> {
    const { book, isReady, attempt } = this.#parts;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#counting.ask();
    for (const plan of book.waiting()) {
      const { id } = plan.source;
      if (!isReady(id) || attempt.errors.isSuspended(id)) continue;
      const work = this.#compare(plan)
        .catch((error) => {
          this.#failure ??= { error };
        })
        .finally(() => this.#working.delete(work));
      this.#working.add(work);
    }
  }

  /** Resolves when nothing is under way any more; never rejects. */
  async ended(): Promise<void> {
    await Promise.all(this.#working);
  }

  async #compare(plan: TablePlan): Promise<void> {
    const { book, attempt, signal } = this.#parts;
    const { id } = plan.source;
    const taken = book.changed.take(id, AT_ONCE);
    const { keys, others, emptied } = taken;
    if (emptied) {
      book.changed.release(taken);
      return await book.emptied(id, attempt.journal, signal);
    }
    if (others) book.wholeAgain(id);
    if (keys.length === 0) return;
    const left = new Set(keys);
    const generation = book.takes(id, keys.length);
    try {
      const { delayMs } = attempt.settings.validation;
      if (delayMs > 0) await pause(delayMs, signal);
      const hasNews = await this.#lanes.run(() => this.#settle(plan, left, generation));
      // Else the table would be told of as compared before it is told how many of its rows differ.
      if (hasNews) await this.#counting.next(signal);
    } finally {
      book.changed.release(taken);
      // What is not decided about is looked at again.
      book.changed.putBack(id, left);
      book.tookUp(id, keys.length, { isDone: left.size === 0, generation });
    }
  }

  /** `generation`: of the table when the rows were taken. Resolves with whether something was recorded. */
  async #settle(plan: TablePlan, left: Set<string>, generation: number | undefined): Promise<boolean> {
    const { book, attempt, places, signal } = this.#parts;
    const { settings, journal } = attempt;
    const { id } = plan.source;
    const isCurrent = (): boolean =>
      generation !== undefined && book.isCurrent(id, generation) && !attempt.errors.isSuspended(id);
    if (!isCurrent()) {
      left.clear();
      return false;
    }
    const compared = await this.#compared(plan, generation);
    if (compared === undefined) {
      // It is compared whole as soon as the target has it.
      book.wholeAgain(id);
      left.clear();
      return false;
    }
    const rows = new Map<string, ChangedRow>();
    for (const key of left) {
      const candidate = compared.rows?.candidate(JSON.parse(key) as string[]);
      if (candidate === undefined) {
        book.wholeAgain(id);
        left.delete(key);
      } else rows.set(candidate.id, { key, candidate });
    }
    const records = new FailureRecords(plan.target.id, journal, signal);
    const { withValues } = settings.rowErrors;
    const context = { sides: this.#sides, withValues, place: places.of(id), signal };
    const candidates = [...rows.values()].map(({ candidate }) => candidate);
    let hasNews = false;
    for await (const settled of compared.rows?.settle(candidates, context) ?? []) {
      if (!isCurrent()) break;
      const { key } = rows.get(settled.candidate.id)!;
      hasNews = (await this.#note(compared.table, settled, records)) || hasNews;
      book.found(id, key, settled.verdict);
    }
    const isRecorded = isCurrent() && hasNews;
    if (isRecorded) await records.flush();
    left.clear();
    return isRecorded;
  }

  /** Whether something is to be written of it. */
  async #note(table: ComparedTable, settled: Settled, records: FailureRecords): Promise<boolean> {
    const { book, attempt } = this.#parts;
    const { lookup } = settled.candidate;
    if (settled.verdict === "undecided") return false;
    if (settled.verdict === "different") {
      const difference = differenceOf(table, settled, attempt.settings.rowErrors.withValues);
      await records.different(difference, lookup!.target);
      return true;
    }
    if (!book.hasFailures(table.plan.source.id)) return false;
    await records.same(lookup!.target);
    return true;
  }

  async #compared(plan: TablePlan, generation: number | undefined): Promise<DescribedTable | undefined> {
    const key = tableKey(plan.source.id);
    const known = this.#tables.get(key);
    if (known !== undefined && known.table.plan === plan && known.generation === generation) return known;
    const { target, attempt, signal } = this.#parts;
    const there = (await describeTargets(target, [plan], signal)).get(tableKey(plan.target.id));
    if (there === undefined) return undefined;
    const table = compareTable(plan, there, attempt.settings.validation);
    const rows = table.key === undefined ? undefined : new KeyedRows(table, table.key);
    const found = { table, rows, generation };
    this.#tables.set(key, found);
    return found;
  }
}
