import assert from "node:assert/strict";
import { test } from "node:test";
import { askedSettings, type StoredSettings, withAsked } from "./asked-settings.ts";
import { mergeTaskSettings, readTaskSettings } from "./settings.ts";

function changed(change: object | undefined, before?: StoredSettings): StoredSettings {
  const text = change === undefined ? undefined : JSON.stringify(change);
  return withAsked(mergeTaskSettings(before?.settings, text), text, before);
}

/** How much of large objects comes after changes of a task, one after another. */
function lobsAfter(...changes: readonly (object | undefined)[]): unknown {
  const [first, ...more] = changes;
  const stored = more.reduce<StoredSettings>((before, change) => changed(change, before), changed(first));
  return readTaskSettings(askedSettings(stored)).lobs;
}

const limited = { TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 5 } };
const full = { TargetMetadata: { FullLobMode: true } };
const whole = JSON.parse(changed(undefined).settings);
const asked = JSON.parse(changed(limited).settings);

const cases: readonly (readonly [what: string, changes: readonly (object | undefined)[], lobs: unknown])[] = [
  ["nobody says anything", [undefined], "whole"],
  ["other settings are given", [{ TargetMetadata: { LobMaxSize: 5 } }], "whole"],
  ["a task is made with the mode", [limited], { maxKilobytes: 5 }],
  ["a task is made with another's whole document", [whole], { maxKilobytes: 32 }],
  ["the document is sent back that was returned", [undefined, whole], "whole"],
  ["it is sent back with another size", [undefined, { ...whole, ...limited }], "whole"],
  ["it is sent back where somebody has asked", [limited, asked], { maxKilobytes: 5 }],
  ["another setting changes where somebody has asked", [limited, { Logging: {} }], { maxKilobytes: 5 }],
  [
    "another size is given where somebody has asked",
    [limited, { TargetMetadata: { LobMaxSize: 6 } }],
    { maxKilobytes: 6 },
  ],
  ["the mode is given up", [limited, full], "whole"],
  ["the mode takes the place of the other", [full, limited], { maxKilobytes: 5 }],
  ["it does so once more", [limited, full, limited], { maxKilobytes: 5 }],
  ["null leaves it as it was", [undefined, { TargetMetadata: { LimitedSizeLobMode: null } }], "whole"],
  ["columns stay behind", [{ TargetMetadata: { ...limited.TargetMetadata, SupportLobs: false } }], "none"],
];

for (const [what, changes, lobs] of cases) {
  test(`what comes of large objects when ${what}`, () => assert.deepEqual(lobsAfter(...changes), lobs));
}

test("the document that is returned says what AWS's says, whoever has asked", () => {
  const { settings, limitsLobs } = changed(undefined);
  assert.equal(limitsLobs, undefined);
  assert.equal(JSON.parse(settings).TargetMetadata.LimitedSizeLobMode, true);
});

for (const size of [0, 102_401]) {
  test(`a limit of ${size} KB is refused where somebody asks for it, and only there`, () => {
    const document = { TargetMetadata: { LobMaxSize: size } };
    assert.equal(lobsAfter(document), "whole");
    const both = { TargetMetadata: { LobMaxSize: size, LimitedSizeLobMode: true } };
    assert.throws(() => changed(both), {
      code: "settings.malformed",
      subject: "TargetMetadata.LobMaxSize",
      message: new RegExp(`from 1 to 102400 with LimitedSizeLobMode; the number ${size} was given`),
    });
  });
}
