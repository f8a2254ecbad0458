import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlEngine } from "../../src/engines/mysql/engine.ts";
import { postgresEngine } from "../../src/engines/postgres/engine.ts";
import { compareDigests } from "../support/compare-digests.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import type { MysqlFlavour } from "../support/mysql-server.ts";
import { samplesOf } from "../support/mysql-type-values.ts";
import { repairedByClient } from "../support/repair.ts";

/* Every type of docs/engines/mysql.md, with values loaded and values changed, compared across. */

/**
 * Types that the source's server does not digest for PostgreSQL: texts in which it may put a question mark for a character,
 * and JSON, whose text is another one there.
 */
const READ = [
  ...["sjis", "gbk", "big5", "euckr", "cp1251", "koi8r", "latin2", "greek"].map(
    (charset) => `varchar(50) character set ${charset}`,
  ),
  "json",
].map((type) => `${type}: source reads`);

/** A table for each type, with its values twice: rows that are loaded only, and rows that changes come to. */
function tables(flavour: MysqlFlavour): string {
  const statements = samplesOf(flavour).flatMap(({ type, values }, n) => [
    `create table t${n} (id int primary key auto_increment, v ${type})`,
    `insert into t${n} (v) values ${[...values, ...values, "null"].map((value) => `(${value})`).join(", ")}`,
  ]);
  return `set sql_mode = ''; set time_zone = '+00:00'; ${statements.join("; ")}`;
}

/** New rows with all values, updates from each value to the next, and rows that go. */
function changes(flavour: MysqlFlavour): string {
  const statements = samplesOf(flavour).flatMap(({ values }, n) => {
    const count = values.length;
    const updates = values.map(
      (value, i) => `update t${n} set v = ${value} where id = ${count + 1 + ((i + 1) % count)}`,
    );
    return [
      `insert into t${n} (v) values ${["null", ...values].map((value) => `(${value})`).join(", ")}`,
      ...updates,
      `update t${n} set v = null where id = ${2 * count + 2}`,
      `delete from t${n} where id = ${2 * count + 3}`,
    ];
  });
  return `set sql_mode = ''; set time_zone = '+00:00'; ${statements.join("; ")}`;
}

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`values of all types come over by load and by change: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour, settings: { max_allowed_packet: "64M" } });
    const pair = await MysqlPair.make(servers, { name: "types", schema: tables(flavour) });
    try {
      const task = await pair.replicate();
      await pair.assertEqual();
      await pair.query(changes(flavour));
      await pair.drain(task);
      await pair.assertEqual();
      const { source, target } = pair.spec;
      const digests = await compareDigests(
        {
          source: { engine: mysqlEngine, endpoint: source },
          target: { engine: postgresEngine, endpoint: target },
        },
        samplesOf(flavour).map((_, n) => ({ schema: pair.from, name: `t${n}` })),
      );
      const unlike = samplesOf(flavour).flatMap(({ type }, n) =>
        digests[n] === "same" ? [] : [`${type}: ${digests[n]}`],
      );
      assert.deepEqual([...new Set(unlike)], READ);
      const types = await pair.queryTarget(
        `select c.relname as name, format_type(a.atttypid, a.atttypmod) as type
           from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'v'
          where c.relnamespace = '${pair.from}'::regnamespace and c.relkind = 'r'`,
      );
      const found = new Map(types.map(({ name, type }) => [name, type]));
      for (const [n, { type, postgres }] of samplesOf(flavour).entries()) {
        assert.equal(found.get(`t${n}`), postgres, type);
      }

      const damage = samplesOf(flavour).map(
        (_, n) => `update t${n} set v = null where id % 3 = 0; delete from t${n} where id % 3 = 1`,
      );
      await pair.queryTarget(damage.join("; "));
      assert.ok((await repairedByClient(pair.spec)) > samplesOf(flavour).length);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });
}
