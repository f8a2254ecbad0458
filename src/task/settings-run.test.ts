import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeTaskSettings, readTaskSettings } from "./settings.ts";
import { taskSettings } from "./settings-table.ts";

test("a run without settings drops and creates, loads eight partitions and retries nine times", () => {
  assert.deepEqual(readTaskSettings("{}"), {
    prepareMode: "drop-and-create",
    maxFullLoadSubTasks: 8,
    targetSchema: undefined,
    lobs: "whole",
    cutValues: "log",
    controlSchema: undefined,
    stopAfterFullLoad: "no",
    failOnNoTables: true,
    migrateObjects: true,
    followsAlteredTables: true,
    followsDroppedTables: true,
    migrateLargeObjects: false,
    migratePrivileges: false,
    sharedReadLimit: 16 * 2 ** 30,
    streamStartLimitS: 3600,
    preventsLoops: false,
    recoverableErrors: { retries: 9, firstDelayMs: 5000, doubling: true, longestDelayMs: 1_800_000 },
    tableErrors: { onError: "suspend-table", escalationCount: 0, stopsAtRefusedRow: false },
    optionalTables: [],
    historySlotMinutes: 5,
    groupLimits: { changes: undefined, bytes: 500 * 2 ** 20 },
    truncates: "carry-out",
    passedOver: [],
    validation: { enabled: false, only: false, sessions: 5, skipsLobs: false, delayMs: 0 },
    rowErrors: {
      refused: "log",
      refusedLimit: { count: 0, action: "suspend-table" },
      insertPresent: "log",
      updateMissing: "log",
      deleteMissing: "ignore",
      conflictLimit: { count: 0, action: "log" },
      withValues: false,
    },
  });
});

test("a run reads its settings from a part of a document and from the full one alike", () => {
  const part = JSON.stringify({
    TargetMetadata: { TargetSchema: "Tgt", SupportLobs: false, FullLobMode: true },
    FullLoadSettings: {
      TargetTablePrepMode: "TRUNCATE_BEFORE_LOAD",
      StopTaskCachedChangesApplied: true,
      MaxFullLoadSubTasks: 49,
    },
    ControlTablesSettings: { ControlSchema: "ctl", FullLoadExceptionTableEnabled: true },
    ErrorBehavior: {
      TableErrorPolicy: "STOP_TASK",
      TableErrorEscalationCount: 3,
      FailOnNoTablesCaptured: false,
      DataErrorPolicy: "STOP_TASK",
      DataErrorEscalationPolicy: "STOP_TASK",
      DataErrorEscalationCount: 7,
      ApplyErrorInsertPolicy: "INSERT_RECORD",
      ApplyErrorUpdatePolicy: "UPDATE_RECORD",
      ApplyErrorDeletePolicy: "SUSPEND_TABLE",
      ApplyErrorEscalationPolicy: "SUSPEND_TABLE",
      ApplyErrorEscalationCount: 8,
      ApplyErrorFailOnTruncationDdl: true,
    },
    ChangeProcessingTuning: { BatchSplitSize: 300, BatchApplyMemoryLimit: 1 },
    TidewaySettings: { ExceptionsWithValues: true },
  });
  const settings = readTaskSettings(part);
  assert.deepEqual(
    { ...settings, recoverableErrors: undefined },
    {
      prepareMode: "truncate",
      maxFullLoadSubTasks: 49,
      targetSchema: "Tgt",
      lobs: "none",
      cutValues: "log",
      controlSchema: "ctl",
      stopAfterFullLoad: "cached-changes-applied",
      failOnNoTables: false,
      migrateObjects: true,
      followsAlteredTables: true,
      followsDroppedTables: true,
      migrateLargeObjects: false,
      migratePrivileges: false,
      sharedReadLimit: 16 * 2 ** 30,
      streamStartLimitS: 3600,
      preventsLoops: false,
      recoverableErrors: undefined,
      tableErrors: { onError: "stop-task", escalationCount: 3, stopsAtRefusedRow: true },
      optionalTables: ["awsdms_full_load_exceptions"],
      historySlotMinutes: 5,
      groupLimits: { changes: 300, bytes: 2 ** 20 },
      truncates: "refuse",
      passedOver: [],
      validation: { enabled: false, only: false, sessions: 5, skipsLobs: false, delayMs: 0 },
      rowErrors: {
        refused: "stop-task",
        refusedLimit: { count: 7, action: "stop-task" },
        insertPresent: "overwrite",
        updateMissing: "insert",
        deleteMissing: "suspend-table",
        conflictLimit: { count: 8, action: "suspend-table" },
        withValues: true,
      },
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
  // What a setting says more about, by its path.
  const alongs: Readonly<Record<string, Readonly<Record<string, object>>>> = {
    "Logging.EnableLogContext": { Logging: { EnableLogging: true } },
    "ValidationSettings.ValidationOnly": { ValidationSettings: { EnableValidation: true } },
    "TargetMetadata.LobMaxSize": { TargetMetadata: { LimitedSizeLobMode: true } },
  };
  const runOf = (document: object): string => JSON.stringify(readTaskSettings(JSON.stringify(document)));
  for (const { section, name, path, value, effect } of taskSettings) {
    const other = otherValue(value);
    if (other === undefined) continue;
    const along = alongs[path] ?? {};
    const change = { [section]: { ...along[section], [name]: other } };
    const document = section === "" ? { [name]: other } : change;
    if (path === "TargetMetadata.LimitedSizeLobMode") continue;
    assert.equal(runOf(document) !== runOf(along), "does" in effect, path);
  }
});

function otherValue(value: (typeof taskSettings)[number]["value"]): unknown {
  if (value.type === "boolean") return !value.default;
  if (value.type === "integer") return value.default === 1 ? 2 : Math.max(1, value.min);
  if (value.type === "text") return "other";
  return value.type === "choice" ? value.values.find((one) => one !== value.default) : undefined;
}
