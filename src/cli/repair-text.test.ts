import assert from "node:assert/strict";
import { test } from "node:test";
import { foundText, type RepairedTable, repairedText, uncomparedText } from "./repair-text.ts";

const table = (parts: Partial<RepairedTable>): RepairedTable => ({
  ...{ SchemaName: "shop", TableName: "item", Recorded: 0, Settled: 0, Left: 0, Untried: 0, Codes: [] },
  ...parts,
});

test("what there is to repair is told by what it takes, with what cannot be", () => {
  const tables = [
    table({ Recorded: 6, Missing: 1, Extra: 2, Different: 3, Left: 6 }),
    table({ TableName: "no", Recorded: 1, Extra: 1, Left: 1, Untried: 1, Reason: "its rows have no key" }),
    table({ TableName: "equal" }),
  ];
  assert.equal(
    foundText(tables),
    `shop.item: 1 row to insert, 3 rows to update, 2 rows to delete
shop.no: 1 row to delete
  1 cannot be repaired: its rows have no key
Nothing has been changed. With --yes the task brings these rows.
`,
  );
  assert.doesNotMatch(foundText([tables[1]!]), /With --yes/, "there is nothing that it would bring");
  assert.equal(foundText([tables[2]!]), "No rows are recorded that differ.\n");
});

test("what has become of a repair is told with the codes of what is refused", () => {
  const Codes = [{ Code: "apply.rejected", Count: 2 }];
  assert.equal(
    repairedText([table({ Recorded: 9, Settled: 7, Left: 2, Codes }), table({ TableName: "equal" })]),
    `shop.item: 9 recorded, 7 equal now, 2 left
  2 refused with apply.rejected
`,
  );
  assert.equal(repairedText([]), "No rows are recorded that differ.\n");
  assert.equal(
    uncomparedText([{ SchemaName: "shop", TableName: "item", ValidationState: "Table error" }]),
    "shop.item: not known to be equal (Table error)\n",
  );
});
