import { MigrationError } from "../core/error.ts";
import type { OptionalControlTable } from "../core/journal.ts";
import type { GroupLimits, PrepareMode } from "../core/target.ts";
import { LARGEST_LOB, type LobSize } from "../mapping/rules.ts";
import type { TruncatePolicy } from "../pipeline/truncates.ts";
import { type PassedOver, readPassedOver } from "./passed-over.ts";
import {
  checkValues,
  defaultDocument,
  isJsonObject,
  malformed,
  member,
  mergeDocuments,
  parseSettings,
  type SettingsDocument,
} from "./settings-document.ts";
import { type ErrorSettings, errorSettings } from "./settings-errors.ts";
import { TIDEWAY_DEFAULTS } from "./settings-load.ts";
import { readValidation, type ValidationSettings } from "./settings-validation.ts";

/** What a run takes from a task settings document. */
export interface TaskSettings extends ErrorSettings {
  readonly prepareMode: PrepareMode;
  /** Partitions loaded at once, 1 to 49. */
  readonly maxFullLoadSubTasks: number;
  /** undefined: every schema keeps its name. */
  readonly targetSchema: string | undefined;
  /** How much of large objects comes; none: their columns stay behind. */
  readonly lobs: "none" | LobSize;
  /** undefined: the engine's own choice. */
  readonly controlSchema: string | undefined;
  /** Control tables beside those that every task has. */
  readonly optionalTables: readonly OptionalControlTable[];
  readonly historySlotMinutes: number;
  readonly groupLimits: GroupLimits;
  readonly stopAfterFullLoad: "no" | "cached-changes-applied" | "cached-changes-not-applied";
  readonly failOnNoTables: boolean;
  /** Views, functions and the like come too. */
  readonly migrateObjects: boolean;
  /** Tables are altered on the target as the source's are; without it new columns are left out. */
  readonly followsAlteredTables: boolean;
  /** Tables that the task has made are dropped with the source's. */
  readonly followsDroppedTables: boolean;
  readonly truncates: TruncatePolicy;
  readonly migrateLargeObjects: boolean;
  /** What the task makes gets the source's owners and privileges. */
  readonly migratePrivileges: boolean;
  /** Size in bytes up to which one scan reads a table for several writers; 0 for none. */
  readonly sharedReadLimit: number;
  /** How long a stream may wait for transactions of the source to end before it starts. */
  readonly streamStartLimitS: number;
  /** Only what was written on the source is sent on, and what is applied is marked for others that do the same. */
  readonly preventsLoops: boolean;
  readonly validation: ValidationSettings;
  /** Errors of the assessment that do not keep it from starting. */
  readonly passedOver: readonly PassedOver[];
}

/**
 * The full task settings document (JSON text) after a change: AWS DMS's defaults, over them what was
 * stored (undefined: the task is being created), over that the change (undefined: none). All that was
 * ever given comes back with the same value, unknown members included, and the order is always the same.
 *
 * Throws `settings.malformed` that names the setting, what was given and what is allowed. The messages
 * that tools look for are AWS DMS's own.
 */
export function mergeTaskSettings(current: string | undefined, change: string | undefined): string {
  const stored = current === undefined ? {} : parseSettings(current);
  const changed = change === undefined ? {} : parseSettings(change);
  const base = mergeDocuments(defaultDocument(), stored);
  checkValues(base);
  const merged = mergeDocuments(base, withImplied(changed, { creating: current === undefined }));
  checkValues(merged);
  checkReadOnly(base, merged, current === undefined);
  checkCombinations(merged);
  return JSON.stringify(merged);
}

/**
 * The settings that a run uses, from any subset of a document: of a task that is stored, askedSettings(). Throws
 * `settings.malformed`.
 */
