import assert from "node:assert/strict";
import { test } from "node:test";
import { SET_VERSIONS, stagesOf } from "../../../../test/support/applied-sets.ts";
import type { Replication } from "../../../../test/support/replication.ts";
import { betweenVersions } from "../../../../test/support/replication-suites.ts";
import type { MigrationError } from "../../../core/error.ts";

async function exceptions(r: Replication): Promise<readonly string[]> {
  const rows = await r.queryTarget(
    `select split_part("STATEMENT", ' {', 1) || ': ' || split_part("ERROR", ':', 1) || ' ' || count(*) as line
       from awsdms_apply_exceptions group by split_part("STATEMENT", ' {', 1), "ERROR" order by 1`,
  );
  return rows.map(({ line }) => line);
}

betweenVersions("changes that do not go as sets", SET_VERSIONS, (start) => {
  test("rows that exchange unique values fall back to single changes and end right", async () => {
    await using r = await start(`create table u (id int primary key, v int unique);
      create table x (id int primary key, during int4range, exclude using gist (during with &&));
      create table late (id int primary key, v int unique deferrable);
      create table calm (id int primary key, v int)`);
    await r.write(
      `insert into u select i, i from generate_series(1, 200) i; insert into late select i, i from generate_series(1, 200) i;
       insert into x select i, int4range(10 * i, 10 * i + 10) from generate_series(1, 200) i; insert into calm select i, i from generate_series(1, 200) i`,
    );
    await r.write(
      `update u set v = -v; update u set v = 201 + v; update calm set v = -v;
       update x set during = int4range(lower(during) + 10000, upper(during) + 10000);
       update x set during = int4range(12010 - lower(during) + 10, 12010 - lower(during) + 20);
       update late set v = 201 - v`,
    );
    await r.assertEqual();
    assert.deepEqual(await stagesOf(r, "u"), []);
    assert.deepEqual(await stagesOf(r, "x"), []);
    assert.deepEqual(await stagesOf(r, "calm"), ["u0"]);
    assert.deepEqual(r.counts("u"), [200, 400, 0, 0]);
    assert.deepEqual(r.counts("late"), [200, 200, 0, 0]);
    // After some groups sets are tried again.
    for (let i = 0; i < 6; i++) await r.write(`update u set v = v + 1000`);
    await r.assertEqual();
    assert.deepEqual(await stagesOf(r, "u"), ["u0"]);
  });

  test("conflicts are counted and recorded as for single changes", async () => {
    await using r = await start(`create table t (id int primary key, v text);
      create table passing (id int primary key); create table fine (id int primary key, v int)`);
    await r.write(
      `insert into t select i, 'v' from generate_series(1, 200) i; insert into fine select i, 0 from generate_series(1, 200) i`,
    );
    await r.queryTarget(`delete from t where id in (1, 2, 101, 102, 103);
      insert into t values (301, 'in the way'), (302, 'in the way'); insert into passing values (7)`);
    await r.write(
      `update t set v = 'w' where id <= 100; delete from t where id between 101 and 200;
       insert into t select i, 'new' from generate_series(301, 400) i; update fine set v = 1;
       insert into passing select i from generate_series(1, 100) i; delete from passing`,
    );
    assert.deepEqual(r.counts("t"), [200 + 98, 98, 97, 7]);
    // One by one the insert is refused, and the delete takes the row that was in its way.
    assert.deepEqual(r.counts("passing"), [99, 0, 100, 1]);
    assert.deepEqual(r.counts("fine"), [200, 200, 0, 0]);
    assert.deepEqual(await exceptions(r), [
      `delete from "public"."t": apply.row_missing 3`,
      `insert into "public"."passing": apply.row_exists 1`,
      `insert into "public"."t": apply.row_exists 2`,
      `update "public"."t": apply.row_missing 2`,
    ]);
    assert.deepEqual(await r.queryTarget("select count(*)::int as n from passing"), [{ n: 0 }]);
    assert.deepEqual(await r.queryTarget("select distinct v from t where id in (301, 302)"), [
      { v: "in the way" },
    ]);
    assert.deepEqual(await stagesOf(r, "fine"), ["u0"]);
  });

  test("a trigger of the target that always fires sees every change in its order", async () => {
    await using r = await start(
      "create table t (id int primary key, v int); create table p (id int primary key, v int)",
      {
        targetSchema: `create table t (id int primary key, v int); create table seen (n serial, what text);
        create table p (id int primary key, v int) partition by range (id);
        create table p1 partition of p for values from (0) to (1000);
        create function note() returns trigger language plpgsql as
          'begin insert into seen (what) values (tg_table_name || '' '' || tg_op || '' '' || coalesce(new.v, old.v)); return null; end';
        create trigger note after insert or update or delete on t for each row execute function note();
        alter table t enable always trigger note;
        create trigger note after insert or update or delete on p1 for each row execute function note();
        alter table p1 enable always trigger note`,
      },
    );
    const changes = (table: string): string =>
      `insert into ${table} select i, i from generate_series(1, 100) i; update ${table} set v = v + 1000; delete from ${table} where id > 1`;
    await r.write(`${changes("t")}; ${changes("p")}`);
    const seen = await r.queryTarget("select what from seen order by n");
    assert.deepEqual(
      seen.map(({ what }) => what),
      ["t", "p1"].flatMap((table) => [
        ...Array.from({ length: 100 }, (_, i) => `${table} INSERT ${i + 1}`),
        ...Array.from({ length: 100 }, (_, i) => `${table} UPDATE ${i + 1001}`),
        ...Array.from({ length: 99 }, (_, i) => `${table} DELETE ${i + 1002}`),
      ]),
    );
  });

  test("a value too long for the target's domain is an error of its table, not a shorter value", async () => {
    await using r = await start("create table t (id int primary key, v text)", {
      targetSchema: "create domain code as varchar(3); create table t (id int primary key, v code)",
    });
    await r.query("insert into t select i, 'secret' from generate_series(1, 100) i");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.rejected");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
    assert.equal((await r.queryTarget("select count(*)::int as n from t"))[0].n, 0);
  });

  test("a key that is checked late does not identify rows", async () => {
    await using r = await start(`create table t (id int primary key deferrable, v text);
      alter table t replica identity full`);
    await r.write("insert into t select i, 'v' || i from generate_series(1, 100) i");
    await r.write("update t set id = id + 1");
    await r.assertEqual();
  });

  test("a row too wide for a staging table is applied by itself", async () => {
    const columns = Array.from({ length: 900 }, (_, i) => `c${i}`);
    await using r = await start(
      `create table wide (id int primary key, ${columns.map((c) => `${c} int8`).join(", ")})`,
    );
    const values = columns.map(() => "1234567890123456789").join(", ");
    await r.write(
      `insert into wide select i, ${values} from generate_series(1, 70) i; update wide set ${columns.map((c) => `${c} = id`).join(", ")}`,
    );
    await r.assertEqual();
    assert.equal(r.counts("wide")[3], 0);
  });
});
