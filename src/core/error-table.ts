import type { ErrorKind } from "./error.ts";

/** Every error code of the program, one row each. docs/reference/errors.md is generated from it. */
export const errorTable = {
  // --- wrong use -----------------------------------------------------------------------------
  "usage.invalid": {
    scope: "usage",
    retry: "never",
    meaning: "The command line or the request is not understood.",
    remedy: "Run the command with --help for its form and an example.",
  },
  "usage.node_version": {
    scope: "usage",
    retry: "never",
    meaning: "Tideway was started with a Node that is too old, and none came with it.",
    remedy: "Install Node 24 or newer, or run npm ci without --omit=optional: on Linux it brings one.",
  },
  "usage.run_in_progress": {
    scope: "usage",
    retry: "never",
    meaning: "Another `tideway migrate` with the same source, target and mappings is running.",
    remedy: "Wait for it or stop it with Ctrl-C; then the same command resumes.",
  },
  "engine.unknown": {
    scope: "usage",
    retry: "never",
    meaning: "No engine of that name, alias or URL scheme.",
    remedy: "Use one of the engines that `aws dms describe-endpoint-types` lists.",
  },
  "endpoint.url_malformed": {
    scope: "usage",
    retry: "never",
    meaning: "A connection URL cannot be read.",
    remedy: "Write it as postgresql://user:password@host:port/database, special characters percent-encoded.",
  },
  "endpoint.setting_invalid": {
    scope: "usage",
    retry: "never",
    meaning: "An endpoint setting is unknown or has a value outside its range.",
    remedy: "See `aws dms describe-endpoint-settings` for names, types and ranges.",
  },
  "settings.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "The task settings document is not JSON or a setting has a wrong type or value.",
    remedy: "Correct the named setting; docs/reference/settings.md lists all with their ranges.",
  },
  "mapping.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "The table mappings document is not JSON or a rule is not well formed.",
    remedy: "Correct the named rule; the message says what it lacks.",
  },
  "mapping.unsupported": {
    scope: "usage",
    retry: "never",
    meaning: "A rule is valid in AWS DMS but not built in this version; it is refused rather than ignored.",
    remedy: "Remove the named rule or wait for a version that has it.",
  },
  "mapping.no_tables": {
    scope: "task",
    retry: "never",
    meaning: "The selection rules match no table of the source.",
    remedy: "Check schema and table names: they are matched case-sensitively.",
  },
  "mapping.target_clash": {
    scope: "task",
    retry: "never",
    meaning: "Two source tables come to the same target table.",
    remedy: "Change the rename rules so that every table gets a name of its own.",
  },
  "mapping.table_name_invalid": {
    scope: "table",
    retry: "never",
    meaning: "A rename rule gives a table a name that is empty or too long for the target.",
    remedy: "Change the rename rules so that the name has 1 to 63 bytes.",
  },
  "mapping.schema_name_invalid": {
    scope: "task",
    retry: "never",
    meaning: "A rename rule or TargetSchema gives a schema a name that is empty or too long for the target.",
    remedy: "Change the rule or the setting so that the name has 1 to 63 bytes.",
  },
  "settings.no_effect": {
    scope: "task",
    retry: "never",
    meaning:
      "A task setting is kept and returned but has no effect in this version, or its name is not known.",
    remedy: "None needed if you can do without it; docs/reference/settings.md says what happens instead.",
  },
  "settings.unsupported": {
    scope: "task",
    retry: "never",
    meaning: "A task setting asks for something this version does not do and that cannot be passed over.",
    remedy: "Give the setting its default; docs/reference/settings.md says what happens instead.",
  },
  "position.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "A start or stop position is not written in the engine's form.",
    remedy:
      "Use the form in docs/engines for the source's engine, for PostgreSQL an LSN such as 16/B374D848.",
  },
  // --- reaching a database ---------------------------------------------------------------------
  "connect.unknown_host": {
    scope: "task",
    retry: "backoff",
    meaning: "The host name does not resolve.",
    remedy: "Check the server name, and that this machine's DNS knows it.",
  },
  "connect.refused": {
    scope: "task",
    retry: "backoff",
    meaning: "Nothing listens at that host and port, or the socket is missing.",
    remedy: "Check host and port, that the server runs, and that it listens on that address.",
  },
  "connect.timeout": {
    scope: "task",
    retry: "backoff",
    meaning: "The server did not answer in time.",
    remedy: "Check routes and firewalls between this machine and the server.",
  },
  "connect.lost": {
    scope: "task",
    retry: "backoff",
    meaning: "An open connection broke.",
    remedy: "Tideway reconnects by itself; if it goes on, look at the server's log.",
  },
  "connect.too_many": {
    scope: "task",
    retry: "backoff",
    meaning: "The server has no free connection left.",
    remedy: "Raise max_connections or lower MaxFullLoadSubTasks.",
  },
  "connect.starting_up": {
    scope: "task",
    retry: "backoff",
    meaning: "The server is starting, stopping or recovering.",
    remedy: "Wait until it accepts connections; Tideway tries again by itself.",
  },
  "auth.failed": {
    scope: "task",
    retry: "never",
    meaning: "The server refused the user name or the password.",
    remedy: "Correct the endpoint's user name and password.",
  },
  "auth.not_allowed": {
    scope: "task",
    retry: "never",
    meaning: "The server's access rules do not admit this user from this address.",
    remedy:
      "Add a line for the user, database and address to pg_hba.conf (for cdc the user also needs REPLICATION).",
  },
  "auth.unknown_database": {
    scope: "task",
    retry: "never",
    meaning: "The database does not exist on that server.",
    remedy: "Correct the endpoint's database name.",
  },
  "tls.refused": {
    scope: "task",
    retry: "never",
    meaning: "TLS was asked for and the server does not offer it.",
    remedy: "Turn TLS on at the server (ssl = on) or set the endpoint's SSL mode to none.",
  },
  "tls.untrusted": {
    scope: "task",
    retry: "never",
    meaning: "The server's certificate is not signed by a trusted CA, or has expired.",
    remedy:
      "Import the CA with `aws dms import-certificate` and name it in the endpoint, or use SSL mode require.",
  },
  "tls.wrong_host": {
    scope: "task",
    retry: "never",
    meaning: "The certificate is for another host name than the endpoint's.",
    remedy: "Use the name in the certificate as server name, or SSL mode verify-ca.",
  },
  "tls.failed": {
    scope: "task",
    retry: "never",
    meaning:
      "The TLS handshake failed: no common version or cipher, or the server wants a client certificate.",
    remedy: "Check the server's ssl settings and its log; client certificates are not supported.",
  },
  "tls.certificate_malformed": {
    scope: "task",
    retry: "never",
    meaning: "The CA certificate given for the endpoint is not PEM.",
    remedy: "Import a file that holds -----BEGIN CERTIFICATE----- blocks, or name it with sslrootcert.",
  },
  // --- the source ------------------------------------------------------------------------------
  "source.version_unsupported": {
    scope: "task",
    retry: "never",
    meaning: "The server's version is older than what Tideway supports.",
    remedy: "See the README's verified-against table.",
  },
  "source.wal_level": {
    scope: "task",
    retry: "never",
    meaning: "The source does not write a log that changes can be read from.",
    remedy: "Set wal_level = logical on the source and restart it.",
  },
  "source.no_free_slot": {
    scope: "task",
    retry: "never",
    meaning: "All replication slots or WAL senders of the source are taken.",
    remedy: "Raise max_replication_slots and max_wal_senders, or drop slots that nobody uses.",
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
  "source.slot_lost": {
    scope: "task",
    retry: "never",
    meaning: "The source discarded log that the task still needed (max_slot_wal_keep_size).",
    remedy: "Raise max_slot_wal_keep_size and start the task again with reload-target.",
  },
  "source.slot_in_use": {
    scope: "task",
    retry: "backoff",
    meaning: "Another process reads from the task's replication slot.",
    remedy: "Stop the other reader; after a crash the server frees the slot by itself.",
  },
  "source.position_unavailable": {
    scope: "task",
    retry: "never",
    meaning: "The requested start position lies before what the slot still keeps.",
    remedy: "Use a later position, or create the slot before the position and name it with SlotName.",
  },
  "source.privilege": {
    scope: "task",
    retry: "never",
    meaning: "The source's user lacks a privilege.",
    remedy: "Grant the named privilege; docs/engines/postgres.md has the statements.",
  },
  "source.table_privilege": {
    scope: "table",
    retry: "never",
    meaning: "The source's user may not read a table.",
    remedy: "Grant SELECT on the table (and USAGE on its schema), then reload the table.",
  },
  "source.no_key": {
    scope: "table",
    retry: "never",
    meaning:
      "A table has no primary key or replica identity, so updates and deletes cannot be told apart by row.",
    remedy: "Add a primary key or set REPLICA IDENTITY FULL before the task starts, or use a full-load task.",
  },
  "source.table_changed": {
    scope: "table",
    retry: "never",
    meaning: "A table's columns changed while the task ran.",
    remedy: "Reload the table.",
  },
  "source.table_rewritten": {
    scope: "table",
    retry: "never",
    meaning:
      "A table was truncated or rewritten while it was read: the snapshot does not hold its rows any more.",
    remedy: "Reload the table.",
  },
  "source.table_unreadable": {
    scope: "table",
    retry: "never",
    meaning: "The source could not read the table.",
    remedy: "Look up the server's code in the message; mend the table, then reload it.",
  },
  "source.busy": {
    scope: "task",
    retry: "backoff",
    meaning: "The source gave a statement up for another's sake: a conflict, a deadlock, a lock or a cancel.",
    remedy: "None needed: Tideway tries again by itself; on a standby set hot_standby_feedback = on.",
  },
  "source.out_of_resources": {
    scope: "task",
    retry: "backoff",
    meaning: "The source has no memory or disk space left, or cannot read its files.",
    remedy: "Look at the server's log; free memory or disk space there.",
  },
  "source.snapshot_lost": {
    scope: "task",
    retry: "backoff",
    meaning: "The snapshot that full load reads from has ended, because its session did.",
    remedy: "None needed: Tideway goes on with a new snapshot.",
  },
  "source.standby": {
    scope: "task",
    retry: "never",
    meaning: "The source is a standby, from which changes cannot be captured.",
    remedy: "Point the endpoint at the primary, or use a full-load task.",
  },
  "source.row_security": {
    scope: "table",
    retry: "never",
    meaning: "Row level security would hide rows of the table from the source's user.",
    remedy: "Give the source's user BYPASSRLS, or make it the table's owner without FORCE.",
  },
  "source.not_logged": {
    scope: "table",
    retry: "never",
    meaning: "An unlogged table's changes are not in the source's log.",
    remedy: "Run ALTER TABLE ... SET LOGGED on the source, or use a full-load task.",
  },
  "source.partitioned": {
    scope: "table",
    retry: "never",
    meaning: "A partitioned table's partitions are moved as ordinary tables of their own.",
    remedy: "Make the partitioned table on the target by hand if it is needed there.",
  },
  "source.not_moved": {
    scope: "task",
    retry: "never",
    meaning: "The source has objects of a kind that this version does not move.",
    remedy: "Move them by other means, e.g. pg_dump.",
  },
  "source.long_transaction": {
    scope: "task",
    retry: "never",
    meaning: "A transaction is open for long; the replication slot cannot be made before it has ended.",
    remedy: "End the session, or commit or roll back the prepared transaction.",
  },
  "source.log_limit": {
    scope: "task",
    retry: "never",
    meaning: "The source discards the log that a stopped or slow task still needs beyond a limit.",
    remedy: "Raise the limit, or let the task run without long pauses.",
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
  // --- the target ------------------------------------------------------------------------------
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
  // --- load and apply --------------------------------------------------------------------------
  "load.rows_kept": {
    scope: "table",
    retry: "never",
    meaning:
      "A table cannot be loaded again: it held rows before the task that must stay, and they cannot be told from those that were loaded.",
    remedy:
      "Start the task with reload-target and another TargetTablePrepMode than DO_NOTHING, or load the table by a task of its own.",
  },
  "load.partition_taken": {
    scope: "task",
    retry: "backoff",
    meaning: "A partition was loaded or planned again by somebody else while it was being loaded.",
    remedy: "None needed: its rows were rolled back. Make sure that a task runs in one place only.",
  },
  "load.two_moments": {
    scope: "table",
    retry: "never",
    meaning:
      "A full load without change capture goes on from a second snapshot: what the source changed between is shown in part.",
    remedy:
      "If the source was written to meanwhile, start the task with reload-target, or use full-load-and-cdc, which brings both together.",
  },
  "load.rejected": {
    scope: "table",
    retry: "never",
    meaning: "The target refused rows of a table during full load.",
    remedy: "Look up the server's code in the message; mend the table, then reload it.",
  },
  "apply.rejected": {
    scope: "table",
    retry: "never",
    meaning: "The target refused a change of a table.",
    remedy: "Look up the server's code in the message; mend the table, then reload it.",
  },
  "target.applier_in_use": {
    scope: "task",
    retry: "backoff",
    meaning: "Another session still applies changes for the same task.",
    remedy: "Stop the other worker; after a crash the target ends the session by itself.",
  },
  "apply.row_incomplete": {
    scope: "table",
    retry: "never",
    meaning: "While catching up after a crash an update lacked a value of a row that is not there yet.",
    remedy: "None needed: Tideway loads the table again by itself.",
  },
  "plan.reference_left_out": {
    scope: "table",
    retry: "never",
    meaning: "A foreign key refers to a table that is not part of the task and is left out.",
    remedy: "Include the referenced table, or add the foreign key on the target afterwards.",
  },
  "plan.object_renamed": {
    scope: "table",
    retry: "never",
    meaning:
      "An index or a column's sequence gets a new name, because another object has its name in the schema it comes to.",
    remedy: "None needed, unless something refers to it by name.",
  },
  // --- tasks and the service -------------------------------------------------------------------
  "task.stopped_by_request": {
    scope: "task",
    retry: "never",
    meaning: "The task was stopped on request.",
    remedy: "Start it again with resume-processing.",
  },
  "task.worker_died": {
    scope: "task",
    retry: "backoff",
    meaning: "The replication instance's process ended; its tasks resume in a new one.",
    remedy: "None needed; if it goes on, give the instance a larger class.",
  },
  "task.retries_exhausted": {
    scope: "task",
    retry: "never",
    meaning: "A recoverable error came back more often than RecoverableErrorCount allows.",
    remedy: "Mend the cause named in the message and start the task with resume-processing.",
  },
  "server.data_dir": {
    scope: "server",
    retry: "never",
    meaning: "The data directory cannot be used.",
    remedy: "Give a directory that this user can write and no other Tideway uses, with --data-dir.",
  },
  "server.address_in_use": {
    scope: "server",
    retry: "never",
    meaning: "The address to listen on is taken.",
    remedy: "Stop the other process or choose another --port.",
  },
  "server.unreachable": {
    scope: "usage",
    retry: "never",
    meaning: "No Tideway server answers at the given address.",
    remedy: "Start one with `tideway serve`, or give its address with --endpoint-url.",
  },
  "server.secret_key": {
    scope: "server",
    retry: "never",
    meaning: "Stored secrets cannot be decrypted with the key at hand.",
    remedy:
      "Restore the data directory's key file or set TIDEWAY_SECRET_KEY to the key they were stored with.",
  },
  "internal.unexpected": {
    scope: "task",
    retry: "never",
    meaning: "A defect in Tideway.",
    remedy: "Report it with the log; start the task with resume-processing.",
  },
} as const satisfies Record<string, ErrorKind>;
