import type { EndpointConfig, Engine } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import type { WatchedJournal } from "../core/journal.ts";
import type { Leftover } from "../core/leftover.ts";
import type { Position } from "../core/position.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { FollowedPlace, type FollowedTask, TimedPlace } from "../pipeline/validation/target-place.ts";
import type { TargetPlaces } from "../pipeline/validation/validate.ts";
import type { BringingTask, FoundPlaces, PlacesRequest } from "../task/target-places.ts";
import { registry } from "./engines.ts";

export interface TasksRequest {
  readonly source: Source;
  readonly target: Target;
  readonly engine: Engine;
  readonly endpoint: EndpointConfig;
  /** The source's ids of the tables that are compared. */
  readonly tables: readonly TableId[];
  /** How long a difference has to stay where no task tells its place. */
  readonly settleMs: number;
}

/** A task that brings changes to tables that are compared. */
interface FollowableTask extends BringingTask {
  /** Somebody works on it now: it is waited for. */
  readonly inUse: boolean;
}

export interface FoundTasks {
  readonly places: TargetPlaces;
  readonly tasks: readonly FollowableTask[];
  /** Those that load such tables at this time, and bring no changes. */
  readonly loading: readonly BringingTask[];
  /** Why the target's records of tasks could not be read. */
  readonly unread?: MigrationError;
}

/**
 * Tasks of this source whose records on the target are about the tables, those that only compare left out. Nothing is changed.
 */
export async function findTasks(request: TasksRequest, signal: AbortSignal): Promise<FoundTasks> {
  const { engine, endpoint, settleMs } = request;
  const timed = new TimedPlace(settleMs);
  const own = new Map<string, FollowedPlace>();
  const tasks: FollowableTask[] = [];
  const loading: BringingTask[] = [];
  let unread: MigrationError | undefined;
  try {
    for (const leftover of await engine.findLeftovers(endpoint, signal)) {
      const found = await findTask(request, leftover, signal);
      if (found === undefined) continue;
      const { tables, journal, isLoad } = found;
      const task = { id: leftover.taskId!, tables, watched: journal.watched };
      if (isLoad) {
        if (leftover.inUse) loading.push(task);
        continue;
      }
      const place = new FollowedPlace(followed(request, leftover, found), timed);
      tasks.push({ ...task, inUse: leftover.inUse, place });
      for (const id of found.tables) own.set(tableKey(id), place);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MigrationError)) throw error;
    unread = error;
  }
  const places = { all: [...new Set(own.values())], of: (id: TableId) => own.get(tableKey(id)) ?? timed };
  return { places, tasks, loading, ...(unread === undefined ? {} : { unread }) };
}

/** How long a difference has to stay that a task looks for where no other tells its place. */
const SETTLE_MS = 5_000;

/** See findTasks(), for a task that only compares. */
export async function findPlaces(request: PlacesRequest, signal: AbortSignal): Promise<FoundPlaces> {
  const engine = registry.find(request.endpoint.engine);
  const found = await findTasks({ ...request, engine, settleMs: SETTLE_MS }, signal);
  const { places, tasks, loading, unread } = found;
  return { places, tasks, loading, unread };
}

interface FoundTask {
  readonly journal: WatchedJournal;
  readonly applied: Position | undefined;
  readonly tables: readonly TableId[];
  /** No changes follow. */
  readonly isLoad: boolean;
}

async function findTask(
  { source, target, tables }: TasksRequest,
  { kind, taskId, name: controlSchema }: Leftover,
  signal: AbortSignal,
): Promise<FoundTask | undefined> {
  if (kind !== "task records" || taskId === undefined) return undefined;
  const journal = await target.watchJournal({ taskId, controlSchema }, signal);
  if (journal.onlyCompares) return undefined;
  const compared = new Set(tables.map(tableKey));
  const own = journal.tables.filter((id) => compared.has(tableKey(id)));
  if (own.length === 0) return undefined;
  const applied = await journal.applied(signal);
  // A full load without changes has neither.
  if (journal.log === undefined && applied === undefined) {
    return { journal, applied, tables: own, isLoad: true };
  }
  try {
    await source.followLog({ taskId, known: journal.log, reached: applied }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MigrationError && isOfAnother(error)) return undefined;
    throw error;
  }
  return { journal, applied, tables: own, isLoad: false };
}

/** The task reads another server, or can read this one no more. */
function isOfAnother({ code }: MigrationError): boolean {
  return code === "source.other_server" || code === "source.set_back" || code === "source.slot_missing";
}

/** A task whose place has not moved for so long may have ended. */
const LOOK_MS = 5_000;

function followed(
  { source, engine, endpoint }: TasksRequest,
  leftover: Leftover,
  { journal, applied: known }: FoundTask,
): FollowedTask {
  let last = known?.text;
  let seenMs = Number.NEGATIVE_INFINITY;
  const isInUse = async (signal: AbortSignal): Promise<boolean> => {
    const leftovers = await engine.findLeftovers(endpoint, signal);
    return leftovers.some(
      ({ kind, taskId, name, inUse }) =>
        kind === leftover.kind && taskId === leftover.taskId && name === leftover.name && inUse,
    );
  };
  return {
    positions: source.positions,
    end: (signal) => source.currentPosition(signal),
    async applied(signal): Promise<Position | undefined | "left"> {
      const position = await journal.applied(signal);
      const nowMs = performance.now();
      const isStill = position?.text === last;
      if (isStill && nowMs - seenMs < LOOK_MS) return position;
      if (isStill && !(await isInUse(signal))) return "left";
      last = position?.text;
      seenMs = nowMs;
      return position;
    },
  };
}
