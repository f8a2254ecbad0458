import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { ApplyMode } from "../../../core/target.ts";
import { walkPiece } from "./apply-walk.ts";

/** One transaction over three tables, which are plans 0 to 2; rows have no cells. */
function batchOf(changes: readonly (readonly [op: Op, table: number])[]): ChangeBatch {
  const position = { kind: "number", text: "1" };
  const whole = { position, id: "1", committedAtMs: 1, begins: true, commits: true };
  return {
    bytes: Buffer.alloc(0),
    cells: new Int32Array(0),
    encoding: "text",
    tables: Array.from({ length: 3 }, () => ({}) as TableSchema),
    ops: Int32Array.from(changes.flatMap(([op, table]) => [op, table, -1, 0])),
    transactions: [{ start: 0, end: changes.length, ...whole }],
  };
}

/** What is visited: an insert as `+` and its plan, plans that are truncated together as `-` and theirs. */
async function visited(
  batch: ChangeBatch,
  isWanted: (plan: number) => boolean,
  modes?: readonly ApplyMode[],
): Promise<readonly string[]> {
  const seen: string[] = [];
  await walkPiece(
    { batch, modes: modes === undefined ? undefined : Uint8Array.from(modes), from: 0, to: 1 },
    {
      planOf: Int32Array.of(0, 1, 2),
      visitor: {
        use: () => undefined,
        exact: (plan) => seen.push(`+${plan}`),
        converge: (plan) => seen.push(`~${plan}`),
        restore: (plan) => seen.push(`=${plan}`),
        truncate: async (plans) => {
          seen.push(`-${plans.join("")}`);
        },
      },
      corrections: undefined,
      outlet: { full: false, push: async () => undefined },
      isWanted,
    },
  );
  return seen;
}

const emptied = batchOf([
  [Op.insert, 0],
  [Op.insert, 1],
  [Op.truncate, 0],
  [Op.truncate, 1],
  [Op.truncate, 2],
  [Op.insert, 0],
  [Op.insert, 1],
]);

test("of tables that are truncated together only those are that are wanted: the others have changes of their own order", async () => {
  assert.deepEqual(await visited(emptied, (plan) => plan === 0), ["+0", "-0", "+0"]);
  assert.deepEqual(await visited(emptied, (plan) => plan !== 0), ["+1", "-12", "+1"]);
  assert.deepEqual(await visited(emptied, () => true), ["+0", "+1", "-012", "+0", "+1"]);
});

test("a table whose changes are skipped is not truncated with others", async () => {
  const modes = [ApplyMode.exact, ApplyMode.skip, ApplyMode.exact];
  assert.deepEqual(await visited(emptied, () => true, modes), ["+0", "-02", "+0"]);
});
