import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, Op, UNCHANGED_CELL } from "../../core/change-batch.ts";
import type { Position } from "../../core/position.ts";
import type { TableSchema } from "../../core/schema.ts";
import { ApplyMode } from "../../core/target.ts";
import { ChangedRows } from "./changed-rows.ts";

const table = { schema: "shop", name: "orders" };

test("rows that come back after their table was forgotten are not gathered", () => {
  const changed = new ChangedRows();
  changed.follow(table, [0]);
  changed.putBack(table, ['["1"]', '["2"]']);
  assert.deepEqual(changed.take(table, 1), { keys: ['["1"]'], others: false, emptied: false });
  assert.equal(changed.hasMore(table), true);
  changed.forget(table);
  changed.putBack(table, ['["1"]']);
  assert.equal(changed.pending(table), 0);
  assert.equal(changed.hasMore(table), false);
});

test("nothing of what was gathered by another key is left", () => {
  const changed = new ChangedRows();
  changed.follow(table, [0]);
  changed.putBack(table, ['["1"]']);
  changed.follow(table, [1]);
  assert.equal(changed.pending(table), 0);
  assert.deepEqual(changed.take(table, 10), { keys: [], others: false, emptied: false });
});

/** A transaction with changes of a table of two columns; a row is its values, undefined for one that was not sent. */
function batchOf(
  changes: readonly (readonly [op: Op, before?: Row | undefined, after?: Row | undefined])[],
): ChangeBatch {
  const texts: string[] = [];
  const cells: number[] = [];
  let length = 0;
  const rowOf = (row: Row | undefined): number => {
    if (row === undefined) return -1;
    const at = cells.length;
    for (const value of row) {
      cells.push(value === undefined ? UNCHANGED_CELL : length, length + (value?.length ?? 0));
      texts.push(value ?? "");
      length += value?.length ?? 0;
    }
    return at;
  };
  const ops = changes.flatMap(([op, before, after]) => [op, 0, rowOf(before), rowOf(after)]);
  const position = { text: "1" } as Position;
  return {
    ...{ bytes: Buffer.from(texts.join("")), cells: Int32Array.from(cells), encoding: "text" },
    ...{
      ops: Int32Array.from(ops),
      tables: [{ id: table, columns: [{}, {}], foreignKeys: [] } as unknown as TableSchema],
    },
    transactions: [
      { start: 0, end: changes.length, position, begins: true, commits: true },
    ] as unknown as ChangeBatch["transactions"],
  };
}

type Row = readonly (string | undefined)[];

function gathered(
  changes: Parameters<typeof batchOf>[0],
  modes?: Uint8Array,
): ReturnType<ChangedRows["take"]> {
  const changed = new ChangedRows();
  changed.follow(table, [0]);
  changed.add(batchOf(changes), modes);
  return changed.take(table, 10);
}

test("changes tell the keys of their rows, and an update that gives its row another key tells both", () => {
  const { keys, others } = gathered([
    [Op.insert, undefined, ["1", "a"]],
    [Op.update, ["2", "a"], ["2", "b"]],
    [Op.update, ["3", "a"], ["30", "a"]],
    [Op.update, undefined, ["4", undefined]],
    [Op.update, ["5", "a"], [undefined, "b"]],
    [Op.delete, ["6", "a"]],
  ]);
  assert.deepEqual([...keys].sort(), ['["1"]', '["2"]', '["3"]', '["30"]', '["4"]', '["5"]', '["6"]']);
  assert.equal(others, false);
});

test("a change that does not tell its key makes the whole table due, and a truncate says so besides", () => {
  assert.deepEqual(gathered([[Op.update, undefined, [undefined, "b"]]]), {
    ...{ keys: [], others: true, emptied: false },
  });
  assert.deepEqual(gathered([[Op.insert, undefined, ["1", "a"]], [Op.truncate]]), {
    ...{ keys: [], others: true, emptied: true },
  });
});

test("changes that are passed over concern no row", () => {
  const { keys } = gathered([[Op.insert, undefined, ["1", "a"]]], Uint8Array.of(ApplyMode.skip));
  assert.deepEqual(keys, []);
});
