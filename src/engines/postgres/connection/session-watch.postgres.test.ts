import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type pg from "pg";
import { eventually } from "../../../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Backend, Look } from "../../shared/connection/session-look.ts";
import { type SessionServer, SessionWatch, type WatchTimes } from "../../shared/connection/session-watch.ts";
import { parseUrl } from "../url.ts";
import { arrivals, awaitsAnswer, openClient, socketOf, takeSocket } from "./driver-client.ts";
import { endSessions, lookAtSessions } from "./session-look.ts";
import { queryMessage } from "./wire-message.ts";
import { WireSession } from "./wire-session.ts";

const never = new AbortController().signal;
/** Enough for something that must not happen to have had every chance. */
const LOOKS = 12;
/** In a hurry. */
const times: WatchTimes = {
  everyMs: 50,
  silentMs: 300,
  certainMs: 300,
  rarelyMs: 100,
  slowest: Infinity,
};
const purpose = "tideway watch test";
let server: PostgresServer;

before(async () => {
  server = await startPostgres();
  await server.query("create table t (id int, v text)");
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
});

/** A watch over sessions that go through a network of their own. */
class Stage implements AsyncDisposable {
  readonly watch: SessionWatch;
  readonly #proxy: TcpProxy;
  readonly #sessions: AsyncDisposable[] = [];
  #looks = 0;
  #failed = 0;
  #looked: (() => void) | undefined;

  private constructor(
    proxy: TcpProxy,
    look: (pids: readonly number[]) => Promise<Look>,
    changed: Partial<WatchTimes>,
  ) {
    this.#proxy = proxy;
    const server: SessionServer = {
      look: (pids) => this.#count(look(pids)),
      end: (sessions) => endSessions(through(proxy), sessions),
    };
    this.watch = new SessionWatch(server, "the server", { ...times, ...changed });
  }

  static async open(
    changed: Partial<WatchTimes> = {},
    look?: (pids: readonly number[]) => Promise<Look>,
  ): Promise<Stage & { proxy: TcpProxy }> {
    const proxy = await TcpProxy.start(server.port);
    const stage = new Stage(proxy, look ?? ((pids) => lookAtSessions(through(proxy), pids)), changed);
    return Object.assign(stage, { proxy });
  }

  async client(): Promise<pg.Client & { backend: Backend }> {
    const { client, backend } = await this.#connect();
    this.#sessions.push({ [Symbol.asyncDispose]: () => client.end() });
    this.watch.add({
      ...{ backend, purpose, socket: socketOf(client) },
      awaits: () => awaitsAnswer(client),
      arrivedBytes: arrivals(client),
    });
    return Object.assign(client, { backend });
  }

  async wire(): Promise<WireSession> {
    const { client, backend } = await this.#connect();
    const socket = takeSocket(client);
    const wire = new WireSession(socket, { mayGulp: false, close: async () => void socket.destroy() });
    this.#sessions.push(wire);
    this.watch.add({
      ...{ backend, purpose, socket },
      awaits: () => wire.awaits,
      arrivedBytes: () => wire.arrivedBytes,
    });
    return wire;
  }

