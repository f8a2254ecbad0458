import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { mergeTaskSettings, readTaskSettings } from "./settings.ts";
import { taskSettings } from "./settings-table.ts";

type Json = { readonly [name: string]: Json } & { readonly [index: number]: Json };

function merged(change: unknown, current?: string): Json {
  return JSON.parse(mergeTaskSettings(current, JSON.stringify(change)));
}

/** AWS DMS's default document as the real service returns it, log components aside. */
const DMS_DEFAULTS = `{
 "TargetMetadata":{"TargetSchema":"","SupportLobs":true,"FullLobMode":false,"LobChunkSize":64,"LimitedSizeLobMode":true,"LobMaxSize":32,"InlineLobMaxSize":0,"LoadMaxFileSize":0,"ParallelLoadThreads":0,"ParallelLoadBufferSize":0,"ParallelLoadQueuesPerThread":0,"ParallelApplyThreads":0,"ParallelApplyBufferSize":0,"ParallelApplyQueuesPerThread":0,"BatchApplyEnabled":false,"TaskRecoveryTableEnabled":false},
 "FullLoadSettings":{"TargetTablePrepMode":"DROP_AND_CREATE","CreatePkAfterFullLoad":false,"StopTaskCachedChangesApplied":false,"StopTaskCachedChangesNotApplied":false,"MaxFullLoadSubTasks":8,"TransactionConsistencyTimeout":600,"CommitRate":10000},
 "TTSettings":{"EnableTT":false,"TTS3Settings":null,"TTRecordSettings":null,"FailTaskOnTTFailure":false},
 "Logging":{"EnableLogging":false,"EnableLogContext":false,"CloudWatchLogGroup":null,"CloudWatchLogStream":null},
 "ControlTablesSettings":{"ControlSchema":"","HistoryTimeslotInMinutes":5,"historyTimeslotInMinutes":5,"HistoryTableEnabled":false,"SuspendedTablesTableEnabled":false,"StatusTableEnabled":false,"FullLoadExceptionTableEnabled":false},
 "StreamBufferSettings":{"StreamBufferCount":3,"StreamBufferSizeInMB":8,"CtrlStreamBufferSizeInMB":5},
 "ErrorBehavior":{"DataErrorPolicy":"LOG_ERROR","EventErrorPolicy":"IGNORE","DataTruncationErrorPolicy":"LOG_ERROR","DataMaskingErrorPolicy":"STOP_TASK","DataErrorEscalationPolicy":"SUSPEND_TABLE","DataErrorEscalationCount":0,"TableErrorPolicy":"SUSPEND_TABLE","TableErrorEscalationPolicy":"STOP_TASK","TableErrorEscalationCount":0,"RecoverableErrorCount":-1,"RecoverableErrorInterval":5,"RecoverableErrorThrottling":true,"RecoverableErrorThrottlingMax":1800,"RecoverableErrorStopRetryAfterThrottlingMax":true,"ApplyErrorDeletePolicy":"IGNORE_RECORD","ApplyErrorInsertPolicy":"LOG_ERROR","ApplyErrorUpdatePolicy":"LOG_ERROR","ApplyErrorEscalationPolicy":"LOG_ERROR","ApplyErrorEscalationCount":0,"ApplyErrorFailOnTruncationDdl":false,"FullLoadIgnoreConflicts":true,"FailOnTransactionConsistencyBreached":false,"FailOnNoTablesCaptured":true},
 "ChangeProcessingTuning":{"StatementCacheSize":50,"CommitTimeout":1,"BatchApplyPreserveTransaction":true,"BatchApplyTimeoutMin":1,"BatchSplitSize":0,"BatchApplyTimeoutMax":30,"MinTransactionSize":1000,"MemoryKeepTime":60,"BatchApplyMemoryLimit":500,"MemoryLimitTotal":1024,"RecoveryTimeout":-1},
 "ChangeProcessingDdlHandlingPolicy":{"HandleSourceTableDropped":true,"HandleSourceTableTruncated":true,"HandleSourceTableAltered":true},
 "ValidationSettings":{"EnableValidation":false,"ValidationMode":"ROW_LEVEL","ThreadCount":5,"PartitionSize":10000,"FailureMaxCount":10000,"TableFailureMaxCount":1000,"RecordFailureDelayInMinutes":5,"RecordSuspendDelayInMinutes":30,"RecordFailureDelayLimitInMinutes":0,"MaxKeyColumnSize":8096,"ValidationOnly":false,"HandleCollationDiff":false,"SkipLobColumns":false,"ValidationPartialLobSize":0,"ValidationQueryCdcDelaySeconds":0},
 "PostProcessingRules":null,"CharacterSetSettings":null,"LoopbackPreventionSettings":null,"BeforeImageSettings":null,"FailTaskWhenCleanTaskResourceFailed":false
}`;

