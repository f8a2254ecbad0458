import assert from "node:assert/strict";
import { test } from "node:test";
import { RunningTotal } from "./running-total.ts";

test("the parts of a table add up to it", () => {
  const type = { kind: "decimal", precision: 10, scale: 2 } as const;
  const total = new RunningTotal({ type }, { kind: "decimal", scale: 2 });
  assert.deepEqual(total.words, [null]);
  for (const sum of ["0.30", null, "-0.40", "0.10"]) total.add({ kind: "sum", sum });
  assert.deepEqual(total.words, ["0.00"]);
  total.add({ kind: "sum", sum: "1234567890123456789012.05" });
  assert.deepEqual(total.words, ["1234567890123456789012.05"]);
});

test("the first and the last of all parts are those of the table, in UTC and at the precision that both sides have", () => {
  const type = { kind: "timestamp", zoned: true, precision: 6 } as const;
  const total = new RunningTotal({ type }, { kind: "timestamp", digits: 3 });
  const parts = [
    ["2026-01-01 05:30:00+05:30", "2026-01-01 08:00:00.0004+00"],
    [null, null],
    ["2025-12-31 23:59:59.9995+00", "2026-01-01 09:00:00+02"],
    ["0005-01-01 00:00:00+00 BC", "0004-01-01 00:00:00+00 BC"],
  ] as const;
  for (const [first, last] of parts) total.add({ kind: "range", first, last });
  assert.deepEqual(total.words, ["0005-01-01 00:00:00 BC", "2026-01-01 08:00:00"]);
});
