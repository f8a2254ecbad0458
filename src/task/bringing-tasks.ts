import type { TablePlan } from "../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { TargetPlace } from "../pipeline/validation/target-place.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import type { TargetPlaces } from "../pipeline/validation/validate.ts";
import type { Attempt } from "./attempt.ts";
import type { RowBringers } from "./row-bringers.ts";
import type { TableWay } from "./seen-tables.ts";
import type { BringingTask, FoundPlaces } from "./target-places.ts";
import type { ValidationBook } from "./validation-book.ts";

/** How often is looked which tasks there are, how far they are with each table, and what the target's tables are. */
const FIND_MS = 10_000;
const RECORDS_MS = 3_000;
const DESCRIBE_MS = 10_000;
/** What takes long is done for a tenth of the time at most. */
const REST = 10;

/** The tasks that bring the rows of the plan's tables, and how far they are. */
export async function findBringers(
  { spec, source, target, plan, findPlaces }: Attempt,
  signal: AbortSignal,
): Promise<FoundPlaces> {
  const tables = plan.tables.map((table) => table.source.id);
  return await findPlaces({ source, target, endpoint: spec.target, tables }, signal);
}

export function tellBringers({ listener: { log } }: Attempt, { tasks, unread }: FoundPlaces): void {
  if (tasks.length > 0) {
    log("info", "rows are compared by how far tasks have come", { tasks: tasks.map(({ id }) => id) });
  }
  if (unread !== undefined) {
    log("warn", "records of other tasks cannot be read", { code: unread.code, reason: unread.message });
  }
}

/**
 * Other tasks bring the rows: they come and go, load tables anew and alter them while these are compared. What was found of a
 * table before does not count then.
 */
export class BringingTasks implements RowBringers {
  readonly places: TargetPlaces;
  readonly #attempt: Attempt;
  readonly #book: ValidationBook;
  #found: FoundPlaces | undefined;
  #told = "";
  #own: ReadonlyMap<string, BringingTask> = new Map();
  readonly #finds = new Interval(FIND_MS);
  readonly #records = new Interval(RECORDS_MS);
  readonly #descriptions = new Interval(DESCRIBE_MS);

  constructor(attempt: Attempt, book: ValidationBook) {
    this.#attempt = attempt;
    this.#book = book;
    const all = (): readonly TargetPlace[] => (this.#found?.tasks ?? []).flatMap(({ place }) => place ?? []);
    this.places = {
      get all() {
        return all();
      },
      of: (table) => this.#own.get(tableKey(table))?.place ?? this.#found!.places.of(table),
    };
  }

  isReady(table: TableId): boolean {
    return this.#book.seen.way(table)?.isLoading === false;
  }

  async look(target: Source, signal: AbortSignal): Promise<readonly TableId[]> {
    const found = await this.#finds.whenDue(() => this.#find(signal));
    if (found === true) this.#records.comesDue();
    const byRecords = (await this.#records.whenDue(() => this.#readRecords(signal))) ?? [];
    const byShape = (await this.#descriptions.whenDue(() => this.#describe(target, signal))) ?? [];
    return [...byRecords, ...byShape];
  }

  /** Places of tasks that are known already stay: these know whether somebody has worked on the task all the time. */
  async #find(signal: AbortSignal): Promise<true> {
    const found = await findBringers(this.#attempt, signal);
    const known = new Map((this.#found?.tasks ?? []).map((task) => [nameOf(task), task]));
    const tasks = found.tasks.map((task) => known.get(nameOf(task)) ?? task);
    this.#found = { ...found, tasks };
    const own = new Map<string, BringingTask>();
    for (const task of [...found.loading, ...tasks]) {
      for (const table of task.tables) own.set(tableKey(table), task);
    }
    this.#own = own;
    const told = JSON.stringify([tasks.map(({ id }) => id), found.unread?.message]);
    if (told !== this.#told) tellBringers(this.#attempt, this.#found);
    this.#told = told;
    return true;
  }

  /** Returns the tables whose rows have come anew, or by another way, since that was last looked at. */
  async #readRecords(signal: AbortSignal): Promise<readonly TableId[]> {
    const found = this.#found!;
    const ways = new Map<string, TableWay>();
    for (const task of [...found.loading, ...found.tasks]) {
      await task.place?.look(signal);
      const isAtWork = task.place?.isFollowed ?? true;
      for (const { id, state, told } of await task.watched(signal)) {
        if (this.#own.get(tableKey(id)) !== task) continue;
        const isLoading = isAtWork && state !== "ready" && state !== "suspended";
        ways.set(tableKey(id), { task: task.id, told, isLoading, turns: task.place?.turns ?? 0 });
      }
    }
    const { seen } = this.#book;
    return this.#attempt.plan.tables.flatMap(({ source: { id } }) => {
      const before = seen.way(id);
      const now = ways.get(tableKey(id)) ?? NO_WAY;
      seen.setWay(id, now);
      if (before !== undefined && isSameWay(before, now)) return [];
      // Where the rows have come anew all of it is another table.
      const isAnew = before !== undefined && before.task === now.task && before.told !== now.told;
      return isAnew || this.#book.isUnsettled(id) ? [id] : [];
    });
  }

  /** Returns the tables that are not what they were on the target, or are there by now. */
  async #describe(target: Source, signal: AbortSignal): Promise<readonly TableId[]> {
    const { plan } = this.#attempt;
    const targets = await describeTargets(target, plan.tables, signal);
    const isOther = ({ source, target: { id } }: TablePlan): boolean =>
      this.#book.seen.isOther(source.id, textOf(targets.get(tableKey(id))));
    return plan.tables.filter(isOther).map(({ source: { id } }) => id);
  }
}

const NO_WAY: TableWay = { task: undefined, told: undefined, isLoading: false, turns: 0 };

function isSameWay(a: TableWay, b: TableWay): boolean {
  return a.task === b.task && a.told === b.told && a.isLoading === b.isLoading && a.turns === b.turns;
}

/** Another text for a task that has other tables. */
function nameOf({ id, tables }: BringingTask): string {
  return JSON.stringify([id, tables.map(tableKey).toSorted()]);
}

function textOf(table: TableSchema | undefined): string {
  if (table === undefined) return "";
  const columns = table.columns.map(({ name, nativeType, nullable }) => [name, nativeType, nullable]);
  return JSON.stringify([columns, table.key]);
}

/** Does something at once, and then again in intervals. */
class Interval {
  readonly #leastMs: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  comesDue(): void {
    this.#nextMs = Number.NEGATIVE_INFINITY;
  }

  /** Undefined where it was not the time for it. */
  async whenDue<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const startedMs = performance.now();
    if (startedMs < this.#nextMs) return undefined;
    const result = await work();
    const endedMs = performance.now();
    this.#nextMs = endedMs + Math.max(this.#leastMs, REST * (endedMs - startedMs));
    return result;
  }
}
