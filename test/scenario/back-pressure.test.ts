import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { peakMemory } from "../support/peak-memory.ts";
import { serverPair } from "../support/server-pair.ts";
import { schemas, TaskProcess, taskSpec } from "../support/task.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const { source, target } = await serverPair();

/** Far more than a task may hold: 100 MB in the load, and as much as changes. */
const ROWS = 100_000;
const MEMORY_LIMIT_MB = 230;
const SLOW_BYTES_PER_SECOND = 1_000_000;

/** Until the source's sessions of that name all stand because nobody takes what they send. */
async function stalls(database: string, application: string): Promise<void> {
  const client = await source.connect(database);
  try {
    let before = false;
    await eventually(`the sessions ${application} to wait`, async () => {
      const { rows } = await client.query(
        `select bool_and(lower(wait_event) in ('clientwrite', 'walsenderwritedata')) as stalled
             from (select pg_sleep(0.2)) as pause, pg_stat_activity
            where application_name = '${application}' and datname = current_database() and state = 'active'`,
      );
      // Twice in a row, so that it is no moment's pause.
      const both = before && rows[0].stalled === true;
      before = rows[0].stalled === true;
      return both;
    });
  } finally {
    await client.end();
  }
}

test("a target that takes a hundredth of what the source gives stops the source; memory stays bounded, nothing is dropped", async (t) => {
  const [from, to] = [await source.createDatabase("pressure"), await target.createDatabase("pressure")];
  await source.query(
    `create schema app; create table app.t (id int primary key, v text);
     insert into app.t select i, repeat(md5(i::text), 32) from generate_series(1, ${ROWS}) i`,
    from,
  );
  await using proxy = await TcpProxy.start(target.port);
  proxy.slow(SLOW_BYTES_PER_SECOND);
  const task = new TaskProcess(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: { ...endpointOf(target, to), port: proxy.port },
      tableMappings: schemas("app"),
    }),
  );
  const ended = task.ended();
  try {
    await task.until(({ tables }) => tables.some(({ fullLoadRows }) => fullLoadRows > 0));
    await stalls(from, "tideway read");
    const inLoad = peakMemory(task.child.pid!);
    proxy.heal();
    await task.until(({ phase }) => phase === "replicating");
    proxy.slow(SLOW_BYTES_PER_SECOND);
    const changed = source.query(
      `do $$ begin for part in 1..20 loop
         insert into app.t select 1000000 * part + i, repeat(md5(i::text), 32) from generate_series(1, ${ROWS / 20}) i;
         commit;
       end loop; end $$`,
      from,
    );
    await stalls(from, "tideway stream");
    await changed;
    const inChanges = peakMemory(task.child.pid!);
    proxy.heal();
    task.order({ drain: true });
    const { outcome } = await ended;
    assert.equal(outcome?.state, "stopped", JSON.stringify(outcome?.error));
    assert.deepEqual(outcome?.suspendedTables, []);
    t.diagnostic(`peak memory ${inLoad.toFixed(0)} MB in the load, ${inChanges.toFixed(0)} MB after it`);
    assert.ok(inLoad > 0 && inLoad < MEMORY_LIMIT_MB, `${inLoad} MB in the load`);
    assert.ok(inChanges > 0 && inChanges < MEMORY_LIMIT_MB, `${inChanges} MB while changes are applied`);
  } finally {
    task.kill();
  }
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
});
