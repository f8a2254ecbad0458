import assert from "node:assert/strict";
import { test } from "node:test";
import { toBothFlavours } from "../../../test/support/replication-across.ts";

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
});
