import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import type { Grant, ObjectRights } from "../../../core/rights.ts";
import type { GiveRights } from "../../../core/target.ts";
import { giveRights } from "./give-rights.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
  await server.query("create role boss; create role reader; create role mover");
});

after(() => server[Symbol.asyncDispose]());

const grant = (privilege: string, more: Partial<Grant> = {}): Grant => ({
  ...{ privilege, to: "reader", grantable: false },
  ...more,
});

function table(granted: readonly Grant[], more: Partial<ObjectRights> = {}): ObjectRights {
  const id = { schema: "app", name: "t" };
  return { ...{ kind: "table", id, on: id, owner: "boss", granted, revoked: [] }, ...more };
}

/** What is told after a table `app.t` with the columns a and b was to get rights, and the table's ACL then. */
async function given(request: Partial<GiveRights>, { setup = "", user = "postgres" } = {}) {
  const database = await server.createDatabase();
  await server.query(`create schema app; create table app.t (a integer, b integer); ${setup}`, database);
  const client = await server.connect(database);
  try {
    await client.query(`set role ${user}`);
    const findings = await giveRights(client, { rights: [], kept: [], replicates: false, ...request });
    const { rows } = await client.query<{ owner: string; table: string; a: string; b: string }>(
      `select pg_get_userbyid(relowner) as owner, relacl::text as table,
              (select attacl::text from pg_attribute where attrelid = c.oid and attname = 'a') as a,
              (select attacl::text from pg_attribute where attrelid = c.oid and attname = 'b') as b
         from pg_class c where oid = 'app.t'::regclass`,
    );
    return { told: findings.map(({ code, message }) => `${code} ${message}`), now: rows[0]! };
  } finally {
    await client.end();
  }
}

test("privileges that the server refuses keep no other from being given, and each is told with its own reason", async () => {
  const granted = [
    ...[grant("SELECT", { column: "a" }), grant("SELECT", { column: "gone" })],
    ...[grant("UPDATE", { column: "missing" }), grant("INSERT")],
  ];
  const { told, now } = await given({ rights: [table(granted)] });
  assert.equal(now.a, "{reader=r/boss}");
  assert.match(now.table, /reader=a\/boss/);
  assert.equal(told.length, 2, told.join("\n"));
  assert.match(told[0]!, /^target\.right_not_given .*grant select \("gone"\) on .* column "gone"/);
  assert.match(told[1]!, /^target\.right_not_given .*grant update \("missing"\) on .* column "missing"/);
});

test("an owner that cannot be set is told, and the privileges are given", async () => {
  // A new owner needs CREATE on the schema, unless a superuser gives the table away.
  const { told, now } = await given(
    { rights: [table([grant("SELECT"), grant("UPDATE", { to: "mover" })])] },
    {
      user: "mover",
      setup: "alter table app.t owner to mover; grant usage on schema app to mover; grant boss to mover",
    },
  );
  assert.equal(now.owner, "mover");
  assert.match(now.table, /reader=r\/mover/);
  assert.equal(told.length, 1, told.join("\n"));
  assert.match(told[0]!, /alter table app\.t owner to "boss".*permission denied/s);
});

test("an owner that may give on what it has, and lacks nothing by that", async () => {
  const granted = [{ privilege: "SELECT", grantable: true }];
  const revoked = [{ privilege: "SELECT", grantable: false }];
  const { told, now } = await given({ rights: [table(granted, { revoked })], replicates: true });
  assert.deepEqual(told, []);
  assert.match(now.table, /boss=ar\*/);
});

test("what is kept stays as it is, and the statements that it lacks are told", async () => {
  const kept = [table([grant("SELECT")])];
  const { told, now } = await given({ kept }, { setup: "grant update on app.t to mover" });
  assert.equal(now.owner, "postgres");
  assert.doesNotMatch(now.table, /reader/);
  assert.equal(told.length, 1);
  for (const text of [
    "alter table app.t owner to",
    'grant select on table app.t to "reader"',
    'revoke update on table app.t from "mover"',
  ]) {
    assert.ok(told[0]!.includes(text), told[0]);
  }
});

test("what comes on top of what is there takes nothing away", async () => {
  const rights = [table([grant("SELECT", { column: "b" })])];
  const setup = `alter table app.t owner to mover; grant update on app.t to reader;
    grant select (a) on app.t to reader; revoke delete on app.t from mover`;
  const { told, now } = await given({ rights, replicates: true, adds: true }, { setup });
  assert.deepEqual(told, []);
  assert.deepEqual([now.owner, now.a, now.b], ["mover", "{reader=r/mover}", "{reader=r/mover}"]);
  assert.match(now.table, /mover=arwDxtm\/mover,reader=w\/mover/);
});
