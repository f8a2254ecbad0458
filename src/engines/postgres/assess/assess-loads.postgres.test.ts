import assert from "node:assert/strict";
import { after, test } from "node:test";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { openJournal } from "../apply/journal.ts";
import { connect } from "../connection/connection.ts";
import { assessLoads, checkLoads } from "./assess-loads.ts";

const never = new AbortController().signal;
const server = await startPostgres();
after(() => server[Symbol.asyncDispose]());

test("loads into a source are found, and records that may not be read are told with what to grant", async (t) => {
  const database = await server.createDatabase("loads");
  await server.query(`create role "a reader" login password 'p'; create schema "rec ords"`, database);
  const target = endpointOf(server, database);
  await using journal = await openJournal(target, { taskId: "loading", controlSchema: "rec ords" }, never);
  const source = { ...target, username: "a reader", password: "p" };
  const client = await connect(source, { side: "source", purpose: "loads test" }, never);
  t.after(() => client.end());

  const [refused, ...others] = await assessLoads(client, "reading", "none");
  assert.deepEqual(others, []);
  assert.equal(refused?.code, "source.privilege");
  assert.equal(refused.severity, "error");
  await server.query(/: (grant .*;)$/.exec(refused.remedy)![1]!, database);
  assert.deepEqual(await assessLoads(client, "reading", "none"), []);

  const table = { id: { schema: "app", name: "t" }, created: false, snapshot: undefined, partitions: [] };
  await journal.planTables([table], never);
  const [load] = await assessLoads(client, "reading", "none");
  assert.deepEqual([load?.code, load?.subject], ["source.being_loaded", "loading"]);
  assert.deepEqual(await assessLoads(client, "loading", "none"), [], "a task's own");
  await server.query("select pg_create_logical_replication_slot('kept', 'pgoutput')", database);
  assert.deepEqual(await assessLoads(client, "reading", "kept"), [], "its slot is there");
  await assert.rejects(checkLoads(client, "reading"), { code: "source.being_loaded" });
  await journal.setTableStates([table.id], { state: "loaded" }, never);
  await checkLoads(client, "reading");
});
