import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cleanUpTask } from "../../src/server/run-task.ts";
import type { TaskProgress, TaskSpec } from "../../src/task/task.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres, TRUSTING } from "../support/postgres-server.ts";
import { type Pair, passedOver, rowErrorKinds, settings } from "../support/row-error-pairs.ts";
import { serverOfFile } from "../support/server-pair.ts";
import type { ObservedTask } from "../support/task.ts";

/* Single rows that the target refuses, by load and by change, between two PostgreSQL servers and to MariaDB. */

const [source, toPostgres, toMysql] = await Promise.all([
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);

const kinds = rowErrorKinds({ source, toPostgres, toMysql });

const pairs: Pair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

/** Of the big table, of which three are refused; the first test has so many that they come in several parts. */
const ROWS = 3_000;
const schemaOf = (rows: number): string => `create schema app;
  create table app.t (id int primary key, v varchar(20)); create table app.big (id int primary key, v varchar(20));
  create table app.fine (id int primary key, v varchar(20));
  insert into app.t values (1, 'ok'), (2, 'secret'), (3, null);
  insert into app.big select i, case when i % ${rows / 3} = 7 then 'secret' else 'tab' || chr(9) end from generate_series(1, ${rows}) i;
  insert into app.fine select i, 'v' from generate_series(1, 100) i`;
const NARROW = `create table app.t (id int primary key, v varchar(4)); create table app.big (id int primary key, v varchar(4));
  create table app.fine (id int primary key, v varchar(20))`;

function tally(progress: TaskProgress | undefined, name: string) {
  const { fullLoadRows, fullLoadErrorRows, refused, state } = progress!.tables.find(
    ({ id }) => id.name === name,
  )!;
  return [fullLoadRows, fullLoadErrorRows, refused, state];
}

for (const kind of kinds) {
  const start = async (
    parts: Partial<TaskSpec> & { readonly schema?: string },
  ): Promise<{ pair: Pair; task: ObservedTask }> => {
    const pair = await kind.make({ schema: schemaOf(ROWS), targetSchema: NARROW, ...parts });
    pairs.push(pair);
    return { pair, task: await pair.replicate() };
  };
  const exceptions = (pair: Pair, table: string): Promise<readonly string[]> => passedOver(kind, pair, table);
  const ids = async (pair: Pair, sql: string): Promise<readonly number[]> =>
    (await kind.ask(pair, sql)).map(({ id }) => Number(id)).toSorted((a, b) => a - b);

  test(`rows that ${kind.name} refuses are passed over in load and changes, recorded once, and told`, async () => {
    const more = { ControlTablesSettings: { FullLoadExceptionTableEnabled: true } };
    const { pair, task } = await start({ schema: schemaOf(30_000), settings: settings({}, more) });
    await pair.query(`begin; insert into app.t values (4, 'also secret'), (5, 'ok'); update app.fine set v = 'w'; commit;
      update app.t set v = 'longer' where id = 1; delete from app.t where id = 2; insert into app.fine values (200, 'last')`);
    const { progress, suspendedTables } = await pair.drain(task);
    assert.deepEqual(suspendedTables, []);
    assert.deepEqual(tally(progress, "t"), [2, 1, 2, "Table completed"]);
    assert.deepEqual(tally(progress, "big"), [29_997, 3, 0, "Table completed"]);
    assert.deepEqual(tally(progress, "fine"), [100, 0, 0, "Table completed"]);
    assert.deepEqual(await ids(pair, "select id from app.t"), [1, 3, 5]);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.big"), [29_997]);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.fine where v = 'w'"), [100]);
    assert.deepEqual(await exceptions(pair, "awsdms_full_load_exceptions"), [
      "insert big 10007",
      "insert big 20007",
      "insert big 7",
      "insert t 2",
    ]);
    assert.deepEqual(await exceptions(pair, "awsdms_apply_exceptions"), [
      "delete t 2",
      "insert t 4",
      "update t 1",
    ]);
    const told = task.findings.filter(({ code }) => code === "apply.rows_left_out");
    assert.deepEqual(told.map(({ subject }) => subject).toSorted(), ["app.big", "app.t"]);
    assert.doesNotMatch(JSON.stringify([task.findings, task.logs]), /secret/);
  });

  test(`a policy sets a table aside or fails the task for rows that ${kind.name} refuses`, async () => {
    const limited = { DataErrorEscalationCount: 3, DataErrorEscalationPolicy: "SUSPEND_TABLE" };
    const { pair, task } = await start({ settings: settings(limited) });
    assert.deepEqual(tally(task.last, "big").at(-1), "Table error");
    const { error } = task.last!.tables.find(({ id }) => id.name === "big")!;
    assert.equal(error?.code, "apply.too_many_errors");
    // One row of the load counts, and a task that goes on counts on from it.
    await pair.query("insert into app.t values (4, 'also secret')");
    task.running.drain();
    assert.deepEqual(
      (await task.running.outcome).suspendedTables.map(({ name }) => name),
      ["big"],
    );
    const again = await pair.replicate({ start: "resume-processing" });
    await pair.query("insert into app.t values (6, 'secret'); insert into app.fine values (200, 'last')");
    again.running.drain();
    const { suspendedTables } = await again.running.outcome;
    assert.deepEqual(suspendedTables.map(({ name }) => name).toSorted(), ["big", "t"]);
    assert.deepEqual(
      tally(again.last, "t"),
      [2, 1, 1, "Table error"],
      "rows that earlier runs left out count",
    );
    assert.deepEqual(await ids(pair, "select id from app.fine where id > 100"), [200]);

    const tooMany = { DataErrorEscalationCount: 2, DataErrorEscalationPolicy: "STOP_TASK" };
    for (const [change, code] of [
      [{ DataErrorPolicy: "STOP_TASK" }, "load.rejected"],
      [tooMany, "apply.stopped_by_policy"],
    ] as const) {
      const stopping = await kind.make({
        ...{ schema: schemaOf(ROWS), targetSchema: NARROW },
        settings: settings(change),
      });
      pairs.push(stopping);
      const { state, error: reason } = await stopping.run().running.outcome;
      assert.deepEqual([state, reason?.code], ["failed", code]);
    }
  });

  test(`a table that is loaded again into ${kind.name} beside the others has the exceptions of that load alone`, async () => {
    const limited = { DataErrorEscalationCount: 4, DataErrorEscalationPolicy: "SUSPEND_TABLE" };
    const { pair, task } = await start({ settings: settings(limited) });
    await pair.query("insert into app.t values (4, 'secret'), (5, 'secret')");
    await task.until((progress) => tally(progress, "t")[2] === 2);
    await pair.query("delete from app.t where id in (4, 5)");
    task.running.reloadTables([{ schema: "app", name: "t" }]);
    await task.until(({ tables }) =>
      tables.some(({ reloaded, state }) => reloaded && state === "Table completed"),
    );
    // One of the load and two more.
    await pair.query("insert into app.t values (6, 'secret'), (7, 'secret'), (8, 'fit')");
    const { suspendedTables } = await pair.drain(task);
    assert.deepEqual(suspendedTables, []);
    assert.deepEqual(await ids(pair, "select id from app.t"), [1, 3, 8]);
  });

  test(`a truncated table fails the task before ${kind.name} is touched when the settings say so`, async () => {
    const { pair, task } = await start({ settings: settings({ ApplyErrorFailOnTruncationDdl: true }) });
    await pair.query("truncate app.fine");
    const { state, error } = await task.running.outcome;
    assert.deepEqual([state, error?.code], ["failed", "apply.truncated"]);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.fine"), [100]);
    const again = await pair.replicate({ start: "resume-processing", settings: settings() });
    await pair.drain(again);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.fine"), [0]);
  });

  test(`rows of ${kind.name} stay when the source truncates a table and the settings say so`, async () => {
    const ddl = { ChangeProcessingDdlHandlingPolicy: { HandleSourceTableTruncated: false } };
    const policies = { ApplyErrorInsertPolicy: "INSERT_RECORD" };
    const { pair, task } = await start({ settings: settings(policies, ddl) });
    await pair.query(`begin; insert into app.fine values (150, 'gone'); truncate app.fine, app.big;
      insert into app.fine values (1, 'new'), (300, 'v'); commit; insert into app.fine values (2, 'new')`);
    await pair.drain(task);
    const { findings } = task;
    const told = findings.filter(({ code }) => code === "apply.truncate_passed_over");
    assert.deepEqual(told.map(({ subject }) => subject).toSorted(), ["app.big", "app.fine"]);
    assert.deepEqual(await ids(pair, "select id from app.fine where v = 'new'"), [1, 2]);
    assert.deepEqual(await ids(pair, "select id from app.fine where id > 99"), [100, 150, 300]);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.fine"), [102]);
    assert.deepEqual(await ids(pair, "select count(*) as id from app.big"), [ROWS - 3]);
  });

  test(`control tables of ${kind.name} show what the task does, and go with it`, async () => {
    const tables = { HistoryTableEnabled: true, StatusTableEnabled: true, HistoryTimeslotInMinutes: 7 };
    const { pair, task } = await start({ settings: settings({}, { ControlTablesSettings: tables }) });
    await pair.query("insert into app.fine values (200, 'last')");
    await pair.drain(task);
    const own = `where task_name = '${pair.spec.id}'`;
    const [status] = await kind.ask(pair, `select * from ${kind.table("awsdms_status")} ${own}`);
    assert.equal(status?.task_status, "NOT RUNNING");
    assert.equal(Number(status?.pending_changes), 0);
    assert.equal(status?.source_current_position, (await task.running.outcome).progress.recoveryCheckpoint);
    assert.notEqual(status?.source_timestamp_applied, null);
    const slots = await kind.ask(
      pair,
      `select * from ${kind.table("awsdms_history")} ${own} order by timeslot`,
    );
    const [load, changes] = slots;
    assert.deepEqual(
      slots.map(({ timeslot_type, timeslot_duration }) => [timeslot_type, Number(timeslot_duration)]),
      [
        ["FULL LOAD", 7],
        ["CHANGE PROCESSING", 7],
      ],
    );
    assert.deepEqual([load?.timeslot_latency, changes?.timeslot_volume], [null, null]);
    assert.equal(Number(load?.timeslot_records) + Number(changes?.timeslot_records) > 0, true);
    await cleanUpTask(pair.spec, AbortSignal.timeout(60_000));
    for (const table of ["awsdms_status", "awsdms_history"]) {
      assert.deepEqual(await kind.ask(pair, `select task_name from ${kind.table(table)} ${own}`), []);
    }
  });
}