  /** Resolves when so many more looks have been taken; `failed` ones that could not see anything. */
  async looks(count: number, kind: "seen" | "failed" = "seen"): Promise<void> {
    const taken = (): number => (kind === "seen" ? this.#looks : this.#failed);
    const goal = taken() + count;
    while (taken() < goal) {
      await new Promise<void>((resolve) => {
        this.#looked = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    await Promise.all(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
  }

  async #connect() {
    const options = { side: "source", purpose } as const;
    const { client, backend } = await openClient(through(this.#proxy), options, never);
    assert.ok(backend, "a direct session has a backend");
    return { client, backend };
  }

  async #count(look: Promise<Look>): Promise<Look> {
    try {
      const seen = await look;
      this.#looks++;
      return seen;
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      this.#looked?.();
    }
  }
}

function through(proxy: TcpProxy): EndpointConfig {
  return { ...parseUrl(server.url()), host: "127.0.0.1", port: proxy.port };
}

/** Resolves when the server has come to where a session has to wait. */
async function untilWaits(
  { backend }: { readonly backend: Backend },
  event: "PgSleep" | "relation",
): Promise<void> {
  const waits = `exists (select from pg_stat_activity where pid = ${backend.pid} and wait_event = '${event}')`;
  await eventually(event, async () => (await server.query(`select ${waits} as yes`))[0].yes === true);
}

/** A CopyData message with one row of so many characters. */
function rowOf(length: number): Buffer {
  const line = Buffer.from(`1\t${"x".repeat(length)}\n`);
  const frame = Buffer.concat([Buffer.from([0x64, 0, 0, 0, 0]), line]);
  frame.writeInt32BE(4 + line.length, 1);
  return frame;
}

test("an answer that the network has swallowed is noticed, while new connections pass", async () => {
  await using stage = await Stage.open();
  await server.query("create table held (i int)");
  const holder = await server.connect();
  await holder.query("begin; lock table held");
  const client = await stage.client();
  const query = client.query("select count(*) from held");
  const lost = assert.rejects(query, { code: "connect.lost", subject: "the server", message: /lost/ });
  await untilWaits(client, "relation");
  stage.proxy.forget();
  // The answer is sent now, and swallowed.
  await holder.query("commit");
  await holder.end();
  await lost;
});

test("a session that its server has ended without our hearing of it is noticed", async () => {
  await using stage = await Stage.open();
  const client = await stage.client();
  const query = client.query("select pg_sleep(3600)");
  await untilWaits(client, "PgSleep");
  stage.proxy.forget();
  await server.query(`select pg_terminate_backend(${client.backend.pid})`);
  await assert.rejects(query, { code: "connect.lost", message: /ended/ });
});

test("a server that cannot send what we wait for is noticed", async () => {
  await using stage = await Stage.open();
  const wire = await stage.wire();
  const rows = wire.copyOut(
    "copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout",
    "pg-copy-text",
  );
  await rows.next();
  stage.proxy.forget();
  const rest = async (): Promise<void> => {
    for await (const _ of rows);
  };
  await assert.rejects(rest(), { code: "connect.lost", message: /cannot send/ });
});

test("rows that do not go out to a server that waits for them are noticed, and their locks go", async () => {
  await using stage = await Stage.open();
  const wire = await stage.wire();
  await wire.copyIn("begin; copy t from stdin");
  stage.proxy.forget();
  const frame = rowOf(60_000);
  const writing = async (): Promise<void> => {
    for (;;) await wire.send(frame);
  };
  await assert.rejects(writing(), { code: "connect.lost" });
  await server.query("begin; lock table t; rollback");
});

test("a question that is lost after much has arrived is noticed as soon as any other", async () => {
  // What may be under way would have an hour; and no look falls between the answer and the question.
  await using stage = await Stage.open({ everyMs: 500, slowest: 1 });
  const wire = await stage.wire();
  await wire.query("create temporary table l (id int, v text)");
  await wire.copyIn("copy l from stdin");
  for (let i = 0; i < 60; i++) await wire.send(rowOf(60_000));
  assert.equal(await wire.copyInEnd(), "COPY 60");
  const client = await stage.client();
  await client.query(`select length('${"x".repeat(3_600_000)}')`);
  stage.proxy.forget();
  await Promise.all(
    [wire.query("select 1"), client.query("select 1")].map((lost) =>
      assert.rejects(lost, { code: "connect.lost", message: /lost/ }),
    ),
  );
});

test("rows on their way over a slow line are waited for, because the server takes them one after the other", async () => {
  await using stage = await Stage.open({ everyMs: 100, certainMs: 2_000 });
  const wire = await stage.wire();
  await wire.query("create temporary table l (id int, v text)");
  stage.proxy.slow(500_000);
  await wire.copyIn("copy l from stdin");
  for (let i = 0; i < 50; i++) await wire.send(rowOf(60_000));
  assert.equal(await wire.copyInEnd(), "COPY 50");
});

test("a long row on its way over a slow line is waited for, because it may be under way", async () => {
  await using stage = await Stage.open({ slowest: 100 });
  const wire = await stage.wire();
  await wire.query("create temporary table l (id int, v text)");
  stage.proxy.slow(500_000);
  await wire.copyIn("copy l from stdin");
  await wire.send(rowOf(1_500_000));
  assert.equal(await wire.copyInEnd(), "COPY 1");
});

test("sessions that wait for a lock, run, idle, or send nothing for now are left alone", async () => {
  await using stage = await Stage.open();
  const holder = await server.connect();
  await holder.query("begin; lock table t");
  const waiting = await stage.client();
  const locked = waiting.query("select count(*) from t");
  const running = await stage.client();
  const sleeping = assert.rejects(running.query("select pg_sleep(3600)"), { code: "57014" });
  const idle = await stage.client();
  const loading = await stage.wire();
  await loading.query("create temporary table l (v int)");
  await loading.copyIn("copy l from stdin");
  await loading.send(Buffer.from("d\0\0\0\u00061\n", "latin1"));
  // Answers that the server keeps until it is asked for them.
  const pipelining = await stage.wire();
  pipelining.expects = () => false;
  const reading = pipelining.messages.fill();
  await stage.looks(LOOKS);
  assert.deepEqual(
    [...stage.watch.awaitedFor(0)].sort(),
    [waiting.backend.pid, running.backend.pid].sort(),
    "whose answer is awaited",
  );
  await holder.query("rollback");
  await holder.end();
  assert.deepEqual((await locked).rows, [{ count: "0" }]);
  assert.deepEqual((await idle.query("select 1 as one")).rows, [{ one: "1" }]);
  assert.equal(await loading.copyInEnd(), "COPY 1");
  await pipelining.send(queryMessage("select 1"));
  await reading;
  await server.query(`select pg_cancel_backend(${running.backend.pid})`);
  await sleeping;
});

test("a look that fails proves nothing: what was under way goes on when the network does", async () => {
  await using stage = await Stage.open();
  const client = await stage.client();
  const query = client.query("select pg_sleep(0.5)");
  stage.proxy.blackhole();
  // A look that cannot connect takes as long as it may; afterwards the connection has been silent for long.
  await stage.looks(1, "failed");
  stage.proxy.heal();
  assert.equal((await query).rows.length, 1);
});

test("looks that fail in between take away what was seen before", async () => {
  let looks = 0;
  const stop = new Error("no look");
  await using stage = await Stage.open({}, async (pids) => {
    if (++looks % 2 === 0) throw stop;
    const look = await lookAtSessions(parseUrl(server.url()), pids);
    return { ...look, sightings: [] };
  });
  const client = await stage.client();
  const query = assert.rejects(client.query("select pg_sleep(3600)"), { code: "57014" });
  await stage.looks(LOOKS, "failed");
  await server.query(`select pg_cancel_backend(${client.backend.pid})`);
  await query;
});

test("a look at another server proves nothing", async () => {
  await using stage = await Stage.open({}, async () => ({ server: "another", sightings: [] }));
  const client = await stage.client();
  const query = assert.rejects(client.query("select pg_sleep(3600)"), { code: "57014" });
  await stage.looks(LOOKS);
  await server.query(`select pg_cancel_backend(${client.backend.pid})`);
  await query;
});

test("a process that came by the number of ours is not ours", async () => {
  await using stage = await Stage.open({}, async (pids) => {
    const look = await lookAtSessions(parseUrl(server.url()), pids);
    return { ...look, sightings: look.sightings.map((seen) => ({ ...seen, started: "0" })) };
  });
  const query = (await stage.client()).query("select pg_sleep(3600)");
  await assert.rejects(query, { code: "connect.lost", message: /ended/ });
});
