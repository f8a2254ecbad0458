import {
  choice,
  does,
  flag,
  idle,
  missing,
  refused,
  type SettingSection,
  text,
  whole,
} from "./settings-value.ts";

const RECORDED =
  "LOG_ERROR and IGNORE_RECORD pass over the row and record it, with its key, in awsdms_apply_exceptions, LOG_ERROR also in the log; SUSPEND_TABLE sets the table aside, STOP_TASK fails the task.";
const SELF_TUNED = "Tideway decides by itself how many transactions it commits together; each stays whole.";
const BOUNDED =
  "What waits in memory is bounded by the instance's memory; the rest stays in the source's log.";
const NOT_ORACLE = "It is for Oracle.";
const NO_RESYNC =
  "No task mends by itself what its validation finds: `tideway task repair` has it do so, or reload the table.";

const DATA_POLICIES = ["LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK"];

export const errorBehavior: SettingSection = {
  DataErrorPolicy: [
    choice(...DATA_POLICIES),
    "What a row leads to that the target refuses.",
    does(
      `${RECORDED} In a full load the row is recorded in awsdms_full_load_exceptions if FullLoadExceptionTableEnabled is true.`,
    ),
  ],
  EventErrorPolicy: [
    choice("IGNORE", "STOP_TASK"),
    "What a failure to send an event leads to.",
    idle("Events are kept by the server, and sent by it beside the tasks: a failure there touches no task."),
  ],
  DataTruncationErrorPolicy: [
    choice(...DATA_POLICIES),
    "What a value that is cut off leads to.",
    does(
      "For values that large objects are limited for (LimitedSizeLobMode, `lob-settings`). LOG_ERROR: the row comes with the value cut off, which is counted and logged. SUSPEND_TABLE and STOP_TASK: `mapping.value_cut`, and nothing is cut off. IGNORE_RECORD, by which rows are left out, is refused where values may be cut off. A value that the target has no room for is never cut off: DataErrorPolicy says what becomes of its row.",
    ),
  ],
  DataMaskingErrorPolicy: [
    choice("STOP_TASK", "IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE"),
    "What a failure to mask a value leads to.",
    idle(
      "Masking does not fail: a mask that does not fit its column is refused before the start, with mapping.rule_impossible.",
    ),
  ],
  DataErrorEscalationPolicy: [
    choice("SUSPEND_TABLE", "STOP_TASK"),
    "What too many rows with errors lead to.",
    does("As in AWS DMS."),
  ],
  DataErrorEscalationCount: [
    whole(0),
    "How many rows of a table with errors are too many; 0 for never.",
    does("As in AWS DMS. Rows that earlier runs have recorded count, too."),
  ],
  TableErrorPolicy: [
    choice("SUSPEND_TABLE", "STOP_TASK"),
    "What an error of one table leads to.",
    does("SUSPEND_TABLE sets the table aside and the others go on; STOP_TASK fails the task."),
  ],
  TableErrorEscalationPolicy: [
    choice("STOP_TASK"),
    "What too many tables with errors lead to.",
    idle("There is only one value; it is what happens."),
  ],
  TableErrorEscalationCount: [
    whole(0),
    "How many tables with errors are too many; 0 for never.",
    does("So many tables set aside fail the task."),
  ],
  RecoverableErrorCount: [
    whole(-1, -1),
    "How often an error that may pass by itself is tried again; -1 leaves it to the other settings.",
    does("As in AWS DMS. A run of a minute or more starts the count over."),
  ],
  RecoverableErrorInterval: [
    whole(5),
    "Seconds before the first retry.",
    does("As in AWS DMS; 0 counts as 1."),
  ],
  RecoverableErrorThrottling: [
    flag(true),
    "Doubles the time before each further retry.",
    does("As in AWS DMS."),
  ],
  RecoverableErrorThrottlingMax: [
    whole(1800),
    "Longest time between two retries, in seconds.",
    does("As in AWS DMS."),
  ],
  RecoverableErrorStopRetryAfterThrottlingMax: [
    flag(true),
    "Gives up when the time between two retries would exceed RecoverableErrorThrottlingMax.",
    does("As in AWS DMS: with the defaults, after 9 retries in 43 minutes."),
  ],
  ApplyErrorDeletePolicy: [
    choice("IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK"),
    "What a delete that finds no row leads to.",
    does(RECORDED),
  ],
  ApplyErrorInsertPolicy: [
    choice("LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK", "INSERT_RECORD"),
    "What an insert whose key is there already leads to.",
    does(`${RECORDED} INSERT_RECORD overwrites the row that is there.`),
  ],
  ApplyErrorUpdatePolicy: [
    choice("LOG_ERROR", "IGNORE_RECORD", "SUSPEND_TABLE", "STOP_TASK", "UPDATE_RECORD"),
    "What an update that finds no row leads to.",
    does(
      `${RECORDED} UPDATE_RECORD inserts the row; an update for which the source has not sent all values is recorded.`,
    ),
  ],
  ApplyErrorEscalationPolicy: [
    choice("LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK"),
    "What too many such changes lead to.",
    does("As in AWS DMS: LOG_ERROR has the log tell of them, whatever the policies of single changes say."),
  ],
  ApplyErrorEscalationCount: [
    whole(0),
    "How many such changes of a table are too many; 0 for never.",
    does("As in AWS DMS. Changes that earlier runs have recorded count, too."),
  ],
  ApplyErrorFailOnTruncationDdl: [
    flag(false),
    "Fails the task when the source truncates a table.",
    does("As in AWS DMS, with `apply.truncated`, before the target's table is touched."),
  ],
  FullLoadIgnoreConflicts: [
    flag(true),
    "Passes over missing and doubled rows while changes of the load's time are applied.",
    idle("There are none: changes that a table's snapshot held already are not applied again."),
  ],
  FailOnTransactionConsistencyBreached: [
    flag(false),
    "Fails the task when a transaction stays open too long.",
    idle(NOT_ORACLE),
  ],
  FailOnNoTablesCaptured: [
    flag(true),
    "Fails the task when the table mappings select no table.",
    does("As in AWS DMS, with `mapping.no_tables`."),
  ],
};

