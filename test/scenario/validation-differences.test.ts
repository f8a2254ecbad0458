import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatabaseKind, postgres } from "../contract/database-kind.ts";
import { mariadb, mysql57 } from "../contract/mysql-kinds.ts";
import {
  plantDifferences,
  plantedDialects,
  plantedLines,
  plantedRepairs,
  plantedSchema,
  plantRows,
} from "../support/planted-differences.ts";
import { runByClient, writtenRepair } from "../support/repair.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, runToEnd, schemas, taskSpec } from "../support/task.ts";
import { comparedSchemas, differenceLine, type Validated, validated } from "../support/validation.ts";

/*
 * A database is moved from each kind to others; then the target is changed in every way that should be found. What is found
 * is exactly that.
 */

const running = new Map(
  await Promise.all(
    [postgres, mariadb, mysql57].map(async (kind) => [kind, await serverOfFile(kind.start())] as const),
  ),
);

const pairs: readonly (readonly [DatabaseKind, DatabaseKind])[] = [
  [postgres, postgres],
  [mariadb, postgres],
  [postgres, mariadb],
  [mariadb, mysql57],
];

/** Compares a table that is made by itself on each side. */
async function comparedTables(
  [from, made]: readonly [DatabaseKind, string],
  [to, there]: readonly [DatabaseKind, string],
  endpointSettings: Readonly<Record<string, string>> = {},
): Promise<Validated> {
  const source = await running.get(from)!.newSchema();
  const target = await running.get(to)!.newSchema();
  await source.run(made);
  await target.run(there);
  return await comparedSchemas(source, target, {
    target: { ...target.endpoint, settings: endpointSettings },
  });
}

test("dates that no calendar has are the same on both sides", async () => {
  const table = (word: string): string =>
    `set sql_mode = ''; create table t (id int primary key, d date, m datetime(3), word varchar(9));
     insert into t values (1, '0000-00-00', '2024-02-30 10:00:00', '${word}')`;
  const { differences } = await comparedTables([mariadb, table("a")], [mysql57, table("b")]);
  assert.deepEqual(differences.map(differenceLine), ["t different 1: word"]);
});

test("it is told that values differ which the target's endpoint has replaced", async () => {
  const { differences, findings } = await comparedTables(
    [postgres, "create table t (id int primary key, n float8); insert into t values (1, 'NaN')"],
    [mariadb, "create table t (id int primary key, n double); insert into t values (1, null)"],
    { NonFiniteNumbers: "null" },
  );
  assert.deepEqual(differences.map(differenceLine), ["t different 1: n"]);
  assert.match(findings[0]?.message ?? "", /^NaN .* become NULL.* Rows that hold such values differ\.$/s);
});

