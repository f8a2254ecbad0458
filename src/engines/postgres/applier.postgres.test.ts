import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import { never, Replication } from "../../../test/support/replication.ts";
import { type ChangeBatch, Op } from "../../core/change-batch.ts";
import type { MigrationError } from "../../core/error.ts";
import { ApplyMode } from "../../core/target.ts";
import { openApplier } from "./applier.ts";
import { lsnPosition } from "./lsn.ts";

for (const version of [12, 18]) {
  describe(`applier with PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres({ version });
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
    });
    const start = (schema: string, more: object = {}): Promise<Replication> =>
      Replication.start({ source: server, target: server, schema, ...more });

    test("inserts, updates and deletes of every kind of identity arrive", async () => {
      await using r = await start(`
        create type mood as enum ('sad', 'ok', 'very happy');
        create domain cents as bigint check (value >= 0);
        create table plain (id int primary key, t text, n numeric, b bytea, m mood, c cents, at timestamptz);
        create table "Odd ""Name"" select" ("Id Key" int, "b\\c" text, "group" text, primary key ("b\\c", "Id Key"));
        create table whole (a int, t text, j json, p point, x xml, f float8, v varchar(20)[]);
        alter table whole replica identity full;
        create table by_index (u text not null, extra text, id int primary key);
        create unique index by_index_u on by_index (u);
        alter table by_index replica identity using index by_index_u;
        create table counted (id bigint generated always as identity primary key, t text,
          twice text generated always as (t || t) stored);
        create table key_only (a int, b uuid, primary key (a, b));
        create table "ärger 😀" (id int primary key, "größe" text)`);
      await r.query(`
        insert into plain values (1, E'tab\\t nl\\n bs\\\\ 😀', 1.50, '\\x00ff', 'very happy', 5, '2024-02-29 12:00+03'),
          (2, null, 'NaN', null, null, null, 'infinity'), (3, '', -0.00, '', 'sad', 0, '-infinity');
        insert into "Odd ""Name"" select" select i, E'k\\\\' || i, 'g' from generate_series(1, 20) i;
        insert into whole select i % 3, null, '{"a": [1,  2]}', point(i % 2, 1), '<a/>', 'NaN', array['x', null, 'y,"']
          from generate_series(1, 12) i;
        insert into by_index values ('a', 'x', 1), ('b', null, 2), ('c', 'z', 3);
        insert into counted (t) select 'v' || i from generate_series(1, 5) i;
        insert into key_only values (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
        insert into "ärger 😀" values (1, 'ß')`);
      await r.query(`
        update plain set t = t || '!', m = 'ok' where id <> 2;
        update plain set id = id + 10;
        delete from plain where id = 12;
        update "Odd ""Name"" select" set "group" = null where "Id Key" < 5;
        update "Odd ""Name"" select" set "b\\c" = 'new' || "Id Key" where "Id Key" between 3 and 8;
        delete from "Odd ""Name"" select" where "Id Key" > 15;
        delete from whole where ctid in (select ctid from whole where a = 1 limit 2);
        update whole set t = 'set', j = '[]' where ctid in (select ctid from whole where a = 2 limit 1);
        update whole set p = null where a = 0;
        update by_index set u = 'bb' where u = 'b';
        update by_index set id = 30 where u = 'c';
        delete from by_index where u = 'a';
        update counted set t = 'w' where id = 3;
        delete from counted where id = 4;
        update key_only set a = 7 where a = 1;
        delete from key_only where a = 2;
        update "ärger 😀" set "größe" = 'ss'`);
      await r.caughtUp();
      await r.assertEqual();
      const conflicts = [...r.applied.values()].map((counts) => counts.conflicts);
      assert.deepEqual(new Set(conflicts), new Set([0]));
      assert.equal((await r.queryTarget("select count(*) from counted"))[0].count, "4");
    });

    test("an unchanged TOAST value stays, with and without a change of the key", async () => {
      await using r = await start("create table t (id int primary key, big text, n int, other text)");
      await r.query(`alter table t alter big set storage external;
        insert into t values (1, repeat('x', 100000), 0, 'o'), (2, repeat('y', 300000), 0, repeat('z', 50000))`);
      await r.query("update t set n = n + 1");
      await r.query("update t set id = id + 100, n = n + 1");
      await r.query("update t set big = null where id = 102");
      await r.caughtUp();
      await r.assertEqual();
      assert.equal((await r.queryTarget("select length(big) from t where id = 101"))[0].length, 100000);
    });

    test("a stream of built-in types alone, which goes in binary where the server can, arrives", async () => {
      await using r = await start(`
        create type mood as enum ('sad', 'ok');
        create domain cents as int;
        create table scalars (id bigint primary key, i2 int2, i4 int4, f4 float4, f8 float8, n numeric(30, 10),
          b bool, c char(5), v varchar(9), t text, ch "char", nm name, by bytea, d date, tm time, tz timetz,
          ts timestamp(3), tstz timestamptz, iv interval, u uuid, j json, jb jsonb, bt bit(3), vb bit varying,
          ip inet, cd cidr, mc macaddr, m mood, ce cents, r int4range, tv tsvector, mo money);
        create table arrays (a int[] not null, t text[], n numeric(5, 2)[], v varchar(3)[], c char(3)[], b bit(2)[],
          j jsonb[], ts timestamptz[]);
        alter table arrays replica identity full;
        create table shapes (p point, l lseg, pa path, bo box, po polygon, li line, ci circle, j json);
        alter table shapes replica identity full`);
      await r.query(`
        insert into scalars values
          (1, -1, 2147483647, 'NaN', 1e300, -12345678901234567890.0123456789, true, 'ab', 'ü', E'\t😀\\N', 'x', 'n',
           '\xdeadbeef', '0044-03-15 BC', '23:59:59.999999', '10:00+05:30', '2024-01-01 00:00:00.123', 'infinity',
           '1 year -2 days 03:04:05.6', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" :1}', '{"b": [null]}', B'101', B'1',
           '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', 'ok', 7, '[1,5)', 'a:1 b', '12.34'),
          (2, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
           null, null, null, null, null, null, null, null, null, null, null, null, null, null);
        insert into arrays values ('{}', null, '{1.50,NULL}', '{a,NULL,"x,y"}', '{ab}', '{01,11}', '{"{\\"a\\": 1}"}', '{infinity}'),
          ('{{1,2},{3,4}}', '{"",NULL,"\\\\"}', null, null, null, null, null, null),
          ('[0:1]={5,6}', null, null, null, null, null, null, null);
        insert into shapes values ('(1,2)', '[(0,0),(1,1)]', '[(0,0),(1,1)]', '(1,1),(0,0)', '((0,0),(1,1),(2,0))',
          '{1,2,3}', '<(0,0),5>', '{"x":  1}'), (null, null, null, null, null, null, null, null)`);
      await r.query(`
        update scalars set t = t || 'x', n = null, c = 'z', m = 'sad' where id = 1;
        update scalars set id = 3, jb = '[]' where id = 2;
        update arrays set t = '{q}' where a = '{}';
        delete from arrays where a = '[0:1]={5,6}';
        update shapes set p = '(9,9)' where p is not null;
        delete from shapes where p is null`);
      await r.caughtUp();
      await r.assertEqual();
      for (const counts of r.applied.values()) assert.equal(counts.conflicts, 0);
    });

    test("a target of other types gets its values by assignment", async () => {
      await using r = await start(
        `create type mood as enum ('sad', 'ok');
         create table t (id int primary key, a int2, b varchar(5), m mood, j json, ts timestamp, n numeric, c char(4), bt bit(3));
         create table f (a int, b float4); alter table f replica identity full`,
        {
          targetSchema: `create table t (id bigint primary key, a numeric, b text, m text, j jsonb, ts timestamp(0),
              n numeric(10, 2), c text, bt bit varying);
            create table f (a bigint, b float8)`,
        },
      );
      await r.query(
        `insert into t values (1, 2, 'abc', 'ok', '{"a": 1}', '2024-01-01 10:00', 1.25, 'x', B'101'), (2, null, null, null, null, null, null, null, null)`,
      );
      await r.query("insert into f select i, i / 4.0 from generate_series(1, 4) i");
      await r.query("update t set id = 3, a = -1, m = 'sad' where id = 1; delete from t where id = 2");
      await r.query("update f set b = null where a = 1; delete from f where a = 2");
      await r.caughtUp();
      assert.deepEqual(await r.queryTarget("select id, a, b, m, j::text, n, c, bt::text from t"), [
        {
          id: "3",
          a: "-1",
          b: "abc",
          m: "sad",
          j: '{"a": 1}',
          n: "1.25",
          c: "x   ",
          bt: "101",
        },
      ]);
      assert.deepEqual(await r.queryTarget("select a, b from f order by a"), [
        { a: "1", b: null },
        { a: "3", b: 0.75 },
        { a: "4", b: 1 },
      ]);
    });

    test("conflicts are counted and written down, and stop nothing", async () => {
      await using r = await start(`create table "T'1" (id int primary key, v text);
        create table whole (a int); alter table whole replica identity full`);
      await r.queryTarget(`insert into "T'1" values (1, 'target')`);
      await r.query(
        `insert into "T'1" values (1, 'source'), (2, 'source'), (3, 'source'); insert into whole values (1)`,
      );
      await r.caughtUp();
      await r.queryTarget(`delete from "T'1" where id = 2; delete from whole`);
      await r.query(
        `update "T'1" set v = 'x' where id = 2; delete from "T'1" where id = 2; delete from whole`,
      );
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
      assert.equal(exceptions[0].STATEMENT, `insert into "public"."T'1"`);
      assert.match(exceptions[0].ERROR, /^apply\.row_exists/);
    });

    test("tables are truncated together, or emptied when others refer to them", async () => {
      await using r = await start(`
        create table a (id int primary key);
        create table b (id int primary key, a int references a);
        create table "C c" (id int primary key)`);
      await r.queryTarget("create table extern (a int references a)");
      await r.query(
        `insert into a values (1), (2); insert into b values (1, 1); insert into "C c" values (1)`,
      );
      await r.query(
        `begin; insert into b values (2, 2); truncate a, b, "C c"; insert into a values (5); commit`,
      );
      await r.caughtUp();
      await r.assertEqual();
      await r.queryTarget("drop table extern");
      await r.query(`truncate a, b; insert into a values (6)`);
      await r.caughtUp();
      await r.assertEqual();
      assert.equal(r.applied.get(`"public"."a"`)!.truncates, 2);
    });

    test("a table of 1,000 columns arrives", async () => {
      const columns = Array.from({ length: 999 }, (_, i) => `c${i} int`).join(", ");
      await using r = await start(`create table wide (id int primary key, ${columns})`);
      await r.query(`insert into wide (id, c5, c998) values (1, 5, 998), (2, null, null)`);
      await r.query(
        `update wide set c700 = id, c1 = null, c998 = null where id = 1; delete from wide where id = 2`,
      );
      await r.caughtUp();
      await r.assertEqual();
    });

    test("a transaction of 100,000 rows comes in pieces and is one on the target", async (t) => {
      await using r = await start(
        "create table log (a int, b text); alter table log replica identity full; create table k (id int primary key, v int)",
      );
      await r.caughtUp();
      const { transactions } = r;
      const before = performance.now();
      await r.query(`begin; insert into log select i, 'row ' || i from generate_series(1, 50000) i;
        insert into k select i, i from generate_series(1, 50000) i; update k set v = -v where id % 100 = 0; commit`);
      await r.caughtUp();
      t.diagnostic(
        `${Math.round((100_500 / (performance.now() - before)) * 1000)} changes/s in one transaction`,
      );
      await r.assertEqual();
      // Commits are more where the source sends transactions without changes too.
      assert.equal(r.transactions - transactions, 1);
    });

    test("applying what the target partly holds already comes to the same rows", async () => {
      const schema = `create table t (id int primary key, v text, big text);
        alter table t alter big set storage external;
        create table two (a int generated always as identity, b int, primary key (a, b))`;
      await using r = await start(schema, { mode: ApplyMode.converge });
      // The target shows a later moment than the stream starts at: every change meets rows that have it.
      await r.queryTarget(`insert into t values (1, 'later', 'x'), (3, 'new', repeat('y', 50000)), (4, 'stale', null);
        insert into two overriding system value values (1, 5)`);
      await r.query(`
        insert into t values (1, 'a', 'x'), (2, 'b', repeat('y', 50000)), (4, 'd', null), (9, 'gone', 'z');
        insert into two (b) values (4);
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

    test("renamed tables and triggers of the target", async () => {
      await using r = await start("create table t (id int primary key, v text)", {
        targetSchema: `create schema "New S"; create table "New S"."T 2" (id int primary key, v text);
          create function boom() returns trigger language plpgsql as 'begin raise exception ''no''; end';
          create trigger boom before insert on "New S"."T 2" for each row execute function boom()`,
        renaming: { schema: () => "New S", table: () => "T 2" },
      });
      await r.query("insert into t values (1, 'x')");
      await r.caughtUp();
      assert.deepEqual(await r.queryTarget(`select * from "New S"."T 2"`), [{ id: 1, v: "x" }]);
    });

    test("without the right to turn triggers off, deferrable foreign keys wait for the commit", async () => {
      await using r = await start(`
        create table parent (id int primary key);
        create table child (id int primary key, p int references parent deferrable initially immediate)`);
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
      await r.caughtUp();
      await r.assertEqual();
      await r.close();
      await r.queryTarget(`drop owned by ${role}; drop role ${role}`);
      r.target = { ...r.target, username: "postgres", password: server.password };
      await r.open();
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
      const bytes = Buffer.from("12");
      const piece = (begins: boolean, commits: boolean, at: number): ChangeBatch => ({
        bytes,
        cells: Int32Array.of(at, at + 1),
        encoding: "text",
        tables: r.plan.tables.map((table) => table.source),
        ops: Int32Array.of(Op.insert, 0, -1, 0),
        transactions: [
          { start: 0, end: 1, position: lsnPosition(1n << 40n), id: "1", committedAtMs: 1, begins, commits },
        ],
      });
      await r.applier.apply(piece(true, false, 0), undefined);
      await r.applier.flush();
      await r.queryTarget("begin; lock table t in access exclusive mode nowait; commit");
      await r.applier.apply(piece(false, true, 1), undefined);
      await r.applier.flush();
      assert.deepEqual(await r.queryTarget("select id from t order by id"), [{ id: 1 }, { id: 2 }]);
      assert.equal(r.transactions, 1);
    });

    test("killed at random moments and opened again, it applies everything exactly once", async () => {
      await using r = await start(`
        create table log (writer int, n int, filler text); alter table log replica identity full;
        create table account (id int primary key, balance bigint not null);
        insert into account select i, 0 from generate_series(1, 50) i`);
      let writing = true;
      const write = async (writer: number): Promise<void> => {
        const client = await server.connect(r.from);
        for (let n = 0; writing; n++) {
          await client.query(`begin; insert into log values (${writer}, ${n}, repeat('f', ${(n * 37) % 3000}));
            update account set balance = balance + ${n} where id = ${1 + ((n * 7 + writer) % 50)};
            ${n % 50 === 0 ? `insert into log select ${writer}, -g, 'bulk' from generate_series(1, 3000) g;` : ""} commit`);
        }
        await client.end();
      };
      const writers = [write(1), write(2)];
      for (let round = 0; round < 8; round++) {
        const goal = r.commits + 1 + round * 3;
        while (r.commits < goal) await new Promise(setImmediate);
        const pid =
          "select pid from pg_stat_activity where application_name = 'tideway apply' and datname = current_database()";
        if (round % 2 === 0) {
          await r.queryTarget(`select pg_terminate_backend(pid) from (${pid}) as s`);
          const error = (await r.failure()) as MigrationError;
          assert.equal(error.code, "connect.lost");
        }
        await r.close();
        await r.open();
      }
      writing = false;
      await Promise.all(writers);
      await r.caughtUp();
      await r.assertEqual();
    });

    test("a load of small transactions is equal at the end", async (t) => {
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
      const before = performance.now();
      await r.open();
      await r.caughtUp();
      const seconds = (performance.now() - before) / 1000;
      t.diagnostic(
        `${Math.round(60_000 / seconds)} changes/s in ${r.transactions} transactions, ${r.commits} commits`,
      );
      await r.assertEqual();
      assert.equal(r.transactions, 20_000);
      const times: number[] = [];
      for (let i = 0; i < 50; i++) {
        const commits = r.commits;
        await r.query(`update tellers set tbalance = ${i} where tid = 1`);
        const at = performance.now();
        while (r.commits === commits) await new Promise(setImmediate);
        times.push(performance.now() - at);
      }
      times.sort((a, b) => a - b);
      t.diagnostic(
        `a lone transaction is durable ${times[25]!.toFixed(1)} ms after it (p50), ${times[49]!.toFixed(1)} ms at most`,
      );
    });
  });
}
