import assert from "node:assert/strict";
import { test } from "node:test";
import { createDemoData } from "../support/demo-data.ts";
import { eventually } from "../support/eventually.ts";
import { KillWorkload, killRows, killSchema } from "../support/kill-schema.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";

/* Whole migrations from PostgreSQL to MySQL and MariaDB. */

const flavours = ["mariadb", "mysql"] as const;
const servers = {
  mariadb: await postgresToMysql({ flavour: "mariadb" }),
  mysql: await postgresToMysql({ flavour: "mysql" }),
};

/** The view is told of and left out; of the partitioned table the partitions are moved. */
const appTables = ["ranged", "blocks", "child", "event", "log", "part_low", "part_high"].map((name) => {
  return { schema: "app", name };
});

for (const flavour of flavours) {
  test(`a shop moves with its keys, indexes, foreign keys, defaults and numbering: ${flavour}`, async () => {
    const pair = await ToMysqlPair.make(servers[flavour], { sql: "", schemas: ["shop", "audit"] });
    await createDemoData(() => servers[flavour].source.connect(pair.database), 5_000);
    // No number here is none, or infinite.
    await pair.query(`update shop.customers set balance = 0 where balance = 'NaN';
      update shop.products set weight = 0 where weight in ('NaN', 'Infinity', '-Infinity')`);
    const task = await pair.load();
    const tables = await pair.query(
      `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('shop', 'audit')`,
    );
    await pair.assertEqual(tables);
    const [{ keys, references }] = (await pair.queryTarget(
      `select count(distinct if(constraint_type = 'PRIMARY KEY', table_name, null)) as \`keys\`,
         sum(constraint_type = 'FOREIGN KEY') as \`references\`
         from information_schema.table_constraints where table_schema = 'shop'`,
      "shop",
    )) as [Record<string, string>];
    assert.ok(Number(keys) >= 10 && Number(references) >= 8, `${keys} keys, ${references} references`);
    await assert.rejects(pair.queryTarget("delete from countries", "shop"), /foreign key constraint fails/);
    await assert.rejects(
      pair.queryTarget("insert into orders (customer_id, placed_at) values (-1, utc_timestamp())", "shop"),
      /foreign key constraint fails/,
    );
    const [{ last }] = await pair.query("select max(id)::text as last from shop.orders");
    // MySQL 5.7 has no default that is an expression.
    const value = flavour === "mysql" ? "utc_timestamp()" : "default";
    const [added] = await pair.queryTarget(
      `insert into orders (customer_id, placed_at) values ((select min(id) from customers), ${value});
       select id, status, placed_at > utc_timestamp() - interval 1 minute as isNow from orders where id = last_insert_id()`,
      "shop",
    );
    assert.ok(Number(added!.id) > Number(last), `${added!.id} follows ${last}`);
    assert.equal(added!.status, "new");
    assert.equal(added!.isNow, "1");
    const codes = new Set(task.findings.map(({ code }) => code));
    for (const code of ["convert.type", "convert.index", "convert.generated"] as const) {
      assert.ok(codes.has(code), code);
    }
    // The MySQL of these tests is of a version without checks.
    assert.equal(codes.has("convert.check"), flavour === "mysql");
  });

  test(`an application writes through the whole task, and both sides are equal at the end: ${flavour}`, async () => {
    const pair = await ToMysqlPair.make(servers[flavour], { sql: killSchema + killRows, schemas: ["app"] });
    try {
      await using writer = await KillWorkload.start(servers[flavour].source, pair.database, "before");
      await eventually("writes", async () => writer.commits > 20);
      const task = await pair.replicate();
      writer.note = "replicating";
      const before = writer.commits;
      await eventually("writes while replicating", async () => writer.commits > before + 200);
      await writer[Symbol.asyncDispose]();
      await pair.drain(task);
      await pair.assertEqual(appTables);
      const [{ last }] = await pair.query("select max(id)::text as last from app.child");
      const [added] = await pair.queryTarget(
        "insert into child (ranged_id, label) values (1, 'new'); select last_insert_id() as id",
        "app",
      );
      assert.ok(Number(added!.id) > Number(last), `${added!.id} follows ${last}`);
    } finally {
      await pair.end();
    }
  });

  test(`a target that crashes while it is loaded and while changes are applied loses and doubles nothing: ${flavour}`, async () => {
    const pair = await ToMysqlPair.make(servers[flavour], { sql: killSchema + killRows, schemas: ["app"] });
    const { source, target } = servers[flavour];
    try {
      await using writer = await KillWorkload.start(source, pair.database, "before");
      const task = pair.run();
      await task.until(({ tables }) => tables.some(({ fullLoadRows }) => fullLoadRows > 0));
      await target.restart("SIGKILL");
      await task.until(({ phase }) => phase === "replicating");
      for (let i = 0; i < 2; i++) {
        writer.note = `crash ${i}`;
        const before = writer.commits;
        await eventually("writes", async () => writer.commits > before + 100);
        await target.restart("SIGKILL");
      }
      await writer[Symbol.asyncDispose]();
      await pair.drain(task);
      await pair.assertEqual(appTables);
    } finally {
      await pair.end();
    }
  });
}
