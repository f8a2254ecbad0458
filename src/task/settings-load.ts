import {
  choice,
  does,
  flag,
  idle,
  type LogComponent,
  missing,
  type SettingSection,
  text,
  whole,
} from "./settings-value.ts";

const OTHER_TARGETS = "It is for targets that are not relational databases.";
const WHOLE_VALUES = "Values that are not limited are moved whole, within their row, whatever their size.";
const BINARY_STREAM = "Rows go from server to server as they come, with no file in between.";
const SERVER_LOG = "Tideway writes one log for all tasks, whatever is set here.";
const NO_TIME_TRAVEL = "There are no time travel logs in this version.";

export const targetMetadata: SettingSection = {
  TargetSchema: [
    text(""),
    "Schema on the target for all tables; empty keeps the source's. A schema rule of the table mappings comes first.",
    does("As in AWS DMS, for types and sequences too."),
  ],
  SupportLobs: [
    flag(true),
    "Whether columns of large values are moved. If so, FullLobMode or LimitedSizeLobMode must be true, not both.",
    does(
      "With false columns that AWS DMS counts among them stay behind, PostgreSQL's text too; each is told before the start.",
    ),
  ],
  FullLobMode: [flag(false), "Moves large values after their rows, piece by piece.", idle(WHOLE_VALUES)],
  LobChunkSize: [whole(64), "Size of those pieces in KB.", idle(WHOLE_VALUES)],
  LimitedSizeLobMode: [
    flag(true),
    "Moves large values within their rows, cut off at LobMaxSize.",
    does(
      "True in a document that makes a task, or in a change of one that had FullLobMode, limits large texts and bytes to LobMaxSize; each table with such columns is told before the start, and what was cut off is counted. By the default alone, or by a document that only repeats it, nothing is cut off. JSON, XML, arrays and columns of keys come whole. A rule `lob-settings` comes first for its table.",
    ),
  ],
  LobMaxSize: [
    whole(32),
    "Largest value in KB that is moved whole.",
    does(
      "1 to 102400 where LimitedSizeLobMode is asked for, of text in UTF-8, to the end of a whole character. By the default of LimitedSizeLobMode alone nothing is cut off, which is told.",
    ),
  ],
  InlineLobMaxSize: [
    whole(0, 0, 102_400),
    "In full LOB mode, size in KB up to which a value is moved within its row; 0 for none.",
    idle(WHOLE_VALUES),
  ],
  LoadMaxFileSize: [
    whole(0, 0, 100_000),
    "Largest file in KB for targets loaded from files.",
    idle(BINARY_STREAM),
  ],
  ParallelLoadThreads: [whole(0), "Threads a table in full load, for some targets.", idle(OTHER_TARGETS)],
  ParallelLoadBufferSize: [whole(0, 0, 1000), "Records in each such thread's buffer.", idle(OTHER_TARGETS)],
  ParallelLoadQueuesPerThread: [whole(0), "Queues each such thread reads from.", idle(OTHER_TARGETS)],
  ParallelApplyThreads: [whole(0), "Threads that apply changes, for some targets.", idle(OTHER_TARGETS)],
  ParallelApplyBufferSize: [whole(0, 0, 1000), "Records in each such thread's buffer.", idle(OTHER_TARGETS)],
  ParallelApplyQueuesPerThread: [whole(0), "Queues each such thread reads from.", idle(OTHER_TARGETS)],
  BatchApplyEnabled: [
    flag(false),
    "Applies the net change of many transactions at once.",
    idle("Tideway decides by itself how many transactions it commits together; each stays whole."),
  ],
  TaskRecoveryTableEnabled: [
    flag(false),
    "Keeps checkpoints in a table of the target.",
    idle(
      "The position is always kept in awsdms_txn_state on the target, in the transaction of the rows it covers.",
    ),
  ],
};

