import type { ErrorKind } from "../error.ts";

/** The target: its privileges, its state, its objects. */
export const targetErrors = {
  "target.privilege": {
    scope: "task",
    retry: "never",
    meaning: "The target's user lacks a privilege.",
    remedy: "Grant the named privilege; the page of its engine in docs/engines has the statements.",
    ignored: "The tables that it is about are set aside as soon as the privilege is needed.",
    passOver: true,
  },
  "target.read_only": {
    scope: "task",
    retry: "never",
    meaning: "The target does not accept writes: a standby, or default_transaction_read_only.",
    remedy: "Point the endpoint at the primary, or turn read-only off.",
    passOver: true,
  },
  "target.foreign_writes": {
    scope: "task",
    retry: "never",
    meaning:
      "Somebody else writes to the target's tables while a task brings changes, or while they are compared.",
    remedy: "Keep others from writing to the target's tables until the application has moved there.",
    ignored:
      "Rows that others change on the target differ from the source's, and changes of the source meet them as conflicts.",
  },
  "target.full": {
    scope: "task",
    retry: "once-worked",
    meaning: "The target has no disk space left.",
    remedy: "Free or add disk space; the task resumes where it was.",
  },
  "target.busy": {
    scope: "task",
    retry: "once-worked",
    meaning: "The target gave a statement up for another's sake: a deadlock, a conflict, a lock or a cancel.",
    remedy: "None needed: Tideway tries again by itself; if it goes on, see who writes to the target.",
  },
  "target.out_of_resources": {
    scope: "task",
    retry: "once-worked",
    meaning: "The target has no memory left or cannot write its files.",
    remedy: "Look at the server's log; lower MaxFullLoadSubTasks or maintenance_work_mem.",
    ignored: "Rows that are longer are refused, and their table is set aside.",
  },
  "target.version_unsupported": {
    scope: "task",
    retry: "never",
    meaning: "The server's version is older than what Tideway supports.",
    remedy: "See the README's verified-against table.",
    passOver: true,
  },
  "target.encoding": {
    scope: "task",
    retry: "never",
    meaning: "The target's encoding cannot hold every character.",
    remedy: "Use a target database that was created with encoding UTF8.",
    ignored: "Rows with characters that the target's encoding lacks are refused.",
  },
  "target.table_dropped": {
    scope: "table",
    retry: "never",
    meaning: "A table on the target is going to be dropped or emptied, as TargetTablePrepMode says.",
    remedy: "Use TargetTablePrepMode DO_NOTHING to keep it.",
    ignored: "What the table holds on the target is gone when the task starts.",
  },
  "target.table_mismatch": {
    scope: "table",
    retry: "never",
    meaning: "The table on the target lacks columns or has others than the source's.",
    remedy: "Make the columns agree, or use TargetTablePrepMode DROP_AND_CREATE.",
    ignored: "Values are rounded to what the target's columns can hold.",
    passOver: "The table on the target has no place for the rows, or would make others of their values.",
  },
  "target.value_out_of_range": {
    scope: "table",
    retry: "never",
    meaning:
      "Rows hold values that the target's types have not, such as NaN or infinite dates, and come as others or not at all.",
    remedy:
      "Set the target endpoint's NonFiniteNumbers or OutOfRangeDates; a column that may not be NULL needs OutOfRangeDates limit. Or make the table with other types before the task.",
  },
  "target.table_in_use": {
    scope: "table",
    retry: "never",
    meaning: "Other objects depend on the table that was to be dropped.",
    remedy: "Drop the named objects, or use TRUNCATE_BEFORE_LOAD.",
    passOver: true,
  },
  "target.object_failed": {
    scope: "table",
    retry: "never",
    meaning: "A table, index or constraint could not be created.",
    remedy:
      "Look up the server's code in the message; mend the cause, then make the object by hand, or reload the table.",
    passOver: true,
  },
  "target.object_conflict": {
    scope: "task",
    retry: "never",
    meaning: "The target has a type or text search object of that name with another definition.",
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
      "A view, function or text search object on the target is going to be replaced by the source's, as TargetTablePrepMode says.",
    remedy: "Use TargetTablePrepMode DO_NOTHING to keep it.",
    ignored: "The target's own version of the object is gone when the task has made the source's.",
  },
  "target.extension_missing": {
    scope: "task",
    retry: "never",
    meaning:
      "An extension that the source's objects need is not on the target, and the task cannot make it there.",
    remedy: "Install the extension's package on the target's server, or leave out what needs it.",
    ignored:
      "What needs the extension is not made on the target, and tables with columns of its types are set aside.",
  },
  "target.object_waits": {
    scope: "table",
    retry: "never",
    meaning: "A trigger, rule or forced policy would act on the rows that are replicated, and is not made.",
    remedy: "Make it on the target at the cutover, before the application writes there.",
  },
  "target.role_missing": {
    scope: "task",
    retry: "never",
    meaning: "A role that owns or may do something on the source is not on the target; roles are not moved.",
    remedy: "Create the role on the target, or give its rights to another one there.",
    ignored: "What the role owns belongs to the task's user on the target, and nobody has its privileges.",
  },
  "target.role_not_member": {
    scope: "task",
    retry: "never",
    meaning: "The target's user may not give objects to a role, or privileges in its name.",
    remedy: "Grant the role to the target's user while the task runs, or change owners at the cutover.",
    ignored: "What the role owns belongs to the task's user on the target.",
  },
  "target.right_not_given": {
    scope: "task",
    retry: "never",
    meaning: "An owner could not be set, or a privilege not granted or revoked, on the target.",
    remedy: "Mend what the message names, then run the statement that it shows.",
  },
  "target.rights_kept": {
    scope: "task",
    retry: "never",
    meaning:
      "Objects that were on the target before the task, or that the task has given theirs already, keep their owner and privileges.",
    remedy:
      "Where they should be as on the source, run what the message begins to list, and the like for the rest.",
  },
  "target.large_object_kept": {
    scope: "task",
    retry: "never",
    meaning:
      "The target has large objects with numbers that are in use on the source, too; they stay as they are.",
    remedy:
      "When they are of no use, remove them with lo_unlink() on the target, then start the task with reload-target.",
  },
  "target.same_tables": {
    scope: "task",
    retry: "never",
    meaning:
      "Source and target are one database, whatever addresses the endpoints name, and tables would be written over while they are read.",
    remedy:
      "Correct one of the endpoints, or give the tables other names or schemas by transformation rules.",
    passOver: "Tables would be dropped or emptied before they are read.",
  },
  "target.control_table": {
    scope: "task",
    retry: "never",
    meaning: "The control schema holds a table with the name of a control table that is another one.",
    remedy: "Drop or rename that table, or name another schema as ControlSchema in the task settings.",
  },
  "target.trigger_privilege": {
    scope: "task",
    retry: "never",
    meaning:
      "The target's user may not set session_replication_role, so triggers and foreign keys act during apply.",
    remedy: "Use a superuser or GRANT SET ON PARAMETER session_replication_role (PostgreSQL 15+).",
    ignored:
      "What a trigger or a foreign key of the target does, it does again to rows that hold its work already.",
  },
  "target.column_nullable": {
    scope: "table",
    retry: "never",
    meaning:
      "A column became NOT NULL in the same transaction that gave the rows their values, which the target has only afterwards.",
    remedy: "On the target, run ALTER TABLE ... ALTER COLUMN ... SET NOT NULL before the cutover.",
  },
  "target.column_added": {
    scope: "table",
    retry: "never",
    meaning: "A table of the source got a column while the task replicates, and the target gets it too.",
    remedy: "None needed. A NOT NULL that is left out may be set on the target at the cutover.",
  },
  "target.local_infile": {
    scope: "task",
    retry: "never",
    meaning: "The server takes no LOAD DATA LOCAL, so rows are loaded by INSERT, which takes longer.",
    remedy: "Run on the target: set global local_infile = on; or have it set in the server's parameters.",
    ignored: "The full load takes longer.",
  },
  "target.triggers": {
    scope: "table",
    retry: "never",
    meaning: "A table of the target has triggers, which act on the rows that are loaded and applied.",
    remedy: "Drop the triggers until the cutover when the source's rows show already what they do.",
    ignored:
      "What the triggers do, they do again to rows that hold their work already, and changes are applied more slowly.",
  },
  "target.key_collation": {
    scope: "table",
    retry: "never",
    meaning:
      "The target's collation takes keys of a table for the same that the source compares by their characters: the second of such rows is refused. Changes find their rows by the bytes of such keys, one by one, so that none is taken for another; that is slower.",
    remedy:
      "Give the key's columns on the target a collation that compares characters (utf8mb4_bin; on PostgreSQL a deterministic one, and not citext).",
  },
  "target.engine": {
    scope: "table",
    retry: "never",
    meaning:
      "A table of the target has a storage engine without transactions: a crash would leave half of what was written.",
    remedy: "Run on the target: alter table ... engine = InnoDB; or use TargetTablePrepMode DROP_AND_CREATE.",
    passOver: "A crash would leave half of what was written, without a word.",
  },
  "target.origin_privilege": {
    scope: "task",
    retry: "never",
    meaning:
      "EnableLoopbackPrevention marks what is applied by a replication origin, and the target's user may not use one.",
    remedy: "Let the user execute the named functions, or use a superuser.",
    passOver: "Changes that carry no mark would be sent back to where they came from.",
  },
  "target.origin_limit": {
    scope: "task",
    retry: "never",
    meaning:
      "EnableLoopbackPrevention marks what is applied by a replication origin, and the target can have no more of them.",
    remedy:
      "Raise the target's max_replication_slots (max_active_replication_origins from version 18 on), or drop origins that nobody needs: `tideway cleanup` lists those that tasks have left.",
    passOver: true,
  },
  "target.captured": {
    scope: "task",
    retry: "never",
    meaning:
      "Tables of a task with EnableLoopbackPrevention are to be loaded while another task sends on what is written to them: rows that are loaded are not marked and would come back.",
    remedy:
      "Delete the task in the other direction, let this one load, then create the other anew as a task of type cdc.",
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
