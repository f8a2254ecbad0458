import assert from "node:assert/strict";
import { test } from "node:test";
import { betweenVersions, OLDEST_AND_NEWEST } from "../../../../test/support/replication-suites.ts";
import type { MigrationError } from "../../../core/error.ts";
import { ApplyMode } from "../../../core/target.ts";

betweenVersions("changes that meet other rows", OLDEST_AND_NEWEST, (start) => {
  test("conflicts are counted and written down, and stop nothing", async () => {
    await using r = await start(`create table "T'1" (id int primary key, v text);
      create table whole (a int); alter table whole replica identity full`);
    await r.queryTarget(`insert into "T'1" values (1, 'target')`);
    await r.query(
      `insert into "T'1" values (1, 'source'), (2, 'source'), (3, 'source'); insert into whole values (1)`,
    );
    await r.caughtUp();
    await r.queryTarget(`delete from "T'1" where id = 2; delete from whole`);
    await r.query(`update "T'1" set v = 'x' where id = 2; delete from "T'1" where id = 2; delete from whole`);
    await r.query(`insert into "T'1" values (4, 'last')`);
    await r.caughtUp();
    assert.equal(r.applied.get(`"public"."T'1"`)!.conflicts, 3);
    assert.equal(r.applied.get(`"public"."whole"`)!.conflicts, 1);
    assert.equal(r.applied.get(`"public"."T'1"`)!.inserts, 3);
    assert.deepEqual(await r.queryTarget(`select id, v from "T'1" order by id`), [
      { id: 1, v: "target" },
      { id: 3, v: "source" },
      { id: 4, v: "last" },
    ]);
    const exceptions = await r.queryTarget(
      `select "TASK_NAME", "TABLE_NAME", "STATEMENT", "ERROR" from awsdms_apply_exceptions order by "ERROR_TIME", "STATEMENT"`,
    );
    assert.equal(exceptions.length, 4);
    assert.equal(exceptions[0].TASK_NAME, r.taskId);
    assert.match(
      exceptions[0].STATEMENT,
      /^insert into "public"\."T'1" \{"key" ?: ?\{"id" ?: ?"1"\}, ?"at" ?: ?"[0-9A-F]+\/[0-9A-F]+"\}$/,
    );
    const ofWhole = exceptions.find(({ TABLE_NAME }) => TABLE_NAME === "whole");
    assert.match(ofWhole.STATEMENT, /^delete from "public"\."whole" \{"at" ?: ?"[^"]+"\}$/);
    assert.match(exceptions[0].ERROR, /^apply\.row_exists/);
  });

  test("applying what the target partly holds already comes to the same rows", async () => {
    const schema = `create table t (id int primary key, v text, big text);
      alter table t alter big set storage external;
      create table two (a int generated always as identity, b int, primary key (a, b));
      create table counted (k text primary key, n int generated always as identity)`;
    await using r = await start(schema, { mode: ApplyMode.converge });
    // The target shows a later moment than the stream starts at: every change meets rows that have it.
    await r.queryTarget(`insert into t values (1, 'later', 'x'), (3, 'new', repeat('y', 50000)), (4, 'stale', null);
      insert into two overriding system value values (1, 5);
      insert into counted overriding system value values ('b', 1)`);
    await r.query(`
      insert into t values (1, 'a', 'x'), (2, 'b', repeat('y', 50000)), (4, 'd', null), (9, 'gone', 'z');
      insert into two (b) values (4);
      insert into counted (k) values ('a'), ('b');
      update counted set n = default where k = 'a';
      update t set v = 'later' where id = 1;
      update t set v = 'new', id = 3 where id = 2;
      update two set b = 5;
      delete from t where id = 9;
      update t set v = 'dd' where id = 4`);
    await r.caughtUp();
    await r.assertEqual();
    const counts = r.applied.get(`"public"."t"`)!;
    assert.deepEqual([counts.inserts, counts.updates, counts.deletes, counts.conflicts], [4, 3, 1, 0]);
  });

  test("a target without a unique index of the key, or with one that is checked later, comes to the same rows", async () => {
    const columns = "id int, v text, big text";
    const keyed = (name: string): string =>
      `create table ${name} (${columns}, primary key (id)); alter table ${name} alter big set storage external`;
    await using r = await start(["bare", "late", "partly"].map(keyed).join("; "), {
      mode: ApplyMode.converge,
      targetSchema: `create table bare (${columns}); create table late (${columns}, primary key (id) deferrable);
        create table partly (${columns}); create unique index on partly (id) where id < 3; create index on partly (id)`,
    });
    for (const name of ["bare", "late", "partly"]) {
      await r.queryTarget(
        `insert into ${name} values (1, 'later', 'x'), (3, 'new', repeat('y', 50000)), (4, 'stale', null)`,
      );
      await r.query(`
        insert into ${name} values (1, 'a', 'x'), (2, 'b', repeat('y', 50000)), (4, 'd', null), (9, 'gone', 'z');
        update ${name} set v = 'later' where id = 1;
        update ${name} set v = 'new', id = 3 where id = 2;
        delete from ${name} where id = 9;
        update ${name} set v = 'dd' where id = 4`);
    }
    await r.caughtUp();
    for (const name of ["bare", "late", "partly"]) {
      assert.deepEqual(await r.queryTarget(`select id, v, length(big) as big from ${name} order by id`), [
        { id: 1, v: "later", big: 1 },
        { id: 3, v: "new", big: 50_000 },
        { id: 4, v: "dd", big: null },
      ]);
      const { conflicts, inserts } = r.applied.get(`"public"."${name}"`)!;
      assert.deepEqual([conflicts, inserts], [0, 4]);
    }
  });

  test("an update that lacks a value of a missing row fails with the table", async () => {
    await using r = await start("create table t (id int primary key, v int, big text)", {
      mode: ApplyMode.converge,
    });
    await r.query(
      `alter table t alter big set storage external; insert into t values (1, 1, repeat('y', 50000))`,
    );
    await r.caughtUp();
    await r.queryTarget("delete from t");
    await r.query("update t set v = 2");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.row_incomplete");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
    assert.equal((await r.queryTarget("select count(*) from t"))[0].count, "0");
  });

  test("a rejected change names its table, shows no value, and leaves no part behind", async () => {
    await using r = await start(
      "create table ok (id int primary key); create table narrow (id int primary key, v text)",
      {
        targetSchema:
          "create table ok (id int primary key); create table narrow (id int primary key, v varchar(3))",
      },
    );
    await r.query("begin; insert into ok values (1); insert into narrow values (1, 'secret'); commit");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.rejected");
    assert.deepEqual(error.table, { schema: "public", name: "narrow" });
    assert.equal(error.nativeCode, "22001");
    assert.doesNotMatch(JSON.stringify(error), /secret/);
    await assert.rejects(r.applier.flush(), { code: "apply.rejected" });
    await r.close();
    assert.equal((await r.queryTarget("select count(*) from ok"))[0].count, "0");
    await r.queryTarget("alter table narrow alter v type text");
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
  });
});
