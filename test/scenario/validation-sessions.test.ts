import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";
import { type ObservedTask, schemas } from "../support/task.ts";
import { areCompared, validationOf, whileLocked } from "../support/task-validation.ts";

/* Somebody ends the sessions that a task compares with, on the one side and on the other: that is told, and tried again. */

const servers = await postgresToMysql({ flavour: "mariadb" });

/** Asks for a comparison that has to wait, has its session ended, and then lets all go on. */
async function interrupted(task: ObservedTask, end: () => Promise<void>): Promise<void> {
  const told = (): number => task.logs.filter(({ message }) => message === "validation interrupted").length;
  const before = told();
  task.running.reloadTables([{ schema: "app", name: "item", validateOnly: true }]);
  await end();
  await eventually("it is told", async () => told() > before);
}

async function endsValidated(task: ObservedTask): Promise<void> {
  await task.until((progress) => areCompared(progress));
}

test("a comparison whose session is ended is told of and made again", async () => {
  const pair = await ToMysqlPair.make(servers, {
    sql: `create schema app; create table app.item (id int primary key, word varchar(50));
      insert into app.item select i, 'word ' || i from generate_series(1, 50) i`,
    schemas: ["app"],
    tableMappings: schemas("app"),
    settings: JSON.stringify({
      ValidationSettings: { EnableValidation: true, ThreadCount: 1 },
      ErrorBehavior: { RecoverableErrorInterval: 1 },
    }),
  });
  try {
    const task = pair.run();
    await endsValidated(task);

    await whileLocked(servers.source, pair.database, "app.item", async (someoneWaits) => {
      await interrupted(task, async () => {
        await someoneWaits();
        const ended = await pair.query(
          `select pg_terminate_backend(pid) from pg_locks where relation = 'app.item'::regclass and not granted`,
        );
        assert.ok(ended.length > 0);
      });
      assert.equal(validationOf(task.last!, "item")?.failed, 0);
    });
    await endsValidated(task);

    const locker = await servers.target.connect("app");
    try {
      await locker.query("lock tables item write");
      await interrupted(task, async () => {
        const waiting = await eventually("somebody waits for the table", async () => {
          const found = await servers.target.query(
            "select id from information_schema.processlist where state like 'Waiting for table%' and id <> connection_id()",
          );
          return found.length > 0 && found;
        });
        for (const { id } of waiting) await servers.target.query(`kill ${id}`).catch(() => undefined);
      });
    } finally {
      await locker.end();
    }
    await endsValidated(task);

    // It goes on to compare what changes.
    await pair.queryTarget("update item set word = 'other' where id = 7", "app");
    task.running.reloadTables([{ schema: "app", name: "item", validateOnly: true }]);
    await task.until((progress) => areCompared(progress, { item: 1 }));
    await pair.query("update app.item set word = 'new' where id = 7");
    await endsValidated(task);
    await pair.drain(task);
  } finally {
    await pair.end();
  }
});
