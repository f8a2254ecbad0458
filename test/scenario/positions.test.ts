import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { nativePosition } from "../../src/task/task-spec.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { mappedServers } from "../support/mapped-move.ts";
import { schemas, taskSpec } from "../support/task.ts";
import { TaskRuns } from "../support/task-runs.ts";

/* Where the changes that a task brings begin and end, in every form that AWS DMS has for it, looked at in the target. */

const { postgres, mariadb } = await mappedServers();

const TABLE = "create table t (id int primary key, v varchar(20))";

interface Sides {
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
  readonly schema: string;
  readonly onSource: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  readonly onTarget: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  /** The end of the source's log as its server writes it. */
  readonly place: () => Promise<string>;
  readonly exceptions: string;
  /** SQL of what the target keeps for a task. */
  readonly checkpoints: (task: string) => string;
}

/** From PostgreSQL to MariaDB, with a slot that keeps the log. */
async function fromPostgres(): Promise<Sides> {
  const database = await postgres.createDatabase("positions");
  const schema = await mariadb.createDatabase("positions");
  const onSource = (sql: string) => postgres.query(`set search_path = ${schema}; ${sql}`, database);
  await onSource(`create schema ${schema}; ${TABLE}; create publication kept for table t`);
  await onSource("select pg_create_logical_replication_slot('kept', 'pgoutput')");
  return {
    ...{ schema, onSource, onTarget: (sql) => mariadb.query(sql, schema) },
    source: { ...endpointOf(postgres, database), settings: { SlotName: "kept" } },
    target: mariadb.endpoint(),
    place: async () => (await onSource("select pg_current_wal_lsn()::text as lsn"))[0]!.lsn as string,
    exceptions: "select count(*) as n from awsdms_control.awsdms_apply_exceptions",
    checkpoints: (task) =>
      `select CHECKPOINT from awsdms_control.awsdms_txn_state where TASK_NAME = '${task}'`,
  };
}

async function fromMariadb(): Promise<Sides> {
  const database = await postgres.createDatabase("positions");
  const schema = await mariadb.createDatabase("positions");
  const onSource = (sql: string) => mariadb.query(sql, schema);
  await onSource(TABLE);
  await postgres.query(`create schema ${schema}`, database);
  return {
    ...{ schema, onSource, source: mariadb.endpoint(), target: endpointOf(postgres, database) },
    onTarget: (sql) => postgres.query(`set search_path = ${schema}; ${sql}`, database),
    place: async () => {
      const [status] = await onSource("show master status");
      return `${status!.File}:${status!.Position}`;
    },
    exceptions: "select count(*) as n from public.awsdms_apply_exceptions",
    checkpoints: (task) => `select "CHECKPOINT" from public.awsdms_txn_state where "TASK_NAME" = '${task}'`,
  };
}

const runs: TaskRuns[] = [];
after(() => Promise.all(runs.map((one) => one.end())));

for (const [name, sidesOf] of [
  ["PostgreSQL to MariaDB", fromPostgres],
  ["MariaDB to PostgreSQL", fromMariadb],
] as const) {
  test(`changes come from one position to another: ${name}`, async () => {
    const { source, target, schema, onSource, onTarget, place, exceptions, checkpoints } = await sidesOf();
    const taskOf = (parts: Partial<TaskSpec>): TaskRuns => {
      const spec = { type: "cdc", source, target, tableMappings: schemas(schema), ...parts } as const;
      const task = new TaskRuns(taskSpec(spec));
      runs.push(task);
      return task;
    };
    const insert = (id: number) => onSource(`insert into t values (${id}, 'v')`);
    const assertThere = async (...ids: readonly number[]): Promise<void> => {
      const rows = await onTarget("select id from t order by id");
      assert.deepEqual(
        rows.map(({ id }) => Number(id)),
        ids,
      );
    };
    const stopsAs = async (task: TaskRuns, parts: Partial<TaskSpec> = {}): Promise<string> => {
      const { state, error, stopReason } = await task.run(parts).running.outcome;
      assert.equal(state, "stopped", JSON.stringify(error));
      return stopReason;
    };
    await onTarget(TABLE);
    await insert(1);
    const native = await place();
    await insert(2);

    const first = taskOf({ cdcStartPosition: native, untilCaughtUp: true });
    assert.equal(await stopsAs(first), "NORMAL");
    await assertThere(2);
    const [row] = await onTarget(checkpoints(first.spec.id));
    const checkpoint = Object.values(row!)[0] as string;
    assert.match(checkpoint, /^checkpoint:V1#/);

    // As the API takes it of whoever wants to go on with another task.
    await insert(3);
    const second = taskOf({ cdcStartPosition: nativePosition(checkpoint) });
    const resumed = { start: "resume-processing" } as const;
    assert.equal(await stopsAs(second, { untilCaughtUp: true }), "NORMAL");
    await assertThere(2, 3);
    await insert(4);
    assert.equal(await stopsAs(second, { ...resumed, untilCaughtUp: true }), "NORMAL");
    await assertThere(2, 3, 4);

    await insert(5);
    const between = await nextSecond();
    await insert(6);
    const byCommit = { ...resumed, cdcStopPosition: `commit_time:${between}` };
    assert.equal(await stopsAs(second, byCommit), "STOPPED_AT_COMMIT_TIME");
    await assertThere(2, 3, 4, 5);

    // However long a task takes to come so far, it ends at a time.
    for (let seconds = 2; (await onTarget("select id from t where id = 6")).length === 0; seconds *= 2) {
      const byServer = { ...resumed, cdcStopPosition: `server_time:${inSeconds(seconds)}` };
      assert.equal(await stopsAs(second, byServer), "STOPPED_AT_SERVER_TIME");
    }
    await insert(7);
    await assertThere(2, 3, 4, 5, 6);

    await insert(8);
    const last = await place();
    await insert(9);
    assert.equal(await stopsAs(second, { ...resumed, cdcStopPosition: last }), "NORMAL");
    await assertThere(2, 3, 4, 5, 6, 7, 8);
    const [{ n }] = (await onTarget(exceptions)) as [{ n: unknown }];
    assert.equal(Number(n), 0, "no change came twice");
  });
}

/** A moment of UTC as positions have it, `seconds` from now, rounded up. */
function inSeconds(seconds: number): string {
  return new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000).toISOString().slice(0, 19);
}

/** A moment in the next second, which is over when this resolves. */
async function nextSecond(): Promise<string> {
  const moment = inSeconds(1);
  await eventually("the second to pass", async () => Date.now() > Date.parse(`${moment}Z`) + 1000);
  return moment;
}
