import type { ErrorKind } from "../error.ts";

/** The source: its settings, its log, its tables. */
export const sourceErrors = {
  "source.view_unreadable": {
    scope: "table",
    retry: "never",
    meaning:
      "A selected view cannot be read: tables or columns that it is made of are gone, or its definer may not read them.",
    remedy: "Correct or drop the view, or exclude it.",
    passOver: "The view has no description, by which it could be made or read.",
  },
  "source.version_unsupported": {
    scope: "task",
    retry: "never",
    meaning: "The server's version is older than what Tideway supports.",
    remedy: "See the README's verified-against table.",
    passOver: true,
  },
  "source.wal_level": {
    scope: "task",
    retry: "never",
    meaning: "The source does not write a log that changes can be read from.",
    remedy: "Set wal_level = logical on the source and restart it.",
    passOver: true,
  },
  "source.no_free_slot": {
    scope: "task",
    retry: "never",
    meaning: "All replication slots or WAL senders of the source are taken.",
    remedy: "Raise max_replication_slots and max_wal_senders, or drop slots that nobody uses.",
    ignored:
      "A table that is loaded again beside the others has to wait, or its reload fails, until a slot and a WAL sender are free.",
    passOver: true,
  },
  "source.slot_exists": {
    scope: "task",
    retry: "never",
    meaning: "A replication slot of the task's name is there already, though the task is to start anew.",
    remedy: "Resume the task, or drop the slot with pg_drop_replication_slot and start it again.",
  },
  "source.publication_missing": {
    scope: "task",
    retry: "never",
    meaning: "The task's publication was dropped, so changes since then cannot be read.",
    remedy: "Start the task again with reload-target.",
  },
  "source.table_unpublished": {
    scope: "table",
    retry: "never",
    meaning: "A table was taken out of the task's publication, so its changes since then cannot be read.",
    remedy: "Reload the table.",
  },
  "source.slot_missing": {
    scope: "task",
    retry: "never",
    meaning: "The task's replication slot is gone, so changes since then cannot be read.",
    remedy: "Start the task again with reload-target.",
  },
  "source.other_server": {
    scope: "task",
    retry: "never",
    meaning:
      "The source is not the server that the task has read from, nor a standby of it that was promoted: positions in its log mean nothing.",
    remedy:
      "Point the endpoint at the server that the task has read from, or start the task again with reload-target.",
  },
  "source.set_back": {
    scope: "task",
    retry: "never",
    meaning:
      "The target holds changes that the source does not: a standby was promoted that did not have them yet, or the source was restored from a backup.",
    remedy:
      "Start the task again with reload-target. From version 17 on synchronized_standby_slots keeps a source from sending what its standbys do not have.",
  },
  "source.slot_lost": {
    scope: "task",
    retry: "never",
    meaning: "The source discarded log that the task still needed (max_slot_wal_keep_size).",
    remedy: "Raise max_slot_wal_keep_size and start the task again with reload-target.",
  },
  "source.slot_in_use": {
    scope: "task",
    retry: "once-worked",
    meaning: "Another process reads from the task's replication slot.",
    remedy: "Stop the other reader; after a crash the server frees the slot by itself.",
  },
  "source.position_unavailable": {
    scope: "task",
    retry: "never",
    meaning:
      "The requested start position lies before what the slot still keeps, or behind the end of the source's log.",
    remedy:
      "Use a position of this source that lies between the two, or create the slot before the position and name it with SlotName.",
  },
  "source.privilege": {
    scope: "task",
    retry: "never",
    meaning: "The source's user lacks a privilege.",
    remedy: "Grant the named privilege; the page of its engine in docs/engines has the statements.",
    ignored: "What the message names is not done, or is done in the way that it says.",
    passOver: true,
  },
  "source.table_privilege": {
    scope: "table",
    retry: "never",
    meaning: "The source's user may not read a table.",
    remedy: "Grant SELECT on the table (and USAGE on its schema), then reload the table.",
    passOver: true,
  },
  "source.no_key": {
    scope: "table",
    retry: "never",
    meaning:
      "A table has no primary key or replica identity, so updates and deletes cannot be told apart by row.",
    remedy: "Add a primary key or set REPLICA IDENTITY FULL before the task starts, or use a full-load task.",
    passOver: "Changes of the table are not published, and would be missing.",
  },
  "source.table_changed": {
    scope: "table",
    retry: "never",
    meaning: "A table was changed on the source in a way that the task cannot follow.",
    remedy:
      "Reload the table: Tideway makes it anew, unless it was there before the task or something stands on it.",
    passOver: "The rows that the target has of the table no longer belong to it.",
  },
  "source.changes_unnoted": {
    scope: "task",
    retry: "never",
    meaning:
      "The source does not note schema changes in its log, so that only some of them can be followed while changes are applied.",
    remedy:
      "For all of them, run the task as a role that may create event triggers (a superuser, or what a cloud provider has for one) on PostgreSQL 14 or later.",
    ignored: "Some schema changes during the migration set their table aside until it is loaded again.",
  },
  "source.column_left_out": {
    scope: "table",
    retry: "never",
    meaning:
      "A table of the source got a column that the target does not get, as HandleSourceTableAltered is off.",
    remedy: "To have the column on the target, set HandleSourceTableAltered to true and reload the table.",
  },
  "source.table_passing": {
    scope: "table",
    retry: "never",
    meaning:
      "A table is named as those that gh-ost and pt-online-schema-change make beside the one that they alter.",
    remedy:
      "None needed for such a table. If it is the application's own, name it in a selection rule, without % in the name.",
  },
  "source.table_rewritten": {
    scope: "table",
    retry: "never",
    meaning:
      "A table was truncated or rewritten while it was read: the snapshot does not hold its rows any more.",
    remedy:
      "Reload the table when nobody truncates or rewrites it. Tideway has read it again ten times by itself, unless it held rows before the task.",
  },
  "source.table_unreadable": {
    scope: "table",
    retry: "never",
    meaning: "The source could not read the table.",
    remedy: "Look up the server's code in the message; mend the table, then reload it.",
    passOver: "What the server says of a table that it cannot read may be wrong, too.",
  },
  "source.busy": {
    scope: "task",
    retry: "once-worked",
    meaning: "The source gave a statement up for another's sake: a conflict, a deadlock, a lock or a cancel.",
    remedy: "None needed: Tideway tries again by itself; on a standby set hot_standby_feedback = on.",
  },
  "source.out_of_resources": {
    scope: "task",
    retry: "once-worked",
    meaning: "The source has no memory or disk space left, or cannot read its files.",
    remedy: "Look at the server's log; free memory or disk space there.",
  },
  "source.snapshot_lost": {
    scope: "task",
    retry: "backoff",
    meaning: "The snapshot that full load reads from has ended, because its session did.",
    remedy: "None needed: Tideway goes on with a new snapshot.",
  },
  "source.snapshot_not_exact": {
    scope: "table",
    retry: "never",
    meaning:
      "Whenever a table was read that has no key, or foreign keys that act by themselves, it was changed in the moment in which the snapshot began, between two places of the log: without a lock it is not known which of these changes its rows show.",
    remedy:
      "Grant the source's user RELOAD, or LOCK TABLES on the databases of the task's tables, or give the table a primary key; then reload it. Or reload it when nobody writes to it.",
  },
  "source.standby": {
    scope: "task",
    retry: "once-worked",
    meaning: "The source is a standby, from which changes cannot be captured.",
    remedy: "Point the endpoint at the primary, or use a full-load task.",
    ignored: "Reads that take long may be cancelled, and are begun again.",
    passOver: "The log of a standby has no place by which a task could go on.",
  },
  "source.zero_date": {
    scope: "table",
    retry: "never",
    meaning:
      "Rows hold dates that no calendar has, such as 0000-00-00, and that the target has nothing like, or that ZeroDates refuses.",
    remedy:
      "Set the source endpoint's ZeroDates to null or epoch; a column that may not be NULL needs epoch. Or mend the rows.",
  },
  "source.row_security": {
    scope: "table",
    retry: "never",
    meaning: "Row level security would hide rows of the table from the source's user.",
    remedy: "Give the source's user BYPASSRLS, or make it the table's owner without FORCE.",
    passOver: "Rows that are hidden from the user would be missing.",
  },
  "source.not_logged": {
    scope: "table",
    retry: "never",
    meaning: "An unlogged table's changes are not in the source's log.",
    remedy: "Run ALTER TABLE ... SET LOGGED on the source, or use a full-load task.",
    passOver: "Changes of the table would be missing.",
  },
  "source.partitioned": {
    scope: "table",
    retry: "never",
    meaning: "A partitioned table's partitions are moved as ordinary tables of their own.",
    remedy: "Make the partitioned table on the target by hand if it is needed there.",
    ignored:
      "The target has the rows in as many ordinary tables; statements that name the partitioned table fail there.",
  },
  "source.foreign_changes": {
    scope: "task",
    retry: "never",
    meaning:
      "With EnableLoopbackPrevention a task sends only what was written on its source, and something else replicates to that source too.",
    remedy: "Let a task from the other database carry its changes, if the target is to have them.",
    ignored: "Changes that come to the source by other replication do not come to the target.",
  },
  "source.being_loaded": {
    scope: "task",
    retry: "never",
    meaning:
      "With EnableLoopbackPrevention a task sends only what was written on its source, and another task is still loading tables into that source: rows that are loaded are not marked and would go back.",
    remedy: "Start this task when the other one replicates, or delete the other one if it is not to go on.",
    passOver: "Rows that the other task loads would be sent back to where they came from.",
  },
  "source.not_moved": {
    scope: "task",
    retry: "never",
    meaning: "The source has objects of a kind that this version does not move.",
    remedy: "Move them by other means, e.g. pg_dump.",
    ignored: "The target lacks the objects: what uses them fails there after the switch-over.",
  },
  "source.large_objects": {
    scope: "task",
    retry: "never",
    meaning: "Large objects are copied as they are at the full load: a server does not say how they change.",
    remedy:
      "Let nobody change large objects between the full load and the cutover, or copy them by other means.",
    ignored: "Large objects that are written after the full load are missing or old on the target.",
  },
  "source.long_transaction": {
    scope: "task",
    retry: "never",
    meaning:
      "A transaction, or a statement, has been open for long; the stream or the snapshot cannot begin before it has ended.",
    remedy: "End the session, or commit or roll back the prepared transaction.",
    ignored: "The task waits for the end of the transaction before it loads anything.",
  },
  "source.reload_kept_waiting": {
    scope: "table",
    retry: "never",
    meaning:
      "A table was to be loaded again beside the changes of others, and a transaction or a statement of the source kept its snapshot from beginning for longer than StreamStartLimitSeconds.",
    remedy:
      "End the session, or commit or roll back the prepared transaction; then reload the table. The others go on.",
  },
  "source.slot_at_risk": {
    scope: "task",
    retry: "never",
    meaning:
      "The source will soon discard log that the task still needs, because the task is too far behind.",
    remedy: "Raise max_slot_wal_keep_size on the source now, then find out what holds the target up.",
  },
  "source.standby_away": {
    scope: "task",
    retry: "never",
    meaning:
      "The source sends no changes before a standby that synchronized_standby_slots names has them, and that one is not connected.",
    remedy: "Let the standby follow the source again, or take its slot out of synchronized_standby_slots.",
  },
  "source.log_limit": {
    scope: "task",
    retry: "never",
    meaning: "The source discards the log that a stopped or slow task still needs beyond a limit.",
    remedy: "Raise the limit, or let the task run without long pauses.",
    ignored:
      "A task that is stopped or behind for longer than the limit lets it has to load everything again.",
  },
  "source.query_failed": {
    scope: "task",
    retry: "never",
    meaning: "A statement on the source failed.",
    remedy: "Look up the server's code in the message.",
  },
  "source.protocol": {
    scope: "task",
    retry: "never",
    meaning: "The source sent something that its protocol does not allow or Tideway does not know.",
    remedy: "Report it with the server's version.",
  },
} as const satisfies Record<string, ErrorKind>;
