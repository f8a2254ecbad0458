import assert from "node:assert/strict";
import { test } from "node:test";
import { everything } from "../../test/support/mapping-rules.ts";
import { parseTableMappings } from "./table-mappings.ts";

const exact = { "schema-name": "a", "table-name": "b" };
const settings = { "rule-type": "table-settings", "rule-id": 2, "object-locator": exact };
const unbuilt: readonly (readonly [rules: readonly object[], subject: string])[] = [
  [
    [everything, { ...settings, "lob-settings": { mode: "limited", "bulk-max-size": 1 } }],
    "rule 2: lob-settings",
  ],
];

for (const [rules, subject] of unbuilt) {
  test(`what is read and not carried out yet is refused: ${subject} of ${JSON.stringify(rules.at(-1))}`, () => {
    assert.throws(() => parseTableMappings(JSON.stringify({ rules })), {
      code: "mapping.unsupported",
      subject,
    });
  });
}

test("large objects come whole, so settings that ask for it are taken", () => {
  const whole = { ...settings, "lob-settings": { mode: "unlimited", "bulk-max-size": "0" } };
  assert.equal(
    parseTableMappings(JSON.stringify({ rules: [everything, whole] })).tableSettings[0]!.lobs,
    "whole",
  );
});
