import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { never } from "../../../../test/support/replication.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { opsUpTo, StreamSource } from "../../../../test/support/stream-source.ts";
import type { MigrationError } from "../../../core/error.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openChangeStream } from "./change-stream.ts";
import { ensurePublication, publicationName } from "./publication.ts";
import { createStream, currentPosition, dropStream, findStream, slotName } from "./slot.ts";

const server = await serverOfFile(
  startPostgres({
    settings: {
      max_slot_wal_keep_size: "16MB",
      wal_keep_size: 0,
      max_wal_size: "32MB",
      min_wal_size: "32MB",
    },
  }),
);

test("what was created is dropped, also while a reader that died holds the slot; nothing to drop is fine", async () => {
  await using f = await StreamSource.make(server, "create table t (id int primary key)");
  await dropStream(f.client, f.request, never);
  const start = await createStream(f.endpoint, f.request, never);
  await using stream = await f.open(start);
  const items = stream[Symbol.asyncIterator]();
  const broken = assert.rejects(
    async () => {
      for (;;) await items.next();
    },
    { code: "connect.lost" },
  );
  await dropStream(f.client, f.request, never);
  await broken;
  assert.equal(await findStream(f.client, f.endpoint, f.request), undefined);
  assert.deepEqual(
    await f.query("select * from pg_replication_slots where database = current_database()"),
    [],
  );
  assert.deepEqual(await f.query("select * from pg_publication"), []);
});

test("a slot that goes by itself at the moment when it is dropped is dropped", async () => {
  await using f = await StreamSource.make(server, "create table t (id int primary key)");
  await createStream(f.endpoint, f.request, never);
  // In this database the slot has gone when the server's function comes to it.
  await f.query(`create function drops(slot_name name) returns void language internal as 'pg_drop_replication_slot';
    create or replace function pg_catalog.pg_drop_replication_slot(slot_name name) returns void language plpgsql
    as 'begin perform public.drops(slot_name); perform public.drops(slot_name); end'`);
  await dropStream(f.client, f.request, never);
  assert.equal(await findStream(f.client, f.endpoint, f.request), undefined);
  assert.deepEqual(await f.query("select * from pg_publication"), []);
});

test("a missing slot or publication, and a table taken out of it, are told before the stream starts", async () => {
  await using f = await StreamSource.make(
    server,
    "create table t (id int primary key); create table u (id int primary key)",
  );
  const zero = lsnCodec.parse("0/1");
  await assert.rejects(f.open(zero), { code: "source.slot_missing" });
  const start = await createStream(f.endpoint, f.request, never);
  const publication = `"${publicationName(f.database)}"`;
  await f.query(`alter publication ${publication} drop table u`);
  await assert.rejects(f.open(start), {
    code: "source.table_unpublished",
    table: { schema: "public", name: "u" },
  });
  await f.query(`drop publication ${publication}`);
  await assert.rejects(f.open(start), { code: "source.publication_missing" });
});

test("a second reader waits for the first to go", async () => {
  await using f = await StreamSource.make(server, "create table t (id int primary key)");
  const start = await createStream(f.endpoint, f.request, never);
  const first = await f.open(start);
  const second = f.open(start);
  await f.query("insert into t values (1)");
  assert.equal(await opsUpTo(first, await currentPosition(f.client)), 1);
  await first[Symbol.asyncDispose]();
  await using stream = await second;
  assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 1);
});

test("slot and publication that SlotName names are used from where they stand, and never made, altered or dropped", async () => {
  await using f = await StreamSource.make(
    server,
    "create table t (id int primary key); create table u (id int primary key)",
  );
  const name = `mine_${f.database}`;
  const endpoint = { ...f.endpoint, settings: { SlotName: name } };
  await assert.rejects(createStream(endpoint, f.request, never), (error: MigrationError) => {
    assert.equal(error.code, "source.publication_missing");
    assert.match(error.remedy, /create publication "?mine_\w+"? for table only "?public"?\."?t"?/);
    assert.match(error.remedy, /pg_create_logical_replication_slot\('mine_/);
    return true;
  });
  await f.query(`create publication ${name} for table t`);
  await assert.rejects(findStream(f.client, endpoint, f.request), { code: "source.slot_missing" });
  await f.query(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  await f.query("insert into t values (1)");
  const start = await createStream(endpoint, f.request, never);
  assert.deepEqual(await findStream(f.client, endpoint, f.request), start);
  await f.query("insert into t values (2)");
  const request = { ...f.request, after: start };
  await assert.rejects(openChangeStream(f.client, endpoint, request, never), (error: MigrationError) => {
    assert.equal(error.code, "source.table_unpublished");
    assert.match(error.remedy, /alter publication "?mine_\w+"? add table only "?public"?\."?u"?/);
    return true;
  });
  {
    const aside = [{ schema: "public", name: "u" }];
    await using stream = await openChangeStream(f.client, endpoint, { ...request, aside }, never);
    assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 2);
  }
  await f.query(`drop publication ${name}; create publication ${name} for all tables`);
  await f.query(`select pg_replication_slot_advance('${name}', pg_current_wal_lsn())`);
  await f.query("insert into u values (3)");
  {
    await using stream = await openChangeStream(f.client, endpoint, request, never);
    assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 1);
  }
  await dropStream(f.client, f.request, never);
  assert.deepEqual(await f.query("select pubname from pg_publication"), [{ pubname: name }]);
  const slots = await f.query(
    "select slot_name from pg_replication_slots where database = current_database()",
  );
  assert.deepEqual(slots, [{ slot_name: `mine_${f.database}` }]);
  await f.query(`create publication other_${f.database}`);
  await f.query(`select pg_create_logical_replication_slot('other_${f.database}', 'test_decoding')`);
  const wrong = { ...f.endpoint, settings: { SlotName: `other_${f.database}` } };
  await assert.rejects(createStream(wrong, f.request, never), { code: "endpoint.setting_invalid" });
  await f.query(
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
  );
});

test("prepared transactions of a two-phase slot are refused by name", async () => {
  await using f = await StreamSource.make(server, "create table t (id int primary key)");
  await ensurePublication(f.client, f.request);
  await f.query(
    `select pg_create_logical_replication_slot('${slotName(f.database)}', 'pgoutput', false, true)`,
  );
  await f.query("begin; insert into t values (1); prepare transaction 'p'");
  await using stream = await f.open((await findStream(f.client, f.endpoint, f.request))!);
  await assert.rejects(opsUpTo(stream, await currentPosition(f.client)), {
    code: "source.protocol",
    message: /prepared/,
  });
  await f.query("rollback prepared 'p'");
});

test("a slot whose log is gone is lost", async () => {
  await using f = await StreamSource.make(server, "create table t (id int primary key)");
  await createStream(f.endpoint, f.request, never);
  for (let i = 0; i < 6; i++)
    await f.query(
      "create table w as select repeat('x', 2000) from generate_series(1, 5000); select pg_switch_wal(); checkpoint; drop table w",
    );
  await f.query("checkpoint");
  await assert.rejects(findStream(f.client, f.endpoint, f.request), { code: "source.slot_lost" });
  await assert.rejects(f.open(lsnCodec.parse("0/1")), { code: "source.slot_lost" });
});
