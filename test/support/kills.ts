import type { Failpoint, ValidationFailpoint } from "../../src/base/failpoint.ts";
import type { Arming } from "./killable.ts";

/** What a task is at when a test kills it; what each means stands in test/scenario/kill*.test.ts, large-objects, retry-errors-kill, rights, validate-repair, schema-changes and schema-notes.test.ts. */
export type Situation =
  | "start"
  | "load"
  | "shared"
  | "changes"
  | "idle"
  | "backlog"
  | "reload"
  | "unpublished"
  | "truncate"
  | "keep"
  | "made"
  | "capture"
  | "delete"
  | "cleanup"
  | "repair"
  | "service"
  | "largeObjects"
  | "rights"
  | "columns"
  | "altered"
  | "retry";

/** At which arrival at the place the task is killed, for each situation in which it is. At least one. */
type Kill = { [S in Situation]: Readonly<Record<S, number> & Partial<Record<Situation, number>>> }[Situation];

/**
 * Every failpoint of a task with the situations that reach it. A situation's task is killed at its failpoints in
 * this order, and goes on from where each kill left it.
 */
export const kills: Readonly<Record<Exclude<Failpoint, ValidationFailpoint>, Kill>> = {
  "journal.tables-made": { start: 1 },
  "stream.notes-kept": { start: 1, capture: 1 },
  "journal.log-noted": { start: 1, load: 1, capture: 1 },
  "prepare.objects-dropped": { start: 1 },
  "prepare.schema-made": { start: 1, load: 1 },
  "prepare.tables-planned": { start: 1, load: 1, truncate: 1 },
  "prepare.tables-made": { start: 1, load: 1, truncate: 1, keep: 1, made: 1 },
  "prepare.structure-made": { load: 1 },
  "prepare.tables-prepared": { load: 1 },
  "stream.publication-made": { start: 1, load: 1, capture: 1 },
  "stream.slot-made": { load: 1, capture: 1 },
  "journal.position-set": { start: 1, capture: 1 },
  "journal.start-noted": { load: 1, keep: 1, capture: 1 },
  "load.tables-cut": { load: 1, truncate: 1, keep: 2 },
  "prepare.table-emptied": { load: 1, truncate: 1, reload: 1 },
  "stream.snapshot-slot-made": { load: 1, reload: 1 },
  "prepare.columns-added": { columns: 1 },
  "load.snapshot-adopted": { load: 1, made: 1 },
  "load.partition-read": { load: 3 },
  "load.partition-written": { load: 2, truncate: 1, keep: 1 },
  "load.partition-done": { load: 6, shared: 1, truncate: 6, keep: 3, reload: 1 },
  "load.large-objects-written": { largeObjects: 2 },
  "load.large-objects-done": { largeObjects: 1 },
  "load.table-loaded": { load: 1, truncate: 1 },
  "load.table-set-aside": { unpublished: 1 },
  "load.table-marked-again": { reload: 1 },
  "load.tables-loaded-again": { reload: 1 },
  "build.key-done": { load: 1 },
  "build.index-done": { load: 1 },
  "build.vacuum-done": { load: 1 },
  "build.unique-done": { load: 1 },
  "build.foreign-key-added": { load: 1 },
  "build.foreign-key-done": { load: 1 },
  "build.analyze-done": { load: 1 },
  "build.sequences-set": { load: 1 },
  "build.objects-made": { load: 1 },
  "build.right-given": { rights: 20 },
  "build.tables-ready": { load: 1, truncate: 1, reload: 1 },
  "stream.started": { changes: 1 },
  "apply.batch-taken": { changes: 1, capture: 1 },
  "apply.changes-written": { changes: 1 },
  "apply.committed": { changes: 1, capture: 1 },
  "apply.durable": { changes: 1 },
  "stream.confirmed": { changes: 1 },
  "apply.position-saved": { changes: 1 },
  "stream.end-marked": { changes: 1 },
  "task.drained": { changes: 1 },
  "retry.stands": { retry: 1 },
  "retry.records-removed": { retry: 1 },
  "retry.rows-written": { retry: 1 },
  "retry.committed": { retry: 1 },
  "apply.table-altered": { altered: 1 },
  "apply.tables-dropped": { altered: 1 },
  "apply.idle-saved": { idle: 1 },
  "stream.backlog-copied": { backlog: 1 },
  "stream.backlog-read": { backlog: 1 },
  "stream.backlog-advanced": { backlog: 1 },
  "stream.table-unpublished": { unpublished: 1 },
  "stream.table-published": { unpublished: 1 },
  "stream.slot-dropped": { start: 1, delete: 1 },
  "stream.publication-dropped": { start: 1, delete: 1 },
  "stream.notes-dropped": { delete: 1 },
  "journal.forgotten": { start: 1, delete: 1 },
  "cleanup.leftover-removed": { cleanup: 2 },
  "repair.committed": { repair: 2 },
  "service.store-made": { service: 1 },
  "service.key-made": { service: 1 },
  "service.access-key-made": { service: 1 },
  "service.credentials-written": { service: 1 },
  "service.instance-stored": { service: 1 },
  "service.endpoint-stored": { service: 1 },
  "service.event-delivered": { service: 1 },
  "service.task-stored": { service: 1 },
  "service.task-start-stored": { service: 1 },
  "service.task-progress-stored": { service: 3 },
  "service.task-reload-stored": { service: 1 },
  "service.task-end-stored": { service: 1 },
  "service.task-stop-stored": { service: 1 },
  "service.task-deletion-stored": { service: 1 },
  "service.task-cleaned-up": { service: 1 },
  "service.task-removed": { service: 1 },
};

export interface PlannedKill {
  readonly failpoint: Failpoint;
  readonly arrival: number;
}

export function armingOf({ failpoint, arrival }: PlannedKill): Arming {
  return `${failpoint}:${arrival}`;
}

/** A situation's kills, in their order. */
export function killsIn(situation: Situation): PlannedKill[] {
  return Object.entries(kills).flatMap(([failpoint, arrivals]) => {
    const arrival = arrivals[situation];
    return arrival === undefined ? [] : [{ failpoint: failpoint as Failpoint, arrival }];
  });
}
