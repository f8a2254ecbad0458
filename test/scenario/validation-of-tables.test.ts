import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { TaskPair } from "../support/task-pair.ts";
import { areCompared, areWholeCompared, failuresIn, validationOf } from "../support/task-validation.ts";

/*
 * One task through whatever may become of its tables. At each step somebody has changed rows of the target behind its back;
 * what it says of them is right before and after.
 */

const server = await serverOfFile(startPostgres());
const pair = await TaskPair.make(
  { source: server, target: server },
  {
    name: "tables",
    schema: `create schema app;
      create table app.item (id int primary key, word varchar(50));
      insert into app.item select i, 'word ' || i from generate_series(1, 50) i;
      create table app.bag (n int, word varchar(50));
      alter table app.bag replica identity full;
      insert into app.bag values (1, 'a'), (1, 'a'), (2, 'b');
      create table app.refused (id int primary key);
      create table app.aside (id int primary key, n int);
      insert into app.aside values (1, 1), (2, 2)`,
    settings: JSON.stringify({
      ValidationSettings: { EnableValidation: true, ThreadCount: 2 },
      ErrorBehavior: { ApplyErrorUpdatePolicy: "SUSPEND_TABLE", RecoverableErrorInterval: 1 },
    }),
  },
);
after(() => pair.end());
const task = pair.run();
await task.until(areWholeCompared);

function reload(name: string, options: { readonly validateOnly?: true } = {}): void {
  task.running.reloadTables([{ schema: "app", name, ...options }]);
}

/** Nothing waits to be compared, and what differs is this. */
async function finds(...lines: readonly string[]): Promise<void> {
  const failed: Record<string, number> = {};
  for (const [name] of lines.map((line) => line.split(" "))) failed[name!] = (failed[name!] ?? 0) + 1;
  await task.until((progress) => areCompared(progress, failed));
  assert.deepEqual(await failuresIn(pair), lines);
}

test("what is changed behind the task is found when the table is compared anew, and is gone when it was mended", async () => {
  await finds();
  await pair.queryTarget(
    "update app.item set word = 'other' where id = 1; delete from app.item where id = 2",
  );
  reload("item", { validateOnly: true });
  await finds("item MISSING_TARGET 2", "item RECORD_DIFF 1 word");
  await pair.queryTarget(
    "update app.item set word = 'word 1' where id = 1; insert into app.item values (2, 'word 2')",
  );
  reload("item", { validateOnly: true });
  await finds();
});

test("what differs is gone with a reload, and with a truncate", async () => {
  const spoil = async (): Promise<void> => {
    await pair.queryTarget("insert into app.item values (1000, 'one too many')");
    reload("item", { validateOnly: true });
    await finds("item MISSING_SOURCE 1000");
  };
  await spoil();
  reload("item");
  await finds();
  await spoil();
  await pair.query(
    "truncate app.item; insert into app.item select i, 'after ' || i from generate_series(1, 10) i",
  );
  await finds();
});

test("of rows without a key, one too many is found while they are written all the time", async () => {
  const stop = new AbortController();
  const client = await server.connect(pair.from);
  const writes = async (): Promise<void> => {
    for (let i = 0; !stop.signal.aborted; i++) {
      await client.query(`update app.bag set word = 'b ${i}' where n = 2`);
      await setTimeout(20);
    }
  };
  const writing = writes();
  try {
    await pair.queryTarget("insert into app.bag values (1, 'a')");
    reload("bag", { validateOnly: true });
    await task.until((progress) => validationOf(progress, "bag")?.failed === 1);
    assert.deepEqual(await failuresIn(pair), ["bag MISSING_SOURCE 1 row"]);
  } finally {
    stop.abort();
    await writing.finally(() => client.end());
  }
  await finds("bag MISSING_SOURCE 1 row");
  await pair.query("insert into app.bag values (1, 'a')");
  await pair.queryTarget("delete from app.bag where ctid in (select ctid from app.bag where n = 1 limit 1)");
  await finds();
});
