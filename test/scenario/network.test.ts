import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { createDemoData } from "../support/demo-data.ts";
import { endpointOf } from "../support/endpoint.ts";
import { serverPair } from "../support/server-pair.ts";
import { ObservedTask, taskSpec } from "../support/task.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { Workload } from "../support/workload.ts";

/* A network between the task and its servers that fails while rows are loaded and changes are applied. */

const { source, target } = await serverPair();

const faults: Readonly<Record<string, (proxy: TcpProxy) => Promise<void>>> = {
  "is reset": async (proxy) => proxy.reset(),
  "carries nothing for two seconds": async (proxy) => {
    proxy.blackhole();
    await delay(2_000);
    proxy.heal();
  },
  "carries 200 KB a second for two seconds": async (proxy) => {
    proxy.slow(200_000);
    await delay(2_000);
    proxy.heal();
  },
};

for (const [fault, happen] of Object.entries(faults)) {
  for (const side of ["source", "target"] as const) {
    test(`the network to the ${side} ${fault}, in the load and after it, and both sides end equal`, async () => {
      const name = `net_${side}`;
      const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
      const connect = () => source.connect(from);
      const sizes = await createDemoData(connect, 60_000);
      await using proxy = await TcpProxy.start(side === "source" ? source.port : target.port);
      const ends = { source: endpointOf(source, from), target: endpointOf(target, to) };
      const spec = taskSpec({
        type: "full-load-and-cdc",
        ...ends,
        [side]: { ...ends[side], host: "127.0.0.1", port: proxy.port },
      });
      await using workload = await Workload.start({
        connect,
        sizes,
        clients: 2,
        transactionsPerSecond: 100,
      });
      const task = new ObservedTask(spec);
      await task.until(({ phase }) => phase === "full-load");
      await happen(proxy);
      await task.until(({ phase }) => phase === "replicating");
      await happen(proxy);
      await workload.committed(200);
      await workload.stop();
      await task.until(({ phase }) => phase === "replicating");
      task.running.drain();
      const outcome = await task.running.outcome;
      assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
      assert.deepEqual(outcome.suspendedTables, []);
      const schemas = await source.query(
        "select distinct schemaname as name from pg_tables where schemaname not like 'pg\\_%' and schemaname <> 'information_schema'",
        from,
      );
      await assertEqualDatabases({ source, from, target, to, schemas: schemas.map((row) => row.name) });
    });
  }
}
