import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { isJsonObject, member, parseSettings, type SettingsDocument, valueAt } from "./settings-document.ts";
import { settingsSections, type TaskSetting, taskSettings } from "./settings-table.ts";

/**
 * What a task settings document asks for and this version does not do: nothing is passed over in
 * silence. An error means that the task must not run, since the target would become other than what was
 * asked for. Throws `settings.malformed` for what is not JSON.
 */
export function settingFindings(document: string): readonly Finding[] {
  const settings = parseSettings(document);
  return [
    ...taskSettings.flatMap((setting) => passedOver(setting, settings)),
    ...limitedByDefault(settings),
    ...unknownPaths(settings).map(unknownSetting),
  ];
}

function passedOver(setting: TaskSetting, settings: SettingsDocument): readonly Finding[] {
  const { effect, path } = setting;
  const value = valueAt(settings, setting);
  if ("does" in effect || asksForNothing(setting, value)) return [];
  const code = effect.passedOver === "error" ? "settings.unsupported" : "settings.no_effect";
  const message =
    effect.passedOver === "error"
      ? `The task setting ${path} asks for something that this version does not do. ${effect.insteadOf}`
      : `The task setting ${path} has no effect. ${effect.insteadOf}`;
  return [{ code, severity: effect.passedOver, subject: path, message, remedy: errorTable[code].remedy }];
}

/** Who knows AWS DMS expects values to be cut off by a mode that is its default; see askedSettings(). */
function limitedByDefault(settings: SettingsDocument): readonly Finding[] {
  const metadata = member(settings, "TargetMetadata");
  if (!isJsonObject(metadata)) return [];
  const { SupportLobs, FullLobMode, LimitedSizeLobMode, LobMaxSize } = metadata;
  const isSaid = typeof LimitedSizeLobMode === "boolean" || FullLobMode === true || SupportLobs === false;
  if (isSaid || typeof LobMaxSize !== "number") return [];
  return [
    {
      ...{ code: "settings.no_effect", severity: "info", subject: "TargetMetadata.LobMaxSize" },
      message:
        "LimitedSizeLobMode is true by default alone and cuts nothing off: large values are moved whole, whatever LobMaxSize says.",
      remedy: "None needed. Set LimitedSizeLobMode to true to have values cut off.",
    },
  ];
}

/** Left out, null, the default, or what a setting without a default means when it says no. */
function asksForNothing({ value }: TaskSetting, given: unknown): boolean {
  if (given === undefined || given === null) return true;
  if (value.default === undefined && given === false) return true;
  return JSON.stringify(given) === JSON.stringify(value.default) || JSON.stringify(given) === "[]";
}

const knownMembers = new Map(
  settingsSections.map(({ name, settings }) => [name, settings.map((one) => one.name)]),
);

function unknownPaths(settings: SettingsDocument): readonly string[] {
  const topLevel = [...knownMembers.keys(), ...knownMembers.get("")!];
  return Object.entries(settings).flatMap(([name, value]) => {
    const known = knownMembers.get(name);
    if (!topLevel.includes(name) || name === "") return [name];
    if (known === undefined || !isJsonObject(value)) return [];
    return Object.keys(value)
      .filter((member) => !known.includes(member))
      .map((member) => `${name}.${member}`);
  });
}

/** Most are slips: other case, or the right name in the wrong section. */
function unknownSetting(path: string): Finding {
  const name = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  const meant =
    taskSettings.find((setting) => setting.path.toLowerCase() === path.toLowerCase()) ??
    taskSettings.find((setting) => setting.name.toLowerCase() === name) ??
    settingsSections.find((section) => section.name.toLowerCase() === path.toLowerCase());
  const suggestion = meant === undefined ? "" : ` Did you mean ${"path" in meant ? meant.path : meant.name}?`;
  return {
    code: "settings.no_effect",
    severity: "warning",
    subject: path,
    message: `The task setting ${path} is not known and has no effect.${suggestion}`,
    remedy: "Correct its name or take it out; docs/reference/settings.md lists all settings.",
  };
}
