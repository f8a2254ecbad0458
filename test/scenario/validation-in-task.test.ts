import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type DatabaseKind, postgres, type TestSchema } from "../contract/database-kind.ts";
import { mariadb } from "../contract/mysql-kinds.ts";
import { eventually } from "../support/eventually.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, runToEnd, schemas, TaskProcess, taskSpec } from "../support/task.ts";
import {
  areCompared,
  areWholeCompared,
  failuresOf,
  validating,
  validationOf,
} from "../support/task-validation.ts";

/*
 * A task compares what it moves while an application writes: what somebody changes on the target behind its back is found, by the
 * comparison of whole tables and among the rows that change, and nothing else is.
 */

const running = new Map(
  await Promise.all(
    [postgres, mariadb].map(async (kind) => [kind, await serverOfFile(kind.start())] as const),
  ),
);

const schema = `
  create table counter (id int primary key, n int not null);
  insert into counter values (1, 0), (2, 0);
  create table item (region varchar(5), id int, word varchar(50), price decimal(12,4), primary key (region, id));
  insert into item values ${Array.from({ length: 500 }, (_, i) => `('r${i % 3}', ${i}, 'word ${i}', ${i}.5)`).join(", ")};
  create table moment (at timestamp(6) primary key, word varchar(50));
  insert into moment values ('2026-01-01 10:00:00.5', 'a'), ('2026-01-02 10:00:00.123456', 'b');
  create table bag (n int, word varchar(50));
  insert into bag values (1, 'a'), (1, 'a'), (2, 'b')`;

/** Rows up to this are written by nobody but the test. */
const QUIET = 100;
const PACE_MS = 20;
const DELAYED = { ValidationSettings: { ValidationQueryCdcDelaySeconds: 2 } };

async function write(source: TestSchema, signal: AbortSignal): Promise<number> {
  await using session = await source.session();
  let commits = 0;
  for (let i = 0; !signal.aborted; i++) {
    const id = QUIET + 2 + (i % 300);
    await session.run(
      [
        "begin",
        "update counter set n = n + 1 where id = 1",
        `update item set word = 'changed ${i}' where id = ${id}`,
        i % 3 === 0
          ? `delete from item where id = ${id + 1}`
          : `update item set region = 'x' where id = ${id + 2}`,
        `insert into item values ('new', ${10_000 + i}, 'new', 1)`,
        "commit",
      ].join("; "),
    );
    commits++;
    await setTimeout(PACE_MS);
  }
  return commits;
}

const pairs: readonly (readonly [DatabaseKind, DatabaseKind])[] = [
  [postgres, postgres],
  [mariadb, postgres],
  [postgres, mariadb],
];

for (const [from, to] of pairs) {
  test(`a task finds what is other on the target while it is written: ${from.name} to ${to.name}`, async () => {
    const source = await running.get(from)!.newSchema();
    const target = await running.get(to)!.newSchema();
    await source.run(schema);
    if (from === postgres) await source.run("alter table bag replica identity full");
    const task = new ObservedTask(
      taskSpec({
        ...{ type: "full-load-and-cdc", source: source.endpoint, target: target.endpoint },
        ...{ tableMappings: schemas(source.name), settings: validating(target, DELAYED) },
      }),
    );
    const stop = new AbortController();
    const writing = write(source, stop.signal);
    try {
      // Whole tables, under load.
      await task.until(areWholeCompared);
      assert.deepEqual(await failuresOf(target), []);

      // Behind the task's back, once it has brought the change of a row, and before it compares the row.
      await target.run("delete from item where id = 8");
      await source.run("update item set price = 77 where id in (7, 8, 11)");
      await eventually("the changes are applied", async () => {
        const [[count]] = (await target.rows("select count(*) from item where price = 77")) as [[string]];
        return count === "2";
      });
      await target.run("update item set word = 'other' where id = 7");
      await task.until((progress) => validationOf(progress, "item")?.failed === 2);
      stop.abort();
      assert.ok((await writing) > 20);
      await task.until((progress) => areCompared(progress, { item: 2 }));
      assert.deepEqual(await failuresOf(target), ["item MISSING_TARGET r2/8", "item RECORD_DIFF r1/7 word"]);

      // What is the same again is recorded no more.
      await source.run("update item set word = 'new', price = 78 where id = 7");
      await target.run("update item set word = 'new' where id = 7");
      await task.until((progress) => areCompared(progress, { item: 1 }));
      assert.deepEqual(await failuresOf(target), ["item MISSING_TARGET r2/8"]);

      // Rows that no change concerns are looked at when somebody asks, and those without a key when some have changed.
      await target.run("update moment set word = 'c' where word = 'a'; insert into bag values (9, 'stray')");
      await source.run("insert into bag values (3, 'c')");
      task.running.reloadTables([
        { ...task.last!.tables[0]!.id, name: "moment", validateOnly: true, number: 1 },
      ]);
      await task.until((progress) => areCompared(progress, { item: 1, moment: 1, bag: 1 }));
      const [bag, ...others] = await failuresOf(target);
      assert.equal(bag, "bag MISSING_SOURCE 1 row");
      assert.deepEqual(
        others.map((line) => line.slice(0, 20)),
        ["item MISSING_TARGET ", "moment RECORD_DIFF 2"],
      );
    } finally {
      stop.abort();
      await writing.catch(() => undefined);
      task.running.stop();
      await task.running.outcome;
    }
  });
}

test("a full load ends when its tables are compared", async () => {
  const source = await running.get(postgres)!.newSchema();
  const target = await running.get(postgres)!.newSchema();
  await source.run(schema);
  await target.run("create table counter (id int primary key, n int); insert into counter values (3, 0)");
  const { outcome } = await runToEnd(
    taskSpec({
      ...{ type: "full-load", source: source.endpoint, target: target.endpoint },
      ...{ tableMappings: schemas(source.name) },
      settings: validating(target, { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } }),
    }),
  );
  assertStopped(outcome);
  assert.ok(areCompared(outcome.progress, { counter: 1 }), JSON.stringify(outcome.progress.tables));
  assert.deepEqual(await failuresOf(target), ["counter MISSING_SOURCE 3"]);
});

test("what was compared before a worker is killed is not compared again, and what has changed since is", async () => {
  const source = await running.get(postgres)!.newSchema();
  const target = await running.get(postgres)!.newSchema();
  await source.run(schema);
  await source.run("alter table bag replica identity full");
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", source: source.endpoint, target: target.endpoint },
    ...{ tableMappings: schemas(source.name), settings: validating(target, DELAYED) },
  });
  const killed = new TaskProcess(spec);
  await killed.until((progress) => areCompared(progress));
  await eventually("the journal has it", async () => {
    const [[count]] = (await target.rows("select count(*) from awsdms_table_state where compared")) as [
      [string],
    ];
    return count === "4";
  });
  await source.run("update counter set n = 1 where id = 1");
  await eventually(
    "the change is applied",
    async () => (await target.rows("select from counter where n = 1")).length > 0,
  );
  killed.kill();
  await killed.ended();

  // Neither the change of the one is compared yet, nor is the other looked at again.
  await target.run("update counter set n = 2 where id = 1; update item set word = '' where id = 1");
  const task = new ObservedTask({ ...spec, start: "resume-processing" });
  await task.until((progress) => areCompared(progress, { counter: 1 }));
  task.running.stop();
  assert.equal((await task.running.outcome).stopReason, "NORMAL");
  assert.deepEqual(await failuresOf(target), ["counter RECORD_DIFF 1 n"]);
});
