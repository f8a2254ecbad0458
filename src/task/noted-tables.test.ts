import assert from "node:assert/strict";
import { test } from "node:test";
import { column, table } from "../../test/support/pgoutput-messages.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { TableSchema } from "../core/schema.ts";
import { keptShape, recallTables } from "./noted-tables.ts";

function described(
  name: string,
  number: string,
  version = "1",
  more: Partial<TableSchema> = {},
): TableSchema {
  const shape = { number: 1, name: "id", type: "23 -1", version, computed: null, fill: null };
  return table({
    id: { schema: "s", name },
    columns: [column("id")],
    shape: { table: number, storage: number, columnsEver: 1, columns: [shape] },
    ...more,
  });
}

function journaled(source: TableSchema, more: Partial<JournaledTable> = {}): JournaledTable {
  const { id } = source;
  const state = {
    created: true,
    keepsRows: false,
    state: "ready",
    reason: undefined,
    partitions: [],
  } as const;
  return { id, ...state, shape: keptShape(source), ...more };
}

function recall(now: readonly TableSchema[], before: readonly TableSchema[], untold: readonly string[] = []) {
  const { tables, awaited } = recallTables(
    now,
    before.map((one) => journaled(one)),
    new Set(untold),
  );
  return {
    tables: tables
      .map(({ id, shape }) => `${id.name} ${shape!.table} ${shape!.columns[0]!.version}`)
      .toSorted(),
    awaited: awaited.map(({ name }) => name),
  };
}

test("a table that differs from what the target follows is taken as it was, also when it is gone", () => {
  const before = [described("a", "1"), described("b", "2"), described("c", "3")];
  assert.deepEqual(recall([described("a", "1", "2"), described("b", "2")], before), {
    tables: ["a 1 1", "b 2 1", "c 3 1"],
    awaited: ["a", "c"],
  });
});

test("a table that was renamed is taken under its old name, and what has that name now waits", () => {
  assert.deepEqual(recall([described("old", "1"), described("a", "7")], [described("a", "1")]), {
    tables: ["a 1 1"],
    awaited: ["a"],
  });
});

test("a table of which nothing was told, or that is not loaded, is taken as it is", () => {
  const now = [described("a", "1", "2"), described("b", "2", "2")];
  const before = [journaled(described("a", "1")), journaled(described("b", "2"), { state: "planned" })];
  const { tables, awaited } = recallTables(now, before, new Set(['"s"."a"']));
  assert.deepEqual(tables, now);
  assert.deepEqual(awaited, []);
});

test("where tables are known by their names, new ones wait while one is missing: it may be one of them", () => {
  const named = (name: string): TableSchema => {
    const one = described(name, name);
    return { ...one, shape: { ...one.shape!, unnumbered: true } };
  };
  const before = [named("a"), named("b")];
  assert.deepEqual(recall([named("b"), named("c")], before), { tables: ["a a 1", "b b 1"], awaited: ["a"] });
  assert.deepEqual(recall([...before, named("c")], before), {
    ...{ tables: ["a a 1", "b b 1", "c c 1"], awaited: [] },
  });
});
