import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeTaskSettings } from "./settings.ts";
import { settingFindings } from "./settings-findings.ts";

function findings(settings: unknown): readonly string[] {
  return settingFindings(JSON.stringify(settings)).map(
    ({ severity, code, subject }) => `${severity} ${code} ${subject}`,
  );
}

test("the default document and what Tideway acts on lead to no finding", () => {
  assert.deepEqual(settingFindings(mergeTaskSettings(undefined, undefined)), []);
  assert.deepEqual(findings({ FullLoadSettings: { MaxFullLoadSubTasks: 2 }, BeforeImageSettings: null }), []);
  assert.deepEqual(findings({ LoopbackPreventionSettings: { EnableLoopbackPrevention: true } }), []);
});

const cases: readonly (readonly [settings: unknown, finding: string])[] = [
  [{ TargetMetadata: { LobMaxSize: 64 } }, "info settings.no_effect TargetMetadata.LobMaxSize"],
  [{ ResyncSettings: { EnableResync: true } }, "warning settings.no_effect ResyncSettings.EnableResync"],
  [
    { ValidationSettings: { TableFailureMaxCount: 5 } },
    "info settings.no_effect ValidationSettings.TableFailureMaxCount",
  ],
  [
    { FullLoadSettings: { MaxFullLoadSubtasks: 2 } },
    "warning settings.no_effect FullLoadSettings.MaxFullLoadSubtasks",
  ],
  [{ fullloadsettings: {} }, "warning settings.no_effect fullloadsettings"],
  [{ "": {} }, "warning settings.no_effect "],
];

for (const [settings, finding] of cases) {
  test(`${JSON.stringify(settings)} is not passed over in silence`, () => {
    assert.deepEqual(findings(settings), [finding]);
  });
}

test("a slip in a name leads to the setting that was meant", () => {
  const [slip] = settingFindings('{"TargetMetadata": {"MaxFullLoadSubTasks": 4}}');
  assert.match(slip!.message, /Did you mean FullLoadSettings\.MaxFullLoadSubTasks\?$/);
});
