import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, Op } from "../core/change-batch.ts";
import type { SilentActions, TableSchema } from "../core/schema.ts";
import { ApplyMode } from "../core/target.ts";
import { appliedTables } from "./apply-modes.ts";
import { brokenCascade } from "./cascade-modes.ts";

const { skip, converge, exact } = ApplyMode;

function table(name: string, to?: string, silent: SilentActions = { onDelete: "cascade" }): TableSchema {
  const type = { kind: "int", bits: 32, unsigned: false } as const;
  const key = {
    ...{ name: "up", columns: ["id"], referencedColumns: ["id"], native: "", validated: true, silent },
    references: { schema: "s", name: to ?? "" },
  };
  return {
    id: { schema: "s", name },
    columns: [{ name: "id", nativeType: "int", type, nullable: false }],
    ...{ key: [0], rowIdentity: "key", indexes: [], checks: [], estimatedRows: 0, estimatedBytes: 0 },
    foreignKeys: to === undefined ? [] : [key],
  };
}

/** Rows of b go because a row of a has gone; c refers to b, and d to c. */
function batchOf(tables: readonly TableSchema[], op: Op = Op.deleteReferring): ChangeBatch {
  const position = { kind: "test", text: "1" };
  return {
    bytes: new Uint8Array(),
    cells: new Int32Array(),
    encoding: "text",
    tables,
    ops: Int32Array.of(Op.delete, 0, 0, -1, op, 1, 0, -1),
    transactions: [{ start: 0, end: 2, position, id: "1", committedAtMs: 0, begins: true, commits: true }],
  };
}

function broken(
  batch: ChangeBatch,
  modes: readonly ApplyMode[],
  suspended?: string,
): readonly (string | undefined)[] {
  const error = brokenCascade(batch, Uint8Array.from(modes), ({ name }) => name === suspended);
  return [error?.code, error?.table?.name];
}

const deep = batchOf([table("a"), table("b", "a"), table("c", "b"), table("d", "c")]);
const fine = [undefined, undefined];

test("rows that refer can be told where all tables between are as they were, or past it", () => {
  assert.deepEqual(broken(deep, [skip, exact, exact, exact]), fine);
  assert.deepEqual(broken(deep, [exact, skip, skip, skip]), fine);
  assert.deepEqual(broken(deep, [exact, exact, exact, skip]), fine);
  assert.equal(
    brokenCascade(deep, undefined, () => false),
    undefined,
  );
});

test("a table below one whose rows are newer is loaded again", () => {
  assert.deepEqual(broken(deep, [exact, skip, exact, exact]), ["apply.row_incomplete", "c"]);
  assert.deepEqual(broken(deep, [exact, exact, skip, exact]), ["apply.row_incomplete", "d"]);
  assert.deepEqual(broken(deep, [exact, exact, exact, converge]), ["apply.row_incomplete", "d"]);
  assert.deepEqual(broken(deep, [exact, converge, skip, skip]), ["apply.row_incomplete", "b"]);
});

test("a table below one that was set aside is set aside, too", () => {
  assert.deepEqual(broken(deep, [exact, skip, exact, exact], "b"), ["apply.cascade_unknown", "c"]);
});

test("rows that only go may be of several snapshots where none refers to them, and none gets new values", () => {
  const leaf = (silent?: SilentActions, op?: Op): ChangeBatch =>
    batchOf([table("a"), table("b", "a", silent)], op);
  assert.deepEqual(broken(leaf(), [exact, converge]), fine);
  const moving = leaf({ onDelete: "cascade", onUpdate: "cascade" });
  assert.deepEqual(broken(moving, [exact, converge]), ["apply.row_incomplete", "b"]);
  const nulls = leaf({ onDelete: "set-null" }, Op.updateReferring);
  assert.deepEqual(broken(nulls, [exact, converge]), ["apply.row_incomplete", "b"]);
});

test("what waits for a table that is being loaded includes tables whose rows refer to those that go", () => {
  assert.deepEqual([...appliedTables(deep, undefined)].toSorted(), [0, 1, 2, 3]);
  assert.deepEqual([...appliedTables(deep, Uint8Array.of(exact, exact, exact, skip))].toSorted(), [0, 1, 2]);
});