export const fullLoadSettings: SettingSection = {
  TargetTablePrepMode: [
    choice("DROP_AND_CREATE", "DO_NOTHING", "TRUNCATE_BEFORE_LOAD"),
    "What is done with a table that is on the target already.",
    does(
      "As in AWS DMS. A table that Tideway creates gets everything of the source's table; one that it keeps gets nothing added.",
    ),
  ],
  CreatePkAfterFullLoad: [
    flag(false),
    "Creates primary keys and unique indexes after the load.",
    idle("They are always created when the table's rows are in."),
  ],
  StopTaskCachedChangesApplied: [
    flag(false),
    "For full-load-and-cdc: stops when the load is done and the changes of the meantime are applied.",
    does("As in AWS DMS. Not together with StopTaskCachedChangesNotApplied."),
  ],
  StopTaskCachedChangesNotApplied: [
    flag(false),
    "For full-load-and-cdc: stops when the load is done, before changes are applied.",
    does("As in AWS DMS. Not together with StopTaskCachedChangesApplied."),
  ],
  MaxFullLoadSubTasks: [
    whole(8, 1, 49),
    "How much is loaded at once.",
    does(
      "How many partitions, of one table or of several, are read and written at once: two at first, more as long as that is faster.",
    ),
  ],
  TransactionConsistencyTimeout: [
    whole(600),
    "Seconds to wait for open transactions before the load.",
    idle(
      "The snapshot and the change stream meet at one position of the log. Where that needs open transactions to end, TidewaySettings.StreamStartLimitSeconds says how long they are waited for; the load never begins without.",
    ),
  ],
  CommitRate: [
    whole(10_000, 0, 50_000),
    "Most rows that are loaded together.",
    idle(
      "Each partition, about a million rows or 128 MB, is loaded in one transaction with its record, which is what makes it repeatable after a crash; rows stream through it without being gathered.",
    ),
  ],
};

export const timeTravelSettings: SettingSection = {
  EnableTT: [flag(false), "Writes a log of all changes to S3.", missing(NO_TIME_TRAVEL)],
  TTS3Settings: [{ type: "object", default: null }, "Where the time travel log goes.", idle(NO_TIME_TRAVEL)],
  TTRecordSettings: [
    { type: "object", default: null },
    "What the time travel log holds.",
    idle(NO_TIME_TRAVEL),
  ],
  FailTaskOnTTFailure: [flag(false), "Fails the task when that log cannot be written.", idle(NO_TIME_TRAVEL)],
};

export const LOG_SEVERITIES = ["ERROR", "WARNING", "INFO", "DEFAULT", "DEBUG", "DETAILED_DEBUG"].map(
  (level) => `LOGGER_SEVERITY_${level}`,
);

const logComponents: readonly LogComponent[] = (
  "TRANSFORMATION SOURCE_UNLOAD IO TARGET_LOAD PERFORMANCE SOURCE_CAPTURE SORTER REST_SERVER VALIDATOR_EXT " +
  "TARGET_APPLY TASK_MANAGER TABLES_MANAGER METADATA_MANAGER FILE_FACTORY COMMON ADDONS DATA_STRUCTURE " +
  "COMMUNICATION FILE_TRANSFER"
)
  .split(" ")
  .map((Id) => ({ Id, Severity: "LOGGER_SEVERITY_DEFAULT" }));

export const logging: SettingSection = {
  EnableLogging: [flag(false), "Writes a task log to CloudWatch.", idle(SERVER_LOG)],
  EnableLogContext: [
    flag(false),
    "Adds table, transaction and position to the log's lines; needs EnableLogging.",
    idle(`${SERVER_LOG} Its lines always carry what they are about.`),
  ],
  LogComponents: [
    { type: "log-components", default: logComponents },
    `How much each component logs: ${LOG_SEVERITIES.join(", ")}.`,
    idle(SERVER_LOG),
  ],
  CloudWatchLogGroup: [
    text(null),
    "Read-only: the log group. Refused unless null.",
    idle("There is no CloudWatch."),
  ],
  CloudWatchLogStream: [
    text(null),
    "Read-only: the log stream. Refused unless null.",
    idle("There is no CloudWatch."),
  ],
  DeleteTaskLogs: [flag(), "Deletes the logs there are.", idle(SERVER_LOG)],
};

export const controlTablesSettings: SettingSection = {
  ControlSchema: [
    text(""),
    "Schema on the target for control tables; empty for the engine's own choice.",
    does("As in AWS DMS. It is created when it is not there."),
  ],
  HistoryTimeslotInMinutes: [
    whole(5),
    "Length of a row's time in awsdms_history.",
    does("As in AWS DMS; 0 counts as 1. A slot begins with the work that it is about."),
  ],
  historyTimeslotInMinutes: [
    whole(5),
    "The same again: AWS DMS returns it in both spellings.",
    idle("HistoryTimeslotInMinutes is the one that counts."),
  ],
  HistoryTableEnabled: [
    flag(false),
    "Writes awsdms_history.",
    does(
      "As in AWS DMS, with the slot at work brought up to date every five seconds. The volume of changes is not measured: timeslot_volume is NULL for them.",
    ),
  ],
  SuspendedTablesTableEnabled: [
    flag(false),
    "Writes awsdms_suspended_tables.",
    idle("That table is always written."),
  ],
  StatusTableEnabled: [
    flag(false),
    "Writes awsdms_status.",
    does(
      "Every five seconds, and when the task ends. The position is the one up to which the target holds everything; nothing waits on a disk, and the oldest open transaction of the source is not known, so the columns of its position and time are NULL.",
    ),
  ],
  FullLoadExceptionTableEnabled: [
    flag(false),
    "Keeps rows that the target refuses in a full load in a table of their own, awsdms_full_load_exceptions.",
    does("It has the columns of awsdms_apply_exceptions, where they are without it."),
  ],
  CommitPositionTableEnabled: [
    flag(),
    "Keeps the position in a table of the target.",
    idle("The position is always kept in the target, in the transaction of the rows it covers."),
  ],
};

