import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeTaskSettings } from "./settings.ts";

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
  const created = mergeTaskSettings(
    undefined,
    '{"ValidationSettings": {"EnableValidation": true, "ValidationOnly": true}}',
  );
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
