import type { ErrorKind } from "../error.ts";

/** The target: its privileges, its state, its objects. */
export const targetErrors = {
  "target.privilege": {
    scope: "task",
    retry: "never",
    meaning: "The target's user lacks a privilege.",
    remedy: "Grant the named privilege; docs/engines/postgres.md has the statements.",
  },
  "target.read_only": {
    scope: "task",
    retry: "never",
    meaning: "The target does not accept writes: a standby, or default_transaction_read_only.",
    remedy: "Point the endpoint at the primary, or turn read-only off.",
  },
  "target.full": {
    scope: "task",
    retry: "backoff",
    meaning: "The target has no disk space left.",
    remedy: "Free or add disk space; the task resumes where it was.",
  },
  "target.busy": {
    scope: "task",
    retry: "backoff",
    meaning: "The target gave a statement up for another's sake: a deadlock, a conflict, a lock or a cancel.",
    remedy: "None needed: Tideway tries again by itself; if it goes on, see who writes to the target.",
  },
  "target.out_of_resources": {
    scope: "task",
    retry: "backoff",
    meaning: "The target has no memory left or cannot write its files.",
    remedy: "Look at the server's log; lower MaxFullLoadSubTasks or maintenance_work_mem.",
  },
  "target.version_unsupported": {
    scope: "task",
    retry: "never",
    meaning: "The server's version is older than what Tideway supports.",
    remedy: "See the README's verified-against table.",
  },
  "target.encoding": {
    scope: "task",
    retry: "never",
    meaning: "The target's encoding cannot hold every character.",
    remedy: "Use a target database that was created with encoding UTF8.",
  },
  "target.table_dropped": {
    scope: "table",
    retry: "never",
    meaning: "A table on the target is going to be dropped or emptied, as TargetTablePrepMode says.",
    remedy: "Use TargetTablePrepMode DO_NOTHING to keep it.",
  },
  "target.table_mismatch": {
    scope: "table",
    retry: "never",
    meaning: "The table on the target lacks columns or has others than the source's.",
    remedy: "Make the columns agree, or use TargetTablePrepMode DROP_AND_CREATE.",
  },
  "target.table_in_use": {
    scope: "table",
    retry: "never",
    meaning: "Other objects depend on the table that was to be dropped.",
    remedy: "Drop the named objects, or use TRUNCATE_BEFORE_LOAD.",
  },
  "target.object_failed": {
    scope: "table",
    retry: "never",
    meaning: "A table, index or constraint could not be created.",
    remedy: "Look up the server's code in the message; mend the cause, then reload the table.",
  },
  "target.object_conflict": {
    scope: "task",
    retry: "never",
    meaning: "The target has a type of that name with another definition.",
    remedy: "Drop or rename it on the target, or rename the schema with a transformation rule.",
  },
  "target.object_not_made": {
    scope: "table",
    retry: "never",
    meaning:
      "A type, view, function, trigger or the like could not be made on the target; everything else goes on.",
    remedy: "Mend what the message names, then make the object by hand, e.g. from pg_dump --schema-only.",
  },
  "target.object_kept": {
    scope: "table",
    retry: "never",
    meaning: "The target has an object of that name already, which stays as it is.",
    remedy: "None needed when it is the same; else drop it, or use TargetTablePrepMode DROP_AND_CREATE.",
  },
  "target.object_replaced": {
    scope: "table",
    retry: "never",
    meaning:
      "A view or function on the target is going to be replaced by the source's, as TargetTablePrepMode says.",
    remedy: "Use TargetTablePrepMode DO_NOTHING to keep it.",
  },
  "target.object_waits": {
    scope: "table",
    retry: "never",
    meaning: "A trigger, rule or forced policy would act on the rows that are replicated, and is not made.",
    remedy: "Make it on the target at the cutover, before the application writes there.",
  },
  "target.control_table": {
    scope: "task",
    retry: "never",
    meaning: "The control schema holds a table with the name of a control table and other columns.",
    remedy: "Drop or rename that table, or name another schema as ControlSchema in the task settings.",
  },
  "target.trigger_privilege": {
    scope: "task",
    retry: "never",
    meaning:
      "The target's user may not set session_replication_role, so triggers and foreign keys act during apply.",
    remedy: "Use a superuser or GRANT SET ON PARAMETER session_replication_role (PostgreSQL 15+).",
  },
  "target.sequence_missing": {
    scope: "table",
    retry: "never",
    meaning: "A sequence of the source has no counterpart on the target, so its state is not carried over.",
    remedy: "Set the sequence that feeds the column on the target by hand before the cutover.",
  },
  "target.query_failed": {
    scope: "task",
    retry: "never",
    meaning: "A statement on the target failed.",
    remedy: "Look up the server's code in the message.",
  },
} as const satisfies Record<string, ErrorKind>;
