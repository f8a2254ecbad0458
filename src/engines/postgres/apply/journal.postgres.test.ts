import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { nasty, orders, partitions } from "../../../../test/support/journal-samples.ts";
import { at, newTarget, open } from "../../../../test/support/journal-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { lsnPosition } from "../catalog/lsn.ts";
import { findLeftovers } from "../leftovers.ts";
import { moveLargeObjectsSql, savePositionSql } from "./journal-sql.ts";

const server = await serverOfFile(startPostgres({ version: 12 }));

test("the applied position is kept as a checkpoint that DMS users can read", async () => {
  const { database, endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  assert.equal(await journal.appliedPosition(unaborted), undefined);
  await journal.setAppliedPosition(at("0/16B3748"), unaborted);
  await journal.setAppliedPosition(at("16/B374D848"), unaborted);
  assert.deepEqual(await journal.appliedPosition(unaborted), at("16/B374D848"));
  const rows = await server.query(`select * from awsdms_txn_state`, database);
  assert.equal(rows.length, 1);
  assert.equal(rows[0].SERVER_NAME, "tideway");
  assert.equal(rows[0].TASK_NAME, "t1");
  assert.equal(rows[0].CHECKPOINT, "checkpoint:V1#1#16/B374D848#0#0#*#0#pg-lsn");
});

test("the name of the source's log is kept beside the tables, and replaced by another", async () => {
  const { endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  assert.equal(await journal.sourceLog(unaborted), undefined);
  await journal.setSourceLog("7714083397131343839/1", unaborted);
  await journal.setSourceLog("7714083397131343839/2", unaborted);
  await using other = await open(endpoint, { taskId: "t2" });
  assert.equal(await other.sourceLog(unaborted), undefined);
  assert.equal(await journal.sourceLog(unaborted), "7714083397131343839/2");
  assert.deepEqual(await journal.tables(unaborted), []);
  await journal.forget(unaborted);
  assert.equal(await journal.sourceLog(unaborted), undefined);
});

test("saving the position many times touches no index", async () => {
  const { database, endpoint } = await newTarget(server);
  const request = { taskId: "t1", controlSchema: undefined };
  await using journal = await open(endpoint);
  await journal.setAppliedPosition(at("0/1"), unaborted);
  const client = await server.connect(database);
  for (let i = 0; i < 500; i++) await client.query(savePositionSql(request, lsnPosition(BigInt(i + 2))));
  await client.end();
  const [{ pages }] = await server.query(
    "select pg_relation_size('awsdms_txn_state_task_recovery_index') / 8192 as pages",
    database,
  );
  assert.equal(Number(pages), 2);
  const [{ heap }] = await server.query(
    "select pg_relation_size('awsdms_txn_state') / 8192 as heap",
    database,
  );
  assert(Number(heap) <= 2, `${heap} pages`);
});

test("tasks do not see each other's journal, and forgetting one leaves the other", async () => {
  const { database, endpoint } = await newTarget(server);
  await using first = await open(endpoint);
  await using second = await open(endpoint, { taskId: "t2" });
  for (const journal of [first, second]) {
    await journal.planTables([{ id: orders, created: true, snapshot: undefined, partitions }], unaborted);
    await journal.setTableStates([orders], { state: "suspended", reason: "x" }, unaborted);
    await journal.keepObjects([{ kind: "table", id: orders }], unaborted);
  }
  await second.setAppliedPosition(at("0/2"), unaborted);
  assert.equal(await first.appliedPosition(unaborted), undefined);
  await first.setAppliedPosition(at("0/1"), unaborted);
  await server.query(
    `insert into awsdms_apply_exceptions select 't' || i, '', '', now(), '', '' from generate_series(1, 2) i`,
    database,
  );
  await first.forget(unaborted);
  assert.deepEqual(await first.tables(unaborted), []);
  assert.equal(await first.appliedPosition(unaborted), undefined);
  assert.equal(await first.keptObjects(unaborted), undefined);
  assert.equal((await second.keptObjects(unaborted))?.length, 1);
  assert.equal((await second.tables(unaborted))[0]!.partitions.length, partitions.length);
  assert.deepEqual(await second.appliedPosition(unaborted), at("0/2"));
  for (const table of ["awsdms_suspended_tables", "awsdms_apply_exceptions"]) {
    assert.equal((await server.query(`select from ${table}`, database)).length, 1, table);
  }
});

test("ten tasks that start at once make the control schema and its tables together", async () => {
  const { database, endpoint } = await newTarget(server);
  const controlSchema = 'Control "x"';
  const journals = await Promise.all(
    Array.from({ length: 10 }, (_, i) => open(endpoint, { taskId: `t${i}`, controlSchema })),
  );
  await Promise.all(journals.map((journal) => journal[Symbol.asyncDispose]()));
  const found = await server.query(
    `select relname from pg_class where relnamespace = '"Control ""x"""'::regnamespace and relkind = 'r' order by 1`,
    database,
  );
  assert.deepEqual(
    found.map((row) => row.relname),
    [
      "awsdms_apply_exceptions",
      "awsdms_load_state",
      "awsdms_suspended_tables",
      "awsdms_table_state",
      "awsdms_txn_state",
    ],
  );
});

test("that nothing was there before the task is something else than not to know", async () => {
  const { endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  assert.equal(await journal.keptObjects(unaborted), undefined);
  await journal.keepObjects([], unaborted);
  assert.deepEqual(await journal.keptObjects(unaborted), []);
  await using other = await open(endpoint, { taskId: "t2" });
  const kept = [
    { kind: "function", id: nasty },
    { kind: "schema", id: { schema: nasty.schema, name: "" } },
  ] as const;
  await other.keepObjects(kept, unaborted);
  assert.deepEqual(await other.keptObjects(unaborted), kept);
  await other.keepObjects([{ kind: "table", id: nasty }], unaborted);
  assert.deepEqual(await other.keptObjects(unaborted), [...kept, { kind: "table", id: nasty }]);
  await other.releaseObjects([kept[0], { kind: "table", id: { ...nasty, name: "another" } }], unaborted);
  assert.deepEqual(await other.keptObjects(unaborted), [kept[1], { kind: "table", id: nasty }]);
  await other.releaseObjects([kept[1], { kind: "table", id: nasty }], unaborted);
  assert.deepEqual(await other.keptObjects(unaborted), []);
  assert.deepEqual(await journal.keptObjects(unaborted), []);
});

test("large objects go on from where they stand, and from nowhere else", async () => {
  const { database, endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  assert.deepEqual(await journal.largeObjects(unaborted), { after: "0", done: false });
  const move = async (from: string, to: string, done = false): Promise<boolean> => {
    const sql = moveLargeObjectsSql({
      ...{ taskId: "t1", controlSchema: undefined, withRights: false, objects: [] },
      ...{ from: { after: from, done: false }, to: { after: to, done } },
      rest: () => assert.fail("nothing is read"),
    });
    return (await server.query(`${sql} returning 1`, database)).length === 1;
  };
  assert.equal(await move("0", "20000"), true);
  assert.equal(await move("0", "20000"), false);
  assert.deepEqual(await journal.largeObjects(unaborted), { after: "20000", done: false });
  assert.equal(await move("20000", "4294967295", true), true);
  assert.equal(await move("4294967295", "4294967295", true), false);
  assert.deepEqual(await journal.largeObjects(unaborted), { after: "4294967295", done: true });
  assert.deepEqual(await journal.tables(unaborted), []);
});

test("a user who may not create anything opens a journal whose tables are there", async () => {
  const { database, endpoint } = await newTarget(server);
  await using first = await open(endpoint);
  await server.query(
    `create role clerk login password 'clerk'; revoke create on schema public from public;
     grant select, insert, update, delete on all tables in schema public to clerk`,
    database,
  );
  const clerk = { ...endpoint, username: "clerk", password: "clerk" };
  await using journal = await open(clerk, { taskId: "t2" });
  await journal.setTableStates([orders], { state: "ready" }, unaborted);
  assert.equal((await journal.tables(unaborted))[0]!.state, "ready");
  assert.deepEqual(await first.tables(unaborted), []);
  await assert.rejects(open(clerk, { controlSchema: "elsewhere" }), { code: "target.privilege" });
});

test("a table of somebody else's with a control table's name is refused and left as it is", async () => {
  const { database, endpoint } = await newTarget(server);
  await server.query(`create table awsdms_txn_state (x int)`, database);
  await assert.rejects(open(endpoint), { code: "target.control_table", subject: "public.awsdms_txn_state" });
  const made = await server.query(
    "select from pg_class where relname like 'awsdms%' and relkind = 'r'",
    database,
  );
  assert.equal(made.length, 1);
});

test("a lost connection is an error of the connection, and another journal goes on", async () => {
  const { database, endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  await server.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tideway journal' and datname = current_database()",
    database,
  );
  await assert.rejects(journal.setAppliedPosition(at("0/1"), unaborted), { code: "connect.lost" });
  await using next = await open(endpoint);
  await next.setAppliedPosition(at("0/1"), unaborted);
});

test("records are in use while somebody works on their task, whatever others do", async () => {
  const { database, endpoint } = await newTarget(server);
  const inUse = async (): Promise<Readonly<Record<string, boolean>>> => {
    const found = await findLeftovers({ ...endpoint, database }, unaborted);
    const records = found.filter(({ kind }) => kind === "task records");
    return Object.fromEntries(records.map((record) => [record.taskId, record.inUse]));
  };
  const stopped = await open(endpoint);
  await stopped.setAppliedPosition(at("0/1"), unaborted);
  await using running = await open(endpoint, { taskId: "t2" });
  await running.setAppliedPosition(at("0/1"), unaborted);
  assert.deepEqual(await inUse(), { t1: true, t2: true });
  await stopped[Symbol.asyncDispose]();
  const isLeft = async (): Promise<boolean> => (await inUse())["t1"] === false;
  await eventually("the end of the session that worked on t1", isLeft, 20);
  assert.deepEqual(await inUse(), { t1: false, t2: true });
});
