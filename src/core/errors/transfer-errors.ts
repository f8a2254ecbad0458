import type { ErrorKind } from "../error.ts";

/** Moving rows and changes. */
export const transferErrors = {
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
    passOver: true,
  },
  "apply.rejected": {
    scope: "table",
    retry: "never",
    meaning: "The target refused a change of a table.",
    remedy: "Look up the server's code in the message; mend the table, then reload it.",
  },
  "target.applier_in_use": {
    scope: "task",
    retry: "once-worked",
    meaning: "Another session still applies changes for the same task.",
    remedy: "Stop the other worker; after a crash the target ends the session by itself.",
  },
  "apply.row_exists": {
    scope: "table",
    retry: "never",
    meaning:
      "An insert found a row with its key on the target, and ApplyErrorInsertPolicy does not let that pass.",
    remedy: "Find out who else writes to the target; then reload the table, or set another policy.",
  },
  "apply.row_missing": {
    scope: "table",
    retry: "never",
    meaning:
      "An update or a delete did not find its row on the target, and ApplyErrorUpdatePolicy or ApplyErrorDeletePolicy does not let that pass.",
    remedy: "Find out who else writes to the target; then reload the table, or set another policy.",
  },
  "apply.stopped_by_policy": {
    scope: "task",
    retry: "never",
    meaning:
      "A row is not as it should be on the target, or too many are, and a policy of ErrorBehavior says STOP_TASK.",
    remedy: "Mend what the message tells, or set another policy; then resume the task.",
  },
  "apply.too_many_errors": {
    scope: "table",
    retry: "never",
    meaning:
      "As many rows of a table as DataErrorEscalationCount or ApplyErrorEscalationCount allows are not as they should be on the target.",
    remedy:
      "Look at the table's rows in awsdms_apply_exceptions, mend the cause, then reload the table, which clears them.",
  },
  "apply.rows_left_out": {
    scope: "record",
    retry: "never",
    meaning:
      "The target refuses single rows of a table, and DataErrorPolicy has them passed over: they are recorded, with their keys, in awsdms_apply_exceptions or awsdms_full_load_exceptions, and are not on the target.",
    remedy:
      "Look up the errors in the table of exceptions and mend the cause on the target; then `tideway task retry-errors` (or `tideway migrate --retry-errors`) brings the rows.",
  },
  "apply.triggers_act": {
    scope: "table",
    retry: "never",
    meaning:
      "Rows of a load are tried again in a table with foreign keys, which are to act on them, and triggers, which are not: PostgreSQL has them act together.",
    remedy:
      "Disable the table's triggers meanwhile (`alter table ... disable trigger user`) and try again, or reload the table.",
  },
  "apply.truncated": {
    scope: "task",
    retry: "never",
    meaning: "The source has truncated a table, and ApplyErrorFailOnTruncationDdl is true.",
    remedy:
      "Set ApplyErrorFailOnTruncationDdl to false and resume the task to truncate the table on the target, too.",
  },
  "apply.truncate_passed_over": {
    scope: "table",
    retry: "never",
    meaning:
      "The source has truncated a table while HandleSourceTableTruncated is false; the target's rows stay.",
    remedy:
      "None is needed. A row that comes with the key of one that stayed leads to what ApplyErrorInsertPolicy says: INSERT_RECORD takes the new one.",
  },
  "apply.row_incomplete": {
    scope: "table",
    retry: "never",
    meaning:
      "While catching up with changes that some rows show already, an update lacked a value of a row that is not there yet, a table had no key to find rows by, or a foreign key had changed rows by itself of which some were read later than others.",
    remedy: "None needed: Tideway loads the table again by itself.",
  },
  "apply.value_not_sent": {
    scope: "table",
    retry: "never",
    meaning:
      "A change did not hold a value of a column that table mappings need to carry it out: for a filter, or for an expression.",
    remedy:
      "Let the source log whole rows of the table (REPLICA IDENTITY FULL on PostgreSQL, binlog_row_image = FULL on MySQL), then reload it.",
  },
  "mapping.expression_failed": {
    scope: "table",
    retry: "never",
    meaning:
      "An expression of the table mappings could not be evaluated for a row, or its result is no value of the column's type.",
    remedy: "Mend the rule, or the row on the source; then reload the table.",
  },
  "apply.cascade_unknown": {
    scope: "table",
    retry: "never",
    meaning:
      "A foreign key of the source has deleted or changed rows by itself, which of them shows in a table that was set aside.",
    remedy: "Mend the other table; then reload both, the table that is referred to first.",
  },
  "plan.reference_left_out": {
    scope: "table",
    retry: "never",
    meaning: "A foreign key refers to a table that is not part of the task and is left out.",
    remedy: "Include the referenced table, or add the foreign key on the target afterwards.",
    ignored: "The target takes rows after the switch-over that refer to nothing.",
  },
  "plan.reference_may_fail": {
    scope: "table",
    retry: "never",
    meaning: "Table mappings filter the rows of a table that a foreign key refers to.",
    remedy:
      "Filter the referring table so that the same rows stay behind. All rows come in any case: a foreign key that cannot be made is told, and stays unvalidated on PostgreSQL.",
    ignored: "The foreign key may be missing on the target, which the task then says.",
  },
  "plan.part_left_out": {
    scope: "table",
    retry: "never",
    meaning:
      "An index, a constraint or a generated column speaks of columns that table mappings leave out, mask or give another type.",
    remedy: "None needed, unless the target has to have it: then make it there by hand.",
  },
  "plan.object_left_out": {
    scope: "table",
    retry: "never",
    meaning:
      "A view, function, trigger or the like needs something that is not on the target, or not by that name.",
    remedy: "Select what it needs, leave the names as they are, or make it on the target by hand.",
    ignored: "The target lacks the object: what uses it fails there after the switch-over.",
  },
  "plan.rights_left_out": {
    scope: "task",
    retry: "never",
    meaning: "Schemas of different owners or privileges come together in one on the target.",
    remedy: "Set the owner and the privileges of the target's schema by hand.",
  },
  "plan.text_names_schema": {
    scope: "table",
    retry: "never",
    meaning: "A function's text seems to name a schema that is renamed; such texts are not rewritten.",
    remedy: "Look at the function on the target, and change the name there.",
    ignored:
      "The object may fail when it is used, because it looks for its parts in a schema of the old name.",
  },
  "plan.object_renamed": {
    scope: "table",
    retry: "never",
    meaning:
      "An index or a column's sequence gets a new name, because another object has its name in the schema it comes to.",
    remedy: "None needed, unless something refers to it by name.",
  },
} as const satisfies Record<string, ErrorKind>;
