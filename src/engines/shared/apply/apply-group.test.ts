import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { ApplyMode } from "../../../core/target.ts";
import { ApplyGroup, type FoldedGroup, foldGroup, type Piece } from "./apply-group.ts";
import { Net } from "./net-changes.ts";

const options = { columns: 1, key: [0], movesKeys: true };

/** A batch of one transaction that changes rows of one column, given as pairs of table and key. */
function batchOf(op: Op, changes: readonly (readonly [table: number, key: number])[]): ChangeBatch {
  const bytes = Buffer.from(changes.map(([, key]) => key));
  const cells = Int32Array.from(changes.flatMap((_, i) => [i, i + 1]));
  const ops = Int32Array.from(
    changes.flatMap(([table], i) => (op === Op.delete ? [op, table, 2 * i, -1] : [op, table, -1, 2 * i])),
  );
  const position = { kind: "number", text: "1" };
  return {
    bytes,
    cells,
    encoding: "text",
    tables: Array.from({ length: 3 }, () => ({}) as TableSchema),
    ops,
    transactions: [
      { start: 0, end: changes.length, position, id: "1", committedAtMs: 1, begins: true, commits: true },
    ],
  };
}

/** Tables 0 and 1 of the batches are plans 4 and 5; table 2 is in no plan. */
function fold(pieces: readonly Piece[], least: number): FoldedGroup {
  const group = new ApplyGroup();
  for (const { batch, modes, from } of pieces) group.add(batch, modes, from);
  return foldGroup(group, { planOf: () => Int32Array.of(4, 5, -1), foldOptions: () => options }, least);
}

const piece = (batch: ChangeBatch, ...modes: ApplyMode[]): Piece => ({
  batch,
  modes: modes.length === 0 ? undefined : Uint8Array.from(modes),
  from: 0,
  to: 1,
});

const keys = (table: number, count: number): readonly (readonly [number, number])[] =>
  Array.from({ length: count }, (_, i) => [table, i]);

test("tables that change often enough in all batches together are folded, the others are not", () => {
  const folded = fold(
    [piece(batchOf(Op.insert, [...keys(0, 3), ...keys(1, 2)])), piece(batchOf(Op.delete, keys(0, 2)))],
    5,
  );
  assert.deepEqual([...folded.tables.keys()], [4]);
  const net = folded.tables.get(4)!;
  assert.deepEqual(
    Array.from({ length: net.size }, (_, entry) => net.net(entry)),
    [Net.nothing, Net.nothing, Net.insert],
  );
});

test("whether tables are left over is told", () => {
  const both = batchOf(Op.insert, [...keys(0, 3), ...keys(1, 2)]);
  assert.equal(fold([piece(both)], 2).leavesSome, false);
  assert.equal(fold([piece(both)], 3).leavesSome, true);
  assert.equal(fold([piece(both), piece(batchOf(Op.insert, keys(2, 1)))], 2).leavesSome, true);
});

test("a table that converges in one of the transactions is not folded, another beside it is", () => {
  const batch = batchOf(Op.insert, [...keys(0, 5), ...keys(1, 5)]);
  const later = batchOf(Op.delete, keys(0, 5));
  const folded = fold([piece(batch, ApplyMode.converge, ApplyMode.exact, ApplyMode.exact), piece(later)], 5);
  assert.deepEqual([...folded.tables.keys()], [5]);
});

test("changes that are skipped are not folded, nor a table of which all are", () => {
  const batch = batchOf(Op.insert, [...keys(0, 5), ...keys(1, 5)]);
  const skipped = piece(batch, ApplyMode.skip, ApplyMode.skip, ApplyMode.exact);
  const folded = fold([skipped, piece(batchOf(Op.insert, keys(1, 2)))], 5);
  assert.deepEqual([...folded.tables.keys()], [5]);
  assert.deepEqual(folded.tables.get(5)!.counts, { inserts: 2, updates: 0, deletes: 0 });
});

test("a table that is truncated, or in no plan, is left to be applied one by one", () => {
  const truncate = { ...batchOf(Op.truncate, [[0, 0]]), ops: Int32Array.of(Op.truncate, 0, -1, -1) };
  const folded = fold([piece(batchOf(Op.insert, [...keys(0, 5), ...keys(2, 5)])), piece(truncate)], 5);
  assert.equal(folded.tables.size, 0);
});

test("of more tables than fold in one group those with the most changes do", () => {
  const tables = 80;
  const changes = Array.from({ length: tables }, (_, table) => keys(table, 2 + table)).flat();
  const batch = {
    ...batchOf(Op.insert, changes),
    tables: Array.from({ length: tables }, () => ({}) as TableSchema),
  };
  const group = new ApplyGroup();
  group.add(batch, undefined, 0);
  const planOf = Int32Array.from({ length: tables }, (_, table) => table);
  const folded = foldGroup(group, { planOf: () => planOf, foldOptions: () => options }, 2);
  assert.deepEqual(
    [...folded.tables.keys()].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => 30 + i),
  );
});
