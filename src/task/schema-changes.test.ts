import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, id, table } from "../../test/support/plan-situation.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { Column, TableSchema } from "../core/schema.ts";
import type { ColumnShape, TableShape } from "../core/table-shape.ts";
import { compareSchemas, type SchemaChanges } from "./schema-changes.ts";

function column(name: string, more: Partial<Column> = {}): Column {
  return { name, nativeType: "text", type: { kind: "string", fixed: false }, nullable: true, ...more };
}

function shapeOf(names: readonly string[], more: Partial<ColumnShape>[] = []): TableShape {
  const columns = names.map((name, i): ColumnShape => {
    return { number: i + 1, name, type: "25 -1", version: "7", computed: null, fill: null, ...more[i] };
  });
  return { table: "1", storage: "1", columnsEver: names.length, columns };
}

function source(shape: TableShape, columns?: readonly Column[]): TableSchema {
  return table("app.t", { columns: columns ?? shape.columns.map(({ name }) => column(name)), shape });
}

function planOf(one: TableSchema): MigrationPlan {
  const target = catalog({ tables: [one] });
  return { tables: [{ source: one, target: one, loadOrder: 0 }], sequences: [], target };
}

function journaled(shape: TableShape | undefined, more: Partial<JournaledTable> = {}): JournaledTable {
  const state = { created: true, keepsRows: false, state: "ready", reason: undefined } as const;
  return { id: id("app.t"), ...state, shape, partitions: [], ...more };
}

interface Comparison {
  readonly now: TableSchema;
  readonly known?: JournaledTable;
  readonly follows?: boolean;
  readonly replicatesOnly?: boolean;
  readonly comparesOnly?: boolean;
}

function compare({ now, known, follows = true, ...how }: Comparison): SchemaChanges {
  const tables = known === undefined ? [] : [known];
  return compareSchemas({ plan: planOf(now), journaled: tables, follows, replicatesOnly: false, ...how });
}

const before = shapeOf(["id", "v"]);
const after = shapeOf(["id", "v", "w"], [{}, {}, { fill: "x" }]);
const names = ({ tables }: MigrationPlan): unknown =>
  tables.map(({ source: { columns } }) => columns.map(({ name }) => name).join(" "));

test("a column behind the others is added, assessed without it, and remembered with what rows show in it", () => {
  const changes = compare({ now: source(after), known: journaled(before) });
  assert.deepEqual(names(changes.plan), ["id v w"]);
  assert.deepEqual(names(changes.assessed), ["id v"]);
  assert.deepEqual(
    changes.additions.map(({ columns, plan }) => [columns, plan.target.columns[2]?.later]),
    [[[2], { value: "x" }]],
  );
  assert.deepEqual(changes.shapes[0]?.shape.columns[2]?.since, "added");
  assert.deepEqual(
    changes.findings.map(({ code }) => code),
    ["target.column_added"],
  );
  // The source may forget the value when it writes the table anew.
  const later = { ...shapeOf(["id", "v", "w"]), storage: "2" };
  const known = changes.shapes[0]!.shape;
  const again = compare({ now: source(later), known: journaled(known) });
  assert.deepEqual(again.plan.tables[0]?.source.columns[2]?.later, { value: "x" });
  assert.deepEqual(again.additions, []);
});

test("where columns are left out they stay so, and those behind them too", () => {
  const left = compare({ now: source(after), known: journaled(before), follows: false });
  assert.deepEqual([names(left.plan), names(left.assessed)], [["id v"], ["id v"]]);
  assert.equal(left.plan.tables[0]?.source.leavesOut, true);
  assert.deepEqual(
    left.findings.map(({ code }) => code),
    ["source.column_left_out"],
  );
  const more = shapeOf(["id", "v", "w", "x"]);
  const again = compare({ now: source(more), known: journaled(left.shapes[0]?.shape) });
  assert.deepEqual(names(again.plan), ["id v"]);
  assert.equal(again.plan.tables[0]?.source.leavesOut, true);
  const keyed = { ...source(more), key: [3] };
  const refused = compare({ now: keyed, known: journaled(left.shapes[0]?.shape) });
  assert.match(refused.refused[0]!.message, /needs a column that is left out/);
});

test("a table that cannot be followed is refused, and its target is not assessed", () => {
  const identity = [column("id"), column("v"), column("w", { identity: "always" })];
  const cases = [
    { now: source(shapeOf(["id", "b"])), says: /calls its column v b now/ },
    { now: source(after, identity), says: /got the identity column w/ },
  ];
  for (const { now, says } of cases) {
    const changes = compare({ now, known: journaled(before) });
    assert.match(changes.refused[0]!.message, says);
    assert.deepEqual([changes.assessed.tables, changes.additions, changes.shapes], [[], [], []]);
  }
});