export function readTaskSettings(document: string): TaskSettings {
  const given = withImplied(parseSettings(document), { creating: true });
  const merged = mergeDocuments(defaultDocument(), given);
  checkValues(merged);
  checkCombinations(merged);
  const load = section(merged, "FullLoadSettings");
  const errors = section(merged, "ErrorBehavior");
  const ddl = section(merged, "ChangeProcessingDdlHandlingPolicy");
  const validation = readValidation(section(merged, "ValidationSettings"));
  const tideway: typeof TIDEWAY_DEFAULTS = { ...TIDEWAY_DEFAULTS, ...section(merged, "TidewaySettings") };
  return {
    prepareMode: PREPARE_MODES[load.TargetTablePrepMode as keyof typeof PREPARE_MODES],
    maxFullLoadSubTasks: load.MaxFullLoadSubTasks as number,
    targetSchema: textOrNone(section(merged, "TargetMetadata").TargetSchema),
    lobs: lobSize(section(merged, "TargetMetadata"), section(given, "TargetMetadata")),
    controlSchema: textOrNone(section(merged, "ControlTablesSettings").ControlSchema),
    optionalTables: OPTIONAL_TABLES.flatMap(([part, setting, table]) =>
      section(merged, part)[setting] === true ? [table] : [],
    ),
    historySlotMinutes: section(merged, "ControlTablesSettings").HistoryTimeslotInMinutes as number,
    groupLimits: groupLimits(section(merged, "ChangeProcessingTuning")),
    stopAfterFullLoad: stopAfterFullLoad(load),
    failOnNoTables: errors.FailOnNoTablesCaptured as boolean,
    migrateObjects: tideway.MigrateObjects,
    followsAlteredTables: ddl.HandleSourceTableAltered === true,
    followsDroppedTables: ddl.HandleSourceTableDropped === true,
    truncates: truncates(ddl, errors),
    migrateLargeObjects: tideway.MigrateLargeObjects,
    migratePrivileges: tideway.MigratePrivileges,
    sharedReadLimit: tideway.SharedReadLimitInMB * 2 ** 20,
    streamStartLimitS: tideway.StreamStartLimitSeconds,
    // What is only compared does not come back.
    preventsLoops:
      section(merged, "LoopbackPreventionSettings").EnableLoopbackPrevention === true && !validation.only,
    validation,
    passedOver: readPassedOver(tideway.AssessmentPassOver),
    ...errorSettings(errors, tideway),
  };
}

function truncates(ddl: SettingsDocument, errors: SettingsDocument): TruncatePolicy {
  if (errors.ApplyErrorFailOnTruncationDdl === true) return "refuse";
  return ddl.HandleSourceTableTruncated === true ? "carry-out" : "keep-rows";
}

const PREPARE_MODES = {
  DO_NOTHING: "do-nothing",
  DROP_AND_CREATE: "drop-and-create",
  TRUNCATE_BEFORE_LOAD: "truncate",
} as const satisfies Record<string, PrepareMode>;

const OPTIONAL_TABLES = [
  ["ControlTablesSettings", "HistoryTableEnabled", "awsdms_history"],
  ["ControlTablesSettings", "StatusTableEnabled", "awsdms_status"],
  ["ControlTablesSettings", "FullLoadExceptionTableEnabled", "awsdms_full_load_exceptions"],
  ["ValidationSettings", "EnableValidation", "awsdms_validation_failures_v1"],
] as const satisfies readonly (readonly [section: string, setting: string, OptionalControlTable])[];

/** Whether a document asks for a task that moves nothing. */
export function onlyValidates(document: string): boolean {
  return section(parseSettings(document), "ValidationSettings").ValidationOnly === true;
}

