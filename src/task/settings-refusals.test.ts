import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { mergeTaskSettings, readTaskSettings } from "./settings.ts";
import { taskSettings } from "./settings-table.ts";

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
  [
    { ValidationSettings: { ValidationOnly: true } },
    "ValidationSettings.ValidationOnly",
    "The task setting ValidationSettings.ValidationOnly needs ValidationSettings.EnableValidation to be true.",
  ],
];

for (const [change, subject, message] of refusals) {
  test(`a task with ${JSON.stringify(change)} is refused`, () => {
    assert.throws(
      () => mergeTaskSettings(undefined, JSON.stringify(change)),
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
    assert.throws(
      () => mergeTaskSettings(undefined, JSON.stringify(change)),
      { code: "settings.malformed", subject: path },
      path,
    );
  }
});
