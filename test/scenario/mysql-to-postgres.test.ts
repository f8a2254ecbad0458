import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesTrue, eventually } from "../support/eventually.ts";
import { MysqlKillWorkload, mysqlKillRows, mysqlKillSchema } from "../support/mysql-kill-schema.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { assertStopped } from "../support/task.ts";

/* Whole migrations from MySQL and MariaDB to PostgreSQL. */

const servers = {
  mariadb: await mysqlToPostgres({ flavour: "mariadb" }),
  mysql: await mysqlToPostgres({ flavour: "mysql" }),
};
const flavours = ["mariadb", "mysql"] as const;

const schema = `${mysqlKillSchema}; ${mysqlKillRows}`;

for (const flavour of flavours) {
  const pairOf = (parts: Omit<Parameters<typeof MysqlPair.make>[1], "name">) =>
    MysqlPair.make(servers[flavour], { name: "app", ...parts });

  test(`a full load brings rows, keys, indexes, foreign keys and numbering: ${flavour}`, async () => {
    const pair = await pairOf({ schema, type: "full-load" });
    const task = await pair.load();
    await pair.assertEqual();
    const indexes = await pair.queryTarget(
      `select indexname as name from pg_indexes where schemaname = current_schema() order by 1`,
    );
    assert.deepEqual(
      indexes.map(({ name }) => name),
      "beginning child_pkey child_ranged event_pkey label made parted_pkey ranged_a ranged_pkey".split(" "),
    );
    await assert.rejects(
      pair.queryTarget("insert into child (ranged_id, label) values (-1, 'x')"),
      /child_ranged/,
    );
    await assert.rejects(pair.queryTarget("insert into child (ranged_id, label) values (1, 'c1')"), /label/);
    const [added] = await pair.queryTarget(
      "insert into child (ranged_id, label) values (1, 'new') returning id, state, made",
    );
    const [{ next }] = (await pair.query(
      "select auto_increment as next from information_schema.tables where table_schema = database() and table_name = 'child'",
    )) as [{ next: string }];
    // Two numbers have gone to the rows that were refused.
    assert.equal(Number(added.id), Number(next) + 2);
    assert.equal(added.state, "new");
    assert.ok(added.made instanceof Date);
    const codes = new Set(task.findings.map(({ code }) => code));
    assert.ok(
      ["convert.type", "convert.generated", "convert.collation"].every((code) => codes.has(code as never)),
    );
    const [views] = await pair.queryTarget(
      "select count(*)::int as n from pg_views where schemaname = current_schema()",
    );
    assert.equal(views.n, 0);
  });

  test(`an application writes through the whole task, and both sides are equal at the end: ${flavour}`, async () => {
    const pair = await pairOf({ schema });
    try {
      await using writer = await MysqlKillWorkload.start(pair.servers.source, pair.from, "before");
      await eventually("writes", async () => writer.commits > 20);
      const task = await pair.replicate();
      writer.note = "replicating";
      const before = writer.commits;
      await eventually("writes while replicating", async () => writer.commits > before + 200);
      await writer[Symbol.asyncDispose]();
      const outcome = await pair.drain(task);
      await pair.assertEqual();
      const sum = (of: "appliedInserts" | "appliedUpdates" | "appliedDeletes" | "conflicts"): number =>
        outcome.progress.tables.reduce((total, table) => total + table[of], 0);
      assert.equal(sum("conflicts"), 0);
      assert.ok(sum("appliedInserts") > 200 && sum("appliedUpdates") > 200 && sum("appliedDeletes") > 10);
      const [{ next }] = await pair.queryTarget(
        "select nextval(pg_get_serial_sequence('child', 'id'))::int as next",
      );
      const [last] = await pair.query("select max(id) as id from child");
      assert.ok(next > Number(last!.id), "numbers go on behind the source's");
    } finally {
      await pair.end();
    }
  });

  test(`a task that captures changes alone begins where it was started: ${flavour}`, async () => {
    const pair = await pairOf({ schema, type: "cdc" });
    try {
      await pair.load();
      const task = await pair.replicate();
      await pair.query(`update ranged set a = 1000 where id < 50; insert into event values ('new', 1, 'a', 'x');
        delete from child where id in (5, 6); update log set amount = -1 where n = 5`);
      task.running.stop();
      assertStopped(await task.running.outcome);
      await pair.query(
        "insert into event values ('while stopped', 1, '', null); update event set n = 2 where note = 'new'",
      );
      await pair.drain(await pair.replicate({ start: "resume-processing" }));
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  test(`servers that are stopped or crash are survived without losing or doubling a change: ${flavour}`, async () => {
    const pair = await pairOf({ schema });
    const { source, target } = pair.servers;
    try {
      const task = await pair.replicate();
      const rounds: readonly (readonly [string, () => Promise<void>])[] = [
        ["stopped", () => source.restart()],
        ["killed", () => source.restart("SIGKILL")],
        ["target", () => target.stop("SIGQUIT").then(() => target.start())],
      ];
      for (const [note, restart] of rounds) {
        await pair.query(
          `insert into event select '${note} before', id, 'b', null from ranged where id <= 500`,
        );
        await restart();
        await pair.query(
          `insert into event select '${note} after', id, 'a', null from ranged where id <= 500`,
        );
        await becomesTrue(
          target,
          pair.to,
          `(select count(*) = 500 from ${pair.from}.event where note = '${note} after')`,
        );
      }
      await task.until(({ phase }) => phase === "replicating");
      await pair.drain(task);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  test(`a log that was purged before it was read ends the task with the remedy: ${flavour}`, async () => {
    const pair = await pairOf({ schema });
    try {
      await pair.drain(await pair.replicate());
      await pair.query("insert into event values ('lost', 1, null, null)");
      // A file that a session has read stays until the server notices that nobody reads it any more.
      await eventually("the purge", async () => {
        await pair.query("flush binary logs");
        const newest = (await pair.query("show binary logs")).at(-1)!["Log_name"];
        await pair.query(`purge binary logs to '${newest}'`);
        const [oldest] = await pair.query("show binary logs");
        return oldest!["Log_name"] === newest;
      });
      const outcome = await pair.run({ start: "resume-processing" }).running.outcome;
      assert.equal(outcome.state, "failed");
      assert.equal(outcome.error!.code, "source.log_purged");
    } finally {
      await pair.end();
    }
  });
}
