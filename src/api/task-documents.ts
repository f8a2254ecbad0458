import { isDeepStrictEqual } from "node:util";
import { MigrationError } from "../core/error.ts";
import type { MigrationType } from "../core/source.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { type StoredSettings, withAsked } from "../task/asked-settings.ts";
import { mergeTaskSettings } from "../task/settings.ts";
import { isJsonObject, member, parseSettings } from "../task/settings-document.ts";
import { validationOnlyRefusal } from "../task/validation-only-refusal.ts";
import { type Fault, invalidCombination, invalidValue } from "./faults.ts";

/** A table mappings document that can be understood; it is kept and returned as given. */
export function checkMappings(document: string): string {
  return refusing(() => {
    parseTableMappings(document);
    return document;
  });
}

/** The settings of a new task. */
export function newSettings(given: string | undefined): StoredSettings {
  return mergedSettings(given || undefined, undefined);
}

export function changedSettings(change: string | undefined, current: StoredSettings): StoredSettings {
  const { settings, limitsLobs } = current;
  return change === undefined ? { settings, limitsLobs } : mergedSettings(change, current);
}

function mergedSettings(change: string | undefined, current: StoredSettings | undefined): StoredSettings {
  return refusing(() => withAsked(mergeTaskSettings(current?.settings, change), change, current));
}

/** Refuses tasks that are only to compare and cannot, for their type. */
export function checkValidationOnly(type: MigrationType, { settings }: StoredSettings): void {
  const refusal = validationOnlyRefusal({ type, settings });
  if (refusal !== undefined) throw invalidCombination(`${refusal.message} ${refusal.remedy}`);
}

/** Whether a task's settings ask for its rows to be compared. */
export function validates(settings: string): boolean {
  const section = member(parseSettings(settings), "ValidationSettings");
  return isJsonObject(section) && section.EnableValidation === true;
}

/** Whether two settings documents differ in nothing but the severities of log components. */
export function onlyLoggingDiffers(one: string, other: string): boolean {
  return isDeepStrictEqual(withoutSeverities(one), withoutSeverities(other));
}

function withoutSeverities(document: string): unknown {
  return JSON.parse(document, (name, value) => (name === "LogComponents" ? undefined : value));
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MigrationError) throw refusal(error);
    if (error instanceof RangeError) throw invalidValue("The document is nested too deeply.");
    throw error;
  }
}

/** AWS's words first, since tools look for them; then what to do about it. */
function refusal({ message, remedy }: MigrationError): Fault {
  return invalidValue(`${message}${/[.!?]$/.test(message) ? "" : "."} ${remedy}`);
}
