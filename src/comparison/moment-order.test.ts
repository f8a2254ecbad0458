import assert from "node:assert/strict";
import { test } from "node:test";
import { compareMoments } from "./moment-order.ts";

test("moments are in the order of time, before the first year and after the year 9999, too", () => {
  const ordered = [
    "-infinity",
    "4713-01-01 BC",
    "0002-12-31 BC",
    "0001-01-01 00:00:00 BC",
    "0001-12-31 23:59:59.5 BC",
    "0000-00-00",
    "0001-01-01",
    "0999-12-31 23:59:59.999999",
    "2026-02-28 10:00:00",
    "2026-02-28 10:00:00.25",
    "2026-02-28 10:00:00.3",
    "2026-02-30",
    "9999-12-31",
    "10000-01-01",
    "294276-12-31 00:00:00",
    "infinity",
  ];
  const shuffled = ordered.toSorted((a, b) => (a.split("").reverse().join("") < b ? -1 : 1));
  assert.deepEqual(shuffled.sort(compareMoments), ordered);
  assert.equal(compareMoments("infinity", "infinity"), 0);
  assert.equal(compareMoments("2026-01-01", "2026-01-01"), 0);
});
