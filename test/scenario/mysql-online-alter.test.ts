import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesTrue } from "../support/eventually.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { alterLikeGhost, alterLikePercona, type OnlineAlter } from "../support/online-alter.ts";

/* Tables whose copies are altered and take their places are followed as if they had been altered themselves. */

const servers = {
  mariadb: await mysqlToPostgres({ flavour: "mariadb" }),
  mysql: await mysqlToPostgres({ flavour: "mysql" }),
};

const resumed = { start: "resume-processing" } as const;
const tools = { "gh-ost": alterLikeGhost, "pt-online-schema-change": alterLikePercona };

const SCHEMA = `create table d (n int); insert into d values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
  create table t (id int primary key, v varchar(20) default 'v', n int not null, gone int, key n (n));
  insert into t select 1 + a.n + 10 * b.n + 100 * c.n, 'v', a.n, b.n from d a, d b, d c where c.n < 3;
  create table other (id int primary key); insert into other values (1)`;

const writes = [
  "insert into %t% (id, v, n) values (1001, 'first', 1); update %t% set n = n + 1 where id in (5, 150, 250)",
  "delete from %t% where id in (7, 160, 260); update %t% set v = null where id = 8",
  "insert into %t% (id, v, n) values (1002, 'x', 2); update %t% set id = 2001 where id = 9",
];

for (const flavour of ["mariadb", "mysql"] as const) {
  for (const [tool, alterLike] of Object.entries(tools)) {
    const work = (pair: MysqlPair, parts: Pick<OnlineAlter, "alter" | "shared" | "between">): Promise<void> =>
      alterLike({ server: servers[flavour].source, database: pair.from, writes, ...parts });
    const assertFollowed = async (pair: MysqlPair): Promise<void> => {
      await pair.assertEqual();
      const there = await pair.queryTarget(
        `select table_name as name from information_schema.tables where table_schema = '${pair.from}'`,
      );
      assert.deepEqual(there.map(({ name }) => name).toSorted(), ["d", "other", "t"]);
    };

    test(`a table that ${tool} alters is followed, also when the task goes on anew meanwhile or was stopped: ${flavour}`, async () => {
      const pair = await MysqlPair.make(servers[flavour], { name: "online", schema: SCHEMA });
      try {
        const task = await pair.replicate();
        const between = async (): Promise<void> => {
          await pair.query("alter table other add v int default 5; insert into other values (2, 2)");
          // The stream that has told of that was opened when the copy was there.
          await becomesTrue(pair.servers.target, pair.to, `(select count(*) = 2 from ${pair.from}.other)`);
        };
        const alter =
          "add column late int not null default 7 after id, modify v varchar(90) default 'w', add key (v)";
        await work(pair, { alter, shared: ["id", "v", "n", "gone"], between });
        await pair.query("insert into t (id, n) values (3001, 3); update t set late = 8 where id < 20");
        assert.deepEqual(reasons((await drain(task)).progress), {});
        await assertFollowed(pair);
        await pair.query("delete from t where id > 1000; insert into t (id, n) values (7, 7), (9, 9)");
        await work(pair, {
          alter:
            "add column later int not null default 8 first, drop column gone, modify v varchar(95), add key (n, v)",
          shared: ["id", "v", "n", "late"],
        });
        await pair.query(
          "alter table t add column last varchar(9) default 'x' first; delete from t where id = 1",
        );
        assert.deepEqual(reasons((await drain(await pair.replicate(resumed))).progress), {});
        await assertFollowed(pair);
      } finally {
        await pair.end();
      }
    });
  }

  test(`a table that another takes the place of is set aside where that is not known, and can be loaded again: ${flavour}`, async () => {
    const schema = `${SCHEMA}; create table _t_new like t; alter table _t_new change v w varchar(20)`;
    const pair = await MysqlPair.make(servers[flavour], { name: "online", schema });
    try {
      const task = await pair.replicate();
      assert.equal(
        task.findings.filter(
          ({ code, subject }) => code === "source.table_passing" && subject.endsWith("_t_new"),
        ).length > 0,
        true,
      );
      await pair.query("insert into _t_new select * from t; rename table t to _t_old, _t_new to t");
      await pair.query("insert into t (id, w, n) values (1001, 'x', 1); insert into other values (2)");
      await task.until(({ tables }) =>
        tables.some(({ id, error }) => id.name === "t" && error !== undefined),
      );
      const { t } = reasons(task.last!);
      assert.match(
        t ?? "",
        /replaced by a copy that may have another name for a column|calls its column v w now/,
      );
      task.running.reloadTables([{ schema: pair.from, name: "t" }]);
      await task.until(
        ({ tables, phase }) =>
          phase === "replicating" &&
          tables.some(({ id, error, reloaded }) => id.name === "t" && error === undefined && reloaded),
      );
      assert.deepEqual(reasons((await drain(task)).progress), {});
      await pair.assertEqual({ tables: ["t", "other"].map((name) => ({ schema: pair.from, name })) });

      // The log had told of the copy before the task was stopped, and the catalog has it by another name when it goes on.
      const stopped = await pair.replicate(resumed);
      const between = async (): Promise<void> => {
        await pair.query("insert into other values (3)");
        await becomesTrue(pair.servers.target, pair.to, `(select count(*) = 3 from ${pair.from}.other)`);
        await stop(stopped);
      };
      await alterLikeGhost({
        ...{ server: servers[flavour].source, database: pair.from, writes: [], between },
        ...{ alter: "add column late int default 7", shared: ["id", "w", "n", "gone"] },
      });
      const { progress } = await drain(await pair.replicate(resumed));
      assert.match(reasons(progress)["t"] ?? "", /replaced by another, of which the log has not told/);
    } finally {
      await pair.end();
    }
  });
}
