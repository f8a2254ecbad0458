import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type pg from "pg";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { PostgresSource } from "../source.ts";
import { readNotePrefix } from "./installed-notes.ts";

const never = new AbortController().signal;

let server: PostgresServer;
let client: pg.Client;
let endpoint: EndpointConfig;
before(async () => {
  server = await startPostgres();
  await server.query("create role guest login password 'guest'");
});
after(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  const database = await server.createDatabase("notes");
  client = await connectTo(server, database);
  endpoint = endpointOf(server, database);
  await keepNotes();
});
afterEach(() => client.end());

async function keepNotes(): Promise<void> {
  await using source = new PostgresSource(endpoint);
  const kept = { kept: true, refused: false, findings: [] };
  assert.deepEqual(await source.keepNotes({ makes: true }, never), kept);
}

async function findings(user: Partial<EndpointConfig>): Promise<readonly string[]> {
  await using source = new PostgresSource({ ...endpoint, ...user });
  return (await source.keepNotes({ makes: true }, never)).findings.map(({ message }) => message);
}

test("a job that refreshes all materialized views leaves the key of the notes as it is", async () => {
  await client.query("create materialized view other as select gen_random_uuid() as id");
  const read = "select id::text from other";
  const [{ id }] = (await client.query(read)).rows;
  const prefix = await readNotePrefix(client);
  assert.match(prefix!, /^tideway note [0-9a-f-]{36}$/);
  await client.query(`do $$ declare v regclass; begin for v in select oid from pg_class where relkind = 'm'
    loop execute format('refresh materialized view %s', v); end loop; end $$`);
  assert.notEqual((await client.query(read)).rows[0].id, id);
  assert.equal(await readNotePrefix(client), prefix);
});

test("the key is read by whom it was granted to, and shown to nobody else", async () => {
  const guest = { username: "guest", password: "guest" };
  assert.match((await findings(guest)).join(), /may not read tideway_notes.note_key/);
  await client.query("analyze tideway_notes.note_key; set role guest");
  assert.deepEqual((await client.query("select from pg_stats where schemaname = 'tideway_notes'")).rows, []);
  await assert.rejects(client.query("table tideway_notes.note_key"), /permission denied/);
  await client.query("reset role; grant usage on schema tideway_notes to guest");
  await client.query("grant select on tideway_notes.note_key to guest");
  assert.deepEqual(await findings(guest), []);
  await client.query("drop owned by guest");
});

test("a role that was refused the event triggers does nothing on the source when it is not to try again", async () => {
  await client.query("drop function public.tideway_note_change() cascade; drop schema tideway_notes cascade");
  // A sequence counts also what is taken back.
  await client.query(`create sequence public.tries; create function public.count_try() returns event_trigger
    language plpgsql security definer as 'begin perform nextval(''public.tries''); end';
    create event trigger count_tries on ddl_command_start execute function public.count_try()`);
  const tries = async (): Promise<number> => {
    const { rows } = await client.query(
      "select last_value - (not is_called)::int as tries from public.tries",
    );
    return Number(rows[0].tries);
  };
  await using source = new PostgresSource({ ...endpoint, username: "guest", password: "guest" });
  const tried = await source.keepNotes({ makes: true }, never);
  assert.deepEqual([tried.kept, tried.refused], [false, true]);
  const before = await tries();
  assert.ok(before > 0);
  assert.equal((await source.keepNotes({ makes: false }, never)).kept, false);
  assert.equal(await tries(), before);
});

test("a key without its row, as a copy of the schema brings it, is made anew", async () => {
  const prefix = await readNotePrefix(client);
  await client.query("refresh materialized view tideway_notes.note_key with no data");
  assert.equal(await readNotePrefix(client), undefined);
  await keepNotes();
  const made = await readNotePrefix(client);
  assert.notEqual(made, undefined);
  assert.notEqual(made, prefix);
});

test("what a task that died had made without saying from where on is taken as it is", async () => {
  const prefix = await readNotePrefix(client);
  await client.query("comment on event trigger tideway_note_end is null");
  assert.equal(await readNotePrefix(client), undefined);
  await keepNotes();
  assert.equal(await readNotePrefix(client), prefix);
});

test("the lock under which they are made is not left in a session that is kept", async () => {
  await client.query("drop event trigger tideway_note_drop");
  await using source = new PostgresSource(endpoint);
  assert.equal((await source.keepNotes({ makes: true }, never)).kept, true);
  assert.deepEqual((await client.query("select from pg_locks where locktype = 'advisory'")).rows, []);
});

test("a source that is read only for now is read without notes, and asked again", async () => {
  await client.query("drop event trigger tideway_note_drop");
  await server.query("create role careful superuser login password 'careful'");
  await server.query("alter role careful set default_transaction_read_only = on");
  await using source = new PostgresSource({ ...endpoint, username: "careful", password: "careful" });
  const kept = await source.keepNotes({ makes: true }, never);
  assert.deepEqual([kept.kept, kept.refused], [false, false]);
  assert.match(kept.findings[0]!.message, /read only/);
  await client.query("alter role careful reset default_transaction_read_only");
  await using again = new PostgresSource({ ...endpoint, username: "careful", password: "careful" });
  assert.equal((await again.keepNotes({ makes: true }, never)).kept, true);
});

test("a transaction that holds the key for long lets the task begin without notes, which the next attempt makes", async () => {
  const altering = await connectTo(server, endpoint.database);
  await altering.query("begin; create table public.t (id int)");
  await client.query("alter event trigger tideway_note_drop disable");
  await using source = new PostgresSource(endpoint);
  const kept = await source.keepNotes({ makes: true }, never);
  assert.deepEqual([kept.kept, kept.refused], [false, false]);
  assert.match(kept.findings[0]!.message, /in the way now/);
  await altering.query("commit");
  await altering.end();
  assert.equal((await source.keepNotes({ makes: true }, never)).kept, true);
});
