import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { filledSource } from "../../../../test/support/mysql-writers.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { SnapshotRequest } from "../../../core/source.ts";
import { connect, openWire } from "../connection/connection.ts";
import { takeReadLock } from "./read-lock.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`read locks of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server?.[Symbol.asyncDispose]());

    /** What `use` is told is whether the lock was taken; it is held until that ends. */
    async function locked<Result>(
      endpoint: EndpointConfig,
      request: SnapshotRequest,
      use: (taken: Promise<boolean>) => Promise<Result>,
    ): Promise<Result> {
      await using locker = await connect(endpoint, { side: "source", purpose: "tideway snapshot" }, signal);
      const helper = await openWire(endpoint, { side: "source", purpose: "tideway read" }, signal);
      try {
        return await use(takeReadLock(locker, { helper, request, signal }));
      } finally {
        await helper.close();
      }
    }

    const waitsFor = async (statement: string): Promise<void> => {
      await eventually(`${statement} waits`, async () => {
        const rows = await server.query("show processlist");
        return rows.some(({ Info, State }) => Info === statement && String(State).startsWith("Waiting"));
      });
    };

    test("where transactions wait for each other's rows, nobody waits for long behind the lock", async () => {
      const { schema, request } = await filledSource(server);
      const [first, second] = [await server.connect(schema), await server.connect(schema)];
      await first.query("begin; update t set v = v + 1 where id = 1");
      const behind = second.query("update t set v = v + 1 where id = 1");
      await locked(server.endpoint(), request, async (taken) => {
        await waitsFor("flush tables with read lock");
        const startedMs = performance.now();
        await first.query("update t set v = v + 1 where id = 2");
        // The server's own limit would be three.
        assert(performance.now() - startedMs < 1_500);
        await first.query("commit");
        await behind;
        assert.equal(await taken, true);
        const blocked = second.query("update t set v = v + 1 where id = 1");
        await waitsFor("update t set v = v + 1 where id = 1");
        return { blocked };
      }).then(({ blocked }) => blocked);
      await first.end();
      await second.end();
    });

    test("who wants a snapshot promptly locks no tables one after the other", async () => {
      const { schema, request } = await filledSource(server);
      await server.query("create user lockers@'127.0.0.1' identified by 'lock it'");
      await server.query("grant select, replication client, lock tables on *.* to lockers@'127.0.0.1'");
      const endpoint = { ...server.endpoint(), username: "lockers", password: "lock it" };
      const promptly = { ...request, anchor: "none", prompt: true } as const;
      assert.equal(await locked(endpoint, promptly, (taken) => taken), false);
      const writer = await server.connect(schema);
      await locked(endpoint, request, async (taken) => {
        assert.equal(await taken, true);
        await assert.rejects(writer.query("set lock_wait_timeout = 1; update t set v = 0 where id = 1"), {
          errno: 1205,
        });
      });
      await writer.end();
    });

    // MariaDB's transactions tell their places themselves.
    if (flavour === "mariadb") return;

    test("a snapshot is not opened when its lock has ended before all of its transactions had begun", async () => {
      const { request } = await filledSource(server);
      await using proxy = await TcpProxy.start(server.port);
      const sessions = "select id from information_schema.processlist where id <> connection_id()";
      proxy.before("start transaction", async () => {
        // The one that locks was opened after the others.
        const [locker] = await server.query(`${sessions} order by id desc limit 1`);
        await server.query(`kill ${Object.values(locker!)[0]}`);
      });
      const endpoint = { ...server.endpoint(), port: proxy.port };
      const loaded = { ...request, anchor: "none", sessions: 3 } as const;
      await assert.rejects(openSnapshot(endpoint, loaded, signal), { code: "connect.lost" });
      await using snapshot = await openSnapshot(endpoint, loaded, signal);
      assert.equal(snapshot.position, undefined);
    });
  });
}
