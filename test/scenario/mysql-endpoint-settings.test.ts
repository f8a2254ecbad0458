import assert from "node:assert/strict";
import { test } from "node:test";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";

/* Settings of a MySQL source that decide what values become, by what arrives in PostgreSQL. */

const NUMBERS = "(1, 0, 0), (2, 1, 1), (3, -1, 255), (4, 127, 2), (5, null, null)";
const TIMES =
  "(1, '00:00:00', '00:00:00'), (2, '23:59:59.999999', '23:59:59'), (3, '10:20:30.5', '01:02:03'), (4, null, null)";

const SCHEMA = `
  create table flags (id int primary key auto_increment, f tinyint(1), u tinyint(1) unsigned, n tinyint(4) default 7);
  insert into flags (id, f, u) values ${NUMBERS};
  create table times (id int primary key auto_increment, t time(6), s time);
  insert into times (id, t, s) values ${TIMES};
  create table keyed (t time(3) primary key, v int);
  insert into keyed values ('00:00:00.001', 1), ('12:00:00', 2), ('23:59:59.999', 3);
  create table beyond_loaded (id int primary key, t time);
  insert into beyond_loaded values (1, '12:00:00'), (2, '24:00:01');
  create table beyond_changed like beyond_loaded;
  insert into beyond_changed values (1, '12:00:00')`;

const CHANGES = `
  insert into flags (f, u) select f, u from flags; update flags set f = coalesce(f, 0) - 1 where id in (1, 2, 3, 5);
  insert into times (t, s) select t, s from times; update times set t = '05:06:07.000008', s = null where id in (1, 4);
  update keyed set v = -v; update keyed set t = '01:00:00.25' where v = -2; delete from keyed where v = -3;
  insert into keyed values ('13:00:00', 4);
  insert into beyond_changed values (2, '-00:00:01')`;

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`booleans and times of day come as the endpoint says, by load and by change: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    const pair = await MysqlPair.make(servers, {
      ...{ name: "chosen", schema: SCHEMA },
      sourceSettings: { TreatTinyInt1AsBoolean: true, MapTimeAsTime: true },
    });
    try {
      const same = async (): Promise<void> => {
        assert.deepEqual(
          await pair.queryTarget(
            "select id::text, f::text as f, u::text as u, n::text from flags order by flags.id",
          ),
          await pair.query(
            `select id, if(f is null, null, if(f <> 0, 'true', 'false')) as f,
                      u, n from flags order by id`,
          ),
        );
        const micros = "((hour(T) * 60 + minute(T)) * 60 + second(T)) * 1000000 + microsecond(T)";
        const theirs = "(extract(epoch from T) * 1000000)::bigint::text";
        const list = (expression: string): string =>
          ["t", "s"].map((name) => `${expression.replaceAll("T", name)} as ${name}`).join(", ");
        assert.deepEqual(
          await pair.queryTarget(`select id::text, ${list(theirs)} from times order by times.id`),
          await pair.query(`select id, ${list(micros)} from times order by times.id`),
        );
        assert.deepEqual(
          await pair.queryTarget(
            `select v::text, ${theirs.replace("T", "t")} as t from keyed order by keyed.t`,
          ),
          await pair.query(`select v, ${micros.replaceAll("T", "t")} as t from keyed order by keyed.t`),
        );
      };
      const task = await pair.replicate();
      await same();
      await pair.query(CHANGES);
      await pair.drain(task);
      await same();
      // What is no time of day the target refuses, and the row is recorded.
      const refused = await pair.queryTarget(
        `select "TABLE_NAME" as name, count(*)::int as n from awsdms_apply_exceptions group by 1 order by 1`,
      );
      assert.deepEqual(refused, [
        { name: "beyond_changed", n: 1 },
        { name: "beyond_loaded", n: 1 },
      ]);
      const beyond = await pair.queryTarget(
        "select 'changed' as w, t::text from beyond_changed union all select 'loaded', t::text from beyond_loaded order by 1",
      );
      assert.deepEqual(beyond, [
        { w: "changed", t: "12:00:00" },
        { w: "loaded", t: "12:00:00" },
      ]);
      const types = await pair.queryTarget(
        `select c.relname || '.' || a.attname as name, format_type(a.atttypid, a.atttypmod) as type
           from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
          where c.relnamespace = '${pair.from}'::regnamespace and c.relname in ('flags', 'times', 'keyed')
            and c.relkind = 'r' and a.attname in ('f', 'u', 'n', 't', 's') order by 1`,
      );
      assert.deepEqual(
        types.map(({ name, type }) => `${name} ${type}`),
        [
          ...["flags.f boolean", "flags.n smallint", "flags.u smallint"],
          ...["keyed.t time(3) without time zone", "times.s time(0) without time zone"],
          "times.t time(6) without time zone",
        ],
      );
    } finally {
      await pair.end();
    }
  });
}
