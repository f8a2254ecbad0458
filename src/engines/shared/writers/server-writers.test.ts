import assert from "node:assert/strict";
import { beforeEach, type TestContext, test } from "node:test";
import type { OtherWriter } from "../../../core/other-writer.ts";
import type { TableId } from "../../../core/schema.ts";
import { OwnWrites } from "./own-writes.ts";
import { ServerWriters } from "./server-writers.ts";
import type { Account, Effects, SeenCounts, SeenSessions, StatedWriter } from "./writer-server.ts";

/* A server that says what a test has it say; a clock that the test moves. */

const item = { schema: "public", name: "item" };
const child = { schema: "public", name: "child" };
const signal = new AbortController().signal;

let nowMs: number;
let own: OwnWrites;
let counts: Map<TableId, number>;
let identities: Map<TableId, string>;
let sessions: SeenSessions;
let effects: Effects;
let lagMs: number;
let accounts: SeenCounts["accounts"];
let watch: ServerWriters;

beforeEach((context) => {
  nowMs = 1_000_000;
  (context as TestContext).mock.method(performance, "now", () => nowMs);
  own = new OwnWrites();
  counts = new Map([
    [item, 10],
    [child, 10],
  ]);
  identities = new Map([
    [item, "1"],
    [child, "2"],
  ]);
  sessions = { writing: [], stating: [], othersOfTideway: false };
  effects = { acting: [], passedOn: [] };
  lagMs = 10_000;
  accounts = new Map();
  const server = {
    sessions: async () => sessions,
    counts: async () => ({
      counts: [...counts].map(([table, count]) => ({
        ...{ table, count, isOfRows: true },
        identity: identities.get(table) ?? null,
      })),
      ...{ stating: [], accounts, lagMs },
    }),
    effects: async () => effects,
  };
  watch = new ServerWriters([item, child], server, own);
});

const app: OtherWriter = {
  ...{ table: item, session: "7", prepared: null, user: "app" },
  ...{ address: null, application: "shop", counted: null },
};
const statement = (writer: OtherWriter): StatedWriter => ({ writer, shownBy: "count" });

/** Looks each second for so long; resolves with all who were told, one line each. */
async function looks(seconds: number): Promise<readonly string[]> {
  const told: string[] = [];
  for (let i = 0; i < seconds; i++) {
    nowMs += 1_000;
    for (const { table, user, counted } of await watch.look(signal)) {
      told.push(`${table.name}: ${user ?? `somebody, ${counted?.rows} rows`}`);
    }
    sessions = { ...sessions, stating: [] };
  }
  return told;
}

test("somebody is told where a counter grows while nothing of Tideway's has written for a while", async () => {
  assert.deepEqual(await looks(30), []);
  counts.set(item, 13);
  assert.deepEqual(await looks(6), ["item: somebody, 3 rows"]);
  counts.set(item, 2);
  assert.deepEqual(await looks(6), []);
});

test("nobody is told for what Tideway has written itself, however late it is counted", async () => {
  await looks(30);
  own.begin([item])[Symbol.dispose]();
  nowMs += 4_000;
  counts.set(item, 11);
  assert.deepEqual(await looks(10), []);
  const load = own.begin([item]);
  counts.set(item, 12);
  assert.deepEqual(await looks(60), []);
  load[Symbol.dispose]();
  counts.set(item, 14);
  assert.deepEqual(await looks(6), []);
});

test("a write of one table says nothing of another that it is not passed on to", async () => {
  await looks(30);
  using _load = own.begin([child]);
  counts.set(item, 11);
  assert.deepEqual(await looks(6), ["item: somebody, 1 rows"]);
});

test("what a foreign key or a trigger passes on is nobody's", async () => {
  await looks(30);
  const parent = { schema: "public", name: "parent" };
  effects = {
    acting: [],
    passedOn: [
      [item, parent],
      [parent, child],
    ],
  };
  const write = own.begin([item]);
  counts.set(child, 11);
  assert.deepEqual(await looks(6), []);
  await looks(60);
  // A trigger of a table that is reached by a foreign key alone.
  effects = { acting: [parent], passedOn: [[item, parent]] };
  counts.set(child, 12);
  assert.deepEqual(await looks(6), []);
  await looks(60);
  effects = { acting: undefined, passedOn: [] };
  counts.set(child, 13);
  assert.deepEqual(await looks(6), []);
  write[Symbol.dispose]();
  await looks(80);
  counts.set(child, 14);
  assert.deepEqual(await looks(6), ["child: somebody, 1 rows"]);
});

