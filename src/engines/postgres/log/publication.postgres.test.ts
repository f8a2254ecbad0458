import assert from "node:assert/strict";
import { test } from "node:test";
import { becomesTrue } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { never } from "../../../../test/support/replication.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { opsUpTo, StreamSource } from "../../../../test/support/stream-source.ts";
import { ensurePublication, publicationName } from "./publication.ts";
import { createStream, currentPosition } from "./slot.ts";

const server = await serverOfFile(startPostgres());

async function published(f: StreamSource): Promise<string[]> {
  const rows = await f.query(
    `select schemaname || '.' || tablename as t from pg_publication_tables where pubname = '${publicationName(f.database)}' order by 1`,
  );
  return rows.map((row) => row.t);
}

test("the publication holds exactly the tables with an identity, and is brought up to date", async () => {
  await using f = await StreamSource.make(
    server,
    `create table "A b" (id int primary key); create table log (v text); create schema "S"; create table "S"."t" (id int primary key)`,
  );
  await ensurePublication(f.client, f.request);
  assert.deepEqual(await published(f), ["S.t", "public.A b"]);
  // The application can still update what has no identity.
  await f.query("insert into log values ('x'); update log set v = 'y'; delete from log");
  await f.query(`create table n (id int primary key); drop table "S"."t"`);
  await f.describe();
  await ensurePublication(f.client, f.request);
  assert.deepEqual(await published(f), ["public.A b", "public.n"]);
  await f.query(
    `alter publication "${publicationName(f.database)}" set table n where (id > 5); alter publication "${publicationName(f.database)}" set (publish = 'insert')`,
  );
  await ensurePublication(f.client, f.request);
  assert.deepEqual(await published(f), ["public.A b", "public.n"]);
  const [row] = await f.query("select count(*) from pg_publication_rel where prqual is not null");
  assert.equal(row.count, "0");
  assert.equal(
    (await f.query("select pubupdate and pubdelete and pubtruncate as all from pg_publication"))[0].all,
    true,
  );
  f.tables = [];
  await ensurePublication(f.client, f.request);
  assert.deepEqual(await published(f), []);
});

test("adding a table waits for those who write to it", async () => {
  await using f = await StreamSource.make(server, "create table a (id int primary key)");
  await createStream(f.endpoint, f.request, never);
  await f.query("create table b (id int primary key)");
  await f.describe();
  const writer = await server.connect(f.database);
  await writer.query("begin; insert into b values (1)");
  const added = ensurePublication(f.client, f.request);
  const waiting = "exists (select from pg_locks where not granted and locktype = 'relation')";
  await becomesTrue(server, f.database, waiting);
  assert.deepEqual(await published(f), ["public.a"]);
  await writer.query("commit");
  await writer.end();
  await added;
  assert.deepEqual(await published(f), ["public.a", "public.b"]);
});

test("2,000 tables are published in one go", async () => {
  await using f = await StreamSource.make(
    server,
    "do $$ begin for i in 1..2000 loop execute format('create table t%s (id int primary key)', i); end loop; end $$",
  );
  const start = await createStream(f.endpoint, f.request, never);
  assert.equal((await published(f)).length, 2_000);
  await f.query("insert into t1999 values (1)");
  await using stream = await f.open(start);
  assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 1);
});
