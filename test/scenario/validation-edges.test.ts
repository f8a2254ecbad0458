import assert from "node:assert/strict";
import { after, test } from "node:test";
import { becomesTrue, eventually } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import type { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";
import { areCompared, failuresIn, validationOf, whileUnreadable } from "../support/task-validation.ts";

/*
 * What may happen to a task while it compares: tables are altered and made, rows are passed over, a table is set aside, it is stopped.
 * What it says of its tables is right before and after.
 */

const server = await serverOfFile(startPostgres());
const pair = await TaskPair.make(
  { source: server, target: server },
  {
    name: "edges",
    schema: `create schema app;
      create table app.item (id int primary key, word varchar(50));
      insert into app.item select i, 'word ' || i from generate_series(1, 50) i;
      create table app.gate (id int primary key, n int);
      insert into app.gate values (1, 1);
      create table app.aside (id int primary key, n varchar(9));
      insert into app.aside values (1, '1'), (2, '2')`,
    settings: JSON.stringify({
      ValidationSettings: { EnableValidation: true, ThreadCount: 2 },
      ErrorBehavior: { DataErrorPolicy: "LOG_ERROR", RecoverableErrorInterval: 1 },
    }),
  },
);
after(() => pair.end());
let task = pair.run();
await task.until((progress) => areCompared(progress));

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

/** Something comes to pass while tables are compared, of which one cannot be read until then. */
async function whileComparing(meanwhile: () => Promise<void>): Promise<void> {
  await whileUnreadable(pair, "app.gate", async (someoneWaits) => {
    reload("gate", { validateOnly: true });
    reload("item", { validateOnly: true });
    await someoneWaits();
    await meanwhile();
  });
}

test("a table that is altered and one that is made while tables are compared are compared as they are then", async () => {
  await whileComparing(async () => {
    await pair.query(
      `begin; alter table app.item add column more int; insert into app.item values (51, 'word 51', 51);
       create table app.made (id int primary key, n int); insert into app.made values (1, 1), (2, 2); commit`,
    );
    await becomesTrue(server, pair.to, "exists (select from pg_attribute where attname = 'more')");
    assert.equal(validationOf(task.last!, "gate")?.state === "Validated", false);
  });
  await eventually("the new table is one of the task's", async () =>
    task.last!.tables.some(({ id }) => id.name === "made"),
  );
  await finds();
  await pair.queryTarget("update app.item set more = 52 where id = 51; delete from app.made where id = 2");
  reload("item", { validateOnly: true });
  reload("made", { validateOnly: true });
  await finds("item RECORD_DIFF 51 more", "made MISSING_TARGET 2");
  await pair.queryTarget("update app.item set more = 51 where id = 51; insert into app.made values (2, 2)");
  reload("item", { validateOnly: true });
  reload("made", { validateOnly: true });
  await finds();
});

test("a row that becomes the same while its difference is recorded is not told", async () => {
  await pair.queryTarget(
    `update app.item set word = 'other' where id = 20;
     create table mended (at timestamptz);
     create function mend() returns trigger language plpgsql as $$ begin
       update app.item set word = 'word 20' where id = 20;
       insert into mended values (now());
       return new;
     end $$;
     create trigger mend before insert on awsdms_validation_failures_v1 for each row execute function mend()`,
  );
  reload("item", { validateOnly: true });
  await becomesTrue(server, pair.to, "exists (select from mended)");
  await finds();
  await pair.queryTarget("drop function mend cascade; drop table mended");
});

test("a task that is stopped while it compares compares the rest, and what has changed meanwhile", async () => {
  // Such a change is passed over.
  await pair.queryTarget("alter table app.item add constraint no_secret check (word <> 'secret')");
  await whileComparing(async () => {
    task.running.stop();
    assert.equal((await task.running.outcome).stopReason, "NORMAL");
  });
  await pair.query(
    "update app.item set word = 'secret' where id = 3; update app.item set word = '' where id = 4",
  );
  task = pair.run({ start: "resume-processing" });
  await finds("item RECORD_DIFF 3 word");
});

test("a row that is passed over is told as different, once", async () => {
  await pair.query("insert into app.item values (60, 'secret', 1)");
  await finds("item MISSING_TARGET 60", "item RECORD_DIFF 3 word");
  await pair.query("update app.item set more = 2 where id in (3, 60)");
  await eventually("the changes are recorded", async () => (await recordedErrors()) === 4);
  await task.until((progress) => (validationOf(progress, "item")?.pending ?? 0) > 0);
  await finds("item MISSING_TARGET 60", "item RECORD_DIFF 3 word, more");
  await pair.queryTarget("alter table app.item drop constraint no_secret");
  reload("item");
  await finds();
});

async function recordedErrors(): Promise<number> {
  const [row] = await pair.queryTarget(
    `select count(*)::int as n from awsdms_apply_exceptions where "TABLE_NAME" = 'item'`,
  );
  return (row as { readonly n: number }).n;
}

/** Of a table that is set aside. */
async function isAside(observed: ObservedTask): Promise<void> {
  await observed.until((progress) => validationOf(progress, "aside")?.state === "Table error");
  const { error, validation } = observed.last!.tables.find(({ id }) => id.name === "aside")!;
  assert.equal(error?.code, "source.table_changed");
  assert.deepEqual([validation?.pending, validation?.rowsCompared], [0, undefined]);
}

test("a table that is set aside says so, and nobody waits for it until it is loaded again", async () => {
  await whileUnreadable(pair, "app.aside", async (someoneWaits) => {
    reload("aside", { validateOnly: true });
    await someoneWaits();
    await pair.query("alter table app.aside alter n type int using n::int + 1");
    await isAside(task);
  });
  reload("aside", { validateOnly: true });
  reload("item", { validateOnly: true });
  await task.until((progress) => validationOf(progress, "item")?.state === "Validated");
  await isAside(task);

  task.running.drain();
  assert.equal((await task.running.outcome).state, "stopped");
  task = pair.run({ start: "resume-processing" });
  await isAside(task);
  reload("aside");
  await finds();
});
