import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableTotals, TableValidation } from "../server/validate.ts";
import { isEqual } from "./validation-result.ts";
import { wordOf } from "./validation-text.ts";

const id = { schema: "s", name: "t" };
const equal: TableValidation = {
  ...{ table: id, target: id, verdict: "equal", rows: { source: 9, target: 9 } },
  ...{ missing: 0, extra: 0, different: 0, undecided: 0 },
  ...{ losses: [], uncompared: [], missingColumns: [], seconds: 1 },
};

function totals(isSame: boolean): TableTotals {
  return { rows: { source: 9, target: isSame ? 9 : 8 }, columns: [], leftOut: [], isSame };
}

test("totals that are other count where not all rows were compared, and only there", () => {
  assert.equal(isEqual({ ...equal, totals: totals(false) }), true);
  assert.equal(isEqual({ ...equal, sampled: 10, totals: totals(true) }), true);
  const sampled = { ...equal, sampled: 10, totals: totals(false) };
  assert.deepEqual([isEqual(sampled), wordOf(sampled)], [false, "totals differ"]);
});
