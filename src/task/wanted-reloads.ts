import { type TableId, tableKey } from "../core/schema.ts";
import type { TaskRecord, WantedReload } from "./records.ts";
import type { ReloadWish, TaskPhase, TaskProgress } from "./task.ts";

/** In these a worker knows its task's tables and lets them be loaded again. */
const reloadPhases: ReadonlySet<TaskPhase> = new Set([
  "full-load",
  "building",
  "validating",
  "catching-up",
  "replicating",
]);

/** A task's wishes with those for some tables: of each table the newest of each kind. */
export function withReloads<T extends Pick<TaskRecord, "reloads" | "lastReload">>(
  record: T,
  tables: readonly Omit<ReloadWish, "number">[],
): T {
  const wanted = new Map((record.reloads ?? []).map((one) => [wishKey(one), one]));
  const number = (record.lastReload ?? 0) + 1;
  for (const wish of tables) wanted.set(wishKey(wish), { ...wish, number });
  return { ...record, reloads: [...wanted.values()], lastReload: number };
}

/** The wishes that are not answered yet, of tables that are there. */
export function stillWanted(
  wanted: readonly WantedReload[] | undefined,
  progress: TaskProgress,
): readonly WantedReload[] | undefined {
  if (wanted === undefined || !reloadPhases.has(progress.phase)) return wanted;
  const tables = new Map(progress.tables.map((table) => [tableKey(table.id), table]));
  const left = wanted.filter((one) => {
    const table = tables.get(tableKey(one));
    const answered = one.validateOnly ? table?.revalidationAnswered : table?.reloadAnswered;
    return table !== undefined && one.number > (answered ?? 0);
  });
  return left.length === 0 ? undefined : left;
}

/** The tables of wishes that nobody can fulfil: they were dropped or renamed since, or are selected no more. */
export function goneTables(
  wanted: readonly WantedReload[] | undefined,
  { phase, tables }: TaskProgress,
): readonly TableId[] {
  if (wanted === undefined || !reloadPhases.has(phase)) return [];
  const known = new Set(tables.map(({ id }) => tableKey(id)));
  return wanted.filter((one) => !known.has(tableKey(one)));
}

/**
 * Holds wishes to load tables again back until the task's present worker knows its tables. What is told to a worker that
 * dies is told to the next one, unless the record shows it as fulfilled.
 */
export class ReloadRelay {
  /** By ARN, then by wishKey(). */
  readonly #waiting = new Map<string, Map<string, WantedReload>>();
  /** Tasks whose present worker knows its tables: not while it looks at both sides, after which they may have other names. */
  readonly #told = new Set<string>();

  /** A worker is about to run the task, whose record has these wishes. */
  begins(arn: string, wanted: readonly WantedReload[] | undefined): void {
    this.#told.delete(arn);
    this.#wait(arn, wanted ?? []);
  }

  /** Somebody has wishes for tables that the task has. Answers with what the worker can be told now. */
  asked(arn: string, wishes: readonly WantedReload[]): readonly WantedReload[] {
    if (this.#told.has(arn)) return wishes;
    this.#wait(arn, wishes);
    return [];
  }

  /** The worker told how the task is. Answers with what it can be told now: a table that is gone would be refused. */
  heard(arn: string, { phase, tables }: TaskProgress): readonly WantedReload[] {
    if (!reloadPhases.has(phase)) {
      this.#told.delete(arn);
      return [];
    }
    this.#told.add(arn);
    const waiting = this.#waiting.get(arn);
    if (waiting === undefined) return [];
    this.#waiting.delete(arn);
    const known = new Set(tables.map(({ id }) => tableKey(id)));
    return [...waiting.values()].filter((wish) => known.has(tableKey(wish)));
  }

  /** No worker runs the task; its wishes are in its record. */
  ended(arn: string): void {
    this.#told.delete(arn);
    this.#waiting.delete(arn);
  }

  #wait(arn: string, wishes: readonly WantedReload[]): void {
    if (wishes.length === 0) return;
    const waiting = this.#waiting.get(arn) ?? new Map<string, WantedReload>();
    for (const wish of wishes) {
      // The record may have been read before a newer one came.
      const other = waiting.get(wishKey(wish));
      if (other === undefined || other.number < wish.number) waiting.set(wishKey(wish), wish);
    }
    this.#waiting.set(arn, waiting);
  }
}

/** To compare a table anew is another wish than to load it again: neither fulfils the other. */
function wishKey(wish: ReloadWish): string {
  return `${wish.validateOnly === true} ${tableKey(wish)}`;
}
