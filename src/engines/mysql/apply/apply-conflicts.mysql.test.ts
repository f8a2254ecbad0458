import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReplicationAcross, toBothFlavours } from "../../../../test/support/replication-across.ts";
import { reopen } from "../../../../test/support/row-error-cases.ts";
import type { MigrationError } from "../../../core/error.ts";
import { ApplyMode } from "../../../core/target.ts";

/** What has been written down of conflicts: statement, code and how often. */
async function exceptions(r: ReplicationAcross): Promise<readonly string[]> {
  const rows = await r.queryTarget(
    `select substring_index(STATEMENT, ' {', 1) as s, substring_index(ERROR, ':', 1) as e, count(*) as n
      from awsdms_control.awsdms_apply_exceptions where TASK_NAME = '${r.taskId}' group by 1, 2 order by 1, 2`,
  );
  return rows.map(({ s, e, n }) => `${s!.replace(`\`${r.to}\`.`, "")}: ${e} ${n}`).toSorted();
}

toBothFlavours("changes that meet other rows", (start) => {
  test("conflicts of single changes are counted and written down, and stop nothing", async () => {
    await using r = await start(
      `create table "T'1" (id int primary key, v text); create table whole (a int); alter table whole replica identity full`,
      "create table `T'1` (id int primary key, v text); create table whole (a int)",
    );
    await r.queryTarget("insert into `T'1` values (1, 'target')");
    await r.write(
      `insert into "T'1" values (1, 'source'), (2, 'source'), (3, 'source'); insert into whole values (1)`,
    );
    await r.queryTarget("delete from `T'1` where id = 2; delete from whole");
    await r.query(`update "T'1" set v = 'x' where id = 2; delete from "T'1" where id = 2; delete from whole`);
    await r.write(`insert into "T'1" values (4, 'last')`);
    assert.deepEqual(r.counts("T'1"), [3, 0, 0, 3]);
    assert.deepEqual(r.counts("whole"), [1, 0, 0, 1]);
    assert.deepEqual(await r.queryTarget("select id, v from `T'1` order by id"), [
      { id: "1", v: "target" },
      { id: "3", v: "source" },
      { id: "4", v: "last" },
    ]);
    assert.deepEqual(await exceptions(r), [
      "delete from `T'1`: apply.row_missing 1",
      "delete from `whole`: apply.row_missing 1",
      "insert into `T'1`: apply.row_exists 1",
      "update `T'1`: apply.row_missing 1",
    ]);
  });

  test("conflicts among sets are those of the single changes, and other tables go on as sets", async () => {
    const schema = `create table t (id int primary key, v varchar(20)); create table passing (id int primary key);
      create table fine (id int primary key, v int); create table two (id int primary key, u int, v int, unique (u))`;
    await using r = await start(schema, schema);
    const i = (to: number): string => `from generate_series(1, ${to}) i`;
    await r.write(
      `insert into t select i, 'v' ${i(200)}; insert into fine select i, 0 ${i(200)}; insert into two select i, i, 0 ${i(50)}`,
    );
    await r.assertEqual();
    await r.queryTarget(`delete from t where id in (1, 2, 101, 102, 103);
      insert into t values (301, 'in the way'), (302, 'in the way'); insert into passing values (7);
      delete from two where id in (5, 6); insert into two values (1000, 5, 9)`);
    await r.write(
      `update t set v = 'w' where id <= 100; delete from t where id between 101 and 200;
       insert into t select i, 'new' from generate_series(301, 400) i; update fine set v = 1;
       insert into passing select i ${i(100)}; delete from passing; update two set v = 1`,
    );
    assert.deepEqual(r.counts("t"), [200 + 98, 98, 97, 7]);
    // One by one the insert is refused, and the delete takes the row that was in its way.
    assert.deepEqual(r.counts("passing"), [99, 0, 100, 1]);
    assert.deepEqual(r.counts("fine"), [200, 200, 0, 0]);
    assert.deepEqual(r.counts("two"), [50, 48, 0, 2]);
    assert.deepEqual(
      await exceptions(r),
      [
        "delete from `t`: apply.row_missing 3",
        "insert into `passing`: apply.row_exists 1",
        "insert into `t`: apply.row_exists 2",
        "update `t`: apply.row_missing 2",
        "update `two`: apply.row_missing 2",
      ].toSorted(),
    );
    assert.deepEqual(await r.queryTarget("select distinct v from t where id in (301, 302)"), [
      { v: "in the way" },
    ]);
    // Nothing of the row that has another's value in a unique column has changed.
    assert.deepEqual(await r.queryTarget("select u, v from two where id = 1000"), [{ u: "5", v: "9" }]);
    assert.deepEqual(await r.queryTarget("select count(*) as n from passing"), [{ n: "0" }]);
  });

  test("what is as it should be is applied as sets, whatever the key is made of", async () => {
    await using r = await start(
      `create table n (id int primary key, v text, f float4); create table two (a text, b timestamptz, v int, primary key (a, b));
       create table by_float (f float4 primary key, v int); create table uni (id int primary key, u int, unique (u))`,
      `create table n (id int primary key, v longtext, f float);
       create table two (a varchar(100) collate utf8mb4_bin, b datetime(6), v int, primary key (a, b));
       create table by_float (f float primary key, v int); create table uni (id int primary key, u int, unique (u))`,
    );
    const taken = "show global status where variable_name in ('Com_savepoint', 'Com_rollback_to_savepoint')";
    const numbers = async (): Promise<readonly number[]> =>
      (await r.queryTarget(taken)).map(({ Value }) => Number(Value));
    const [rolledBack, made] = (await numbers()) as [number, number];
    const i = "from generate_series(1, 1200) i";
    await r.write(`insert into n select i, 'v' || i, i / 10.0 ${i}; insert into two select 'a' || i, now(), i ${i};
      insert into by_float select i / 10.0, i ${i}; insert into uni select i, i ${i}`);
    await r.write(`update n set v = null where id % 2 = 0; update two set v = -v; update by_float set v = 0 where v % 3 = 0;
      update n set id = -id where id % 5 = 0; update uni set u = u + 5000 where id % 2 = 0`);
    await r.write(
      "delete from n where id % 3 = 0; delete from two where v % 2 = 0; delete from by_float where v > 700; delete from uni where id > 50",
    );
    await r.assertEqual();
    for (const [table, { conflicts }] of r.applied) assert.equal(conflicts, 0, table);
    assert.deepEqual(await numbers(), [rolledBack, made + 3]);
  });

  test("an update that changes nothing is no conflict", async () => {
    const schema = "create table t (id int primary key, v int); create table whole (a int, b int)";
    await using r = await start(`${schema}; alter table whole replica identity full`, schema);
    await r.write("insert into t select i, i from generate_series(1, 40) i; insert into whole values (1, 1)");
    await r.write("update t set v = v; update whole set b = 1");
    await r.write("update t set v = v where id < 3");
    assert.deepEqual(r.counts("t"), [40, 42, 0, 0]);
    assert.deepEqual(r.counts("whole"), [1, 1, 0, 0]);
    await r.assertEqual();
  });

  test("values that swap places in a unique column are applied in their order", async () => {
    const schema = "create table t (id int primary key, u int, unique (u))";
    await using r = await start(schema, schema);
    await r.write("insert into t select i, i from generate_series(1, 100) i");
    await r.write("update t set u = -u; update t set u = 101 + u");
    await r.assertEqual();
    assert.deepEqual(r.counts("t"), [100, 200, 0, 0]);
  });

  test("applying what the target partly holds already comes to the same rows", async () => {
    await using r = await start(
      `create table t (id int primary key, v text, big text); alter table t alter big set storage external;
       create table two (a int, b int, primary key (a, b)); create table uni (id int primary key, u int, v int, unique (u))`,
      `create table t (id int primary key, v text, big longtext);
       create table two (a int, b int, primary key (a, b)); create table uni (id int primary key, u int, v int, unique (u))`,
      { mode: ApplyMode.converge },
    );
    // The target shows a later moment than the stream starts at: every change meets rows that have it.
    await r.queryTarget(`insert into t values (1, 'later', 'x'), (3, 'new', repeat('y', 50000)), (4, 'stale', null);
      insert into two values (1, 5); insert into uni values (1, 1, 7), (2, 2, 7)`);
    await r.query(
      `insert into t values (1, 'first', null), (2, 'gone', repeat('y', 50000)), (5, 'five', null)`,
    );
    await r.query(
      `update t set v = 'later', big = 'x' where id = 1; update t set v = 'new', id = 3 where id = 2`,
    );
    await r.query(
      `insert into two values (1, 4); update two set b = 5; insert into t values (4, 'four', null)`,
    );
    await r.query(`insert into uni select i, i, 0 from generate_series(1, 20) i; update uni set v = v + 1;
      update uni set id = -id where id < 3; delete from uni where id = 20`);
    await r.query(
      "delete from t where id = 5; delete from t where id = 4; insert into t values (4, 'last', 'z')",
    );
    await r.caughtUp();
    await r.assertEqual();
    assert.equal(r.counts("t")[3], 0);
  });

  test("a value that has no place counts once, however many statements write its row", async () => {
    await using r = await start(
      `create table t (id int primary key, u int, d float8, big text, unique (u)); alter table t alter big set storage external;
       create table plain (id int primary key, d float8)`,
      `create table t (id int primary key, u int, d double, big longtext, unique (u));
       create table plain (id int primary key, d double)`,
      { mode: ApplyMode.converge, settings: { NonFiniteNumbers: "null" } },
    );
    const told = (): readonly string[] =>
      r.replaced
        .findings("target.value_out_of_range", String)
        .map(({ table, message }) => `${table!.name} ${message}`)
        .toSorted();
    await r.write(
      "insert into t values (1, 1, 'NaN', repeat('x', 50000)), (2, 2, 0, null); insert into plain values (1, 'NaN')",
    );
    assert.deepEqual(told(), ["plain 1", "t 1"]);
    // Of a large value that does not change nothing is sent: the row is looked for under both its keys.
    await r.write("update t set id = 10, d = 'Infinity' where id = 1; update t set d = 'NaN' where id = 2");
    assert.deepEqual(told(), ["plain 1", "t 3"]);
    assert.deepEqual(await r.queryTarget("select id, d, length(big) as n from t order by id"), [
      { id: "2", d: null, n: null },
      { id: "10", d: null, n: "50000" },
    ]);
  });

  test("an update of a row that is not there and cannot be made up is an error of its table", async () => {
    await using r = await start(
      "create table t (id int primary key, v int, big text); alter table t alter big set storage external",
      "create table t (id int primary key, v int, big longtext)",
      { mode: ApplyMode.converge },
    );
    await r.write("insert into t values (1, 1, repeat('x', 50000))");
    await r.queryTarget("delete from t");
    await r.query("update t set v = 2");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.row_incomplete");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
  });

  test("a value that the target cannot hold is an error of its table, without the value", async () => {
    const schema = "create table t (id int primary key, v varchar(300))";
    await using r = await start(schema, "create table t (id int primary key, v varchar(3))");
    await r.query("insert into t select i, 'secret' from generate_series(1, 100) i");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.rejected");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
    assert.doesNotMatch(JSON.stringify(error), /secret/);
    assert.deepEqual(await r.queryTarget("select count(*) as n from t"), [{ n: "0" }]);
  });

  test("a change that is longer than the target takes is an error of its table", async () => {
    await using r = await start(
      "create table t (id int primary key, v text)",
      "create table t (id int primary key, v longtext not null)",
    );
    const [packet] = await r.queryTarget("select @@max_allowed_packet as bytes");
    await r.query(`insert into t values (1, repeat('x', ${packet!["bytes"]}))`);
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.rejected");
    assert.equal(error.subject, "public.t");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
    assert.match(error.remedy, /max_allowed_packet/);
    // Passed over, it is recorded by its key alone; the row before it is refused in the same message.
    await reopen(r, { withValues: true }, true);
    await r.write(`insert into t values (2, null), (3, repeat('x', ${packet!["bytes"]})), (4, 'fit')`);
    assert.deepEqual(await r.queryTarget("select id, v from t"), [{ id: "4", v: "fit" }]);
    const left = await r.queryTarget(
      `select STATEMENT as s from awsdms_control.awsdms_apply_exceptions where TASK_NAME = '${r.taskId}'`,
    );
    assert.deepEqual(
      left.map(({ s }) => /"id":"(.)"/.exec(String(s))?.[1]),
      ["1", "2", "3"],
    );
  });

  test("more exceptions than one message holds are recorded", async () => {
    const schema = "create table t (id int primary key, v varchar(20))";
    await using r = await start(schema, schema);
    const limit = 1 << 20;
    const [before] = await r.queryTarget("select @@global.max_allowed_packet as bytes");
    await r.queryTarget(`set global max_allowed_packet = ${limit}`);
    try {
      await reopen(r, {});
      await r.write("insert into t select i, 'v' from generate_series(1, 6000) i");
      await r.queryTarget("delete from t");
      await r.write("update t set v = 'w'");
      assert.deepEqual(r.counts("t"), [6000, 0, 0, 6000]);
    } finally {
      await r.queryTarget(`set global max_allowed_packet = ${before!["bytes"]}`);
    }
  });

  test("a trigger of the target sees every change in its order", async () => {
    const schema = "create table t (id int primary key, v int)";
    await using r = await start(
      schema,
      `${schema}; create table seen (n int auto_increment primary key, what varchar(40));
       create trigger t1 after insert on t for each row insert into seen (what) values (concat('insert ', new.v));
       create trigger t2 after update on t for each row insert into seen (what) values (concat('update ', new.v));
       create trigger t3 after delete on t for each row insert into seen (what) values (concat('delete ', old.v))`,
    );
    await r.write(
      "insert into t select i, i from generate_series(1, 30) i; update t set v = v + 1000; delete from t where id > 1",
    );
    const seen = await r.queryTarget("select what from seen order by n");
    assert.deepEqual(
      seen.map(({ what }) => what),
      [
        ...Array.from({ length: 30 }, (_, i) => `insert ${i + 1}`),
        ...Array.from({ length: 30 }, (_, i) => `update ${i + 1001}`),
        ...Array.from({ length: 29 }, (_, i) => `delete ${i + 1002}`),
      ],
    );
  });
});
