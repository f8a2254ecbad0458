import assert from "node:assert/strict";
import { after, before, describe as suite, test } from "node:test";
import type pg from "pg";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { StreamRequest } from "../../../core/source.ts";
import { describe, listTables } from "../catalog/catalog.ts";
import { openSnapshot } from "../snapshot/snapshot.ts";
import { openChangeStream } from "./change-stream.ts";
import { followLog } from "./follow-log.ts";
import { createStream, findStream, slotName } from "./slot.ts";

const never = new AbortController().signal;

/* What happens when the log goes on elsewhere is in test/scenario/failover.test.ts. */
for (const version of [12, 17, 18]) {
  suite(`the log of PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    let client: pg.Client;
    let endpoint: EndpointConfig;
    let request: StreamRequest;
    before(async () => {
      server = await startPostgres({ version });
      const database = await server.createDatabase("log");
      await server.query("create table t (id int primary key)", database);
      client = await connectTo(server, database);
      endpoint = endpointOf(server, database);
      const { tables } = await describe(client, await listTables(client));
      request = { taskId: database, tables };
    });
    after(async () => {
      await client.end();
      await server[Symbol.asyncDispose]();
    });

    test("a slot that goes away with its session is not the task's", async () => {
      const session = await server.connect(endpoint.database);
      await session.query(
        `select pg_create_logical_replication_slot('${slotName(request.taskId)}', 'pgoutput', true)`,
      );
      assert.equal(await findStream(client, endpoint, request), undefined);
      await session.end();
    });

    test("nothing is made or read at another server than the one whose log is asked for", async () => {
      const { taskId } = request;
      const log = await followLog(endpoint, { taskId, known: undefined, reached: undefined }, never);
      assert.match(log, /^\d{15,20}\/1$/);
      const elsewhere = { ...request, log: `${log}1` };
      const lost = { code: "connect.lost", message: /leads to another server/ };
      await assert.rejects(createStream(endpoint, elsewhere, never), lost);
      await assert.rejects(openSnapshot(endpoint, { ...elsewhere, anchor: "new-stream" }, never), lost);
      assert.equal(await findStream(client, endpoint, request), undefined);
      const position = await createStream(endpoint, { ...request, log }, never);
      const open = (from: StreamRequest) =>
        openChangeStream(client, endpoint, { ...from, after: position }, never);
      await assert.rejects(open(elsewhere), lost);
      // Much log is read as a backlog, over a session of another kind.
      await client.query("select pg_logical_emit_message(false, 'test', repeat('x', 6000000))");
      await assert.rejects(open(elsewhere), lost);
      await (await open({ ...request, log }))[Symbol.asyncDispose]();
    });

    test("a task's slot is one that standbys may synchronise, from version 17 on", async () => {
      const taskId = `${request.taskId}_kept`;
      await createStream(endpoint, { ...request, taskId }, never);
      const { rows } = await client.query(
        `select to_jsonb(s) ->> 'failover' as failover from pg_replication_slots s where slot_name = $1`,
        [slotName(taskId)],
      );
      assert.deepEqual(rows, [{ failover: version >= 17 ? "true" : null }]);
    });
  });
}