/** Not members of a new document, which is AWS DMS's own. */
export const TIDEWAY_DEFAULTS = {
  MigrateObjects: true,
  MigrateLargeObjects: false,
  MigratePrivileges: false,
  SharedReadLimitInMB: 16_384,
  StreamStartLimitSeconds: 3600,
  ExceptionsWithValues: false,
  AssessmentPassOver: [] as readonly string[],
};

/** Not part of AWS DMS's document: what Tideway can do beyond it. */
export const tidewaySettings: SettingSection = {
  MigrateObjects: [
    flag(TIDEWAY_DEFAULTS.MigrateObjects),
    "Whether views, functions, triggers, policies and the like are moved beside the tables.",
    does(
      "A schema whose tables a rule includes with the pattern % is moved whole; what is part of a table or needed by one comes with it. False: only what tables need.",
    ),
  ],
  MigrateLargeObjects: [
    flag(TIDEWAY_DEFAULTS.MigrateLargeObjects),
    "Whether full load copies large objects.",
    does(
      "Under their own numbers. Changes to them after the full load's snapshot are not captured. A number that the target has used already is told and left alone.",
    ),
  ],
  MigratePrivileges: [
    flag(TIDEWAY_DEFAULTS.MigratePrivileges),
    "Whether what the task makes gets the owner and the privileges that it has on the source.",
    does(
      "Default privileges of schemas that are moved whole come too. Roles are not created: one that is missing on the target is told before the start, and what names it is left out.",
    ),
  ],
  SharedReadLimitInMB: [
    whole(TIDEWAY_DEFAULTS.SharedReadLimitInMB),
    "Size up to which a table is read by one scan, whose rows are shared out to several writers; 0 for none.",
    does(
      "Larger tables are read in ranges, several at once. One scan costs the source the least; on a source with many idle cores ranges of a large table are faster.",
    ),
  ],
  StreamStartLimitSeconds: [
    whole(TIDEWAY_DEFAULTS.StreamStartLimitSeconds, 1),
    "How long the start of a change stream, of a full load alone, or of a reload beside changes waits for transactions of the source that write.",
    does(
      "Then the task fails with source.long_transaction, which names the session that is in the way. A reload sets its tables aside instead (source.reload_kept_waiting), and changes of the others go on.",
    ),
  ],
  ExceptionsWithValues: [
    flag(TIDEWAY_DEFAULTS.ExceptionsWithValues),
    "Whether the tables of exceptions and of validation failures hold values of a row, not only those of its key.",
    does(
      "All values of a row that is passed over stand in STATEMENT, and of a row that a validation finds different both values of each column that differs in DETAILS, for whoever may read these tables on the target.",
    ),
  ],
  AssessmentPassOver: [
    { type: "texts", default: TIDEWAY_DEFAULTS.AssessmentPassOver },
    "Errors of the assessment that the task starts in spite of: their codes, or `code:object` for one object as the finding names it.",
    does(
      "Such an error is told as a warning. Where the server does refuse it, the task ends or the table is set aside then. Codes after which rows could be lost or wrong are refused: [errors.md](errors.md) says of each.",
    ),
  ],
};

export const streamBufferSettings: SettingSection = {
  StreamBufferCount: [whole(3), "Buffers a stream.", idle("Buffers are bounded by the instance's memory.")],
  StreamBufferSizeInMB: [
    whole(8),
    "Largest size of a buffer.",
    idle("Buffers are bounded by the instance's memory."),
  ],
  CtrlStreamBufferSizeInMB: [
    whole(5, 1, 8),
    "Size of the control stream's buffer.",
    idle("Buffers are bounded by the instance's memory."),
  ],
};
