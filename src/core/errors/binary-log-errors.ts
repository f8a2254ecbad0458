import type { ErrorKind } from "../error.ts";

/** The source's binary log and what cannot be read of it: MySQL and MariaDB. */
export const binaryLogErrors = {
  "source.binary_log_off": {
    scope: "task",
    retry: "never",
    meaning: "The source writes no binary log, so changes cannot be read from it.",
    remedy: "Start the source with log_bin and a server_id that is not 0.",
    passOver: "Changes would be missing.",
  },
  "source.binary_log_format": {
    scope: "task",
    retry: "never",
    meaning: "The source's binary log holds statements instead of the rows that they change.",
    remedy:
      "Run on the source: set global binlog_format = ROW; and let sessions that are open connect again. Set it in the server's configuration, too.",
    passOver:
      "Rows that statements change would be missing; a task that finds such a log while it runs ends, too.",
  },
  "source.binary_log_filtered": {
    scope: "table",
    retry: "never",
    meaning:
      "The source leaves the table's database out of its binary log (binlog_do_db, binlog_ignore_db), so changes of the table cannot be read.",
    remedy: "Take the database out of the filter and restart the source, or use a full-load task.",
    passOver: "Changes of the table would be missing.",
  },
  "source.binary_log_expires": {
    scope: "task",
    retry: "never",
    meaning: "The source discards its binary log after a time that a stopped or slow task may take.",
    remedy:
      "Keep it for a day at least: set binlog_expire_logs_seconds (or expire_logs_days) on the source; on Amazon RDS the binlog retention hours.",
    ignored: "A task that is stopped or behind for longer has to load everything again.",
  },
  "source.binary_log_at_risk": {
    scope: "task",
    retry: "never",
    meaning: "The task reads the oldest file of the source's binary log, which the source removes next.",
    remedy:
      "Raise binlog_expire_logs_seconds (or expire_logs_days) on the source now, then find out what holds the target up.",
  },
  "source.replica_unlogged": {
    scope: "task",
    retry: "never",
    meaning:
      "The source is a replica that does not write what it replicates to its own binary log, so those changes cannot be read from it.",
    remedy:
      "Set log_replica_updates (log_slave_updates) on the source and restart it, or read from its primary.",
    passOver: "Changes that the source replicates would be missing.",
  },
  "source.no_gtids": {
    scope: "task",
    retry: "never",
    meaning:
      "The source does not number its transactions, so positions mean something on this server alone: a task cannot go on at another one.",
    remedy: "Set gtid_mode = ON and enforce_gtid_consistency = ON on the source before the task starts.",
    ignored: "After a failover of the source the task has to load everything again.",
  },
  "source.cascades_unlogged": {
    scope: "table",
    retry: "never",
    meaning:
      "A foreign key deletes or changes rows by itself (ON DELETE CASCADE and the like), and what the source's binary log holds does not suffice to do the same on the target: the target keeps such rows.",
    remedy:
      "Do what the message names: move the table that is referred to as well, or set binlog_row_image = FULL. Else let the application delete or change the referring rows itself, or reload the table before the switch-over.",
  },
  "source.not_transactional": {
    scope: "table",
    retry: "never",
    meaning:
      "The table's storage engine has no transactions: rows that are changed while it is read may be seen twice or not as they were.",
    remedy:
      "Run on the source: alter table ... engine = InnoDB; or let nobody write to the table while it is loaded.",
    ignored: "Rows that change while they are loaded may be twice, or as at another moment, on the target.",
  },
  "source.system_versioned": {
    scope: "table",
    retry: "never",
    meaning: "Of a system-versioned table only the rows that are current can be read, by full-load tasks.",
    remedy:
      "Use a full-load task for the table, or run on the source: alter table ... drop system versioning;",
    passOver: "Rows of the table's history would be taken for changes of those that are current.",
  },
  "source.old_temporal": {
    scope: "table",
    retry: "never",
    meaning:
      "The server keeps fractions of seconds in a form that MariaDB had before 10.1, which its binary log does not tell from whole seconds.",
    remedy:
      "Run on the source: set global mysql56_temporal_format = ON; and then alter table ... force; or use a full-load task for the table.",
    passOver: "Times with fractions of seconds would be read as others.",
  },
  "source.type_unknown": {
    scope: "table",
    retry: "never",
    meaning: "A column has a type that Tideway does not know.",
    remedy: "Leave the column out with a transformation rule, or the table with a selection rule.",
    passOver: "Nobody knows how the column's values are to be read.",
  },
  "source.labels_unreadable": {
    scope: "table",
    retry: "never",
    meaning:
      "The server shows labels of an enum or a set with ? for characters beyond the basic plane, and the binary log holds only their numbers.",
    remedy:
      "Set binlog_row_metadata = FULL on the source, rename the labels, or use a full-load task for the table.",
    passOver: "Labels would be written with ? in the place of characters.",
  },
  "source.column_compressed": {
    scope: "table",
    retry: "never",
    meaning:
      "MariaDB logs the values of a column in a compressed form (COMPRESSED), which Tideway does not read.",
    remedy:
      "Run on the source: alter table ... modify the column without COMPRESSED; or use a full-load task for the table.",
    passOver: "Values would be written as the server has compressed them.",
  },
  "source.prepared_transactions": {
    scope: "task",
    retry: "never",
    meaning:
      "Transactions of two phases (XA) that were prepared on the source before the task reads the log: what they changed lies before that, and is looked for there when they commit. A task ends when the log does not reach back so far any more.",
    remedy:
      "Keep the log as long as transactions stay prepared, and commit or roll back those that XA RECOVER shows. Where the log is gone, start the task again with reload-target.",
    ignored:
      "The task ends with an error if the log does not reach back to where such a transaction was prepared.",
  },
  "source.not_durable": {
    scope: "task",
    retry: "never",
    meaning:
      "The source does not write each commit to its disk before it answers (innodb_flush_log_at_trx_commit or sync_binlog is not 1): a crash may take back what the target already has, or part its tables from its log.",
    remedy:
      "Run on the source: set global innodb_flush_log_at_trx_commit = 1; set global sync_binlog = 1; after a crash without that compare the tables, or load them again.",
  },
  "source.commit_order": {
    scope: "task",
    retry: "never",
    meaning:
      "The source may commit transactions in another order than that of its log (binlog_order_commits is off).",
    remedy: "Run on the source: set global binlog_order_commits = ON;",
    ignored: "Rows may be missing on the target without any error.",
  },
  "source.log_unreadable": {
    scope: "task",
    retry: "never",
    meaning: "The source's log holds something that Tideway cannot read; what comes after it is not applied.",
    remedy:
      "Change the setting that the message names on the source, and start the task again with reload-target.",
  },
  "source.log_purged": {
    scope: "task",
    retry: "never",
    meaning: "The source has discarded log that the task still needed.",
    remedy:
      "Let the source keep its log for longer (binlog_expire_logs_seconds, expire_logs_days; on Amazon RDS the binlog retention hours) and start the task again with reload-target.",
  },
  "source.row_image": {
    scope: "table",
    retry: "never",
    meaning: "The source's log lacks columns of a changed row that the target needs.",
    remedy:
      "Set binlog_row_image = FULL on the source, also for sessions that are open, and reload the table.",
    passOver: "Changes would lack values.",
  },
  "source.rows_replaced": {
    scope: "table",
    retry: "never",
    meaning:
      "A statement gave a table other rows than the log tells of: it was dropped, renamed, made anew, or partitions of it were.",
    remedy: "Reload the table if it is still there under its name.",
  },
  "source.charset": {
    scope: "table",
    retry: "never",
    meaning:
      "A table holds text that is no text of its column's character set, or of one that Tideway does not convert.",
    remedy:
      "Convert the column on the source to utf8mb4, or to a binary type if it holds no text, and reload the table.",
  },
} as const satisfies Record<string, ErrorKind>;
