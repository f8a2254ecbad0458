import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables } from "../../../../test/support/mysql-snapshot.ts";
import { qualified } from "../catalog/identifier.ts";
import { partitionTable } from "./partition.ts";
import { rangeCondition } from "./range-condition.ts";

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
    for (const [type, value] of keys) {
      test(`every row of a key ${type} of ${value.slice(0, 20)} is in exactly one`, async () => {
        const schema = await server.createDatabase("source");
        await server.query(
          `${DIGITS}; create table t (k ${type}, n int, primary key (k));
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
  });
}
