import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unaborted } from "../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import type { Partition } from "../../core/source.ts";
import type { Journal, JournalRequest } from "../../core/target.ts";
import { openJournal } from "./journal.ts";
import { savePositionSql } from "./journal-sql.ts";

let server: PostgresServer;
before(async () => {
  server = await startPostgres({ version: 12 });
});
after(() => server?.[Symbol.asyncDispose]());

const orders = { schema: "shop", name: "orders" };
const nasty = { schema: `a"b'c\\d`, name: `${"x".repeat(60)}é😀` };
const at = (text: string) => ({ kind: "pg-lsn", text });

const partitions: readonly Partition[] = [
  {
    id: "0",
    by: "key",
    columns: ["a", 'b"'],
    from: undefined,
    to: ["1", `it's "\\ 😀\n`],
    estimatedRows: 12,
  },
  {
    id: "1",
    by: "key",
    columns: ["a", 'b"'],
    from: ["1", `it's "\\ 😀\n`],
    to: undefined,
    estimatedRows: 1e12,
  },
  ...Array.from({ length: 10 }, (_, i) => ({
    id: String(i + 2),
    by: "block" as const,
    from: ["7"],
    to: ["8"],
    estimatedRows: 0,
  })),
];

async function newTarget(): Promise<{ database: string; endpoint: EndpointConfig }> {
  const database = await server.createDatabase();
  return { database, endpoint: endpointOf(server, database) };
}

function open(endpoint: EndpointConfig, request: Partial<JournalRequest> = {}): Promise<Journal> {
  return openJournal(endpoint, { taskId: "t1", controlSchema: undefined, ...request }, unaborted);
}

test("a planned table is the same after the journal was closed and opened again", async () => {
  const { endpoint } = await newTarget();
  {
    await using journal = await open(endpoint);
    await journal.planTables(
      [{ id: nasty, created: true, keepsRows: true, snapshot: at("16/B374D848"), partitions }],
      unaborted,
    );
    await journal.planTables(
      [{ id: orders, created: false, state: "prepared", snapshot: undefined, partitions: [] }],
      unaborted,
    );
  }
  await using journal = await open(endpoint);
  const tables = await journal.tables(unaborted);
  assert.deepEqual(tables, [
    {
      id: nasty,
      created: true,
      keepsRows: true,
      state: "planned",
      reason: undefined,
      partitions: partitions.map((partition) => ({
        partition,
        snapshot: at("16/B374D848"),
        done: false,
        rows: 0,
      })),
    },
    { id: orders, created: false, keepsRows: false, state: "prepared", reason: undefined, partitions: [] },
  ]);
});

test("planning a table again forgets its earlier partitions, state and suspension", async () => {
  const { database, endpoint } = await newTarget();
  await using journal = await open(endpoint);
  await journal.planTables([{ id: orders, created: true, snapshot: undefined, partitions }], unaborted);
  await journal.setTableStates([orders], { state: "suspended", reason: "why" }, unaborted);
  const again = partitions.slice(0, 1);
  await journal.planTables(
    [{ id: orders, created: false, snapshot: at("0/1"), partitions: again }],
    unaborted,
  );
  const [table] = await journal.tables(unaborted);
  assert.equal(table!.state, "planned");
  assert.equal(table!.created, false);
  assert.equal(table!.reason, undefined);
  assert.deepEqual(
    table!.partitions.map(({ partition, snapshot }) => [partition.id, snapshot]),
    [["0", at("0/1")]],
  );
  assert.equal((await server.query("select from awsdms_suspended_tables", database)).length, 0);
});

test("a new snapshot is noted for the partitions that are not done, and for no others", async () => {
  const { database, endpoint } = await newTarget();
  await using journal = await open(endpoint);
  await journal.planTables([{ id: orders, created: true, snapshot: at("0/1"), partitions }], unaborted);
  await journal.planTables([{ id: nasty, created: true, snapshot: at("0/1"), partitions }], unaborted);
  await server.query(
    "update awsdms_load_state set done = true where table_name = 'orders' and partition_id = '1'",
    database,
  );
  await journal.moveSnapshot([orders], at("0/2"), unaborted);
  const [other, moved] = await journal.tables(unaborted);
  assert.deepEqual(
    moved!.partitions.map(({ snapshot }) => snapshot?.text),
    partitions.map(({ id }) => (id === "1" ? "0/1" : "0/2")),
  );
  assert(other!.partitions.every(({ snapshot }) => snapshot?.text === "0/1"));
  await journal.moveSnapshot([orders], undefined, unaborted);
  assert.equal((await journal.tables(unaborted))[1]!.partitions[0]!.snapshot, undefined);
});

