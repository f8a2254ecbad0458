import assert from "node:assert/strict";
import { test } from "node:test";
import { at, codec } from "../../test/support/numbered-log.ts";
import type { JournaledPartition } from "../core/journal.ts";
import { isTorn } from "./after-table-error.ts";

function partition(snapshot: number, upTo?: number): JournaledPartition {
  const window = { snapshot: at(snapshot), upTo: upTo === undefined ? undefined : at(upTo) };
  const whole = { id: "1", by: "whole", from: undefined, to: undefined, estimatedRows: 0 } as const;
  return { partition: whole, ...window, rows: 0, done: true };
}

test("a table is torn until the target has all that the newest of its snapshots may show", () => {
  const partitions = [partition(3), partition(4, 6), partition(5, 9)];
  const found = [undefined, 3, 8, 9, 10].map((applied) =>
    isTorn({ partitions }, applied === undefined ? undefined : at(applied), codec),
  );
  assert.deepEqual(found, [true, true, true, false, false]);
  assert.equal(isTorn({ partitions: [partition(3)] }, at(1), codec), false);
});