test("without any settings the document is AWS DMS's default document", () => {
  const document = JSON.parse(mergeTaskSettings(undefined, undefined));
  assert.deepEqual(
    document.Logging.LogComponents.map((component: Json) => component.Id).join(" "),
    "TRANSFORMATION SOURCE_UNLOAD IO TARGET_LOAD PERFORMANCE SOURCE_CAPTURE SORTER REST_SERVER VALIDATOR_EXT " +
      "TARGET_APPLY TASK_MANAGER TABLES_MANAGER METADATA_MANAGER FILE_FACTORY COMMON ADDONS DATA_STRUCTURE " +
      "COMMUNICATION FILE_TRANSFER",
  );
  delete document.Logging.LogComponents;
  assert.deepEqual(document, JSON.parse(DMS_DEFAULTS));
});

test("what was given comes back with the same value, unknown members included", () => {
  const given = {
    FullLoadSettings: { MaxFullLoadSubTasks: 4, Unheard: { of: [1, null, "x"] } },
    ResyncSettings: { EnableResync: true, MaxResyncTime: 60 },
    CharacterSetSettings: { CharacterReplacements: [], CharacterSetSupport: { CharacterSet: "UTF-8" } },
    TTSettings: { TTS3Settings: { BucketName: "b" }, TTRecordSettings: null },
    Made: { Up: false },
    Flag: null,
    List: [{ a: 1 }],
  };
  const document = merged(given);
  assert.deepEqual(document.FullLoadSettings!.Unheard, { of: [1, null, "x"] });
  assert.equal(document.FullLoadSettings!.MaxFullLoadSubTasks, 4);
  assert.equal(document.FullLoadSettings!.CommitRate, 10000);
  for (const name of ["ResyncSettings", "CharacterSetSettings", "Made", "Flag", "List"] as const) {
    assert.deepEqual(document[name], given[name], name);
  }
  assert.deepEqual(document.TTSettings!.TTS3Settings, { BucketName: "b" });
});

test("a member named __proto__ is kept as a member and does no harm", () => {
  const text = mergeTaskSettings(
    undefined,
    '{"__proto__": {"x": 1}, "Logging": {"__proto__": {"EnableLogging": 1}}}',
  );
  assert.match(text, /"__proto__":\{"x":1\}/);
  assert.match(text, /"__proto__":\{"EnableLogging":1\}/);
  assert.equal(({} as { x?: unknown }).x, undefined);
});

test("the order of members does not depend on the order in which they were given", () => {
  const one = merged({
    ErrorBehavior: { RecoverableErrorCount: 1 },
    TargetMetadata: { LobMaxSize: 1, TargetSchema: "x" },
  });
  const other = merged({
    TargetMetadata: { TargetSchema: "x", LobMaxSize: 1 },
    ErrorBehavior: { RecoverableErrorCount: 1 },
  });
  assert.equal(JSON.stringify(one), JSON.stringify(other));
  assert.equal(Object.keys(one)[0], "TargetMetadata");
});

test("merging its own result changes nothing, not a byte", () => {
  const first = mergeTaskSettings(undefined, '{"Logging": {"EnableLogging": true}, "New": {"a": 1}}');
  assert.equal(mergeTaskSettings(first, undefined), first);
  assert.equal(mergeTaskSettings(first, first), first);
});

