import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { CommandLine } from "../support/command-line.ts";
import { killRows, killSchema } from "../support/kill-schema.ts";
import type { Run } from "../support/killed-task.ts";
import { armingOf, killsIn, type Situation } from "../support/kills.ts";
import { serverPair } from "../support/server-pair.ts";
import type { TaskProcess } from "../support/task.ts";
import { TaskLife } from "../support/task-life.ts";

/*
 * A task is killed at every step at which it changes something outside of its process, goes on, and in
 * the end both databases are compared row by row. Which steps each test comes by stands in kills.ts.
 */

const servers = await serverPair();
const { source, target } = servers;

/** Tables of the same names and other columns, with what stands on them. */
const earlierTables = `create schema app; create table app.event (other int); insert into app.event values (1);
  create view app.events as select other from app.event; create table app.ranged (id int primary key);
  create table app.child (ranged_id int references app.ranged)`;

/** Without shares: ranges that are done stay done. */
const ranges = { SharedReadLimitInMB: 0 };

interface Kills {
  readonly run: (first: boolean) => Run;
  /** Called after each kill. */
  readonly between?: () => Promise<void>;
}

/** Kills the task at all places of a situation while an application writes. */
async function killAtEach(life: TaskLife, situation: Situation, { run, between }: Kills): Promise<void> {
  await using writer = await life.write(situation);
  for (const [i, kill] of killsIn(situation).entries()) {
    writer.note = `${situation}: ${kill.failpoint}`;
    await life.kill(kill, run(i === 0));
    await between?.();
  }
  assert.ok(writer.commits > 0);
}

/** Snapshots that the partitions which are done were read from, of the table whose partitions are ranges of its key. */
async function donePartitions(life: TaskLife): Promise<ReadonlyMap<string, string>> {
  const there = "select to_regclass('public.awsdms_load_state') is not null as there";
  if (!(await target.query(there, life.to))[0].there) return new Map();
  const rows = await target.query(
    `select partition_id as id, snapshot_position as snapshot
       from awsdms_load_state where done and table_name = 'ranged'`,
    life.to,
  );
  return new Map(rows.map(({ id, snapshot }) => [id, snapshot]));
}

test("killed at each step of its start and started anew each time, a task ends with equal databases", async () => {
  const life = await TaskLife.begin(servers, {
    type: "full-load-and-cdc",
    schema: `${killSchema}; ${killRows}`,
    target: earlierTables,
  });
  const run = (): Run => ({ start: "start-replication", startId: randomUUID() });
  await killAtEach(life, "start", { run });
  await life.finish(run());
  await life.assertEqual();
});

/** The task of the tests that follow each other, each from where the one before has left it. */
let shared: TaskLife;

test("killed at each step of the load, a task goes on and ends with equal databases", async () => {
  const life = await TaskLife.begin(servers, {
    type: "full-load-and-cdc",
    schema: `${killSchema}; ${killRows}`,
    target: earlierTables,
    // One partition after the other, so that the places tell which tables are loaded in part.
    settings: { FullLoadSettings: { MaxFullLoadSubTasks: 1 }, TidewaySettings: ranges },
  });
  shared = life;
  const read = new Map<string, string>();
  await killAtEach(life, "load", {
    run: (first) => ({ start: first ? "start-replication" : "resume-processing" }),
    between: async () => {
      for (const [id, snapshot] of await donePartitions(life)) {
        if (!read.has(id)) read.set(id, snapshot);
        assert.equal(snapshot, read.get(id), "what was done is not read again");
      }
    },
  });
  assert.ok(new Set(read.values()).size > 1, "rows were read from several snapshots");
  await life.finish();
  await life.assertEqual();
});

test("killed at each step of replication, a task goes on and ends with equal databases", async () => {
  await killAtEach(shared, "changes", { run: () => ({}) });
  await shared.finish();
  await shared.assertEqual();
});

/** Does it as soon as the task replicates. */
function whenReplicating(act: (task: TaskProcess) => void): (task: TaskProcess) => void {
  return (task) =>
    void task
      .until(({ phase }) => phase === "replicating")
      .then(
        () => act(task),
        // It was killed before.
        () => undefined,
      );
}

const drain = whenReplicating((task) => task.order({ drain: true }));

test("killed when it has recorded an idle stretch of the log, a task goes on", async () => {
  for (const kill of killsIn("idle")) await shared.kill(kill, { untilCaughtUp: false, steer: drain });
  await source.query("insert into app.event values ('after an idle stretch', 1)", shared.from);
  await shared.finish();
  await shared.assertEqual();
});

