import type { ErrorKind } from "../error.ts";

/** What an assessment alone tells of servers and of tables that are on the target: no error of a task has these codes. */
export const assessmentErrors = {
  "source.decoding_memory": {
    scope: "task",
    retry: "never",
    meaning:
      "The source keeps little of a transaction in memory while it decodes its log (logical_decoding_work_mem).",
    remedy: "Set logical_decoding_work_mem to 64MB or more on the source.",
    ignored: "Larger transactions pass through files on the source's disk, which makes them arrive later.",
  },
  "target.no_key": {
    scope: "table",
    retry: "never",
    meaning:
      "A table that is on the target has no unique index of the columns by which changes find its rows.",
    remedy: "Make one, or have the task make the table, by TargetTablePrepMode DROP_AND_CREATE.",
    ignored: "Each change looks through the whole table.",
  },
  "target.indexes_kept": {
    scope: "table",
    retry: "never",
    meaning: "A table that is on the target and is going to be loaded has indexes besides that of its key.",
    remedy:
      "Drop them before the load and make them again after it, or have the task do that, by TargetTablePrepMode DROP_AND_CREATE.",
    ignored: "The full load takes longer.",
  },
  "target.collation_missing": {
    scope: "table",
    retry: "never",
    meaning:
      "Columns or indexes have a collation that the target has not, so that the table cannot be made there.",
    remedy:
      "Install the locale on the target's machine, then have the server look for it, with pg_import_system_collations().",
    passOver: true,
  },
  "target.collation_differs": {
    scope: "task",
    retry: "never",
    meaning:
      "A collation has the same name on both sides and sorts by other rules, or by another version of them.",
    remedy:
      "Use a target of the same provider, locale and version where the order of texts matters: in queries, in ranges of partitions, and in checks.",
    ignored:
      "Queries on the target return texts in another order, and partitions and checks that compare texts take other rows.",
  },
  "target.space_short": {
    scope: "task",
    retry: "never",
    meaning:
      "The target has less space than the tables to be moved take on the source, without their indexes.",
    remedy: "Add space for twice the tables' size: indexes and the target's own log take theirs.",
    ignored: "The target's disk fills up during the load; the task waits and goes on once there is space.",
  },
} as const satisfies Record<string, ErrorKind>;
