import type { Endpoint } from "@aws-sdk/client-database-migration-service";
import type { EndpointSetting, Engine, EngineAlias, EngineRegistry } from "../core/engine.ts";
import type { SettingValue } from "../task/records.ts";
import { invalidCombination, invalidValue } from "./faults.ts";

type Settings = Readonly<Record<string, SettingValue>>;

/** Members of every engine's struct that say where the database is and who connects. */
const CREDENTIALS = new Set(["Username", "Password", "ServerName", "Port", "DatabaseName"]);

/** The engine that a client names. URL schemes, which the registry knows too, are not names. */
export function findEngine(engines: EngineRegistry, name: string): Engine {
  const wanted = name.toLowerCase();
  const engine = engines.engines.find((one) => engineNames(one).some(({ name: own }) => own === wanted));
  if (engine === undefined) throw invalidValue(`Invalid engine name: ${name}`);
  return engine;
}

/** The names that DMS has for an engine, with what it displays for each. */
export function engineNames({ name, displayName, aliases }: Engine): readonly EngineAlias[] {
  return [{ name, displayName }, ...aliases];
}

/** The part of a request that holds the engine's own settings; refuses the struct of another engine. */
export function engineStruct(
  engine: Engine,
  request: object,
): Readonly<Record<string, SettingValue>> | undefined {
  for (const [member, value] of Object.entries(request)) {
    if (!member.endsWith("Settings") || member === "ExactSettings" || member === engine.settingsMember)
      continue;
    if (value !== undefined) {
      throw invalidCombination(`The parameter ${member} is not valid for engine ${engine.name}.`);
    }
  }
  return Object.entries(request).find(([member]) => member === engine.settingsMember)?.[1];
}

/** The settings of a struct, checked, without its credentials. */
export function structSettings(engine: Engine, struct: Settings | undefined): Settings {
  const settings: Record<string, SettingValue> = {};
  for (const [name, value] of Object.entries(struct ?? {})) {
    if (CREDENTIALS.has(name)) continue;
    const setting = engine.endpointSettings.find((one) => one.name === name);
    if (setting === undefined) throw unknownSetting(engine, name);
    settings[name] = checked(setting, value);
  }
  return settings;
}

/**
 * Extra connection attributes, `name=value;name=value`: each is a setting of the engine with a small
 * first letter. Case of names is of no account, as in AWS.
 */
export function attributeSettings(engine: Engine, attributes: string | undefined): Settings {
  const settings: Record<string, SettingValue> = {};
  for (const [index, part] of (attributes ?? "").split(";").entries()) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    if (at < 0) {
      // Not repeated: it may be the rest of a password that had a semicolon.
      throw invalidValue(`Extra connection attribute ${index + 1} has no value; write name=value.`);
    }
    const name = part.slice(0, at).trim();
    const setting = engine.endpointSettings.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (setting === undefined) throw unknownSetting(engine, name);
    settings[setting.name] = checked(setting, part.slice(at + 1).trim());
  }
  return settings;
}

/** What of an engine's settings may be shown. */
export function shownSettings(engine: Engine, settings: Settings): Settings {
  const hidden = new Set(engine.endpointSettings.filter((one) => one.sensitive).map((one) => one.name));
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !hidden.has(name)));
}

/** The member of an Endpoint for the engine's struct. */
export function structMember(engine: Engine, struct: object): Partial<Endpoint> {
  return { [engine.settingsMember]: struct };
}

function checked(setting: EndpointSetting, value: SettingValue): SettingValue {
  const { name } = setting;
  if (setting.type === "boolean") {
    if (typeof value === "boolean") return value;
    const text = String(value).toLowerCase();
    if (["true", "yes", "y", "1"].includes(text)) return true;
    if (["false", "no", "n", "0"].includes(text)) return false;
    throw invalidValue(`The setting ${name} must be true or false.`);
  }
  if (setting.type === "integer") return checkedInteger(setting, value);
  if (typeof value !== "string") throw invalidValue(`The setting ${name} must be a text.`);
  if (setting.type === "enum") {
    const found = setting.values?.find((one) => one.toLowerCase() === value.toLowerCase());
    if (found === undefined) {
      throw invalidValue(`The setting ${name} must be one of: ${setting.values?.join(", ")}.`);
    }
    return found;
  }
  return value;
}

function checkedInteger(setting: EndpointSetting, value: SettingValue): number {
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  const { name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = setting;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) {
    throw invalidValue(`The setting ${name} must be a whole number.`);
  }
  if (number < min || number > max) {
    throw invalidValue(
      `The setting ${name} must be between ${setting.min ?? "any"} and ${setting.max ?? "any"}; it is ${number}.`,
    );
  }
  return number;
}

function unknownSetting(engine: Engine, name: string): Error {
  return invalidValue(
    `Engine ${engine.name} has no endpoint setting ${name}. describe-endpoint-settings --engine-name ${engine.name} lists them.`,
  );
}
