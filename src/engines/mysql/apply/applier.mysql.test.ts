import assert from "node:assert/strict";
import { test } from "node:test";
import { toBothFlavours } from "../../../../test/support/replication-across.ts";
import type { MigrationError } from "../../../core/error.ts";

toBothFlavours("applier", (start) => {
  test("inserts, updates and deletes of every kind of identity arrive", async () => {
    await using r = await start(
      `create table plain (id int primary key, t text, n numeric(12, 2), b bytea, ok boolean, at timestamptz);
       create table "Odd ""Name"" \`x" ("Id Key" int, "b\\c" text, "group" text, primary key ("b\\c", "Id Key"));
       create table whole (a int, t text, j json, f float4, d float8, v varchar(20), c char(5));
       alter table whole replica identity full;
       create table by_index (u text not null, extra text, id int primary key);
       create unique index by_index_u on by_index (u);
       alter table by_index replica identity using index by_index_u;
       create table key_only (a int, b uuid, primary key (a, b));
       create table "ärger ß" (id int primary key, "größe" text)`,
      `create table plain (id int primary key, t text, n decimal(12, 2), b longblob, ok tinyint(1), at datetime(6));
       create table \`Odd "Name" \`\`x\` (\`Id Key\` int, \`b\\c\` varchar(100) collate utf8mb4_bin, \`group\` text, primary key (\`b\\c\`, \`Id Key\`));
       create table whole (a int, t text, j longtext, f float, d double, v varchar(20), c char(5));
       create table by_index (u varchar(100) collate utf8mb4_bin not null, extra text, id int primary key, unique key (u));
       create table key_only (a int, b char(36), primary key (a, b));
       create table \`ärger ß\` (id int primary key, \`größe\` text)`,
    );
    await r.query(`
      insert into plain values (1, E'tab\\t nl\\n bs\\\\ ''q'' 😀', 1.50, '\\x00ff27', true, '2024-02-29 12:00+03'),
        (2, null, null, null, null, null), (3, '', -0.25, '', false, '1971-01-01 00:00:00.123456+00');
      insert into "Odd ""Name"" \`x" select i, E'k\\\\' || i, 'g' from generate_series(1, 20) i;
      insert into whole select i % 3, null, '{"a": [1,  2]}', 0.1 * i, 0.1 * i, 'x ' , 'ab' from generate_series(1, 12) i;
      insert into whole select i % 3, null, '{"a": [1,  2]}', null, 1e300, 'X ' , null from generate_series(1, 6) i;
      insert into by_index values ('a', 'x', 1), ('b', null, 2), ('c', 'z', 3);
      insert into key_only values (1, '00000000-0000-0000-0000-000000000001'), (2, '00000000-0000-0000-0000-000000000002');
      insert into "ärger ß" values (1, 'ß')`);
    await r.query(`
      update plain set t = t || '!', ok = not ok where id <> 2;
      update plain set id = id + 10;
      delete from plain where id = 12;
      update "Odd ""Name"" \`x" set "group" = null where "Id Key" < 5;
      update "Odd ""Name"" \`x" set "b\\c" = 'new' || "Id Key" where "Id Key" between 3 and 8;
      delete from "Odd ""Name"" \`x" where "Id Key" > 15;
      delete from whole where ctid in (select ctid from whole where a = 1 limit 2);
      update whole set t = 'set', j = '[]' where ctid in (select ctid from whole where a = 2 limit 1);
      update whole set d = null where a = 0;
      delete from whole where v = 'X ' and a = 1;
      update by_index set u = 'bb' where u = 'b';
      update by_index set id = 30 where u = 'c';
      delete from by_index where u = 'a';
      update key_only set a = 7 where a = 1;
      delete from key_only where a = 2;
      update "ärger ß" set "größe" = 'ss'`);
    await r.caughtUp();
    await r.assertEqual();
    for (const [table, { conflicts }] of r.applied) assert.equal(conflicts, 0, table);
  });

  test("keys that the source fills up with spaces find their rows", async () => {
    await using r = await start(
      "create table one (k char(5) primary key, v int); create table two (k char(5), n int, v int, primary key (k, n))",
      `create table one (k char(5) /*M! collate utf8mb4_nopad_bin */ primary key, v int);
       create table two (k char(5) /*M! collate utf8mb4_nopad_bin */, n int, v int, primary key (k, n))`,
    );
    await r.write(`insert into one select 'a' || i, i from generate_series(1, 40) i;
      insert into two select 'a' || i, i, i from generate_series(1, 40) i`);
    // Few changes go one by one, many as sets.
    for (const [from, to] of [
      [1, 2],
      [11, 20],
    ]) {
      const some = (column: string): string => `${column} between ${from} and ${to}`;
      await r.write(`update one set v = 100 + v where ${some("v")}; update two set v = 0 where ${some("n")}`);
      await r.write(`update one set k = 'b' || v where ${some("v - 100")};
        update two set k = 'b' || n where ${some("n")}`);
      await r.write(`delete from one where ${some("v - 100")}; delete from two where ${some("n")}`);
    }
    await r.assertEqual();
    for (const [table, { conflicts }] of r.applied) assert.equal(conflicts, 0, table);
  });

  test("a row without a key is found by its values, of whatever type", async () => {
    await using r = await start(
      `create table every (i2 int2, i8 int8, n numeric(20, 6), f4 float4, f8 float8, b bool, c char(5), v varchar(20), t text,
         by bytea, fb bytea, d date, tm time, ts timestamp, tz timestamptz, j jsonb, u uuid, bt bit(5), tag int);
       alter table every replica identity full; create table k4 (f float4 primary key, d timestamp, v int)`,
      `create table every (i2 smallint, i8 bigint, n decimal(20, 4), f4 float, f8 double, b tinyint(1), c char(5), v varchar(20),
         t longtext, \`by\` longblob, fb binary(4), d date, tm time(6), ts datetime(3), tz timestamp(6) null, j json, u char(36),
         bt bit(5), tag int);
       create table k4 (f float primary key, d datetime(6), v int)`,
    );
    await r.query(`insert into every values
      (1, 9007199254740993, 0.1, 0.1, 0.1, true, 'ab', 'x ', 'ü', '\\x00ff', '\\x61626364', '2024-02-29', '23:59:59.5',
       '2024-01-01 00:00:00.123', '2024-01-01 00:00:00.123456+05', '{"a": [1, null]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
       B'10101', 0),
      (1, 9007199254740992, 0.1, 0.1, 0.1, true, 'ab', 'x', 'Ü', '\\x00', '\\x61626300', '2024-02-29', '23:59:59.5',
       '2024-01-01 00:00:00.123', '2024-01-01 00:00:00.123456+05', '{"a": [1]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
       B'00101', 0),
      (-1, -1, -1.25, 3.4e38, 1e300, false, '', '', E'q''\\\\', '', '\\x00000000', '1000-01-01', '00:00', '9999-12-31 23:59:59',
       '1970-01-02 00:00:00+00', '[]', '00000000-0000-0000-0000-000000000000', B'00000', 0),
      (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 0)`);
    await r.query(
      "insert into k4 select i / 10.0, '2024-01-01 00:00:00.000001', i from generate_series(1, 30) i",
    );
    await r.query(
      "update every set tag = 1 where i2 = 1 and v = 'x '; update every set tag = 2 where i2 is null",
    );
    await r.query("update every set tag = 3 where i2 = -1; update every set tag = 4 where v = 'x'");
    await r.query(
      "update k4 set v = -v where v < 10; delete from k4 where v > 20; update k4 set f = f + 100 where v = 20",
    );
    await r.caughtUp();
    await r.assertEqual();
    assert.deepEqual(r.counts("every"), [4, 4, 0, 0]);
    await r.query(
      "delete from every where tag in (1, 3); delete from every where i2 is null; delete from k4 where v = 15",
    );
    await r.caughtUp();
    await r.assertEqual();
    assert.deepEqual(r.counts("every"), [4, 4, 3, 0]);
    assert.deepEqual(r.counts("k4").slice(3), [0]);
  });

  test("rows without a key whose texts the collation takes for the same are told apart", async () => {
    await using r = await start(
      "create table folded (v varchar(20)); alter table folded replica identity full",
      "create table folded (v varchar(20) character set utf8mb4 collate utf8mb4_general_ci)",
    );
    await r.write("insert into folded values ('a'), ('A'), ('a '), ('ä')");
    await r.write("delete from folded where v = 'A'");
    await r.write("update folded set v = 'moved' where v = 'a '");
    await r.assertEqual();
    assert.deepEqual(r.counts("folded"), [4, 1, 1, 0]);
  });

  test("what MySQL has no value for is an error of its table", async () => {
    const tables = (more: string): string => `create table t (id int primary key, ${more})`;
    for (const [type, target, value] of [
      ["date", "date", "'10000-01-01'"],
      ["date", "date", "'0044-03-15 BC'"],
      ["timestamptz", "datetime(6)", "'infinity'"],
      ["numeric", "decimal(20, 5)", "'NaN'"],
      ["float8", "double", "'-Infinity'"],
      ["interval", "time", "'1 day 02:00:00'"],
      ["interval", "time", "'1 mon'"],
    ]) {
      await using r = await start(tables(`v ${type}`), tables(`v ${target}`));
      await r.query(`insert into t values (1, ${value})`);
      const error = (await r.failure()) as MigrationError;
      assert.deepEqual([error.code, error.table?.name], ["apply.rejected", "t"], value);
    }
  });

  test("an unchanged TOAST value stays, with and without a change of the key", async () => {
    await using r = await start(
      "create table t (id int primary key, big text, n int, other text); alter table t alter big set storage external",
      "create table t (id int primary key, big longtext, n int, other longtext)",
    );
    await r.query(
      "insert into t select i, repeat('x', 100000 + i), 0, repeat('z', 5000) from generate_series(1, 20) i",
    );
    await r.query("update t set n = n + 1");
    await r.query("update t set id = id + 100, n = n + 1");
    await r.query("update t set big = null where id = 102; update t set n = 5 where id = 103");
    await r.caughtUp();
    await r.assertEqual();
    assert.deepEqual(r.counts("t"), [20, 42, 0, 0]);
  });

  test("many changes of the same rows, gathered from many transactions, come to their last state", async () => {
    const tables = "create table t (id int primary key, n int, v varchar(200))";
    await using r = await start(tables, tables);
    await r.close();
    await r.query(`do $$ begin for i in 1..5000 loop
      case i % 5
        when 0 then insert into t values (i % 40, i, repeat('b', i % 200)) on conflict (id) do update set v = excluded.v;
        when 1 then update t set n = i where id = i % 37;
        when 2 then update t set id = 100 + i % 60, n = n + 1 where id = i % 29 and not exists (select from t where id = 100 + i % 60);
        when 3 then delete from t where id = 100 + i % 53;
        else insert into t values (100 + i % 60, i, null) on conflict do nothing;
      end case; commit; end loop; end $$`);
    await r.open();
    await r.caughtUp();
    await r.assertEqual();
    assert.equal(r.counts("t")[3], 0);
    assert.ok(r.commits < 1_000, `${r.commits} commits`);
  });
});
