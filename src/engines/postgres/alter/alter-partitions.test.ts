import assert from "node:assert/strict";
import { test } from "node:test";
import { column } from "../../../../test/support/pgoutput-messages.ts";
import type { TableId } from "../../../core/schema.ts";
import { alteredTogether, altersColumns } from "./alter-partitions.ts";
import type { ColumnSteps } from "./alter-steps.ts";

const none: ColumnSteps = { dropped: [], renamed: [], retyped: [], added: [], touched: [] };
const [low, high, apart] = ["low", "high", "apart"].map((name) => ({ schema: "s", name })) as [
  TableId,
  TableId,
  TableId,
];

function together(
  parts: readonly (readonly [TableId, Partial<ColumnSteps>])[],
  others: readonly TableId[] = [],
) {
  const altered = parts.map(([id, steps]) => ({ id, steps: { ...none, ...steps } }));
  return alteredTogether(altered, { below: [low, high], others });
}

test("partitions that get the same are altered as one, whatever the order of their columns", () => {
  const added = [column("a"), column("b")];
  const parts = [
    [low, { added, dropped: ["x", "y"] }],
    [high, { added: added.toReversed(), dropped: ["y", "x"] }],
  ] as const;
  assert.deepEqual(together(parts, [apart]), { columns: true, properties: true });
});

test("one partition alone, or with other columns than the others, is not", () => {
  const dropped = { dropped: ["x"] };
  assert.deepEqual(together([[low, dropped]], [high]), { columns: false, properties: false });
  assert.deepEqual(together([[low, dropped]]), { columns: true, properties: true });
  assert.deepEqual(
    together([
      [low, dropped],
      [high, { added: [column("x")] }],
    ]),
    { columns: false, properties: false },
  );
  assert.ok(altersColumns({ ...none, ...dropped }));
});

test("a default of one partition is its own", () => {
  const touched = [column("v", { default: "1" })];
  assert.deepEqual(
    together([
      [low, { touched }],
      [high, {}],
    ]),
    { columns: true, properties: false },
  );
  assert.ok(!altersColumns({ ...none, touched }));
});
