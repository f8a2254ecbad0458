import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { nasty, orders, partitions } from "../../../../test/support/journal-samples.ts";
import { at, newTarget, open } from "../../../../test/support/journal-target.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { TableShape } from "../../../core/table-shape.ts";

const server = await serverOfFile(startPostgres({ version: 12 }));

const shape: TableShape = {
  table: "16384",
  storage: "16390",
  columnsEver: 3,
  columns: [
    { number: 1, name: 'Σ"', type: "23 -1", version: "741", computed: null, fill: null },
    { number: 3, name: "v", type: "25 -1", version: "742", computed: null, fill: "a'b", since: "added" },
  ],
};

test("a planned table is the same after the journal was closed and opened again", async () => {
  const { endpoint } = await newTarget(server);
  {
    await using journal = await open(endpoint);
    await journal.planTables(
      [{ id: nasty, created: true, keepsRows: true, snapshot: at("16/B374D848"), partitions }],
      unaborted,
    );
    await journal.planTables(
      [{ id: orders, created: false, state: "prepared", shape, snapshot: undefined, partitions: [] }],
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
      shape: undefined,
      partitions: partitions.map((partition) => ({
        partition,
        snapshot: at("16/B374D848"),
        done: false,
        rows: 0,
      })),
    },
    {
      id: orders,
      created: false,
      keepsRows: false,
      state: "prepared",
      reason: undefined,
      shape,
      partitions: [],
    },
  ]);
});

test("a table's shape is recorded without touching what else is known of it", async () => {
  const { endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  await journal.planTables([{ id: orders, created: true, snapshot: at("0/1"), partitions }], unaborted);
  const [before] = await journal.tables(unaborted);
  const shapes = [orders, nasty].map((id) => ({ id, shape }));
  await journal.setShapes(shapes, unaborted);
  const tables = await journal.tables(unaborted);
  const known = tables.find(({ id }) => id.name === orders.name);
  assert.deepEqual(known, { ...before, shape });
  assert.deepEqual(tables.find(({ id }) => id.name === nasty.name)?.state, "ready");
});

test("what a version without shapes has recorded is gone on with", async () => {
  const { database, endpoint } = await newTarget(server);
  {
    await using journal = await open(endpoint);
    await journal.planTables([{ id: orders, created: true, snapshot: at("0/1"), partitions }], unaborted);
  }
  await server.query("alter table public.awsdms_table_state drop column shape", database);
  await using journal = await open(endpoint);
  const [known] = await journal.tables(unaborted);
  assert.deepEqual(
    [known?.id, known?.shape, known?.partitions.length],
    [orders, undefined, partitions.length],
  );
  await journal.setShapes([{ id: orders, shape }], unaborted);
  assert.deepEqual((await journal.tables(unaborted))[0]?.shape, shape);
});

test("planning a table again forgets its earlier partitions, state and suspension", async () => {
  const { database, endpoint } = await newTarget(server);
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
  const { database, endpoint } = await newTarget(server);
  await using journal = await open(endpoint);
  await journal.planTables([{ id: orders, created: true, snapshot: at("0/1"), partitions }], unaborted);
  await journal.planTables([{ id: nasty, created: true, snapshot: at("0/1"), partitions }], unaborted);
  await server.query(
    "update awsdms_load_state set done = true where table_name = 'orders' and partition_id = '1'",
    database,
  );
  await journal.moveSnapshot([orders], { position: at("0/2") }, unaborted);
  const [other, moved] = await journal.tables(unaborted);
  assert.deepEqual(
    moved!.partitions.map(({ snapshot }) => snapshot?.text),
    partitions.map(({ id }) => (id === "1" ? "0/1" : "0/2")),
  );
  assert(other!.partitions.every(({ snapshot }) => snapshot?.text === "0/1"));
  await journal.moveSnapshot([orders], { position: undefined }, unaborted);
  assert.equal((await journal.tables(unaborted))[1]!.partitions[0]!.snapshot, undefined);
});

test("suspended tables are listed in DMS's table until they leave that state", async () => {
  const { database, endpoint } = await newTarget(server);
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
