import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlEngine } from "../../src/engines/mysql/engine.ts";
import { postgresEngine } from "../../src/engines/postgres/engine.ts";
import { compareDigests } from "../support/compare-digests.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";
import {
  postgresTypeChanges,
  postgresTypeSamples,
  postgresTypeTables,
} from "../support/postgres-type-values.ts";
import { repairedByClient } from "../support/repair.ts";

/* Every type of docs/engines/mysql.md that comes from PostgreSQL, with values loaded and changed, and values refused. */

const all = postgresTypeSamples.map((_, i) => ({ schema: "app", name: `t${i}` }));

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`values of all types of PostgreSQL come over by load and by change: ${flavour}`, async () => {
    const servers = await postgresToMysql({ flavour, settings: { max_allowed_packet: "64M" } });
    const pair = await ToMysqlPair.make(servers, { sql: postgresTypeTables("app"), schemas: ["app"] });
    try {
      const task = await pair.replicate();
      await pair.assertEqual(all);
      await pair.query(postgresTypeChanges("app"));
      await pair.drain(task);
      await pair.assertEqual(all);
      const { source, target } = pair.spec;
      const digests = await compareDigests(
        {
          source: { engine: postgresEngine, endpoint: source },
          target: { engine: mysqlEngine, endpoint: target },
        },
        all,
      );
      const unlike = postgresTypeSamples.flatMap(({ type }, i) =>
        digests[i] === "same" ? [] : [`${type}: ${digests[i]}`],
      );
      // Each server has a text of its own.
      assert.deepEqual(unlike, ["json: source reads", "jsonb: source reads"]);
      const types = await pair.queryTarget(
        `select table_name as name, column_type as type from information_schema.columns
          where table_schema = 'app' and column_name = 'c'`,
        "app",
      );
      const found = new Map(types.map(({ name, type }) => [name, type!.replace(/\(.*\)/, "")]));
      for (const [i, { type, becomes, onMariadb = becomes }] of postgresTypeSamples.entries()) {
        assert.equal(found.get(`t${i}`), flavour === "mariadb" ? onMariadb : becomes, type);
      }

      const damage = all.map(
        ({ name }) => `update ${name} set c = null where id % 3 = 0; delete from ${name} where id % 3 = 1`,
      );
      await pair.queryTarget(damage.join("; "), "app");
      assert.ok((await repairedByClient(pair.spec)) > all.length);
      await pair.assertEqual(all);

      const refused = postgresTypeSamples.flatMap(({ type, refused: values = [] }) =>
        values.flatMap(([value, only]) => (only === undefined || only === flavour ? [[type, value]] : [])),
      );
      const columns = [...refused, ["text primary key", "repeat('x', 800)"]];
      // Each such change has the task begin anew without the table: one of each type is enough.
      const isFirst = (i: number): boolean => columns.findIndex(([type]) => type === columns[i]![0]) === i;
      const tables = columns.map(
        (
          [type, value],
          i,
        ) => `create table kept.loaded${i} (c ${type}); insert into kept.loaded${i} values (${value});
          create table kept.changed${i} (c ${type}); alter table kept.changed${i} replica identity full;
          alter table kept.loaded${i} replica identity full;`,
      );
      const again = await ToMysqlPair.make(servers, {
        ...{ sql: `create schema kept; ${tables.join("\n")}`, schemas: ["kept"] },
        settings: JSON.stringify({ ErrorBehavior: { DataErrorPolicy: "SUSPEND_TABLE" } }),
      });
      const refusing = await again.replicate();
      const inserts = columns.flatMap(([, value], i) =>
        isFirst(i) ? [`insert into kept.changed${i} values (${value})`] : [],
      );
      await again.query(inserts.join("; "));
      refusing.running.drain();
      const { progress } = await refusing.running.outcome;
      const codes = new Map(progress.tables.map(({ id, error }) => [id.name, error?.code]));
      for (const [i, [type, value]] of columns.entries()) {
        assert.equal(codes.get(`loaded${i}`), "load.rejected", `${type} ${value}`);
        assert.equal(codes.get(`changed${i}`), isFirst(i) ? "apply.rejected" : undefined, `${type} ${value}`);
      }
      await again.end();
    } finally {
      await pair.end();
    }
  });
}
