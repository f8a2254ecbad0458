/**
 * Places where tests kill the process as a power cut would: one behind every step that changes something
 * outside of it. TIDEWAY_FAILPOINT="name" or "name:n" makes the n-th arrival at that place the last thing
 * this process does. Without the variable it costs one comparison.
 *
 * Which situation of a task reaches which place stands in test/support/kills.ts.
 */
const [armed, arrivals = "1"] = (process.env.TIDEWAY_FAILPOINT ?? "").split(":");
let left = Number(arrivals);

/** Of `tideway validate`, which is no task. */
export type ValidationFailpoint = "validation.difference-recorded" | "validation.table-recorded";

/** The part of the program, then what has just been done. */
export type Failpoint =
  | ValidationFailpoint
  // The task's records in the target.
  | "journal.tables-made"
  | "journal.forgotten"
  | "journal.log-noted"
  | "journal.position-set"
  | "journal.start-noted"
  // Publication and slot on the source, and what reads from the slot.
  | "stream.publication-made"
  | "stream.table-unpublished"
  | "stream.table-published"
  | "stream.slot-made"
  | "stream.snapshot-slot-made"
  | "stream.backlog-copied"
  | "stream.backlog-read"
  | "stream.backlog-advanced"
  | "stream.started"
  | "stream.confirmed"
  | "stream.end-marked"
  | "stream.slot-dropped"
  | "stream.publication-dropped"
  | "stream.notes-kept"
  | "stream.notes-dropped"
  // The target's schema and tables before the load.
  | "prepare.objects-dropped"
  | "prepare.schema-made"
  | "prepare.tables-planned"
  | "prepare.table-emptied"
  | "prepare.tables-made"
  | "prepare.structure-made"
  | "prepare.tables-prepared"
  | "prepare.columns-added"
  // Rows.
  | "load.snapshot-adopted"
  | "load.tables-cut"
  | "load.partition-read"
  | "load.partition-written"
  | "load.partition-done"
  | "load.table-loaded"
  | "load.large-objects-written"
  | "load.large-objects-done"
  | "load.table-set-aside"
  | "load.table-marked-again"
  | "load.tables-loaded-again"
  // What follows the rows.
  | "build.key-done"
  | "build.index-done"
  | "build.vacuum-done"
  | "build.unique-done"
  | "build.foreign-key-added"
  | "build.foreign-key-done"
  | "build.analyze-done"
  | "build.sequences-set"
  | "build.objects-made"
  | "build.right-given"
  | "build.tables-ready"
  // Changes.
  | "apply.batch-taken"
  | "apply.changes-written"
  | "apply.committed"
  | "apply.position-saved"
  | "apply.durable"
  | "apply.idle-saved"
  | "retry.stands"
  | "retry.records-removed"
  | "retry.rows-written"
  | "retry.committed"
  | "apply.table-altered"
  | "apply.tables-dropped"
  | "task.drained"
  | "cleanup.leftover-removed"
  | "repair.committed"
  // What the service keeps of its own.
  | "service.store-made"
  | "service.key-made"
  | "service.access-key-made"
  | "service.credentials-written"
  | "service.instance-stored"
  | "service.endpoint-stored"
  | "service.task-stored"
  | "service.task-start-stored"
  | "service.task-progress-stored"
  | "service.task-reload-stored"
  | "service.task-stop-stored"
  | "service.task-end-stored"
  | "service.task-deletion-stored"
  | "service.task-cleaned-up"
  | "service.task-removed"
  | "service.event-delivered";

export function failpoint(name: Failpoint): void {
  if (armed === name && --left === 0) process.kill(process.pid, "SIGKILL");
}
