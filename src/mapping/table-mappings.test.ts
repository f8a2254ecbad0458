import assert from "node:assert/strict";
import { test } from "node:test";
import { everything } from "../../test/support/mapping-rules.ts";
import { parseTableMappings } from "./table-mappings.ts";

const exact = { "schema-name": "a", "table-name": "b" };
const settings = { "rule-type": "table-settings", "rule-id": 2, "object-locator": exact };

const modes: readonly (readonly [lobs: object, size: unknown])[] = [
  [{ mode: "unlimited", "bulk-max-size": "0" }, "whole"],
  [{ mode: "limited", "bulk-max-size": "16" }, { maxKilobytes: 16 }],
  [{ mode: "limited", "bulk-max-size": 102_400 }, { maxKilobytes: 102_400 }],
  [{ mode: "none" }, null],
];

for (const [lobs, size] of modes) {
  test(`a table's large objects come as its rule says: ${JSON.stringify(lobs)}`, () => {
    const document = JSON.stringify({ rules: [everything, { ...settings, "lob-settings": lobs }] });
    assert.deepEqual(parseTableMappings(document).tableSettings[0]!.lobs, size);
  });
}

for (const size of [undefined, 0, 102_401]) {
  test(`a limit of ${size} KB is refused`, () => {
    const lobs = { mode: "limited", "bulk-max-size": size };
    const document = JSON.stringify({ rules: [everything, { ...settings, "lob-settings": lobs }] });
    assert.throws(() => parseTableMappings(document), {
      code: "mapping.malformed",
      subject: "rule 2: lob-settings.bulk-max-size",
    });
  });
}
