import assert from "node:assert/strict";
import { test } from "node:test";
import { actingSettings, gapsOf } from "./support/setting-case.ts";
import { settingCases } from "./support/setting-cases.ts";

test("a case that looks at rows in targets tells the values of each setting that acts from each other", () => {
  assert.ok(actingSettings.size > 35, `${actingSettings.size} settings`);
  assert.deepEqual(gapsOf(settingCases), []);
});
