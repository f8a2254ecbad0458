import assert from "node:assert/strict";
import { test } from "node:test";
import { applyThrough, ledgerTables } from "../../../../test/support/ledger.ts";
import { never } from "../../../../test/support/replication.ts";
import { betweenVersions, OLDEST_AND_NEWEST } from "../../../../test/support/replication-suites.ts";
import { applyInTwoPieces } from "../../../../test/support/two-pieces.ts";
import type { MigrationError } from "../../../core/error.ts";
import { openApplier } from "./applier.ts";

betweenVersions("transactions", OLDEST_AND_NEWEST, (start) => {
  test("a transaction of 100,000 rows comes in pieces and is one on the target", async () => {
    await using r = await start(
      "create table log (a int, b text); alter table log replica identity full; create table k (id int primary key, v int)",
    );
    await r.caughtUp();
    const { transactions } = r;
    await r.write(`insert into log select i, 'row ' || i from generate_series(1, 50000) i;
      insert into k select i, i from generate_series(1, 50000) i; update k set v = -v where id % 100 = 0`);
    await r.assertEqual();
    // Commits are more where the source sends transactions without changes too.
    assert.equal(r.transactions - transactions, 1);
  });

  test("without the right to turn triggers off, deferrable foreign keys wait for the commit", async () => {
    await using r = await start(`
      create table parent (id int primary key);
      create table child (id int primary key, p int references parent deferrable initially immediate);
      create table counted (id int generated always as identity primary key);
      create table keyed (k text primary key, n int generated always as identity)`);
    const role = `plain_${r.to}`;
    await r.queryTarget(`create role ${role} login password 'pw'; grant usage on schema public to ${role};
      grant select, insert, update, delete on all tables in schema public to ${role}`);
    await r.close();
    r.target = { ...r.target, username: role, password: "pw" };
    await r.open();
    await r.query(
      `begin; set constraints all deferred; insert into child values (1, 1), (2, 1); insert into parent values (1); commit`,
    );
    await r.query("begin; delete from child; truncate child; commit");
    await r.query("insert into child values (3, 1)");
    await r.query("insert into keyed values ('a'), ('b')");
    await r.query("update keyed set k = 'x' || k");
    await r.caughtUp();
    await r.assertEqual();
    // To write the row anew, foreign keys must not act.
    await r.query("insert into counted default values; update counted set id = default");
    const refused = (await r.failure()) as MigrationError;
    assert.deepEqual([refused.code, refused.table?.name], ["apply.rejected", "counted"]);
    await r.close();
    await r.queryTarget(`drop owned by ${role}; drop role ${role}`);
    r.target = { ...r.target, username: "postgres", password: r.options.target.password };
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
  });

  test("a new applier ends the session that an old one has left, and the old one says so", async () => {
    await using r = await start("create table t (id int primary key)");
    const request = { taskId: r.taskId, controlSchema: undefined, plan: r.plan };
    await using second = await openApplier(r.target, request, never);
    assert.equal(((await r.failure()) as MigrationError).code, "connect.lost");
    await second.flush();
  });

  test("an unfinished transaction keeps no lock on the target, and flush does not wait for it", async () => {
    await using r = await start("create table t (id int primary key)");
    await applyInTwoPieces(r, () =>
      r.queryTarget("begin; lock table t in access exclusive mode nowait; commit"),
    );
    assert.deepEqual(await r.queryTarget("select id from t order by id"), [{ id: 1 }, { id: 2 }]);
    assert.equal(r.transactions, 1);
  });

  test("killed at random moments and opened again, it applies everything exactly once", async () => {
    await using r = await start(ledgerTables.source);
    await applyThrough(r, 8, async (round) => {
      if (round % 2 === 1) return;
      const pid =
        "select pid from pg_stat_activity where application_name = 'tideway apply' and datname = current_database()";
      await r.queryTarget(`select pg_terminate_backend(pid) from (${pid}) as s`);
      assert.equal(((await r.failure()) as MigrationError).code, "connect.lost");
    });
  });

  test("a load of small transactions is equal at the end", async () => {
    await using r = await start(`
      create table accounts (aid int primary key, bid int, abalance int, filler char(84));
      create table tellers (tid int primary key, tbalance int);
      create table history (tid int, aid int, delta int, mtime timestamp); alter table history replica identity full;
      insert into accounts select i, 1, 0, '' from generate_series(1, 10000) i;
      insert into tellers select i, 0 from generate_series(1, 10) i`);
    await r.close();
    await r.query(`do $$ begin for i in 1..20000 loop
      update accounts set abalance = abalance + i where aid = 1 + (i * 7919) % 10000;
      update tellers set tbalance = tbalance + i where tid = 1 + i % 10;
      insert into history values (1 + i % 10, 1 + (i * 7919) % 10000, i, now()); commit; end loop; end $$`);
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
    assert.equal(r.transactions, 20_000);
  });
});
