import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { applyThrough, ledgerTables } from "../../../../test/support/ledger.ts";
import { toBothFlavours } from "../../../../test/support/replication-across.ts";
import { applyInTwoPieces } from "../../../../test/support/two-pieces.ts";
import type { MigrationError } from "../../../core/error.ts";
import { lockName } from "./apply-open.ts";

toBothFlavours("transactions", (start) => {
  test("a transaction of 100,000 rows comes in pieces and is one on the target", async () => {
    await using r = await start(
      "create table log (a int, b text); alter table log replica identity full; create table k (id int primary key, v int)",
      "create table log (a int, b text); create table k (id int primary key, v int)",
    );
    await r.caughtUp();
    const { transactions } = r;
    await r.write(`insert into log select i, 'row ' || i from generate_series(1, 50000) i;
      insert into k select i, i from generate_series(1, 50000) i; update k set v = -v where id % 100 = 0`);
    await r.assertEqual();
    assert.equal(r.transactions - transactions, 1);
  });

  test("an unfinished transaction keeps no lock on the target, and flush does not wait for it", async () => {
    await using r = await start("create table t (id int primary key)", "create table t (id int primary key)");
    await applyInTwoPieces(r, () =>
      r.queryTarget("set lock_wait_timeout = 1; lock tables t write; unlock tables"),
    );
    assert.deepEqual(await r.queryTarget("select id from t order by id"), [{ id: "1" }, { id: "2" }]);
    assert.equal(r.transactions, 1);
  });

  test("TRUNCATE is part of its transaction", async () => {
    const tables =
      "create table a (id int primary key); create table b (id int primary key, a int references a)";
    await using r = await start(
      `${tables}; create table c (id int)`,
      "create table a (id int primary key); create table b (id int primary key, a int, foreign key (a) references a (id)); create table c (id int)",
    );
    await r.write(
      "insert into a values (1), (2); insert into b values (1, 1); insert into c values (1), (1)",
    );
    await r.write("insert into b values (2, 2); truncate a, b, c; insert into a values (5)");
    await r.assertEqual();
    assert.equal(r.applied.get(`"public"."a"`)!.truncates, 1);
    await r.write("truncate c");
    await r.assertEqual();
  });

  test("a new applier ends the session that an old one has left, and the old one says so", async () => {
    await using r = await start("create table t (id int primary key)", "create table t (id int primary key)");
    await using second = await r.openApplier();
    assert.equal(((await r.failure()) as MigrationError).code, "connect.lost");
    await second.flush();
  });

  test("a group that meets a deadlock is applied again, once", async () => {
    const schema = "create table a (id int primary key, v int); create table b (id int primary key, v int)";
    await using r = await start(schema, schema);
    await r.write(
      "insert into a select i, 0 from generate_series(1, 3) i; insert into b select i, 0 from generate_series(1, 3) i",
    );
    const rival = await r.options.target.connect(r.to);
    try {
      // It has written more, so the server gives up the other one.
      const many = Array.from({ length: 500 }, (_, i) => `(${1000 + i}, 0)`).join(", ");
      await rival.query(`begin; update b set v = 100; insert into b values ${many}`);
      await r.query("begin; update a set v = 1; update b set v = v + 1; commit");
      const waiting = `select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'`;
      await eventually("the group to wait", async () => (await r.queryTarget(waiting)).length > 0);
      await rival.query("update a set v = 100; rollback");
    } finally {
      await rival.end();
    }
    await r.caughtUp();
    await r.assertEqual();
    assert.deepEqual(r.counts("b"), [3, 3, 0, 0]);
  });

  test("killed at random moments and opened again, it applies everything exactly once", async () => {
    await using r = await start(ledgerTables.source, ledgerTables.target);
    await applyThrough(r, 4, async (round) => {
      if (round % 2 === 1) return;
      const lock = lockName({ taskId: r.taskId, controlSchema: undefined });
      const [session] = await r.queryTarget(`select is_used_lock('${lock}') as id`);
      await r.queryTarget(`kill ${session!["id"]}`);
      assert.equal(((await r.failure()) as MigrationError).code, "connect.lost");
    });
  });

  test("a server that is killed takes back rows and position together", async () => {
    await using r = await start(ledgerTables.source, ledgerTables.target);
    await applyThrough(r, 2, async () => {
      await r.options.target.restart("SIGKILL");
      assert.match(((await r.failure()) as MigrationError).code, /^connect\./);
    });
  });

  test("a load of small transactions is equal at the end", async () => {
    const tables = (
      more: string,
    ): string => `create table accounts (aid int primary key, bid int, abalance int, filler char(84));
      create table tellers (tid int primary key, tbalance int);
      create table history (tid int, aid int, delta int, mtime ${more})`;
    await using r = await start(
      `${tables("timestamp")}; alter table history replica identity full`,
      tables("datetime(6)"),
    );
    await r.write(`insert into accounts select i, 1, 0, '' from generate_series(1, 10000) i;
      insert into tellers select i, 0 from generate_series(1, 10) i`);
    const { transactions } = r;
    await r.close();
    await r.query(`do $$ begin for i in 1..20000 loop
      update accounts set abalance = abalance + i where aid = 1 + (i * 7919) % 10000;
      update tellers set tbalance = tbalance + i where tid = 1 + i % 10;
      insert into history values (1 + i % 10, 1 + (i * 7919) % 10000, i, now()); commit; end loop; end $$`);
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
    assert.equal(r.transactions - transactions, 20_000);
  });
});