test("a later change keeps what an earlier one set", () => {
  const created = mergeTaskSettings(
    undefined,
    '{"FullLoadSettings": {"MaxFullLoadSubTasks": 3}, "New": {"a": 1}}',
  );
  const modified = merged(
    { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" }, New: { b: 2 } },
    created,
  );
  assert.equal(modified.FullLoadSettings!.MaxFullLoadSubTasks, 3);
  assert.equal(modified.FullLoadSettings!.TargetTablePrepMode, "DO_NOTHING");
  assert.deepEqual(modified.New, { a: 1, b: 2 });
});

test("null leaves a setting or a section as it was, as Terraform means it", () => {
  const created = mergeTaskSettings(undefined, '{"FullLoadSettings": {"MaxFullLoadSubTasks": 3}}');
  const modified = merged(
    { FullLoadSettings: { MaxFullLoadSubTasks: null }, ErrorBehavior: null, ResyncSettings: null },
    created,
  );
  assert.equal(modified.FullLoadSettings!.MaxFullLoadSubTasks, 3);
  assert.equal(modified.ErrorBehavior!.TableErrorPolicy, "SUSPEND_TABLE");
});

test("null takes a section away that is null by default", () => {
  const created = mergeTaskSettings(undefined, '{"BeforeImageSettings": {"EnableBeforeImage": true}}');
  assert.equal(merged({ BeforeImageSettings: null }, created).BeforeImageSettings, null);
});

test("log components are merged by their ids", () => {
  const components = [
    { Id: "SORTER", Severity: "LOGGER_SEVERITY_DEBUG" },
    { Id: "NEW_ONE", Severity: "LOGGER_SEVERITY_INFO" },
  ];
  const list = merged({ Logging: { LogComponents: components } }).Logging!
    .LogComponents as unknown as readonly {
    Id: string;
    Severity: string;
  }[];
  assert.equal(list.length, 20);
  assert.equal(list[0]!.Id, "TRANSFORMATION");
  assert.equal(list.find(({ Id }) => Id === "SORTER")!.Severity, "LOGGER_SEVERITY_DEBUG");
  assert.equal(list.find(({ Id }) => Id === "IO")!.Severity, "LOGGER_SEVERITY_DEFAULT");
  assert.deepEqual(list.at(-1), components[1]);
});

for (const document of ["", "{", "nonsense", '"text"', "[]", "null", "1", '{"a": 1,}']) {
  test(`${JSON.stringify(document)} is refused with AWS DMS's words`, () => {
    const expected = { code: "settings.malformed", message: "Invalid task settings JSON" };
    assert.throws(() => mergeTaskSettings(undefined, document), expected);
    assert.throws(() => readTaskSettings(document), expected);
  });
}

test("the remedy for broken JSON says where it is broken", () => {
  assert.throws(() => mergeTaskSettings(undefined, '{\n "Logging": {,}\n}'), {
    remedy: "Correct the JSON at line 2 column 14.",
  });
});

/** A change, the setting that the error names, and what the message must say. */
const refusals: readonly (readonly [change: unknown, subject: string, message: string])[] = [
  [
    { FullLoadSettings: { MaxFullLoadSubTasks: "8" } },
    "FullLoadSettings.MaxFullLoadSubTasks",
    'The task setting FullLoadSettings.MaxFullLoadSubTasks must be a whole number from 1 to 49; the text "8" was given.',
  ],
  [
    { FullLoadSettings: { MaxFullLoadSubTasks: 0 } },
    "FullLoadSettings.MaxFullLoadSubTasks",
    "The task setting FullLoadSettings.MaxFullLoadSubTasks must be a whole number from 1 to 49; the number 0 was given.",
  ],
  [
    { FullLoadSettings: { MaxFullLoadSubTasks: 50 } },
    "FullLoadSettings.MaxFullLoadSubTasks",
    "The task setting FullLoadSettings.MaxFullLoadSubTasks must be a whole number from 1 to 49; the number 50 was given.",
  ],
  [
    { FullLoadSettings: { MaxFullLoadSubTasks: 1.5 } },
    "FullLoadSettings.MaxFullLoadSubTasks",
    "The task setting FullLoadSettings.MaxFullLoadSubTasks must be a whole number from 1 to 49; the number 1.5 was given.",
  ],
  [
    { FullLoadSettings: { TargetTablePrepMode: "drop_and_create" } },
    "FullLoadSettings.TargetTablePrepMode",
    "The task setting FullLoadSettings.TargetTablePrepMode must be one of DROP_AND_CREATE, DO_NOTHING, " +
      'TRUNCATE_BEFORE_LOAD; the text "drop_and_create" was given.',
  ],
  [
    { FullLoadSettings: { CommitRate: 50001 } },
    "FullLoadSettings.CommitRate",
    "The task setting FullLoadSettings.CommitRate must be a whole number from 0 to 50000; the number 50001 was given.",
  ],
  [
    { FullLoadSettings: [] },
    "FullLoadSettings",
    "The task setting FullLoadSettings must be an object with the section's settings; a list was given.",
  ],
  [
    { Logging: true },
    "Logging",
    "The task setting Logging must be an object with the section's settings; true was given.",
  ],
  [
    { BeforeImageSettings: "x" },
    "BeforeImageSettings",
    'The task setting BeforeImageSettings must be an object with the section\'s settings; the text "x" was given.',
  ],
  [
    { Logging: { EnableLogging: "true" } },
    "Logging.EnableLogging",
    'The task setting Logging.EnableLogging must be true or false; the text "true" was given.',
  ],
  [
    { ErrorBehavior: { TableErrorEscalationPolicy: "SUSPEND_TABLE" } },
    "ErrorBehavior.TableErrorEscalationPolicy",
    'The task setting ErrorBehavior.TableErrorEscalationPolicy must be "STOP_TASK"; the text "SUSPEND_TABLE" was given.',
  ],
  [
    { ErrorBehavior: { RecoverableErrorCount: -2 } },
    "ErrorBehavior.RecoverableErrorCount",
    "The task setting ErrorBehavior.RecoverableErrorCount must be a whole number, at least -1; the number -2 was given.",
  ],
  [
    { TargetMetadata: { TargetSchema: 7 } },
    "TargetMetadata.TargetSchema",
    "The task setting TargetMetadata.TargetSchema must be a text; the number 7 was given.",
  ],
  [
    { TTSettings: { TTS3Settings: [] } },
    "TTSettings.TTS3Settings",
    "The task setting TTSettings.TTS3Settings must be an object or null; a list was given.",
  ],
  [
    { Logging: { LogComponents: {} } },
    "Logging.LogComponents",
    "The task setting Logging.LogComponents must be a list of objects with Id and Severity; an object was given.",
  ],
  [
    { Logging: { LogComponents: ["IO"] } },
    "Logging.LogComponents[0]",
    'The task setting Logging.LogComponents[0] must be an object; the text "IO" was given.',
  ],
  [
    { Logging: { LogComponents: [{ Id: "IO", Severity: "DEBUG" }] } },
    "Logging.LogComponents[2].Severity",
    "The task setting Logging.LogComponents[2].Severity must be one of LOGGER_SEVERITY_ERROR, LOGGER_SEVERITY_WARNING, " +
      "LOGGER_SEVERITY_INFO, LOGGER_SEVERITY_DEFAULT, LOGGER_SEVERITY_DEBUG, LOGGER_SEVERITY_DETAILED_DEBUG; " +
      'the text "DEBUG" was given.',
  ],
  [
    { Logging: { LogComponents: [{ Severity: "LOGGER_SEVERITY_INFO" }] } },
    "Logging.LogComponents[19].Id",
    "The task setting Logging.LogComponents[19].Id must be a text; it is missing.",
  ],
  [
    { FullLoadSettings: { StopTaskCachedChangesApplied: true, StopTaskCachedChangesNotApplied: true } },
    "FullLoadSettings.StopTaskCachedChangesApplied",
    "The task setting FullLoadSettings.StopTaskCachedChangesApplied and " +
      "FullLoadSettings.StopTaskCachedChangesNotApplied cannot both be true.",
  ],
  [
    { TargetMetadata: { FullLobMode: true, LimitedSizeLobMode: true } },
    "TargetMetadata.FullLobMode",
    "The task setting TargetMetadata.FullLobMode and TargetMetadata.LimitedSizeLobMode are both true; " +
      "with SupportLobs one of them must be true.",
  ],
  [
    { Logging: { EnableLogContext: true } },
    "Logging.EnableLogContext",
    "The parameter Logging.EnableLogContext is not allowed when Logging.EnableLogging is not set to true.",
  ],
  [
    { Logging: { CloudWatchLogGroup: "group" } },
    "Logging.CloudWatchLogGroup",
    "Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be set on create.",
  ],
  [
    { Logging: { CloudWatchLogStream: "" } },
    "Logging.CloudWatchLogStream",
    "Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be set on create.",
  ],
  [
    {
      ValidationSettings: { ValidationOnly: true },
      FullLoadSettings: { TargetTablePrepMode: "TRUNCATE_BEFORE_LOAD" },
    },
    "ValidationSettings.ValidationOnly",
    "The task setting ValidationSettings.ValidationOnly needs FullLoadSettings.TargetTablePrepMode to be DO_NOTHING.",
  ],
];

for (const [change, subject, message] of refusals) {
  test(`a task with ${JSON.stringify(change)} is refused`, () => {
    assert.throws(
      () => merged(change),
      (error) => {
        assert.ok(error instanceof MigrationError);
        const { code } = error;
        assert.deepEqual(
          { code, subject: error.subject, message: error.message },
          { code: "settings.malformed", subject, message },
        );
        return true;
      },
    );
  });
}

test("every setting refuses a value of another type and names itself", () => {
  for (const { section, name, path, value } of taskSettings) {
    const wrong = value.type === "text" || value.type === "choice" ? 1 : "wrong";
    const change = section === "" ? { [name]: wrong } : { [section]: { [name]: wrong } };
    assert.throws(() => merged(change), { code: "settings.malformed", subject: path }, path);
  }
});

test("an explicit null for the read-only log group is no change", () => {
  const change = { Logging: { CloudWatchLogGroup: null, CloudWatchLogStream: null } };
  assert.equal(merged(change).Logging!.CloudWatchLogGroup, null);
});

test("a modification may send back the log group that was returned, and no other", () => {
  const current = '{"Logging": {"CloudWatchLogGroup": "dms-tasks-a", "CloudWatchLogStream": "s"}}';
  assert.equal(
    merged({ Logging: { CloudWatchLogGroup: "dms-tasks-a" } }, current).Logging!.CloudWatchLogGroup,
    "dms-tasks-a",
  );
  assert.throws(() => merged({ Logging: { CloudWatchLogGroup: "other" } }, current), {
    message: "Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be modified.",
  });
});

test("ValidationOnly cannot be modified, and a task created with it prepares nothing", () => {
  const created = mergeTaskSettings(undefined, '{"ValidationSettings": {"ValidationOnly": true}}');
  assert.equal(JSON.parse(created).FullLoadSettings.TargetTablePrepMode, "DO_NOTHING");
  assert.throws(() => merged({ ValidationSettings: { ValidationOnly: false } }, created), {
    message: "The parameter ValidationSettings.ValidationOnly cannot be modified.",
  });
});

test("turning logging off while log context is on is refused", () => {
  const created = mergeTaskSettings(
    undefined,
    '{"Logging": {"EnableLogging": true, "EnableLogContext": true}}',
  );
  assert.throws(
    () => merged({ Logging: { EnableLogging: false } }, created),
    /Logging\.EnableLogContext is not allowed/,
  );
  merged({ Logging: { EnableLogging: false, EnableLogContext: false } }, created);
});

test("of the two LOB modes the one that is named decides the other", () => {
  const full = mergeTaskSettings(undefined, '{"TargetMetadata": {"FullLobMode": true}}');
  assert.equal(JSON.parse(full).TargetMetadata.LimitedSizeLobMode, false);
  const limited = merged({ TargetMetadata: { LimitedSizeLobMode: true } }, full);
  assert.equal(limited.TargetMetadata!.FullLobMode, false);
  merged({ TargetMetadata: { SupportLobs: false, LimitedSizeLobMode: false } });
});

test("a run without settings drops and creates, loads eight partitions and retries nine times", () => {
  assert.deepEqual(readTaskSettings("{}"), {
    prepareMode: "drop-and-create",
    maxFullLoadSubTasks: 8,
    targetSchema: undefined,
    controlSchema: undefined,
    stopAfterFullLoad: "no",
    failOnNoTables: true,
    recoverableErrors: { retries: 9, firstDelayMs: 5000, doubling: true, longestDelayMs: 1_800_000 },
    tableErrors: { onError: "suspend-table", escalationCount: 0 },
  });
});

test("a run reads its settings from a part of a document and from the full one alike", () => {
  const part = JSON.stringify({
    TargetMetadata: { TargetSchema: "Tgt", FullLobMode: true },
    FullLoadSettings: {
      TargetTablePrepMode: "TRUNCATE_BEFORE_LOAD",
      StopTaskCachedChangesApplied: true,
      MaxFullLoadSubTasks: 49,
    },
    ControlTablesSettings: { ControlSchema: "ctl" },
    ErrorBehavior: {
      TableErrorPolicy: "STOP_TASK",
      TableErrorEscalationCount: 3,
      FailOnNoTablesCaptured: false,
    },
  });
  const settings = readTaskSettings(part);
  assert.deepEqual(
    { ...settings, recoverableErrors: undefined },
    {
      prepareMode: "truncate",
      maxFullLoadSubTasks: 49,
      targetSchema: "Tgt",
      controlSchema: "ctl",
      stopAfterFullLoad: "cached-changes-applied",
      failOnNoTables: false,
      recoverableErrors: undefined,
      tableErrors: { onError: "stop-task", escalationCount: 3 },
    },
  );
  assert.deepEqual(readTaskSettings(mergeTaskSettings(undefined, part)), settings);
});

const retries: readonly (readonly [settings: Record<string, unknown>, expected: Record<string, unknown>])[] =
  [
    [{ RecoverableErrorCount: 0 }, { retries: 0 }],
    [{ RecoverableErrorCount: 4 }, { retries: 4 }],
    [{ RecoverableErrorCount: 40 }, { retries: 9 }],
    [
      { RecoverableErrorStopRetryAfterThrottlingMax: false },
      { retries: undefined, longestDelayMs: 1_800_000 },
    ],
    [{ RecoverableErrorStopRetryAfterThrottlingMax: false, RecoverableErrorCount: 40 }, { retries: 40 }],
    [{ RecoverableErrorThrottling: false }, { retries: undefined, doubling: false, longestDelayMs: 5000 }],
    [{ RecoverableErrorInterval: 0 }, { firstDelayMs: 1000 }],
    [
      { RecoverableErrorInterval: 60, RecoverableErrorThrottlingMax: 10 },
      { longestDelayMs: 60_000, retries: 1 },
    ],
  ];

for (const [settings, expected] of retries) {
  test(`${JSON.stringify(settings)} means ${JSON.stringify(expected)}`, () => {
    const { recoverableErrors } = readTaskSettings(JSON.stringify({ ErrorBehavior: settings }));
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(recoverableErrors[name as keyof typeof recoverableErrors], value, name);
    }
  });
}

test("exactly the settings that the table says act change what a run does", () => {
  const standard = JSON.stringify(readTaskSettings("{}"));
  for (const { section, name, path, value, effect } of taskSettings) {
    const other = otherValue(value);
    if (other === undefined) continue;
    const change = { [section]: { [name]: other } };
    const document = section === "" ? { [name]: other } : change;
    if (path === "Logging.EnableLogContext")
      Object.assign(document.Logging as object, { EnableLogging: true });
    if (path === "TargetMetadata.LimitedSizeLobMode") continue;
    if (path === "ValidationSettings.ValidationOnly") continue;
    const acts = JSON.stringify(readTaskSettings(JSON.stringify(document))) !== standard;
    assert.equal(acts, "does" in effect, path);
  }
});

function otherValue(value: (typeof taskSettings)[number]["value"]): unknown {
  if (value.type === "boolean") return !value.default;
  if (value.type === "integer") return value.default === 1 ? 2 : Math.max(1, value.min);
  if (value.type === "text") return "other";
  return value.type === "choice" ? value.values.find((one) => one !== value.default) : undefined;
}
