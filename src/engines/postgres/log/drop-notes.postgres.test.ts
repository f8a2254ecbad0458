import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type pg from "pg";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { becomesTrue } from "../../../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Leftover } from "../../../core/leftover.ts";
import type { StreamRequest } from "../../../core/source.ts";
import { findLeftovers, removeLeftover } from "../leftovers.ts";
import { PostgresSource } from "../source.ts";

const never = new AbortController().signal;
const task: StreamRequest = { taskId: "task", tables: [] };

let server: PostgresServer;
let client: pg.Client;
let endpoint: EndpointConfig;
before(async () => {
  server = await startPostgres();
});
after(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  const database = await server.createDatabase("notes");
  client = await connectTo(server, database);
  endpoint = endpointOf(server, database);
  await client.query("create schema app; create table app.t (id int primary key)");
  await using source = new PostgresSource(endpoint);
  assert.deepEqual((await source.keepNotes({ makes: true }, never)).findings, []);
});
afterEach(() => client.end());

/** Removes the task from the source; resolves with whether the event triggers are still there. */
async function remains(settings: EndpointConfig["settings"] = {}): Promise<boolean> {
  await using source = new PostgresSource({ ...endpoint, settings });
  await source.dropStream(task, never);
  await source.dropNotes(task, never);
  const { rows } = await client.query(
    `select evtname from pg_event_trigger union all select proname from pg_proc where proname ~ 'tideway'
      union all select nspname from pg_namespace where nspname ~ 'tideway'`,
  );
  return rows.length > 0;
}

test("what notes schema changes goes with the last task, be its slot its own or the user's", async () => {
  await client.query("create publication tideway_another");
  assert.equal(await remains(), true);
  await client.query("drop publication tideway_another");
  await client.query("create publication given for all tables");
  await client.query("select pg_create_logical_replication_slot('given', 'pgoutput')");
  assert.equal(await remains(), true);
  assert.equal(await remains({ SlotName: "another" }), true);
  assert.equal(await remains({ SlotName: "given" }), false);
  await client.query("select pg_drop_replication_slot('given')");
});

test("what notes schema changes is dropped beside transactions that alter tables, of which none goes without its note", async () => {
  await client.query("select pg_create_logical_replication_slot('messages', 'test_decoding')");
  const altering = await connectTo(server, endpoint.database);
  await altering.query("begin; alter table app.t add column c int");
  const dropped = remains();
  const isWaiting = "not granted and relation = 'tideway_notes.note_key'::regclass";
  await becomesTrue(server, endpoint.database, `exists (select from pg_locks where ${isWaiting})`);
  await client.query("create table app.meanwhile (id int)");
  const noted = await client.query("select data from pg_logical_slot_get_changes('messages', null, null)");
  assert.equal(noted.rows.filter(({ data }) => /tideway note .*meanwhile/.test(data)).length, 1);
  await client.query("select pg_drop_replication_slot('messages')");
  await altering.query("commit");
  await altering.end();
  assert.equal(await dropped, false);
});

test("a publication or a slot of somebody else's is no task that reads the source", async () => {
  await client.query("create publication one for all tables");
  await client.query("select pg_create_logical_replication_slot('two', 'pgoutput')");
  await client.query("create publication three for all tables");
  await client.query("select pg_create_logical_replication_slot('three', 'test_decoding')");
  assert.equal(await remains(), false);
});

test("what notes schema changes stays, which is told, when a transaction that has altered a table does not end", async () => {
  const altering = await connectTo(server, endpoint.database);
  await altering.query("begin; alter table app.t add column c int");
  await assert.rejects(remains(), (error: MigrationError) => {
    assert.match(error.remedy, /drop event trigger if exists tideway_note_end/);
    return error.code === "source.busy";
  });
  await altering.query("commit");
  await altering.end();
  assert.equal(await remains(), false);
});

test("what a stopped task reads, by the user's slot too, keeps its event triggers from being cleaned up", async () => {
  const triggers = async (): Promise<Leftover> =>
    (await findLeftovers(endpoint, never)).find(({ kind }) => kind === "event triggers")!;
  assert.equal((await triggers()).inUse, false);
  await client.query("create publication given for all tables");
  await client.query("select pg_create_logical_replication_slot('given', 'pgoutput')");
  const kept = await triggers();
  assert.equal(kept.inUse, true);
  await assert.rejects(removeLeftover(endpoint, kept, never), { code: "source.busy" });
  await client.query("select pg_drop_replication_slot('given'); create publication tideway_stopped");
  assert.equal((await triggers()).inUse, false);
  await removeLeftover(endpoint, (await findLeftovers(endpoint, never))[0]!, never);
  assert.equal(await triggers(), undefined);
});
