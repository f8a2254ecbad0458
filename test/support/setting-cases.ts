import type { SettingCase } from "./setting-case.ts";
import { changeSettingCases } from "./setting-cases-changes.ts";
import { errorSettingCases } from "./setting-cases-errors.ts";
import { loadSettingCases } from "./setting-cases-load.ts";
import { validationSettingCases } from "./setting-cases-validation.ts";

/** What every setting that acts makes of rows. */
export const settingCases: readonly SettingCase[] = [
  ...loadSettingCases,
  ...changeSettingCases,
  ...errorSettingCases,
  ...validationSettingCases,
];
