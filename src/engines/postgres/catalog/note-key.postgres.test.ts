import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type pg from "pg";
import { executables } from "../../../../test/support/debian-tools.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import { readNotePrefix } from "../log/installed-notes.ts";
import { PostgresSource } from "../source.ts";

/* The key of the notes, on the oldest version that has one: the newest is in installed-notes.postgres.test.ts. */

const never = new AbortController().signal;

const [pgDump] = executables("pg_dump");
const lacking = pgDump === undefined && "there is no pg_dump";

let server: PostgresServer;
let database: string;
let client: pg.Client;
before(async () => {
  server = await startPostgres({ version: 14 });
  await server.query("create role app login password 'app'");
});
after(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  database = await server.createDatabase("keys");
  client = await connectTo(server, database);
  await client.query("create table public.t (id int); insert into public.t values (7)");
  await client.query("grant select on public.t to app");
});
afterEach(() => client.end());

async function keepNotes(): Promise<string> {
  await using source = new PostgresSource(endpointOf(server, database));
  assert.equal((await source.keepNotes({ makes: true }, never)).kept, true);
  return (await readNotePrefix(client))!;
}

function dump(user: string, password: string, ...options: readonly string[]): string {
  const place = ["--host=127.0.0.1", `--port=${server.port}`, `--username=${user}`];
  const env = { ...process.env, PGPASSWORD: password };
  return execFileSync(pgDump!, [...options, ...place, database], { env, encoding: "utf8" });
}

test("a job that refreshes all materialized views leaves the key of an older version's notes as it is", async () => {
  const prefix = await keepNotes();
  await client.query("refresh materialized view tideway_notes.note_key");
  await client.query("refresh materialized view concurrently tideway_notes.note_key");
  assert.equal(await readNotePrefix(client), prefix);
});

test("an ordinary role dumps the database, without the key", { skip: lacking }, async () => {
  const prefix = await keepNotes();
  const text = dump("app", "app");
  assert.match(text, /^COPY public\.t .*\n7$/m);
  assert.equal(text.includes(prefix.split(" ").at(-1)!), false);
});

test("a restored database has another key, and a copy of its schema none before its notes are made", {
  skip: lacking,
}, async () => {
  const prefix = await keepNotes();
  // What psql alone understands is left out, and the rows, which are not SQL; so is what only a newer server knows.
  const whole = dump("postgres", server.password, "--inserts");
  const schema = dump("postgres", server.password, "--schema-only");
  const restored = async (text: string): Promise<string | undefined> => {
    const copy = await connectTo(server, await server.createDatabase("copy"));
    const sql = text.replaceAll(/^\\.*$/gm, "");
    await copy.query(sql).then(() => copy.query("reset search_path"));
    const found = await readNotePrefix(copy);
    await copy.end();
    return found;
  };
  const other = await restored(whole);
  assert.match(other!, /^tideway note [0-9a-f-]{36}$/);
  assert.notEqual(other, prefix);
  assert.equal(await restored(schema), undefined);
});

test("default privileges give the key to nobody", async () => {
  await client.query(`alter default privileges grant select on tables to app;
    alter default privileges grant usage on schemas to app; alter default privileges grant execute on functions to app`);
  const prefix = await keepNotes();
  const { rows } = await client.query(`select has_schema_privilege('app', 'tideway_notes', 'usage') as schema,
    has_table_privilege('app', 'tideway_notes.note_key', 'select') as key,
    has_function_privilege('app', 'tideway_notes.present_or_new()', 'execute') as function`);
  assert.deepEqual(rows, [{ schema: "f", key: "f", function: "f" }]);
  await client.query("drop owned by app; set role app");
  assert.equal(await readNotePrefix(client), undefined);
  await client.query("reset role");
  assert.equal(await readNotePrefix(client), prefix);
});
