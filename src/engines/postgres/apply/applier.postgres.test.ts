import assert from "node:assert/strict";
import { test } from "node:test";
import { betweenVersions, OLDEST_AND_NEWEST } from "../../../../test/support/replication-suites.ts";
import { ApplyMode } from "../../../core/target.ts";

betweenVersions("applier", OLDEST_AND_NEWEST, (start) => {
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

  test("tables are truncated together, or emptied when others refer to them", async () => {
    await using r = await start(`
      create table a (id int primary key);
      create table b (id int primary key, a int references a);
      create table "C c" (id int primary key)`);
    await r.queryTarget("create table extern (a int references a)");
    await r.query(`insert into a values (1), (2); insert into b values (1, 1); insert into "C c" values (1)`);
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

  test("what the target alone holds of a row stays when the row must be written anew", async () => {
    const columns = "k int primary key, n int generated always as identity, v text";
    const tables = (more: string): string => `create table t (${columns}${more});
      create table whole (${columns}${more}); alter table whole replica identity full;
      create table counted (n int generated always as identity primary key, k int, v text${more})`;
    await using r = await start(tables(""), {
      targetSchema: tables(", own text default 'none', twice text generated always as (own || own) stored"),
    });
    const names = ["t", "whole", "counted"];
    const all = (sql: (name: string) => string): string => names.map(sql).join("; ");
    const rows = `${names.map((name) => `select '${name}' as t, k, n, v from ${name}`).join(" union all ")} order by t, k`;
    await r.query(all((name) => `insert into ${name} (k, v) select i, 'v' from generate_series(1, 3) i`));
    await r.caughtUp();
    await r.queryTarget(all((name) => `update ${name} set own = 'own' || k`));
    for (const [mode, k] of [
      [ApplyMode.exact, 2],
      [ApplyMode.converge, 3],
    ] as const) {
      r.mode = mode;
      await r.query(all((name) => `update ${name} set v = 'w' where k = ${k}`));
      // In converge mode a key that moves is a delete and an insert.
      const moves = mode === ApplyMode.exact ? names : ["t", "whole"];
      for (const name of moves) await r.query(`update ${name} set n = default where k = ${k}`);
      await r.caughtUp();
      assert.deepEqual(await r.queryTarget(rows), await r.query(rows));
      for (const name of names) {
        const own = await r.queryTarget(`select own, twice from ${name} order by k`);
        assert.deepEqual(
          own,
          [1, 2, 3].map((i) => ({ own: `own${i}`, twice: `own${i}own${i}` })),
          `${name} ${mode}`,
        );
      }
    }
  });
});