export const changeProcessingTuning: SettingSection = {
  StatementCacheSize: [
    whole(50, 0, 200),
    "Prepared statements that are kept.",
    idle("How many are kept is fixed; those used longest ago go first."),
  ],
  CommitTimeout: [
    whole(1),
    "Most seconds for which transactions are collected before a commit.",
    idle("Nothing is held back: what is there is committed at once, and what comes meanwhile together."),
  ],
  BatchApplyPreserveTransaction: [
    flag(true),
    "Keeps transactions whole in batch apply.",
    idle("Transactions are always kept whole."),
  ],
  BatchApplyTimeoutMin: [
    whole(1),
    "Fewest seconds between two batches.",
    idle("Nothing is held back: what is there is committed at once, and what comes meanwhile together."),
  ],
  BatchSplitSize: [
    whole(0),
    "Most changes in a batch; 0 for no limit.",
    does(
      "Most changes that are committed together, of what has gathered; 50000 at the most. A transaction is never cut. It acts whether BatchApplyEnabled is set or not.",
    ),
  ],
  BatchApplyTimeoutMax: [whole(30), "Most seconds between two batches.", idle(SELF_TUNED)],
  MinTransactionSize: [whole(1000), "Fewest changes in a transaction on the target.", idle(SELF_TUNED)],
  MemoryKeepTime: [whole(60), "Seconds for which a transaction stays in memory.", idle(BOUNDED)],
  BatchApplyMemoryLimit: [
    whole(500),
    "Most memory in MB for a batch.",
    does(
      "Most memory of changes that are committed together; 16 MB at the most. A transaction is never cut.",
    ),
  ],
  MemoryLimitTotal: [whole(1024), "Most memory in MB for all transactions.", idle(BOUNDED)],
  RecoveryTimeout: [
    whole(-1, -1),
    "Minutes to wait for a source to come back; -1 without end.",
    idle("RecoverableErrorCount and its companions say how long."),
  ],
};