test("killed at each step of a backlog, a task goes on and ends with equal databases", async () => {
  for (const kill of killsIn("backlog")) {
    await source.query(
      `do $$ begin for i in 1..3000 loop
         insert into app.event values ('${kill.failpoint}' || repeat('x', 900), i);
         update app.ranged set a = a + 1 where id = 1 + i % 20; commit; end loop; end $$`,
      shared.from,
    );
    await shared.kill(kill, { untilCaughtUp: false });
  }
  await shared.finish();
  await shared.assertEqual();
});

test("killed at each step of a reload of some tables, a task goes on and ends with equal databases", async () => {
  const tables = ["child", "event", "log"].map((name) => ({ schema: "app", name }));
  const steer = whenReplicating((task) => task.order({ reload: tables, drain: true }));
  await killAtEach(shared, "reload", { run: () => ({ untilCaughtUp: false, steer }) });
  await shared.finish();
  await shared.assertEqual();
});

test("killed while a table is set aside and comes back into the stream, a task ends with equal databases", async () => {
  await source.query(
    `alter publication tideway_${shared.spec.id} drop table app.log;
     alter publication tideway_${shared.spec.id} add table app.log where (n < 5)`,
    shared.from,
  );
  const tables = [{ schema: "app", name: "log" }];
  const steer = whenReplicating((task) => task.order({ reload: tables, drain: true }));
  await killAtEach(shared, "unpublished", { run: () => ({ untilCaughtUp: false, steer }) });
  await shared.finish();
  await shared.assertEqual();
});

test("killed while what it left is removed, a task leaves nothing when that is done again", async () => {
  for (const kill of killsIn("delete")) await shared.remove(kill);
  await shared.remove();
  assert.deepEqual(await shared.traces(), []);
});

const filled = `${killSchema}; insert into app.ranged values (-1, 1), (-2, 2); insert into app.log values ('stays', 1)`;

for (const [situation, mode, there, kept] of [
  ["truncate", "TRUNCATE_BEFORE_LOAD", filled, 0],
  ["keep", "DO_NOTHING", filled, 3],
  ["made", "TRUNCATE_BEFORE_LOAD", "create schema app", 0],
] as const) {
  test(`killed at each step of a full load with ${mode} (${situation}), a task ends with the source's rows and those that stay`, async () => {
    const life = await TaskLife.begin(servers, {
      type: "full-load",
      schema: `${killSchema}; ${killRows}`,
      target: there,
      settings: {
        FullLoadSettings: { TargetTablePrepMode: mode, MaxFullLoadSubTasks: 1 },
        TidewaySettings: ranges,
      },
    });
    // As by a server that never heard of what the task did.
    const run = { start: "start-replication" } as const;
    for (const kill of killsIn(situation)) await life.kill(kill, run);
    await life.finish(run);
    const [rows] = await target.query(
      `with ranged as (delete from app.ranged where id < 0 returning 1), log as (delete from app.log where note = 'stays' returning 1)
       select (select count(*) from ranged)::int + (select count(*) from log)::int as n`,
      life.to,
    );
    assert.equal(rows.n, kept);
    await life.assertEqual();
  });
}

test("killed at each step of its start, a task that captures changes alone goes on; so does the removal of it", async () => {
  const life = await TaskLife.begin(servers, { type: "cdc", schema: killSchema, target: killSchema });
  const run = { start: "start-replication" } as const;
  for (const kill of killsIn("capture")) {
    const applies = kill.failpoint.startsWith("apply.");
    if (applies) await source.query(`insert into app.event values ('${kill.failpoint}', 1)`, life.from);
    await life.kill(kill, run);
  }
  await life.finish(run);
  await life.assertEqual();

  const args = ["cleanup", "--task", life.spec.id, source.url(life.from), target.url(life.to)];
  for (const kill of killsIn("cleanup")) {
    const env = { TIDEWAY_FAILPOINT: armingOf(kill) };
    await using command = new CommandLine(args, { env });
    assert.equal((await command.result).code, null, "it was killed");
  }
  await using command = new CommandLine(args);
  assert.equal((await command.result).code, 0);
  assert.deepEqual(await life.traces(), []);
});

test("killed when one share of a table is loaded and another is not, a task reads all of the table again", async () => {
  const life = await TaskLife.begin(servers, {
    type: "full-load-and-cdc",
    schema: `${killSchema}; ${killRows}`,
    settings: { FullLoadSettings: { MaxFullLoadSubTasks: 2 } },
  });
  await killAtEach(life, "shared", { run: () => ({ start: "start-replication" }) });
  const shares = await target.query(
    `select bool_or(done) as some, bool_and(done) as every from awsdms_load_state
      where range_kind = 'share' group by table_name`,
    life.to,
  );
  assert.ok(
    shares.some(({ some, every }) => some && !every),
    JSON.stringify(shares),
  );
  await life.finish();
  await life.assertEqual();
});
