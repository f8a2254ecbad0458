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
  const taken = changed.take(table, 1);
  assert.deepEqual([taken.keys, taken.others, taken.emptied], [['["1"]'], false, false]);
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
  assert.deepEqual(changed.take(table, 10), { keys: [], others: false, emptied: false, bytes: 0 });
});

/** A key of this many characters, and another for each number. */
function longKey(n: number, length: number): string {
  return JSON.stringify([`${n}`.padEnd(length, "x")]);
}

test("when all that waits is too much the table goes that makes most room, and what is being looked at counts", () => {
  const names = ["small", "a", "b", "c", "d", "e"].map((name) => ({ schema: "shop", name }));
  const [small, a, b, c, d, e] = names as [Table, Table, Table, Table, Table, Table];
  const changed = new ChangedRows();
  for (const id of names) changed.follow(id, [0]);
  const fill = (id: Table, keys: number): void =>
    changed.putBack(
      id,
      Array.from({ length: keys }, (_, n) => longKey(n, 50_000)),
    );
  // Of 100 KB each: 80 are the most that one table may have, and some 330 all.
  fill(a, 75);
  fill(b, 79);
  fill(c, 75);
  fill(d, 75);
  const taken = changed.take(a, 75);
  assert.equal(changed.pending(a), 0);
  fill(e, 20);
  assert.deepEqual(
    [b, c, d, e].map((id) => changed.pending(id)),
    [79, 75, 75, 20],
  );
  fill(small, 20);
  assert.deepEqual(
    [small, b, c, d, e].map((id) => changed.pending(id)),
    [20, 0, 75, 75, 20],
  );
  assert.equal(changed.take(b, 1).others, true);
  // Given back, there is room for as much again.
  changed.release(taken);
  fill(a, 75);
  fill(b, 60);
  assert.deepEqual(
    [a, b, c, d].map((id) => changed.pending(id)),
    [75, 60, 75, 75],
  );
});

type Table = typeof table;

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
    ...{ keys: [], others: true, emptied: false, bytes: 0 },
  });
  assert.deepEqual(gathered([[Op.insert, undefined, ["1", "a"]], [Op.truncate]]), {
    ...{ keys: [], others: true, emptied: true, bytes: 0 },
  });
});

test("changes that are passed over concern no row", () => {
  const { keys } = gathered([[Op.insert, undefined, ["1", "a"]]], Uint8Array.of(ApplyMode.skip));
  assert.deepEqual(keys, []);
});
