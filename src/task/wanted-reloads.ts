import { type TableId, tableKey } from "../core/schema.ts";
import type { WantedReload } from "./records.ts";
import type { TaskPhase, TaskProgress } from "./task.ts";

/** In these a worker knows its task's tables and lets them be loaded again. */
const reloadPhases: ReadonlySet<TaskPhase> = new Set(["full-load", "building", "catching-up", "replicating"]);

/** The wishes of a task with those for some tables: of each table the newest. */
export function withReloads(
  present: readonly WantedReload[] | undefined,
  tables: readonly TableId[],
  askedMs: number,
): readonly WantedReload[] {
  const wanted = new Map((present ?? []).map((one) => [tableKey(one), one]));
  for (const { schema, name } of tables) wanted.set(tableKey({ schema, name }), { schema, name, askedMs });
  return [...wanted.values()];
}

/** The wishes that no load has fulfilled yet: one that began later, and a table that is gone needs none. */
export function stillWanted(
  wanted: readonly WantedReload[] | undefined,
  progress: TaskProgress,
): readonly WantedReload[] | undefined {
  if (wanted === undefined || !reloadPhases.has(progress.phase)) return wanted;
  const begun = new Map(
    progress.tables.map(({ id, fullLoadStartMs }) => [tableKey(id), fullLoadStartMs ?? 0]),
  );
  const left = wanted.filter((one) => (begun.get(tableKey(one)) ?? Number.POSITIVE_INFINITY) < one.askedMs);
  return left.length === 0 ? undefined : left;
}

/**
 * Holds wishes to load tables again back until the task's present worker knows its tables. What is told to a worker that
 * dies is told to the next one, unless the record shows it as fulfilled.
 */
export class ReloadRelay {
  /** By ARN, then by table. */
  readonly #waiting = new Map<string, Map<string, TableId>>();
  /** Tasks whose present worker knows its tables. */
  readonly #told = new Set<string>();

  /** A worker is about to run the task, whose record has these wishes. */
  begins(arn: string, wanted: readonly TableId[] | undefined): void {
    this.#told.delete(arn);
    this.#wait(arn, wanted ?? []);
  }

  /** Somebody wishes it of tables that the task has. Answers with what the worker can be told now. */
  asked(arn: string, tables: readonly TableId[]): readonly TableId[] {
    if (this.#told.has(arn)) return tables;
    this.#wait(arn, tables);
    return [];
  }

  /** The worker told how the task is. Answers with what it can be told now: a table that is gone would be refused. */
  heard(arn: string, { phase, tables }: TaskProgress): readonly TableId[] {
    if (!reloadPhases.has(phase)) return [];
    this.#told.add(arn);
    const waiting = this.#waiting.get(arn);
    if (waiting === undefined) return [];
    this.#waiting.delete(arn);
    const known = new Set(tables.map(({ id }) => tableKey(id)));
    return [...waiting].filter(([key]) => known.has(key)).map(([, table]) => table);
  }

  /** No worker runs the task; its wishes are in its record. */
  ended(arn: string): void {
    this.#told.delete(arn);
    this.#waiting.delete(arn);
  }

  #wait(arn: string, tables: readonly TableId[]): void {
    if (tables.length === 0) return;
    const waiting = this.#waiting.get(arn) ?? new Map<string, TableId>();
    for (const { schema, name } of tables) waiting.set(tableKey({ schema, name }), { schema, name });
    this.#waiting.set(arn, waiting);
  }
}