/** A section of a checked document with all its defaults. */
function section(document: SettingsDocument, name: string): SettingsDocument {
  const value = member(document, name);
  return isJsonObject(value) ? value : {};
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function groupLimits({ BatchSplitSize, BatchApplyMemoryLimit }: SettingsDocument): GroupLimits {
  const changes = BatchSplitSize as number;
  const bytes = Math.max(1, (BatchApplyMemoryLimit as number) * 2 ** 20);
  return { changes: changes === 0 ? undefined : changes, bytes };
}

/** The mode that limits large objects is a default, too, and by that alone no value may lose a byte. */
function lobSize(metadata: SettingsDocument, given: SettingsDocument): TaskSettings["lobs"] {
  if (metadata.SupportLobs !== true) return "none";
  if (given.LimitedSizeLobMode !== true) return "whole";
  const maxKilobytes = metadata.LobMaxSize as number;
  if (maxKilobytes >= 1 && maxKilobytes <= LARGEST_LOB) return { maxKilobytes };
  throw malformed(
    "TargetMetadata.LobMaxSize",
    `must be a whole number from 1 to ${LARGEST_LOB} with LimitedSizeLobMode; the number ${maxKilobytes} was given`,
  );
}

function stopAfterFullLoad(load: SettingsDocument): TaskSettings["stopAfterFullLoad"] {
  if (load.StopTaskCachedChangesApplied === true) return "cached-changes-applied";
  return load.StopTaskCachedChangesNotApplied === true ? "cached-changes-not-applied" : "no";
}

/**
 * What a change says without saying it: of the two LOB modes the one that is named decides the other,
 * and a new task that only validates prepares nothing.
 */
function withImplied(
  change: SettingsDocument,
  { creating }: { readonly creating: boolean },
): SettingsDocument {
  const { FullLobMode: full, LimitedSizeLobMode: limited } = section(change, "TargetMetadata");
  let implied: SettingsDocument = {};
  if (full === true && limited === undefined) implied = { TargetMetadata: { LimitedSizeLobMode: false } };
  if (limited === true && full === undefined) implied = { TargetMetadata: { FullLobMode: false } };
  if (creating && section(change, "ValidationSettings").ValidationOnly === true) {
    implied = { ...implied, FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
  }
  return mergeDocuments(implied, change);
}

function checkReadOnly(base: SettingsDocument, merged: SettingsDocument, creating: boolean): void {
  const before = section(base, "Logging");
  const after = section(merged, "Logging");
  for (const name of ["CloudWatchLogGroup", "CloudWatchLogStream"]) {
    if (after[name] === before[name]) continue;
    const how = creating ? "set on create" : "modified";
    throw refusedCombination(
      `Logging.${name}`,
      `Task Settings CloudWatchLogGroup or CloudWatchLogStream cannot be ${how}.`,
    );
  }
  const validates = (document: SettingsDocument): unknown =>
    section(document, "ValidationSettings").ValidationOnly;
  if (!creating && validates(base) !== validates(merged)) {
    const path = "ValidationSettings.ValidationOnly";
    throw refusedCombination(path, `The parameter ${path} cannot be modified.`);
  }
}

function checkCombinations(document: SettingsDocument): void {
  const metadata = section(document, "TargetMetadata");
  const load = section(document, "FullLoadSettings");
  const logging = section(document, "Logging");
  if (metadata.SupportLobs === true && metadata.FullLobMode === metadata.LimitedSizeLobMode) {
    throw malformed(
      "TargetMetadata.FullLobMode",
      `and TargetMetadata.LimitedSizeLobMode are both ${metadata.FullLobMode}; with SupportLobs one of them must be true`,
    );
  }
  if (load.StopTaskCachedChangesApplied === true && load.StopTaskCachedChangesNotApplied === true) {
    throw malformed(
      "FullLoadSettings.StopTaskCachedChangesApplied",
      "and FullLoadSettings.StopTaskCachedChangesNotApplied cannot both be true",
    );
  }
  if (logging.EnableLogContext === true && logging.EnableLogging !== true) {
    throw refusedCombination(
      "Logging.EnableLogContext",
      "The parameter Logging.EnableLogContext is not allowed when Logging.EnableLogging is not set to true.",
    );
  }
  const { ValidationOnly, EnableValidation } = section(document, "ValidationSettings");
  if (ValidationOnly === true) checkValidationOnly(load.TargetTablePrepMode, EnableValidation);
  readPassedOver((section(document, "TidewaySettings").AssessmentPassOver ?? []) as readonly string[]);
}

function checkValidationOnly(prepareMode: unknown, isEnabled: unknown): void {
  const path = "ValidationSettings.ValidationOnly";
  if (prepareMode !== "DO_NOTHING") {
    throw malformed(path, "needs FullLoadSettings.TargetTablePrepMode to be DO_NOTHING");
  }
  if (isEnabled !== true) throw malformed(path, "needs ValidationSettings.EnableValidation to be true");
}

function refusedCombination(path: string, message: string): MigrationError {
  return new MigrationError("settings.malformed", { message, subject: path });
}
