import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { becomesTrue } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { MigrationError } from "../../../core/error.ts";
import type { ClientPool } from "../../shared/connection/client-pool.ts";
import { parseUrl } from "../url.ts";
import { clientPool } from "./client-pool.ts";
import { processId } from "./driver-client.ts";

const never = new AbortController().signal;
const PURPOSE = "tideway pool test";
const server = await serverOfFile(startPostgres());

function pool(): ClientPool<pg.Client> {
  return clientPool(parseUrl(server.url()), { side: "target", purpose: PURPOSE });
}

const sessions = `(select count(*) from pg_stat_activity where application_name = '${PURPOSE}')`;

test("work done one after the other shares a session, at once it has several, and none stays behind", async () => {
  const clients = pool();
  const first = await clients.use(never, async (client) => processId(client));
  const second = await clients.use(never, async (client) => processId(client));
  assert.equal(second, first);
  const both = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7].map(() =>
      clients.use(never, async (client) => {
        await client.query("select pg_sleep(0.01)");
        return processId(client);
      }),
    ),
  );
  assert.equal(new Set(both).size, 7);
  await becomesTrue(server, "postgres", `${sessions} <= 4`);
  await clients[Symbol.asyncDispose]();
  await becomesTrue(server, "postgres", `${sessions} = 0`);
});

test("a session that work left in a transaction, or that failed, is not used again", async () => {
  await using clients = pool();
  const open = await clients.use(never, async (client) => {
    await client.query("begin");
    return processId(client);
  });
  let failed = 0;
  const table = { schema: "public", name: "t" };
  const work = clients.use(
    never,
    async (client) => {
      failed = processId(client);
      await client.query("select 1/0");
    },
    { table, phase: "build" },
  );
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof MigrationError);
    assert.deepEqual([error.code, error.nativeCode, error.table], ["target.object_failed", "22012", table]);
    return true;
  });
  assert.notEqual(failed, open);
  const next = await clients.use(never, async (client) => processId(client));
  assert.ok(next !== failed && next !== open);
});

test("an idle session that the server ended is not used again", async () => {
  await using clients = pool();
  const pid = await clients.use(never, async (client) => {
    await client.query("select");
    return processId(client);
  });
  await server.query(`select pg_terminate_backend(${pid})`);
  await becomesTrue(server, "postgres", `${sessions} = 0`);
  // The driver hears of it with the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  assert.notEqual(await clients.use(never, async (client) => processId(client)), pid);
});

test("an abort throws the signal's reason and stops the statement on the server", async () => {
  await using clients = pool();
  const abort = new AbortController();
  const reason = new Error("stop");
  const work = clients.use(abort.signal, (client) => client.query("select pg_sleep(600)"));
  const rejected = assert.rejects(work, reason);
  await becomesTrue(
    server,
    "postgres",
    `exists (select from pg_stat_activity where query like '%pg_sleep(600)%' and application_name = '${PURPOSE}' and state = 'active')`,
  );
  abort.abort(reason);
  await rejected;
  await becomesTrue(server, "postgres", `${sessions} = 0`);
  await assert.rejects(
    clients.use(abort.signal, async () => undefined),
    reason,
  );
});

test("a session is set up once, before its first work", async () => {
  await using clients = clientPool(
    parseUrl(server.url()),
    { side: "target", purpose: PURPOSE },
    async (client) => {
      await client.query(
        "select set_config('tideway.uses', concat(current_setting('tideway.uses', true), 'x'), false)",
      );
    },
  );
  const uses = (): Promise<string> =>
    clients.use(never, async (client) => {
      return (await client.query("select current_setting('tideway.uses') as uses")).rows[0].uses;
    });
  assert.deepEqual([await uses(), await uses()], ["x", "x"]);
});