test("suspended tables are listed in DMS's table until they leave that state", async () => {
  const { database, endpoint } = await newTarget();
  await using journal = await open(endpoint);
  const reason = "load.rejected: The target refused 'rows' of a table that is not even planned.";
  await journal.setTableStates([orders], { state: "suspended", reason }, unaborted);
  await journal.setTableStates([orders], { state: "suspended", reason }, unaborted);
  const listed = await server.query("select * from awsdms_suspended_tables", database);
  assert.equal(listed.length, 1);
  assert.deepEqual(
    [listed[0].server_name, listed[0].task_name, listed[0].table_owner, listed[0].table_name],
    ["tideway", "t1", "shop", "orders"],
  );
  assert.equal(listed[0].suspend_reason, reason.slice(0, 32));
  assert.equal((await journal.tables(unaborted))[0]!.reason, reason);
  await journal.setTableStates([orders], { state: "loaded" }, unaborted);
  assert.equal((await server.query("select from awsdms_suspended_tables", database)).length, 0);
  assert.equal((await journal.tables(unaborted))[0]!.state, "loaded");
});

test("the applied position is kept as a checkpoint that DMS users can read", async () => {
  const { database, endpoint } = await newTarget();
  await using journal = await open(endpoint);
  assert.equal(await journal.appliedPosition(unaborted), undefined);
  await journal.setAppliedPosition(at("0/16B3748"), unaborted);
  await journal.setAppliedPosition(at("16/B374D848"), unaborted);
  assert.deepEqual(await journal.appliedPosition(unaborted), at("16/B374D848"));
  const rows = await server.query(`select * from awsdms_txn_state`, database);
  assert.equal(rows.length, 1);
  assert.equal(rows[0].SERVER_NAME, "tideway");
  assert.equal(rows[0].TASK_NAME, "t1");
  assert.equal(rows[0].CHECKPOINT, "checkpoint:V1#1#16/B374D848#0#0#*#0#0");
});

test("saving the position many times touches no index", async () => {
  const { database, endpoint } = await newTarget();
  const request = { taskId: "t1", controlSchema: undefined };
  await using journal = await open(endpoint);
  await journal.setAppliedPosition(at("0/1"), unaborted);
  const client = await server.connect(database);
  for (let i = 0; i < 500; i++) await client.query(savePositionSql(request, `0/${(i + 2).toString(16)}`));
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
  const { database, endpoint } = await newTarget();
  await using first = await open(endpoint);
  await using second = await open(endpoint, { taskId: "t2" });
  for (const journal of [first, second]) {
    await journal.planTables([{ id: orders, created: true, snapshot: undefined, partitions }], unaborted);
    await journal.setTableStates([orders], { state: "suspended", reason: "x" }, unaborted);
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
  assert.equal((await second.tables(unaborted))[0]!.partitions.length, partitions.length);
  assert.deepEqual(await second.appliedPosition(unaborted), at("0/2"));
  for (const table of ["awsdms_suspended_tables", "awsdms_apply_exceptions"]) {
    assert.equal((await server.query(`select from ${table}`, database)).length, 1, table);
  }
});

test("ten tasks that start at once make the control schema and its tables together", async () => {
  const { database, endpoint } = await newTarget();
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

test("a user who may not create anything opens a journal whose tables are there", async () => {
  const { database, endpoint } = await newTarget();
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
  const { database, endpoint } = await newTarget();
  await server.query(`create table awsdms_txn_state (x int)`, database);
  await assert.rejects(open(endpoint), { code: "target.control_table", subject: "public.awsdms_txn_state" });
  const made = await server.query(
    "select from pg_class where relname like 'awsdms%' and relkind = 'r'",
    database,
  );
  assert.equal(made.length, 1);
});

test("a lost connection is an error of the connection, and another journal goes on", async () => {
  const { database, endpoint } = await newTarget();
  await using journal = await open(endpoint);
  await server.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tideway journal' and datname = current_database()",
    database,
  );
  await assert.rejects(journal.setAppliedPosition(at("0/1"), unaborted), { code: "connect.lost" });
  await using next = await open(endpoint);
  await next.setAppliedPosition(at("0/1"), unaborted);
});
