import * as change from "./settings-change.ts";
import * as load from "./settings-load.ts";
import { validationSettings } from "./settings-validation.ts";
import type { SettingEffect, SettingSection, SettingValue } from "./settings-value.ts";

/** One setting of a DMS task settings document. */
export interface TaskSetting {
  /** "" for a member of the document itself. */
  readonly section: string;
  readonly name: string;
  /** "FullLoadSettings.MaxFullLoadSubTasks". */
  readonly path: string;
  readonly value: SettingValue;
  readonly about: string;
  readonly effect: SettingEffect;
}

export interface SettingsSection {
  readonly name: string;
  /** What a document without it gets: its settings' defaults, null, or nothing at all. */
  readonly default: "settings" | "null" | "absent";
  readonly settings: readonly TaskSetting[];
}

/** The whole document, in the order in which AWS DMS returns it. */
export const settingsSections: readonly SettingsSection[] = [
  section("TargetMetadata", "settings", load.targetMetadata),
  section("FullLoadSettings", "settings", load.fullLoadSettings),
  section("TTSettings", "settings", load.timeTravelSettings),
  section("Logging", "settings", load.logging),
  section("ControlTablesSettings", "settings", load.controlTablesSettings),
  section("StreamBufferSettings", "settings", load.streamBufferSettings),
  section("ErrorBehavior", "settings", change.errorBehavior),
  section("ChangeProcessingTuning", "settings", change.changeProcessingTuning),
  section("ChangeProcessingDdlHandlingPolicy", "settings", change.ddlHandling),
  section("ValidationSettings", "settings", validationSettings),
  section("CharacterSetSettings", "null", change.characterSetSettings),
  section("LoopbackPreventionSettings", "null", change.loopbackPreventionSettings),
  section("BeforeImageSettings", "null", change.beforeImageSettings),
  section("ResyncSettings", "absent", change.resyncSettings),
  section("TidewaySettings", "absent", load.tidewaySettings),
  section("", "settings", change.topLevel),
];

export const taskSettings: readonly TaskSetting[] = settingsSections.flatMap(({ settings }) => settings);

function section(
  name: string,
  whenLeftOut: SettingsSection["default"],
  rows: SettingSection,
): SettingsSection {
  return {
    name,
    default: whenLeftOut,
    settings: Object.entries(rows).map(([setting, [value, about, effect]]) => {
      const path = name === "" ? setting : `${name}.${setting}`;
      return { section: name, name: setting, path, value, about, effect };
    }),
  };
}
