import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { never } from "../../../../test/support/replication.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Look } from "../../shared/connection/session-look.ts";
import { SessionWatch } from "../../shared/connection/session-watch.ts";
import { type Client, socketOf } from "./client.ts";
import { openWire } from "./connection.ts";
import { openClient } from "./open-client.ts";
import { SessionLook } from "./session-look.ts";
import type { WireSession } from "./wire-session.ts";

/** Enough for something that must not happen to have had every chance. */
const LOOKS = 12;
/** In a hurry. */
const times = {
  everyMs: 50,
  silentMs: 300,
  certainMs: 300,
  rarelyMs: 100,
  slowest: Number.POSITIVE_INFINITY,
};

/** A watch over sessions that go through a network of their own. */
class Stage implements AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly watch: SessionWatch;
  readonly #endpoint: EndpointConfig;
  readonly #ends: (() => void)[] = [];
  #looks = 0;

  private constructor(proxy: TcpProxy, endpoint: EndpointConfig) {
    this.proxy = proxy;
    this.#endpoint = endpoint;
    const looking = new SessionLook(endpoint, "source");
    const look = async (pids: readonly number[]): Promise<Look> => {
      const seen = await looking.look(pids);
      this.#looks++;
      return seen;
    };
    this.watch = new SessionWatch({ look, end: async () => {} }, "the server", times);
  }

  static async open(server: MysqlServer): Promise<Stage> {
    const proxy = await TcpProxy.start(server.port);
    return new Stage(proxy, { ...server.endpoint(), port: proxy.port });
  }

  async client(): Promise<Client> {
    const client = await openClient(this.#endpoint, { side: "source", purpose: "tideway watch test" }, never);
    this.#add(client, socketOf(client.raw), () => client.awaits);
    return client;
  }

  async wire(): Promise<WireSession> {
    let client: Client | undefined;
    const prepare = async (made: Client): Promise<void> => {
      client = made;
    };
    const wire = await openWire(
      this.#endpoint,
      { side: "source", purpose: "tideway watch test", prepare },
      never,
    );
    this.#add(wire, socketOf(client!.raw), () => wire.awaits());
    return wire;
  }

  async looks(count: number): Promise<void> {
    const goal = this.#looks + count;
    await eventually("looks", async () => this.#looks >= goal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    for (const end of this.#ends) end();
  }

  #add(
    { threadId, facts }: Pick<Client, "threadId" | "facts">,
    socket: ReturnType<typeof socketOf>,
    awaits: () => boolean,
  ): void {
    const backend = { pid: threadId, started: null, server: facts.identity };
    this.watch.add({ backend, purpose: "tideway watch test", socket, awaits, arrivedBytes: () => 0 });
    this.#ends.push(() => socket.destroy());
  }
}

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`a watch over sessions of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server?.[Symbol.asyncDispose]());

    const isRunning = (id: number, state: string) =>
      eventually(state, async () => {
        const rows = await server.query(
          `select id from information_schema.processlist where id = ${id} and state like '${state}'`,
        );
        return rows.length === 1;
      });

    test("an answer that the network has swallowed is noticed, while new connections pass", async () => {
      await using stage = await Stage.open(server);
      const holder = await server.connect();
      const client = await stage.client();
      await holder.query("select get_lock('held', 0)");
      const lost = assert.rejects(client.query("select get_lock('held', 1000)"), { code: "connect.lost" });
      await isRunning(client.threadId, "User lock");
      stage.proxy.forget();
      // The answer is sent now, and swallowed.
      await holder.query("select release_lock('held')");
      await holder.end();
      await lost;
    });

    test("a session that its server has ended without our hearing of it is noticed", async () => {
      await using stage = await Stage.open(server);
      const client = await stage.client();
      const lost = assert.rejects(client.query("select sleep(3600)"), { code: "connect.lost" });
      await isRunning(client.threadId, "User sleep");
      await stage.looks(1);
      stage.proxy.forget();
      await server.query(`kill ${client.threadId}`);
      await lost;
    });

    test("a server that cannot send what we wait for is noticed", async () => {
      await using stage = await Stage.open(server);
      const wire = await stage.wire();
      const digits = Array.from({ length: 10 }, (_, i) => `select ${i} as n`).join(" union all ");
      await wire.ask(
        `select repeat('x', 100000) from (${digits}) a, (${digits}) b, (${digits}) c, (${digits}) d`,
      );
      await wire.head();
      stage.proxy.forget();
      const rest = async (): Promise<void> => {
        for (;;) await wire.packets.read();
      };
      await assert.rejects(rest(), { code: "connect.lost" });
    });

    test("a session that waits for a lock, and one that nothing was asked of, are left alone", async () => {
      await using stage = await Stage.open(server);
      const holder = await server.connect();
      await holder.query("select get_lock('kept', 0)");
      const idle = await stage.client();
      const client = await stage.client();
      const answer = client.query<{ taken: string }>("select get_lock('kept', 1000) as taken");
      await isRunning(client.threadId, "User lock");
      await stage.looks(LOOKS);
      await holder.query("select release_lock('kept')");
      await holder.end();
      assert.deepEqual(await answer, [{ taken: "1" }]);
      assert.deepEqual(await idle.query("select 1 as one"), [{ one: "1" }]);
    });
  });
}