export const ddlHandling: SettingSection = {
  HandleSourceTableDropped: [
    flag(true),
    "Drops a table on the target when it is dropped on the source.",
    does(
      "True drops a table that the task has made, where the source notes schema changes in its log and HandleSourceTableAltered is true; else what the target has of it stays, and the table is set aside with `source.table_changed`, or `source.rows_replaced` of MySQL and MariaDB.",
    ),
  ],
  HandleSourceTableTruncated: [
    flag(true),
    "Truncates a table on the target when it is truncated on the source.",
    does(
      "As in AWS DMS: with false the target's rows stay, which is told, and a row that comes with the key of one of them leads to what ApplyErrorInsertPolicy says.",
    ),
  ],
  HandleSourceTableAltered: [
    flag(true),
    "Alters a table on the target when it is altered on the source.",
    does(
      "True alters tables on the target as the source's are while changes are applied, where the source notes schema changes in its log; elsewhere it adds new columns. False leaves new columns out until the table is loaded again. After any other change that may concern rows the table is set aside with `source.table_changed`.",
    ),
  ],
};

export const characterSetSettings: SettingSection = {
  CharacterReplacements: [
    { type: "list", default: undefined },
    "Characters and what they are replaced by.",
    refused("Characters are moved as they are."),
  ],
  CharacterSetSupport: [
    { type: "object", default: undefined },
    "The character set that texts must be in.",
    refused("Characters are moved as they are."),
  ],
};

const NO_MARKER = "The mark is in the server's log; there is no marker table.";

export const loopbackPreventionSettings: SettingSection = {
  EnableLoopbackPrevention: [
    flag(),
    "Keeps changes from going round between two databases that replicate to each other.",
    does(
      "What is applied is marked by a replication origin of the target, and what has an origin is not read from the source. Set it in both tasks. Tables of such a task cannot be reloaded.",
    ),
  ],
  SourceSchema: [text(), "Schema of the marker table on the source.", idle(NO_MARKER)],
  TargetSchema: [text(), "Schema of the marker table on the target.", idle(NO_MARKER)],
};

export const beforeImageSettings: SettingSection = {
  EnableBeforeImage: [
    flag(),
    "Adds the values before a change to messages.",
    missing("It is for targets that take messages."),
  ],
  FieldName: [text(), "Name of the field for them.", idle("It is for targets that take messages.")],
  ColumnFilter: [
    { type: "choice", default: undefined, values: ["pk-only", "non-lob", "all"] },
    "Which columns it holds.",
    idle("It is for targets that take messages."),
  ],
};

export const resyncSettings: SettingSection = {
  EnableResync: [flag(), "Mends what validation found.", missing(NO_RESYNC)],
  ResyncSchedule: [text(), "When, as a cron expression of five fields.", idle(NO_RESYNC)],
  MaxResyncTime: [whole(undefined, 5, 14_400), "Most minutes for it.", idle(NO_RESYNC)],
  ValidationTaskId: [text(), "The task that validates.", idle(NO_RESYNC)],
};

/** Members of the document that belong to no section. */
export const topLevel: SettingSection = {
  PostProcessingRules: [
    { type: "object", default: null },
    "Of AWS DMS's own making, always null.",
    idle("It means nothing."),
  ],
  FailTaskWhenCleanTaskResourceFailed: [
    flag(false),
    "Fails a task when what it left behind cannot be removed.",
    idle("A task that cannot be cleaned up cannot be deleted, and says why."),
  ],
};
