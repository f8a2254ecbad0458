import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError, type TableOutcome } from "../../src/core/error.ts";
import { type TableId, tableKey } from "../../src/core/schema.ts";
import type { Source } from "../../src/core/source.ts";
import { describeTables, type TestSchema, unaborted } from "./database-kind.ts";
import { readLines } from "./text-rows.ts";

const PLAIN = { objects: false, rights: false, largeObjects: false };
export const SMALL = { rowsPerPartition: 700, bytesPerPartition: 50_000 };

/** What every source must hold to when rules say what is read: views as tables, and tables in parts. */
export function readingTests(withSchema: (sql: string) => Promise<readonly [TestSchema, Source]>): void {
  test("views are listed, described and read like tables where they are asked for", async () => {
    const [schema, source] = await withSchema(`
        create table t (id int primary key, v varchar(20));
        insert into t values (1, 'one'), (2, null);
        create view w as select id, upper(v) as big from t;
        create table t2 (id int primary key)`);
    await using _ = source;
    const id = { schema: schema.name, name: "w" };
    assert.deepEqual(
      (await source.listViews(unaborted)).filter(({ schema: of }) => of === schema.name),
      [id],
    );
    const request = { tables: [{ ...id, name: "t" }], wholeSchemas: undefined, ...PLAIN };
    const described = async (views: readonly TableId[], tables = request.tables) =>
      (await source.describe({ ...request, tables, views }, unaborted)).tables;
    assert.deepEqual(
      (await described([])).map((table) => table.id.name),
      ["t"],
    );
    assert.deepEqual(await described([], [id]), []);
    assert.deepEqual(await described([{ ...id, name: "t2" }], []), []);
    const [table, view] = await described([id]);
    assert.deepEqual([table!.isView, view!.isView], [undefined, true]);
    assert.deepEqual(
      view!.columns.map(({ name }) => name),
      ["id", "big"],
    );
    assert.deepEqual(view!.columns[0]!.type, table!.columns[0]!.type);
    assert.equal(view!.key.length + view!.indexes.length + view!.foreignKeys.length, 0);
    await using snapshot = await source.openSnapshot(
      { taskId: "contract", tables: [view!], anchor: "none" },
      unaborted,
    );
    await schema.run("insert into t values (3, 'late')");
    const [outcome] = await snapshot.partition(
      [view!],
      { rowsPerPartition: 1, bytesPerPartition: 1 },
      unaborted,
    );
    const partitions = unwrap(outcome!);
    assert.deepEqual(
      partitions.map(({ by }) => by),
      ["whole"],
    );
    const [partition] = partitions;
    const rows = snapshot.read({ table: view!, partition: partition!, format: "pg-copy-text" }, unaborted);
    assert.deepEqual((await readLines(rows)).toSorted(), ["1\tONE", "2\t\\N"]);
  });

  test("ranges that a rule wants hold every row once, NULLs among them, and boundaries have to ascend", async () => {
    const [schema, source] = await withSchema(
      "create table t (id int primary key, a decimal(10, 2), b varchar(20), d date not null)",
    );
    await using _ = source;
    const rows = Array.from({ length: 60 }, (_, at) => {
      const a = at % 7 === 0 ? "null" : at % 5;
      return `(${at}, ${a}, ${at % 11 === 0 ? "null" : `'b${at % 3}'`}, '2026-01-${10 + (at % 20)}')`;
    });
    await schema.run(`insert into t values ${rows.join(", ")}`);
    const { tables } = await describeTables(source, schema.name);
    const table = tables[0]!;
    await using snapshot = await source.openSnapshot(
      { taskId: "contract", tables, anchor: "none" },
      unaborted,
    );
    const cut = async (columns: readonly string[], boundaries: readonly (readonly string[])[]) => {
      const parallelLoads = new Map([[tableKey(table.id), { type: "ranges", columns, boundaries } as const]]);
      return await snapshot.partition([table], { ...SMALL, parallelLoads }, unaborted);
    };
    for (const [by, columns, boundaries] of [
      ["key", ["id"], [["-5"], ["10"], ["30"]]],
      [
        "range",
        ["a", "b"],
        [
          ["1", "b1"],
          ["1", "b2"],
          ["3", "a"],
        ],
      ],
      ["range", ["d"], [["2026-01-11"], ["2026-01-20"]]],
    ] as const) {
      const [outcome] = await cut(columns, boundaries);
      const partitions = unwrap(outcome!);
      assert.deepEqual(
        partitions.map((one) => one.by),
        Array(boundaries.length + 1).fill(by),
      );
      const parts: (readonly number[])[] = [];
      for (const partition of partitions) {
        const request = { table, partition, format: "pg-copy-text", columns: [0] } as const;
        parts.push((await readLines(snapshot.read(request, unaborted))).map(Number));
      }
      assert.deepEqual(
        parts.flat().toSorted((a, b) => a - b),
        [...rows.keys()],
      );
      if (columns[0] === "a") {
        const first = [...rows.keys()].filter((at) => {
          const [a, b] = [at % 7 === 0 ? null : at % 5, at % 11 === 0 ? null : at % 3];
          return a === null || b === null || a < 1 || (a === 1 && b < 1);
        });
        assert.deepEqual(
          parts[0]!.toSorted((a, b) => a - b),
          first,
        );
      } else assert.ok(parts.slice(1).every(({ length }) => length > 0));
    }
    for (const boundaries of [
      [["10"], ["10"]],
      [["10"], ["9"]],
    ]) {
      const [outcome] = await cut(["id"], boundaries);
      assert.equal(outcome instanceof MigrationError ? outcome.code : "cut", "mapping.rule_impossible");
    }
  });
}

export function unwrap<Value>(outcome: TableOutcome<Value>): Value {
  if (outcome instanceof MigrationError) throw outcome;
  return outcome;
}
