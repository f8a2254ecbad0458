import assert from "node:assert/strict";
import { test } from "node:test";
import { changeBatch, type NewTransaction } from "../../../../test/contract/change-rows.ts";
import { SET_VERSIONS, stagesOf } from "../../../../test/support/applied-sets.ts";
import type { Replication } from "../../../../test/support/replication.ts";
import { betweenVersions } from "../../../../test/support/replication-suites.ts";
import { reopen } from "../../../../test/support/row-error-cases.ts";
import { tableKey } from "../../../core/schema.ts";
import { currentPosition } from "../log/slot.ts";

/** Sets write within a savepoint, so their rows carry another transaction number than those of single changes. */
async function transactionsOf(r: Replication, table: string): Promise<readonly string[]> {
  const rows = await r.queryTarget(`select distinct xmin::text as xmin from ${table}`);
  return rows.map(({ xmin }) => xmin);
}

betweenVersions("sets", SET_VERSIONS, (start) => {
  test("rows of every kind of identity are inserted, updated, moved and deleted as sets", async () => {
    await using r = await start(`
      create type mood as enum ('sad', 'ok', 'very happy');
      create domain cents as bigint check (value >= 0);
      create table plain (id int primary key, t text, n numeric, b bytea, m mood, c cents, at timestamptz);
      create table "Odd ""Name"" select" ("Id Key" int, "b\\c" text, "group" text, primary key ("b\\c", "Id Key"));
      create table whole (id int primary key, t text, j json, v varchar(20)[]);
      alter table whole replica identity full;
      create table by_index (u text not null, extra text, id int primary key);
      create unique index by_index_u on by_index (u);
      alter table by_index replica identity using index by_index_u;
      create table counted (id bigint generated always as identity primary key, t text,
        twice text generated always as (t || t) stored);
      create table numbered (k text primary key, n int generated always as identity, v text);
      create table key_only (a int, b uuid, primary key (a, b))`);
    const i = "from generate_series(1, 200) i";
    await r.write(
      `insert into plain select i, E'tab\\t\\\\ ' || i, i / 7.0, '\\x00ff', 'very happy', i, now() ${i};
       insert into "Odd ""Name"" select" select i, E'k\\\\' || i, 'g' ${i};
       insert into whole select i, null, '{"a": [1,  2]}', array['x', null, 'y,"'] ${i};
       insert into by_index select 'k' || i, 'e', i ${i};
       insert into counted (t) select 'v' || i ${i};
       insert into numbered (k, v) select 'k' || i, 'v' ${i};
       insert into key_only select i, '00000000-0000-0000-0000-000000000001' ${i}`,
    );
    await r.assertEqual();
    await r.write(
      `update plain set t = t || '!', m = 'ok', n = null where id % 2 = 0;
       update plain set id = id + 1000 where id % 5 = 0;
       delete from plain where id % 7 = 0; insert into plain (id) select 7 * i from generate_series(1, 20) i;
       update "Odd ""Name"" select" set "group" = null where "Id Key" < 100;
       update "Odd ""Name"" select" set "b\\c" = 'new' || "Id Key" where "Id Key" between 50 and 150;
       delete from "Odd ""Name"" select" where "Id Key" > 180;
       update whole set t = 'set', j = '[]' where id < 90; update whole set id = -id where id > 150;
       delete from whole where id between 100 and 120;
       update by_index set u = 'x' || u where id < 50; update by_index set id = id + 1000 where id between 50 and 99;
       delete from by_index where id between 100 and 150;
       update counted set t = 'w' where id < 100; delete from counted where id > 150;
       update numbered set v = null where n < 100; update numbered set k = 'x' || k where n = 120;
       delete from numbered where n > 150;
       update key_only set a = a + 1000 where a < 50; update key_only set b = b where a between 60 and 130;
       delete from key_only where a between 150 and 180`,
    );
    await r.assertEqual();
    for (const { source: table } of r.plan.tables) {
      const stages = await stagesOf(r, table.id.name);
      assert.ok(stages.includes("d") && stages.includes("u0"), `${table.id.name}: ${stages}`);
      assert.equal(r.applied.get(tableKey(table.id))!.conflicts, 0);
    }
    assert.deepEqual(r.counts("key_only"), [200, 49 + 71, 31, 0]);
  });

  test("a row that gets another value in an identity that is ALWAYS generated is written anew beside a set", async () => {
    await using r = await start(`
      create table numbered (k int primary key, n int generated always as identity, v int);
      create table other (id int primary key, v int)`);
    const i = "from generate_series(1, 200) i";
    await r.write(`insert into numbered (k) select i ${i}; insert into other select i, 0 ${i}`);
    await r.write(
      "update numbered set v = k; update numbered set n = default where k in (5, 7); update other set v = 1",
    );
    await r.assertEqual();
    assert.deepEqual(await stagesOf(r, "other"), ["u0"]);
    assert.deepEqual(r.counts("numbered"), [200, 202, 0, 0]);
  });

  test("many changes of the same rows, gathered from many transactions, come to their last state", async () => {
    await using r = await start(`
      create table t (id int primary key, n int, big text, other text);
      alter table t alter big set storage external; alter table t alter other set storage external;
      create table kept (like t including all)`);
    await r.close();
    await r.query(`do $$ begin for i in 1..3000 loop
      case i % 6
        when 0 then insert into t values (i % 40, i, repeat('b', 2500 + i), repeat('o', 3000))
          on conflict (id) do update set big = excluded.big;
        when 1 then update t set n = i where id = i % 37;
        when 2 then update t set other = 'short' || i where id = i % 31;
        when 3 then update t set id = 100 + i % 60, n = n + 1 where id = i % 29 and not exists (select from t where id = 100 + i % 60);
        when 4 then delete from t where id = 100 + i % 53;
        else insert into t values (100 + i % 60, i, null, repeat('p', 2500)) on conflict do nothing;
      end case;
      case i % 4
        when 0 then insert into kept values (i % 40, i, repeat('b', 2500 + i), repeat('o', 3000))
          on conflict (id) do update set big = excluded.big;
        when 1 then update kept set n = i where id = i % 37;
        when 2 then update kept set other = 'short' || i where id = i % 31;
        else delete from kept where id = i % 53;
      end case; commit; end loop; end $$`);
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
    for (const table of ["t", "kept"]) assert.equal(r.counts(table)[3], 0);
    // Whether a group of t folds depends on where it ends: a key that moves with a value unknown to it does not.
    assert.ok((await stagesOf(r, "kept")).length > 0);
  });

  test("inserts beside the changes of a small table are rows of one COPY", async () => {
    await using r = await start(
      "create table t (id int primary key, v text); create table lone (id int primary key)",
    );
    await r.write("insert into lone values (1); insert into t select i, 'v' from generate_series(1, 100) i");
    const [one] = await transactionsOf(r, "lone");
    const [set, ...others] = await transactionsOf(r, "t");
    assert.deepEqual(others, []);
    assert.notEqual(set, one);
    await r.assertEqual();
  });

  test("an unchanged TOAST value stays, with and without a change of the key", async () => {
    await using r = await start(`create table t (id int primary key, big text, n int, other text);
      create table k (key text primary key, n int);
      alter table t alter big set storage external; alter table t alter other set storage external;
      alter table k alter key set storage external`);
    await r.write(
      `insert into t select i, repeat('x', 3000 + i), 0, repeat('o', 4000) from generate_series(1, 100) i;
       insert into k select repeat('k', 2400) || i, 0 from generate_series(1, 100) i`,
    );
    await r.write("update t set n = n + 1; update k set n = n + 1");
    assert.deepEqual(await stagesOf(r, "t"), ["u0"]);
    assert.deepEqual(await stagesOf(r, "k"), ["u0"]);
    await r.write("update t set n = n + 1; update t set other = null; update t set big = 'b' where id < 50");
    // Without the unchanged value the row cannot be inserted anew under its other key.
    await r.write("update t set id = id + 1000, n = n + 1");
    await r.write("update t set big = repeat('y', 5000); update t set id = id - 1000; update t set n = -1");
    await r.write("update t set big = big");
    await r.assertEqual();
    assert.equal(r.counts("t")[3], 0);
  });

  test("keys that are equal but written differently follow each other", async () => {
    await using r = await start(`create table n (id numeric primary key, v int);
      create table f (id float8 primary key, v int)`);
    await r.write(
      `insert into n select i + 0.0, i from generate_series(1, 100) i;
       insert into f select i, i from generate_series(0, 99) i`,
    );
    await r.write(
      `update n set id = id + 0.00, v = v + 1; delete from n where id = 5; insert into n values (5, 55);
       delete from n where id = 5.00; insert into n values (5.000, 56);
       update f set v = v + 1; update f set id = '-0' where id = 0; delete from f where id = 0;
       insert into f values (0, 1); delete from f where id = 0; insert into f values ('-0', 2)`,
    );
    await r.assertEqual();
    for (const table of ["n", "f"]) {
      assert.equal(r.counts(table)[3], 0);
      assert.ok((await stagesOf(r, table)).includes("d"));
    }
  });

  test("a transaction too large to be held is applied in parts, as sets, and committed once", async () => {
    await using r = await start(
      "create table t (id int primary key, n int, v text); create table k (id int primary key)",
    );
    await r.write("insert into k select generate_series(1, 1000)");
    const { transactions } = r;
    await r.query(`begin; insert into t select i, 0, repeat('v', 500) from generate_series(1, 30000) i;
      update t set n = n + 1 where id % 3 = 0; update k set id = id + 5000;
      savepoint s; delete from t; rollback to savepoint s;
      update t set n = n + 1, v = 'w' where id % 2 = 0; delete from t where id % 5 = 0; update t set id = -id where id % 7 = 0;
      truncate k; insert into k select generate_series(1, 500); commit`);
    await r.query("begin; delete from t; rollback");
    await r.caughtUp();
    await r.assertEqual();
    assert.equal(r.transactions - transactions, 1);
    assert.deepEqual(await stagesOf(r, "t"), ["d", "u0"]);
    assert.deepEqual([...r.counts("t")], [30_000, 10_000 + 15_000 + 3_428, 6_000, 0]);
  });

  test("staging tables are made anew when a transaction is taken back in which a row was refused", async () => {
    await using r = await start("create table t (id int primary key, v text check (v <> 'refused'))");
    await reopen(r, {}, true);
    // Nothing comes in between.
    await r.stream[Symbol.asyncDispose]();
    const apply = async (from: number, count: number, more: Partial<NewTransaction> = {}): Promise<void> => {
      const rows = Array.from({ length: count }, (_, i) => [String(from + i), from < 0 ? "refused" : "v"]);
      const piece = {
        position: await currentPosition(r.client),
        changes: rows.map((insert) => ({ insert })),
      };
      await r.applier.apply(changeBatch(r.plan.tables[0]!.source, [{ ...piece, ...more }]), undefined);
    };
    const stage = () => r.queryTarget("select oid from pg_class where relname = 'tideway_t0_i'");
    await apply(1, 200);
    await r.applier.flush();
    const made = await stage();
    assert.equal(made.length, 1);
    for (let i = 1; i <= 8; i++) await apply(20_000 * i, 20_000, { begins: i === 1, commits: false });
    await apply(-100, 100, { begins: false, commits: false });
    // The parts have been written.
    await r.applier.flush();
    await apply(0, 0, { begins: false, commits: false, takenBack: true });
    // After sets have failed, the next groups are applied change by change.
    for (let from = 201; from <= 1_200; from += 100) {
      await apply(from, 100);
      await r.applier.flush();
    }
    assert.deepEqual(await r.queryTarget("select count(*)::int, max(id) from t"), [
      { count: 1_200, max: 1_200 },
    ]);
    assert.notDeepEqual(await stage(), made);
    assert.deepEqual(r.applied.get(tableKey(r.plan.tables[0]!.source.id))!.refused, 0);
  });

  test("truncated tables keep their order of changes, others go as sets beside them", async () => {
    await using r = await start(
      "create table a (id int primary key); create table b (id int primary key, v int)",
    );
    await r.write(
      "insert into a select generate_series(1, 100); insert into b select i, i from generate_series(1, 100) i",
    );
    await r.write(
      `insert into a select generate_series(101, 200); truncate a; insert into a select generate_series(50, 150);
       update b set v = 0; delete from b where id > 50`,
    );
    await r.assertEqual();
    assert.deepEqual(await stagesOf(r, "b"), ["d", "u0"]);
    assert.equal(r.applied.get(`"public"."a"`)!.truncates, 1);
  });

  test("a target of other types, more columns and partitions gets its values by assignment", async () => {
    await using r = await start(
      `create type mood as enum ('sad', 'ok');
       create table t (id int primary key, a int2, b varchar(5), m mood, j json, n numeric, c char(4), bt bit(3));
       create table p (id int primary key, v text); create table e (id int primary key, v int)`,
      {
        targetSchema: `create type feeling as enum ('ok', 'sad'); create domain code as varchar(5);
          create table t (id bigint primary key, a numeric, b code, m feeling, j jsonb, n numeric(10, 2), c text, bt bit varying);
          create table p (id bigint primary key, v text) partition by hash (id);
          create table p0 partition of p for values with (modulus 2, remainder 0);
          create table p1 partition of p for values with (modulus 2, remainder 1);
          create table e (id int primary key, v int, mine text default 'mine')`,
      },
    );
    const i = "from generate_series(1, 100) i";
    await r.write(
      `insert into t select i, i, 'abc', 'ok', '{"a": 1}', i + 0.25, 'x', B'101' ${i};
       insert into p select i, 'v' ${i}; insert into e select i, i ${i}`,
    );
    await r.queryTarget("update e set mine = 'kept'");
    await r.write(
      `update t set id = id + 1000, m = 'sad', bt = null where id > 50; update t set b = 'ö' where id < 40; delete from t where id = 40;
       update p set v = 'w' where id < 50; update p set id = id + 7 where id > 93; delete from p where id between 60 and 70;
       update e set v = -v; update e set id = id + 1000 where id < 30`,
    );
    const columns = "id::int, a::int, b, m::text, n::numeric(10, 2), rtrim(c) as c, bt::text";
    for (const query of [
      `select ${columns} from t order by id`,
      "select id::int, v from p order by id",
      "select id, v from e order by id",
    ]) {
      assert.deepEqual(await r.queryTarget(query), await r.query(query));
    }
    assert.deepEqual(await r.queryTarget("select distinct mine from e"), [{ mine: "kept" }]);
    for (const table of ["t", "p"]) assert.ok((await stagesOf(r, table)).includes("d"));
    for (const counted of r.applied.values()) assert.equal(counted.conflicts, 0);
  });
});
