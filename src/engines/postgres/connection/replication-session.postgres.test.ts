import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { becomesTrue, eventually } from "../../../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { followLog } from "../log/follow-log.ts";
import { createStream, dropStream } from "../log/slot.ts";
import { PostgresSource } from "../source.ts";
import { openWire } from "./connection.ts";

/* A source with room for no more than the task itself, of which something of the attempt before is still there. */

const never = new AbortController().signal;

let server: PostgresServer;
let endpoint: EndpointConfig;
before(async () => {
  server = await startPostgres({ settings: { max_wal_senders: 1, max_replication_slots: 1 } });
  endpoint = endpointOf(server, "postgres");
});
after(() => server[Symbol.asyncDispose]());

test("a WAL sender that is about to end is waited for", async () => {
  const former = await openWire(endpoint, { side: "source", purpose: "test", replication: true }, never);
  await using proxy = await TcpProxy.start(server.port);
  const from = { ...endpoint, port: proxy.port };
  const log = followLog(from, { taskId: "task", known: undefined, reached: undefined }, never);
  await eventually("another try", async () => proxy.accepted > 1);
  await former[Symbol.asyncDispose]();
  await log;
});

test("a slot that is about to go is waited for", async () => {
  const former = await server.connect();
  await former.query("select pg_create_logical_replication_slot('former', 'pgoutput', true)");
  const stream = createStream(endpoint, { taskId: "task", tables: [] }, never);
  const isRefused =
    "application_name = 'tideway slot' and state = 'idle' and query ~ '^CREATE_REPLICATION_SLOT'";
  await becomesTrue(server, "postgres", `exists (select from pg_stat_activity where ${isRefused})`);
  await former.end();
  await stream;
  const client = await server.connect();
  await dropStream(client, { taskId: "task" }, never);
  await client.end();
});

test("a fresh start's assessment waits for a WAL sender and a slot that are about to go", async () => {
  const former = await openWire(endpoint, { side: "source", purpose: "test", replication: true }, never);
  await former.query("CREATE_REPLICATION_SLOT former TEMPORARY LOGICAL pgoutput");
  await using source = new PostgresSource(endpoint);
  const request = { taskId: "task", type: "cdc", tables: [], movesWhole: undefined, resumes: false } as const;
  let isAnswered = false;
  const asked = source
    .assess({ ...request, movesRights: false, movesLargeObjects: false }, never)
    .then((all) => {
      isAnswered = true;
      return all.filter(({ code, severity }) => code === "source.no_free_slot" && severity === "error");
    });
  // A question that is asked again is a later one of the same session.
  const asks =
    "select query_start::text as at from pg_stat_activity where query ~ '^select row_to_json.*max_wal_senders'";
  const times = new Set<string>();
  await eventually("another look", async () => {
    for (const { at } of await server.query(asks)) times.add(at);
    return times.size > 1;
  });
  assert.equal(isAnswered, false);
  await former[Symbol.asyncDispose]();
  assert.deepEqual(await asked, []);
});