test("nobody is told while another program of Tideway's may write, nor when it may not have been seen", async () => {
  sessions = { ...sessions, othersOfTideway: true };
  await looks(30);
  counts.set(item, 11);
  assert.deepEqual(await looks(6), []);
  sessions = { ...sessions, othersOfTideway: false };
  counts.set(item, 12);
  assert.deepEqual(await looks(6), []);
  await looks(20);
  nowMs += 20_000;
  counts.set(item, 13);
  assert.deepEqual(await looks(6), []);
});

test("nobody is told by counters that have no limit of time", async () => {
  lagMs = Infinity;
  await looks(60);
  counts.set(item, 11);
  assert.deepEqual(await looks(6), []);
});

test("a statement names who writes when the table is written to, and not otherwise", async () => {
  await looks(6);
  sessions = { ...sessions, stating: [statement(app)] };
  assert.deepEqual(await looks(30), []);
  counts.set(item, 11);
  assert.deepEqual(await looks(6), ["item: somebody, 1 rows"]);
  sessions = { ...sessions, stating: [statement(app)] };
  counts.set(item, 12);
  assert.deepEqual(await looks(6), ["item: app"]);
});

test("a table that takes the place of another is nobody's write, and is read anew", async () => {
  await looks(30);
  counts.set(item, 1000);
  identities.set(item, "3");
  sessions = { ...sessions, stating: [statement(app)] };
  assert.deepEqual(await looks(30), []);
  counts.set(item, 1001);
  assert.deepEqual(await looks(6), ["item: somebody, 1 rows"]);
});

test("who writes to a table that has just been made is told by the statement", async () => {
  counts.set(item, 0);
  identities.delete(item);
  await looks(1);
  sessions = { ...sessions, stating: [statement(app)] };
  await looks(1);
  counts.set(item, 1);
  identities.set(item, "3");
  assert.deepEqual(await looks(6), ["item: app"]);
});

test("a statement names who writes also while Tideway writes all the time, and nobody is told beside", async () => {
  using _load = own.begin([item]);
  for (let i = 0; i < 10; i++) {
    counts.set(item, 11 + i);
    if (i === 5) sessions = { ...sessions, stating: [statement(app)] };
    const told = await looks(1);
    assert.ok(i < 5 || told.length === 0 || told[0] === "item: app", told.join());
    if (told.length > 0) return;
  }
  assert.fail("nobody was told");
});

test("a statement of which only the user is known does not name again who is known better", async () => {
  await looks(6);
  sessions = {
    ...sessions,
    stating: [statement({ ...app, session: null, application: null }), statement(app)],
  };
  counts.set(item, 11);
  assert.deepEqual((await looks(6)).toSorted(), ["item: app", "item: app"]);
  sessions = { ...sessions, stating: [statement({ ...app, session: null, application: null })] };
  counts.set(item, 12);
  assert.deepEqual(await looks(6), []);
});

test("what has emptied a table for certain is told at once, and so is a transaction that is open", async () => {
  await looks(1);
  sessions = { ...sessions, stating: [{ writer: app, shownBy: "itself" }] };
  assert.deepEqual(await looks(1), ["item: app"]);
  sessions = { ...sessions, writing: [{ ...app, user: "other" }] };
  assert.deepEqual(await looks(1), ["item: other"]);
});

test("what may have emptied a table is told once the table has been", async () => {
  await looks(1);
  sessions = { ...sessions, stating: [{ writer: app, shownBy: "identity" }] };
  counts.set(item, 11);
  assert.deepEqual(
    (await looks(30)).filter((told) => told.endsWith("app")),
    [],
  );
  sessions = { ...sessions, stating: [{ writer: app, shownBy: "identity" }] };
  identities.set(item, "3");
  assert.deepEqual(await looks(6), ["item: app"]);
});

test("the only account that has written meanwhile is told with what was counted", async () => {
  const account = (user: string): string => JSON.stringify({ user, address: "10.0.0.1" } satisfies Account);
  accounts = new Map([
    [account("app"), 5],
    [account("report"), 5],
  ]);
  await looks(30);
  accounts = new Map([...accounts, [account("app"), 8]]);
  counts.set(item, 11);
  const found: OtherWriter[] = [];
  for (let i = 0; i < 6; i++) {
    nowMs += 1_000;
    found.push(...(await watch.look(signal)));
  }
  assert.deepEqual(
    found.map(({ user, counted }) => [user, counted?.onlyAccount]),
    [[null, { user: "app", address: "10.0.0.1" }]],
  );
  accounts = new Map([
    [account("app"), 9],
    [account("report"), 6],
  ]);
  counts.set(child, 11);
  nowMs += 5_000;
  const [both] = await watch.look(signal);
  assert.equal(both?.counted?.onlyAccount, null);
});
