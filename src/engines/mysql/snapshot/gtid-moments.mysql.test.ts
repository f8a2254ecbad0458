import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { openWire } from "../connection/connection.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { gtidsOf } from "../log/binlog-position.ts";
import { containsGtids, parseGtids } from "../log/gtid.ts";
import type { BegunSessions } from "./begun-sessions.ts";
import { beginByGtids } from "./gtid-moments.ts";

const signal = new AbortController().signal;
const WRITERS = 24;
const SESSIONS = 4;
/** Of a table with a key: changes can be applied to rows that show them already. */
const KEYED = { tables: [] };
const EXACT = { tables: [], exact: true };

let server: MysqlServer;
let schema: string;
let wires: readonly WireSession[];

before(async () => {
  server = await startMysql({ flavour: "mysql" });
  schema = await server.createDatabase("moments");
  await server.query(
    `create table c (writer int primary key, n int not null);
     ${Array.from({ length: WRITERS }, (_, writer) => `insert into c values (${writer}, 0)`).join("; ")}`,
    schema,
  );
  const options = { side: "source", purpose: "test" } as const;
  wires = await Promise.all(
    Array.from({ length: SESSIONS }, () => openWire(server.endpoint(schema), options, signal)),
  );
});

after(async () => {
  for (const wire of wires ?? []) wire.destroy();
  await server?.[Symbol.asyncDispose]();
});

/** What the driver's types lack of a server's answer. */
interface Tracked {
  readonly stateChanges: { readonly gtids: readonly string[] };
}

interface Writers {
  /** By writer: GTIDs of the transactions that have given its row the values 1, 2, 3, ... */
  readonly gtids: readonly (readonly string[])[];
  readonly committed: () => number;
  readonly stop: () => Promise<void>;
}

/** Each counts in a row of its own, one transaction after the other; the server says which GTID it has given to each. */
function write(): Writers {
  let isOn = true;
  const gtids = Array.from({ length: WRITERS }, (): string[] => []);
  const work = gtids.map(async (own, writer) => {
    const connection = await server.connect(schema);
    await connection.query("set session session_track_gtids = OWN_GTID");
    await connection.query(`update c set n = 0 where writer = ${writer}`);
    while (isOn) {
      const [done] = await connection.query(`update c set n = n + 1 where writer = ${writer}`);
      own.push((done as unknown as Tracked).stateChanges.gtids[0]!);
    }
    await connection.end();
  });
  return {
    gtids,
    committed: () => gtids.reduce((sum, { length }) => sum + length, 0),
    stop: async () => {
      isOn = false;
      await Promise.all(work);
    },
  };
}

/** What each session shows of each writer. */
async function counts({ sessions }: BegunSessions): Promise<readonly (readonly number[])[]> {
  return await Promise.all(
    sessions.map(async (wire) =>
      (await wire.query("select n from c order by writer")).map(([n]) => Number(n)),
    ),
  );
}

interface Seen {
  readonly begun: BegunSessions;
  readonly counts: readonly (readonly number[])[];
}

/** Each session shows all of the position and, of what is beyond it, nothing after `upTo`. */
function assertWithin(
  { begun: { position, upTo = position }, counts: all }: Seen,
  gtids: Writers["gtids"],
): void {
  const [low, high] = [gtidsOf(position!), gtidsOf(upTo!)];
  const isIn = (set: typeof low, gtid: string): boolean => containsGtids(set, parseGtids(gtid));
  for (const shown of all) {
    for (const [writer, n] of shown.entries()) {
      const own = gtids[writer]!;
      assert.ok(n === 0 || isIn(high, own[n - 1]!), "what is shown lies before the upper bound");
      assert.ok(n === own.length || !isIn(low, own[n]!), "what lies before the lower bound is shown");
    }
  }
}

test("under load every session shows all up to the position, and nothing beyond the bound", async () => {
  // Commits wait for each other between their place in the log and the engine.
  await server.query("set global binlog_group_commit_sync_delay = 1000");
  const writers = write();
  await eventually("writes", async () => writers.committed() > 10 * WRITERS);
  const seen: Seen[] = [];
  for (let round = 0; round < 30; round++) {
    const begun = await beginByGtids(wires, KEYED, signal);
    seen.push({ begun, counts: await counts(begun) });
  }
  await writers.stop();
  await server.query("set global binlog_group_commit_sync_delay = 0");
  for (const one of seen) assertWithin(one, writers.gtids);
  assert.ok(
    seen.some(({ begun }) => begun.upTo !== undefined),
    "some had no one moment",
  );
  assert.ok(seen.every(({ begun }) => begun.sessions.length === SESSIONS));
});

test("where one moment is asked for, it is waited for, and shown by those that remain", async () => {
  const writers = write();
  await eventually("writes", async () => writers.committed() > 10 * WRITERS);
  const opening = beginByGtids(wires, EXACT, signal);
  await eventually("writes go on", async () => writers.committed() > 30 * WRITERS);
  await writers.stop();
  const begun = await opening;
  assert.equal(begun.upTo, undefined);
  assertWithin({ begun, counts: await counts(begun) }, writers.gtids);
});

test("a transaction that has its GTID and does not commit is waited for, as it may be shown", async () => {
  const holder = await server.connect(schema);
  const [uuid] = await server.query("select uuid() as uuid");
  await holder.query(`set gtid_next = '${uuid!["uuid"]}:1'; begin; update c set n = n where writer = 0`);
  const selects = async (): Promise<number> => {
    const [status] = await server.query("show global status like 'Com_select'");
    return Number(status!["Value"]);
  };
  const before = await selects();
  let isOpen = false;
  const opening = beginByGtids(wires, KEYED, signal).then((begun) => {
    isOpen = true;
    return begun;
  });
  // All that follow the tries look whether it has gone.
  await eventually("it is waited for", async () => (await selects()) > before + 8 * SESSIONS);
  assert.equal(isOpen, false);
  await holder.query("rollback");
  const begun = await opening;
  assert.equal(containsGtids(gtidsOf(begun.upTo!), parseGtids(`${uuid!["uuid"]}:1`)), false);
  await holder.end();
});

test("a transaction that was prepared and may be executed by its GTID before it is shown is waited for", async () => {
  await server.queryAndLeave(
    "xa start 'p'; update c set n = n + 1 where writer = 1; xa end 'p'; xa prepare 'p'",
    schema,
  );
  const looks = async (): Promise<number> => {
    const [status] = await server.query("show global status like 'Com_xa_recover'");
    return Number(status!["Value"]);
  };
  const limit = new AbortController();
  const before = await looks();
  const givenUp = beginByGtids(wires, KEYED, limit.signal);
  await eventually("it is waited for", async () => (await looks()) > before + 10 * SESSIONS);
  limit.abort(new Error("that is enough"));
  await assert.rejects(givenUp, /that is enough/);
  const opening = beginByGtids(wires, KEYED, signal);
  await server.query("xa commit 'p'");
  const [row] = await server.query("select n from c where writer = 1", schema);
  for (const shown of await counts(await opening)) assert.equal(shown[1], Number(row!["n"]));
});

test("a server that commits in another order than it logs has no such moments", async () => {
  await server.query("set global binlog_order_commits = OFF");
  await assert.rejects(beginByGtids(wires, KEYED, signal), {
    code: "source.privilege",
    remedy: /binlog_order_commits = ON/,
  });
  await server.query("set global binlog_order_commits = ON");
});
