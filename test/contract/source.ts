import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { MigrationError } from "../../src/core/error.ts";
import type { ChangeStreamRequest, Partition, Snapshot, Source } from "../../src/core/source.ts";
import {
  type DatabaseKind,
  describeTables,
  type RunningServer,
  type TestSchema,
  unaborted,
} from "./database-kind.ts";
import { readingTests, SMALL, unwrap } from "./reading.ts";
import { readLines, type StreamedTransaction, transactionsUpTo } from "./text-rows.ts";

/** What every source must hold to, whatever its dialect. */
export function sourceContract(kind: DatabaseKind): void {
  suite(`${kind.name} as a source`, () => {
    let server: RunningServer;
    before(async () => {
      server = await kind.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    const withSchema = async (sql: string): Promise<readonly [TestSchema, Source]> => {
      const schema = await server.newSchema();
      await schema.run(sql);
      return [schema, await kind.engine.openSource(schema.endpoint, unaborted)];
    };

    readingTests(withSchema);

    test("schemas of users are listed, and tables but no views", async () => {
      const [schema, source] = await withSchema(
        "create table t (id int primary key); create view v as select id from t",
      );
      await using _ = source;
      const schemas = await source.listSchemas(unaborted);
      assert.ok(schemas.includes(schema.name));
      assert.deepEqual(
        schemas.filter((name) => /^(pg_|information_schema$|performance_schema$|mysql$|sys$)/.test(name)),
        [],
      );
      const tables = (await source.listTables(unaborted)).filter((id) => id.schema === schema.name);
      assert.deepEqual(tables, [{ schema: schema.name, name: "t" }]);
    });

    test("a table is described with its columns, keys and references, and one that is gone is left out", async () => {
      const [schema, source] = await withSchema(`
        create table parent (a int not null, b varchar(20) not null, primary key (b, a));
        create table child (id bigint primary key, a int, b varchar(20), n decimal(10, 2) not null,
          constraint child_parent foreign key (b, a) references parent (b, a) on delete cascade);
        create unique index child_n on child (n)`);
      await using _ = source;
      const { tables } = await describeTables(source, schema.name, ["parent", "child", "gone"]);
      const [child, parent] = tables.toSorted((left, right) => (left.id.name < right.id.name ? -1 : 1));
      assert.equal(tables.length, 2);
      assert.deepEqual(
        child!.columns.map(({ name, nullable }) => [name, nullable]),
        [
          ["id", false],
          ["a", true],
          ["b", true],
          ["n", false],
        ],
      );
      assert.deepEqual(child!.columns[0]!.type, { kind: "int", bits: 64, unsigned: false });
      assert.deepEqual(child!.columns[3]!.type, { kind: "decimal", precision: 10, scale: 2 });
      assert.deepEqual([...child!.key], [0]);
      assert.deepEqual([...parent!.key].toSorted(), [0, 1]);
      const [reference] = child!.foreignKeys;
      assert.deepEqual(reference!.references, { schema: schema.name, name: "parent" });
      assert.deepEqual(
        [reference!.columns, reference!.referencedColumns],
        [
          ["b", "a"],
          ["b", "a"],
        ],
      );
      const unique = child!.indexes.find(({ name }) => name === "child_n");
      assert.deepEqual([unique?.unique, unique?.columns], [true, ["n"]]);
    });

    test("positions can be compared, and written and read", async () => {
      const [schema, source] = await withSchema("create table t (id int primary key)");
      await using _ = source;
      const { positions } = source;
      const earlier = await source.currentPosition(unaborted);
      await schema.run("insert into t values (1)");
      const later = await source.currentPosition(unaborted);
      assert.equal(positions.compare(earlier, later), -1);
      assert.equal(positions.compare(later, earlier), 1);
      assert.equal(positions.compare(later, later), 0);
      for (const position of [earlier, later]) {
        assert.deepEqual(positions.parse(position.text), position);
        assert.equal(positions.compare(positions.parse(position.text), position), 0);
      }
      for (const text of ["", "nowhere", "0/16B3748/5", "1-2"]) {
        assert.throws(
          () => positions.parse(text),
          (error) => {
            return error instanceof MigrationError && error.code === "position.malformed";
          },
          text,
        );
      }
    });

    for (const [what, key] of [
      ["a number", "id int primary key, pad varchar(100)"],
      ["two columns", "id int not null, pad varchar(100) not null, primary key (pad, id)"],
      ["nothing", "id int, pad varchar(100)"],
    ] as const) {
      test(`partitions of a table with ${what} as key hold every row once, as of the snapshot`, async () => {
        const [schema, source] = await withSchema(`create table t (${key})`);
        await using _ = source;
        const values = Array.from(
          { length: 5000 },
          (_, at) => `(${at}, '${"p".repeat(20 + (at % 50))}${at % 7}')`,
        );
        await schema.run(`insert into t values ${values.join(", ")}`);
        const catalog = await describeTables(source, schema.name);
        await using snapshot = await source.openSnapshot(
          { taskId: "contract", tables: catalog.tables, anchor: "none" },
          unaborted,
        );
        assert.equal(snapshot.position, undefined);
        await schema.run(
          "delete from t where id < 100; update t set pad = 'changed' where id > 4900; insert into t values (9999, 'late')",
        );
        const { partitions, ids } = await readAll(snapshot, catalog.tables[0]!);
        assert.equal(new Set(partitions.map(({ id }) => id)).size, partitions.length);
        assert.deepEqual(
          ids.toSorted((a, b) => a - b),
          Array.from({ length: 5000 }, (_, at) => at),
        );
      });
    }

    test("changes after the snapshot come in order, once, and nothing that was rolled back", async () => {
      const [schema, source] = await withSchema(
        "create table t (id int primary key, v varchar(20)); insert into t values (1, 'before')",
      );
      await using _ = source;
      const { tables } = await describeTables(source, schema.name);
      const request = { taskId: schema.name === "shop" ? schema.endpoint.database : schema.name, tables };
      let start: NonNullable<Snapshot["position"]>;
      {
        await using snapshot = await source.openSnapshot({ ...request, anchor: "new-stream" }, unaborted);
        start = snapshot.position!;
        await schema.run("insert into t values (2, 'after')");
        assert.deepEqual((await readAll(snapshot, tables[0]!)).ids, [1]);
      }
      try {
        await schema.run("begin; update t set v = null where id = 2; delete from t where id = 1; commit");
        await schema.run("begin; insert into t values (3, 'never'); rollback");
        await schema.run("update t set id = 4, v = 'moved' where id = 2");
        const goal = await source.currentPosition(unaborted);
        const all = await readStream(source, { ...request, after: start }, goal);
        assert.deepEqual(
          all.map(({ changes }) => changes),
          [
            [{ op: "insert", table: "t", row: ["2", "after"] }],
            [
              { op: "update", table: "t", row: ["2", null] },
              { op: "delete", table: "t", row: ["1", null] },
            ],
            [{ op: "update", table: "t", row: ["4", "moved"] }],
          ],
        );
        for (const [at, { position }] of all.entries()) {
          const before = at === 0 ? start : all[at - 1]!.position;
          assert.equal(source.positions.compare(before, position), -1);
        }
        const rest = await readStream(source, { ...request, after: all[1]!.position }, goal);
        assert.deepEqual(
          rest.map(({ changes }) => changes),
          all.slice(2).map(({ changes }) => changes),
        );
      } finally {
        await source.dropStream(request, unaborted);
      }
    });

    test("the same server's log goes on, another server's does not", async () => {
      const [schema, source] = await withSchema("create table t (id int primary key)");
      await using _ = source;
      const known = await source.followLog(
        { taskId: "contract", known: undefined, reached: undefined },
        unaborted,
      );
      await schema.run("insert into t values (1)");
      const reached = await source.currentPosition(unaborted);
      assert.equal(await source.followLog({ taskId: "contract", known, reached }, unaborted), known);
      await using other = await kind.start();
      const elsewhere = await other.newSchema();
      await elsewhere.run("create table t (id int primary key)");
      await using stranger = await kind.engine.openSource(elsewhere.endpoint, unaborted);
      await assert.rejects(stranger.followLog({ taskId: "contract", known, reached }, unaborted), (error) => {
        return (
          error instanceof MigrationError && ["source.other_server", "source.set_back"].includes(error.code)
        );
      });
    });
  });
}

async function readAll(
  snapshot: Snapshot,
  table: Parameters<Snapshot["bulkFormats"]>[0],
): Promise<{ readonly partitions: readonly Partition[]; readonly ids: readonly number[] }> {
  assert.ok(snapshot.bulkFormats(table).includes("pg-copy-text"));
  const [outcome] = await snapshot.partition([table], SMALL, unaborted);
  const partitions = unwrap(outcome!);
  const parts = await Promise.all(
    partitions.map((partition) =>
      readLines(snapshot.read({ table, partition, format: "pg-copy-text" }, unaborted)),
    ),
  );
  return { partitions, ids: parts.flat().map((line) => Number(line.split("\t", 1)[0])) };
}

async function readStream(
  source: Source,
  request: ChangeStreamRequest,
  goal: ChangeStreamRequest["after"],
): Promise<readonly StreamedTransaction[]> {
  await using stream = await source.openChangeStream({ ...request, encodings: ["text"] }, unaborted);
  return await transactionsUpTo(stream, goal, source.positions);
}