for (const [from, to] of pairs) {
  test(`each kind of difference is found, and repaired: ${from.name} to ${to.name}`, async () => {
    const source = await running.get(from)!.newSchema();
    const target = await running.get(to)!.newSchema();
    const dialect = (kind: DatabaseKind) => plantedDialects[kind === postgres ? "postgres" : "mysql"];
    await source.run(plantedSchema(dialect(from)));
    const spec = taskSpec({
      type: "full-load",
      source: source.endpoint,
      target: target.endpoint,
      tableMappings: schemas(source.name),
      settings: JSON.stringify({ TargetMetadata: { TargetSchema: target.name } }),
    });
    assertStopped((await runToEnd(spec)).outcome);

    const before = await validated(spec);
    assert.deepEqual(before.differences, []);
    assert.deepEqual(
      [...before.tables.values()].map(({ table, verdict }) => `${table.name} ${verdict}`).sort(),
      ["absent equal", "events equal", "narrow equal", "notes equal"],
    );

    await plantDifferences(target, dialect(to));
    const { differences, tables, sql, repairs } = await writtenRepair(spec, { withValues: true });
    assert.deepEqual(differences.map(differenceLine).sort(), plantedLines);
    const { verdict, missing, extra, different, rows } = tables.get("notes")!;
    assert.deepEqual(
      { verdict, missing, extra, different, rows },
      { verdict: "different", missing: 2, extra: 1, different: 9, rows: { source: 1500, target: 1499 } },
    );
    assert.equal(tables.get("absent")?.verdict, "missing");
    assert.deepEqual(tables.get("narrow")?.missingColumns, ["gone"]);
    assert.equal(tables.get("narrow")?.verdict, "different");
    const emptied = differences.find(({ key }) => key?.["id"] === "20");
    assert.equal(emptied?.values?.source?.["word"], "");
    assert.equal(emptied?.values?.target?.["word"], null);

    const untouched = "select * from notes where id between 400 and 600 or id = 6 order by id";
    const kept = await target.rows(untouched);
    const found = repairs.map(({ table: { name }, rows, remarks }) => ({ name, ...rows, remarks }));
    assert.deepEqual(
      found.sort((a, b) => (a.name < b.name ? -1 : 1)),
      plantedRepairs,
    );
    await runByClient(target.endpoint, sql);
    assert.deepEqual((await validated(spec)).differences, []);
    assert.deepEqual(await target.rows(untouched), kept);

    await plantRows(target, dialect(to));
    const applied = await validated(spec, { repair: { kind: "apply" } });
    assert.deepEqual(applied.differences, []);
    assert.equal(applied.tables.get("notes")?.verdict, "equal");
    assert.equal(applied.tables.get("absent")?.verdict, "missing");
    assert.deepEqual(
      applied.repaired.map(({ table: { name }, done, refused }) => `${name} ${done} ${refused}`).sort(),
      ["events 4 0", "notes 12 0"],
    );
    assert.deepEqual(await target.rows(untouched), kept);
  });
}

for (const [from, to] of [
  [postgres, postgres],
  [mariadb, postgres],
] as const) {
  test(`more rows without a key than are held in memory are found, and repaired: ${from.name} to ${to.name}`, async () => {
    const source = await running.get(from)!.newSchema();
    const target = await running.get(to)!.newSchema();
    const table = "create table events (at timestamp(3) null, n int, word varchar(40))";
    const digits =
      "(select 0 as d union all select 1 union all select 2 union all select 3 union all select 4)";
    // 5^8 = 390,625 rows, each value of n many times, and every third row twice.
    const joined = ["a", "b", "c", "e", "f", "g", "h", "i"].map((name) => `${digits} ${name}`).join(", ");
    const number = "(a.d + 5 * (b.d + 5 * (c.d + 5 * (e.d + 5 * (f.d + 5 * (g.d + 5 * (h.d + 5 * i.d)))))))";
    const fill = `insert into events select ${from === postgres ? "timestamp" : ""} '2024-01-01 10:00:00.125', ${number} / 2, 'wörd' from ${joined}`;
    await source.run(table);
    await source.run(`${fill} where ${number} < 220000`);
    await target.run(table);
    await target.run(
      "insert into events values ('2024-01-01 10:00:00.125', 7, 'wörd'), (null, 1, 'x'), (null, 1, 'x')",
    );
    const found = await comparedSchemas(source, target, { withValues: true });
    const { missing, extra, different } = found.tables.get("events")!;
    assert.deepEqual({ missing, extra, different }, { missing: 219_999, extra: 2, different: 0 });
    const strays = found.differences.filter(({ kind }) => kind === "extra");
    assert.deepEqual(
      strays.map(({ rows, values }) => ({ rows, ...values })),
      [{ rows: 2, source: undefined, target: { at: null, n: "1", word: "x" } }],
    );
    const sevens = found.differences.filter(({ values }) => values?.source?.["n"] === "7");
    assert.deepEqual(
      sevens.map(({ kind, rows }) => ({ kind, rows })),
      [{ kind: "missing", rows: 1 }],
    );
    const repaired = await comparedSchemas(source, target, { repair: { kind: "apply" } });
    assert.deepEqual(repaired.differences, []);
    assert.equal(repaired.tables.get("events")?.verdict, "equal");
    const sum = "select count(*), sum(n), min(n), max(n) from events";
    assert.deepEqual(await target.rows(sum), await source.rows(sum));
  });
}
