import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables, partitionsOf, rowsOf } from "../../../../test/support/mysql-snapshot.ts";
import type { ParallelLoad } from "../../../core/plan.ts";
import { type TableSchema, tableKey } from "../../../core/schema.ts";
import { qualified } from "../catalog/identifier.ts";
import { partitionTable } from "./partition.ts";
import { rangeCondition } from "./range-condition.ts";
import { openSnapshot } from "./snapshot.ts";

const unaborted = new AbortController().signal;

const SIZE = { rowsPerPartition: 200, bytesPerPartition: 1_000_000_000 };
const DIGITS =
  "create table d (n int primary key); insert into d values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)";
const NUMBERS = "select a.n + 10 * b.n + 100 * c.n + 1000 * e.n as n from d a, d b, d c, d e where e.n < 4";
/** A key's value of a number n. */
const HEX = "md5(n)";
const NAMES = "concat(elt(1 + n % 5, 'user_', 'User-', '_sys', 'Zoë.', 'a_b_'), conv(n * 7919, 10, 36))";
const BASE64 = "replace(replace(to_base64(unhex(md5(n))), '+', '-'), '/', '_')";

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`partitions of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server?.[Symbol.asyncDispose]());

    const keys: readonly (readonly [type: string, value: string])[] = [
      ...["utf8mb4_general_ci", "latin1_swedish_ci", "utf8mb4_unicode_ci", "utf8mb4_bin"].flatMap(
        (collation) => {
          const type = `varchar(60) character set ${collation.replace(/_.*/, "")} collate ${collation}`;
          return [HEX, NAMES, BASE64].map((value) => [type, value] as const);
        },
      ),
      ...(flavour === "mariadb"
        ? [["uuid", "insert(insert(md5(n), 13, 1, elt(1 + n % 3, '1', '4', '7')), 17, 1, '8')"] as const]
        : []),
    ];
    const others: typeof keys = [
      ["date", "date_add('1999-12-20', interval n * 3 day)"],
      // Of all kinds that no calendar has.
      ["date", "concat(lpad(n, 4, '0'), elt(1 + n % 4, '-00-00', '-02-00', '-02-31', '-03-01'))"],
      ["datetime(3)", "date_add('1969-12-31 23:00:00.5', interval n * 7919 second)"],
      ["timestamp(6)", "date_add('1999-12-31 23:59:00.25', interval n * 977 second)"],
      // All in few seconds: middles lie within them.
      ["datetime(6)", "date_add('2026-02-28 23:59:58', interval n * 997 microsecond)"],
      ["decimal(20,4)", "(n - 2000) * 7.0625"],
      ["decimal(60,30)", "(n - 2000) / 1e20"],
      ["binary(8)", "unhex(left(md5(n), 16))"],
      ["varbinary(40)", "unhex(left(concat('00ff00', md5(n), md5(n + 1)), 20 + 2 * (n % 20)))"],
    ];
    for (const [type, value] of [...keys, ...others]) {
      test(`every row of a key ${type} of ${value.slice(0, 20)} is in exactly one`, async () => {
        const schema = await server.createDatabase("source");
        await server.query(
          `set sql_mode = 'ALLOW_INVALID_DATES'; ${DIGITS}; create table t (k ${type}, n int, primary key (k));
           insert into t select ${value}, n from (${NUMBERS}) numbers; analyze table t`,
          schema,
        );
        const [table] = await describeTables(server, schema, ["t"]);
        const partitions = await partitionTable((sql) => server.query(sql, schema), table!, SIZE);
        assert(partitions.length > 5, `${partitions.length} partitions`);
        const conditions = partitions.map((one) => rangeCondition(table!, one)!);
        const [row] = await server.query(
          `select count(*) as parted, min(hits) as least, max(hits) as most from (
             select ${conditions.map((condition) => `(${condition})`).join(" + ")} as hits
               from ${qualified(table!.id)}) found`,
        );
        assert.deepEqual({ ...row }, { parted: "4000", least: "1", most: "1" });
      });
    }

    test("a table of little more than a part is cut into several, so that lanes end together", async () => {
      const schema = await server.createDatabase("source");
      await server.query(
        `${DIGITS}; create table t (n int primary key);
         insert into t select a.n + 10 * numbers.n from d a, (${NUMBERS}) numbers; analyze table t`,
        schema,
      );
      const [table] = await describeTables(server, schema, ["t"]);
      const ask = (sql: string) => server.query(sql, schema);
      const size = { rowsPerPartition: 30_000, bytesPerPartition: Infinity };
      const { length } = await partitionTable(ask, table!, size);
      assert(length >= 3 && length <= 5, `${length} partitions of 10,000 rows at least`);
      const whole = await partitionTable(ask, table!, { ...size, rowsPerPartition: 60_000 });
      assert.deepEqual(
        whole.map(({ by }) => by),
        ["whole"],
      );
    });

    test("partitions of the server's own are read one by one, each row once, and looked at again before", async () => {
      const schema = await server.createDatabase("own");
      await server.query(
        `create table t (id int, a int, primary key (id, a)) partition by range (a) subpartition by hash (id)
           (partition p0 values less than (10) (subpartition s0, subpartition s1),
            partition p1 values less than (20) (subpartition s2, subpartition s3),
            partition p2 values less than maxvalue (subpartition s4, subpartition s5));
         create table l (id int) partition by list (id) (partition \`a \`\`b\` values in (1, 2), partition c values in (3));
         insert into t values ${Array.from({ length: 90 }, (_, i) => `(${i}, ${i % 30})`).join(", ")};
         insert into l values (1), (2), (3)`,
        schema,
      );
      const [l, t] = await describeTables(server, schema, ["l", "t"]);
      assert.deepEqual(l!.partitions, [
        { name: "a `b", subpartitions: [] },
        { name: "c", subpartitions: [] },
      ]);
      assert.deepEqual(t!.partitions?.[1], { name: "p1", subpartitions: ["s2", "s3"] });
      await using snapshot = await openSnapshot(
        server.endpoint(schema),
        { taskId: "own", tables: [l!, t!], anchor: "none" },
        unaborted,
      );
      const read = async (table: TableSchema, load: ParallelLoad): Promise<readonly number[]> => {
        const parallelLoads = new Map([[tableKey(table.id), load]]);
        const partitions = await partitionsOf(snapshot, table, { ...SIZE, parallelLoads });
        const counts: number[] = [];
        for (const partition of partitions) counts.push(await rowsOf(snapshot, table, partition));
        return counts;
      };
      const list = (partitions: readonly string[], subpartitions: readonly string[]) =>
        ({ type: "partitions-list", partitions, subpartitions }) as const;
      assert.deepEqual(await read(l!, { type: "partitions-auto" }), [2, 1]);
      assert.deepEqual(await read(t!, { type: "partitions-auto" }), [30, 30, 30]);
      assert.deepEqual(await read(t!, { type: "none" }), [90]);
      assert.deepEqual(await read(t!, list(["p1"], ["s4"])), [30, 15, 45]);
      assert.deepEqual(await read(l!, list(["c", "a `b"], [])), [1, 2]);
      await server.query("alter table l add partition (partition d values in (4))", schema);
      await assert.rejects(read(l!, { type: "partitions-auto" }), { code: "source.table_changed" });
    });
  });
}