test("a task that only compares takes every table as it is, and remembers what is another than before", () => {
  const ways = { replicatesOnly: true, comparesOnly: true };
  for (const shape of [after, shapeOf(["id", "b"]), shapeOf(["id"])]) {
    for (const follows of [true, false]) {
      const changes = compare({ now: source(shape), known: journaled(before), follows, ...ways });
      const columns = [shape.columns.map(({ name }) => name).join(" ")];
      assert.deepEqual([changes.refused, changes.additions, names(changes.plan)], [[], [], columns]);
      assert.deepEqual(
        changes.shapes.map((one) => one.shape),
        [shape],
      );
    }
  }
  assert.deepEqual(compare({ now: source(before), known: journaled(before), ...ways }).shapes, []);
  assert.equal(compare({ now: source(before), ...ways }).shapes.length, 1);
});

test("a column of which rules make others is not added without them", () => {
  const now = source(after);
  const made = source(after, [...now.columns, column("made")]);
  const inputs = [{ kind: "column", ordinal: 2 }] as const;
  const origins = [
    { kind: "before", ordinal: 2 },
    { kind: "expression", expression: { sql: "?1", inputs } },
  ] as const;
  for (const origin of origins) {
    const columns = [0, 1, 2].map((ordinal) => ({ kind: "column", ordinal }) as const);
    const rows = { reads: now, columns: [...columns, origin] };
    const plan = { ...planOf(made), tables: [{ source: made, target: made, loadOrder: 0, rows }] };
    const changes = compareSchemas({
      ...{ plan, journaled: [journaled(before)], follows: true, replicatesOnly: false },
    });
    assert.match(changes.refused[0]!.message, /got a column of which the table mappings make others/);
    assert.deepEqual([changes.assessed.tables, changes.additions, changes.shapes], [[], [], []]);
  }
});

test("a table that is not loaded yet is made anew, unless it was there before the task", () => {
  for (const state of ["planned", "prepared"] as const) {
    const changes = compare({ now: source(after), known: journaled(before, { state }) });
    assert.deepEqual([changes.outdated.length, changes.assessed.tables, changes.refused], [1, [], []]);
    const kept = compare({ now: source(after), known: journaled(before, { state, created: false }) });
    assert.deepEqual([kept.outdated, names(kept.assessed)], [[], ["id v w"]]);
  }
  const aside = compare({ now: source(after), known: journaled(before, { state: "suspended" }) });
  assert.deepEqual([aside.outdated, aside.assessed.tables, aside.refused], [[], [], []]);
});

test("what a table is gets recorded where it is not known yet, and is left alone where nothing has happened", () => {
  assert.deepEqual(compare({ now: source(before), known: journaled(undefined) }).shapes[0]?.shape, before);
  assert.deepEqual(compare({ now: source(before), replicatesOnly: true }).shapes[0]?.shape, before);
  assert.deepEqual(compare({ now: source(before) }).shapes, []);
  assert.deepEqual(compare({ now: source(before), known: journaled(before) }).shapes, []);
  const rewritten = { ...before, storage: "2" };
  assert.deepEqual(compare({ now: source(rewritten), known: journaled(before) }).shapes[0]?.shape, rewritten);
});

test("a table that got other foreign keys that act by themselves is refused, and those that refer to it in that way", () => {
  const named = (name: string, to: string | undefined, silentKeys: readonly string[]): TableSchema => {
    const id = { schema: "app", name };
    const references = { schema: "app", name: to ?? "" };
    const silent = { onDelete: "cascade" } as const;
    const key = { name: "up", columns: ["v"], referencedColumns: ["v"], native: "", validated: true };
    return {
      ...source({ ...before, silentKeys }),
      id,
      foreignKeys: to === undefined ? [] : [{ ...key, references, silent }],
    };
  };
  const tables = [
    named("c", undefined, ["another"]),
    named("g", "c", []),
    named("h", "g", []),
    named("x", undefined, []),
  ];
  const plan = {
    ...planOf(tables[0]!),
    tables: tables.map((one) => ({ source: one, target: one, loadOrder: 0 })),
  };
  const known = tables.map(({ id }): JournaledTable => {
    return { ...journaled({ ...before, silentKeys: [] }), id };
  });
  const changes = compareSchemas({ plan, journaled: known, follows: true, replicatesOnly: false });
  assert.deepEqual(
    changes.refused.map(({ table, message }) => [table?.name, message]),
    [
      ["c", "The table has other foreign keys that act by themselves."],
      ["g", "The table refers to one that has other foreign keys that act by themselves."],
      ["h", "The table refers to one that has other foreign keys that act by themselves."],
    ],
  );
  assert.deepEqual(
    changes.assessed.tables.map(({ source: { id } }) => id.name),
    ["x"],
  );
  // A journal of before says nothing of them: they are recorded.
  const older = compare({ now: source({ ...before, silentKeys: ["one"] }), known: journaled(before) });
  assert.deepEqual([older.refused, older.shapes[0]?.shape.silentKeys], [[], ["one"]]);
});
