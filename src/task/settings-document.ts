import { parseJson } from "../base/json-text.ts";
import { MigrationError } from "../core/error.ts";
import { LOG_SEVERITIES } from "./settings-load.ts";
import { settingsSections, type TaskSetting, taskSettings } from "./settings-table.ts";
import { accepts, allowsNull, describeValue } from "./settings-value.ts";

export type JsonObject = Readonly<Record<string, unknown>>;
export type SettingsDocument = JsonObject;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Throws `settings.malformed` with AWS DMS's own message for what is not a JSON object. */
export function parseSettings(document: string): SettingsDocument {
  const json = parseJson(document);
  if (json.valid && isJsonObject(json.value)) return json.value;
  throw new MigrationError("settings.malformed", {
    message: "Invalid task settings JSON",
    subject: "task settings",
    remedy: json.valid ? "The document must be a JSON object." : `Correct the JSON at ${json.place}.`,
  });
}

/** A value of a document by its path; undefined when it is not there. */
export function valueAt(document: SettingsDocument, { section, name }: TaskSetting): unknown {
  const holder = section === "" ? document : member(document, section);
  return isJsonObject(holder) ? member(holder, name) : undefined;
}

export function member(holder: JsonObject, name: string): unknown {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** The document of a task for which nobody has set anything. */
export function defaultDocument(): SettingsDocument {
  return fromEntries(
    settingsSections.flatMap((section): [string, unknown][] => {
      const settings = section.settings
        .filter(({ value }) => value.default !== undefined)
        .map(({ name, value }): [string, unknown] => [name, value.default]);
      if (section.name === "") return settings;
      if (section.default === "absent") return [];
      return [[section.name, section.default === "null" ? null : fromEntries(settings)]];
    }),
  );
}

const sectionsByName = new Map(settingsSections.map((section) => [section.name, section]));
const settingsByPath = new Map(taskSettings.map((setting) => [setting.path, setting]));

/**
 * One document over another: section by section, setting by setting. Members stay where they stand,
 * new ones follow; unknown ones are kept as they are. A null leaves a setting as it was, unless null is
 * a value of its own there: clients send null for what they do not manage.
 */
export function mergeDocuments(base: SettingsDocument, change: SettingsDocument): SettingsDocument {
  return merge(base, change, "");
}

function merge(base: JsonObject, change: JsonObject, section: string): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(change)) {
    const path = section === "" ? name : `${section}.${name}`;
    if (value === null && !nullIsValue(path)) continue;
    merged.set(name, mergeValue(merged.get(name), value, path));
  }
  return fromEntries([...merged]);
}

function mergeValue(base: unknown, value: unknown, path: string): unknown {
  if (path === "Logging.LogComponents") return mergeComponents(base, value);
  const isSection = !path.includes(".") && !settingsByPath.has(path);
  return isSection && isJsonObject(base) && isJsonObject(value) ? merge(base, value, path) : value;
}

function nullIsValue(path: string): boolean {
  const section = sectionsByName.get(path);
  if (section !== undefined) return section.default !== "settings";
  const setting = settingsByPath.get(path);
  return setting === undefined || allowsNull(setting.value);
}

/** By Id, each where it stood; what is not a list of components is left for the check to refuse. */
function mergeComponents(base: unknown, change: unknown): unknown {
  if (!Array.isArray(base) || !Array.isArray(change) || !change.every(isJsonObject)) return change;
  const components = new Map(base.filter(isJsonObject).map((component) => [component.Id, component]));
  for (const component of change) {
    components.set(component.Id, { ...components.get(component.Id), ...component });
  }
  return [...components.values()];
}

/** Unlike assignment this makes a member of any name, `__proto__` too. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): JsonObject {
  return Object.fromEntries(entries);
}

/** Throws `settings.malformed` for the first setting with a wrong type or a value that is not allowed. */
export function checkValues(document: SettingsDocument): void {
  for (const { name, default: whenLeftOut } of settingsSections) {
    const value = name === "" ? undefined : member(document, name);
    if (value === undefined || isJsonObject(value) || (value === null && whenLeftOut !== "settings"))
      continue;
    throw malformed(name, `must be an object with the section's settings; ${given(value)}`);
  }
  for (const setting of taskSettings) {
    const value = valueAt(document, setting);
    if (value === undefined) continue;
    if (!accepts(setting.value, value)) {
      throw malformed(setting.path, `must be ${describeValue(setting.value)}; ${given(value)}`);
    }
    if (setting.value.type === "log-components") checkComponents(setting.path, value as readonly unknown[]);
  }
}

function checkComponents(path: string, components: readonly unknown[]): void {
  components.forEach((component, index) => {
    const place = `${path}[${index}]`;
    if (!isJsonObject(component)) throw malformed(place, `must be an object; ${given(component)}`);
    const { Id, Severity } = component;
    if (typeof Id !== "string") throw malformed(`${place}.Id`, `must be a text; ${given(Id)}`);
    if (typeof Severity !== "string" || !LOG_SEVERITIES.includes(Severity)) {
      throw malformed(`${place}.Severity`, `must be one of ${LOG_SEVERITIES.join(", ")}; ${given(Severity)}`);
    }
  });
}

export function malformed(path: string, rule: string): MigrationError {
  return new MigrationError("settings.malformed", {
    message: `The task setting ${path} ${rule}.`,
    subject: path,
  });
}

const LONGEST_SHOWN = 60;

function given(value: unknown): string {
  if (value === undefined) return "it is missing";
  if (Array.isArray(value)) return "a list was given";
  if (typeof value === "object" && value !== null) return "an object was given";
  const shown = JSON.stringify(value);
  const kind =
    value === null || typeof value === "boolean"
      ? ""
      : `the ${typeof value === "string" ? "text" : typeof value} `;
  return `${kind}${shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}...` : shown} was given`;
}
