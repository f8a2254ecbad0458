import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { never } from "../../../../test/support/replication.ts";
import { opsUpTo, StreamSource } from "../../../../test/support/stream-source.ts";
import type { Misfit, StreamItem } from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openWire } from "../connection/connection.ts";
import { openChangeStream } from "./change-stream.ts";
import { ensurePublication } from "./publication.ts";
import { createSlot, createStream, currentPosition, findStream, slotName } from "./slot.ts";

for (const version of [12, 13, 14, 15, 16, 17, 18]) {
  describe(`change stream of PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres({ version });
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
    });

    test("no heartbeat lies before the position from which the stream was opened", async () => {
      await using f = await StreamSource.make(server, "create table t (id int primary key)");
      await createStream(f.endpoint, f.request, never);
      for (let i = 0; i < 30; i++) await f.query(`insert into t values (${i})`);
      // The slot, to which nothing was confirmed, stands before it.
      const after = await currentPosition(f.client);
      await using stream = await f.open(after);
      const goal = await currentPosition(f.client);
      const probe = setInterval(() => stream.probe(), 1);
      try {
        for await (const item of stream) {
          if (item.kind !== "heartbeat") continue;
          assert.notEqual(
            lsnCodec.compare(item.position, after),
            -1,
            `${item.position.text} < ${after.text}`,
          );
          if (lsnCodec.compare(item.position, goal) !== -1) break;
        }
      } finally {
        clearInterval(probe);
      }
    });

    test("a slot's exported snapshot holds what the slot will not send", async () => {
      await using f = await StreamSource.make(
        server,
        "create table t (id int primary key); insert into t values (1)",
      );
      await ensurePublication(f.client, f.request);
      const session = { side: "source", purpose: "test", replication: true } as const;
      await using wire = await openWire(f.endpoint, session, never);
      const name = slotName(f.database);
      const slot = await createSlot(wire, { name, temporary: false, exportSnapshot: true }, never);
      await f.query("insert into t values (2), (3)");
      await f.client.query(
        `begin isolation level repeatable read; set transaction snapshot '${slot.snapshotName}'`,
      );
      assert.deepEqual((await f.client.query("select id from t")).rows, [{ id: "1" }]);
      await f.client.query("commit");
      await using stream = await f.open(slot.position);
      assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 2);
      await using other = await openWire(f.endpoint, session, never);
      await assert.rejects(createSlot(other, { name, temporary: false, exportSnapshot: false }, never), {
        code: "source.slot_exists",
      });
    });

    // The rest is the same in between: what differs by version is the slot, and binary from 14 on.
    if (version !== 12 && version !== 18) return;

    test("the current position lies behind every commit and is reached while idle", async () => {
      await using f = await StreamSource.make(server, "create table t (id int primary key)");
      const start = await createStream(f.endpoint, f.request, never);
      await using stream = await f.open(start);
      await f.query("set synchronous_commit = off; insert into t values (1)");
      const goal = await currentPosition(f.client);
      assert.equal(await opsUpTo(stream, goal), 1);
    });

    test("a stream goes on after what was confirmed, and from any later position", async () => {
      await using f = await StreamSource.make(server, "create table t (id int primary key)");
      const start = await createStream(f.endpoint, f.request, never);
      await f.query("insert into t values (1)");
      await f.query("insert into t values (2)");
      let first: Position | undefined;
      {
        await using stream = await f.open(start);
        for await (const item of stream) {
          if (item.kind !== "changes") continue;
          first = item.batch.transactions.find(
            (transaction) => transaction.end > transaction.start,
          )!.position;
          stream.confirm(first);
          break;
        }
      }
      await using again = await f.open(first!);
      assert.equal(await opsUpTo(again, await currentPosition(f.client)), 1);
      assert.equal(lsnCodec.compare((await findStream(f.client, f.endpoint, f.request))!, first!), 0);
    });

    test("a consumer that takes its time does not lose the connection, and disposing is quick", async () => {
      const impatient = `do $$ begin
        execute format('alter database %I set wal_sender_timeout = ''1500ms''', current_database()); end $$`;
      await using f = await StreamSource.make(
        server,
        `create table t (id int primary key, v text); ${impatient}`,
      );
      const start = await createStream(f.endpoint, f.request, never);
      await f.query("insert into t select i, repeat('x', 1000) from generate_series(1, 20000) i");
      const stream = await f.open(start);
      const items = stream[Symbol.asyncIterator]();
      while ((await items.next()).value?.kind !== "changes");
      // Longer than the server waits for a sign of life; the log goes on unread meanwhile.
      await f.client.query("select pg_sleep(2.5)");
      let item: StreamItem | undefined = (await items.next()).value;
      assert.equal(item?.kind, "changes");
      const before = performance.now();
      await stream[Symbol.asyncDispose]();
      item = (await items.next()).value;
      // Sooner than a server is given up that does not end its side.
      assert.ok(performance.now() - before < 5_000);
      await using again = await f.open(start);
      assert.equal(await opsUpTo(again, await currentPosition(f.client)), 20_000);
    });

    test("changes of a table that is not the one described are told as misfits, and the others go on", async () => {
      await using f = await StreamSource.make(
        server,
        "create table t (id int primary key, n numeric(8, 2)); create table u (id int primary key)",
      );
      const start = await createStream(f.endpoint, f.request, never);
      for (const change of ["add extra int", "alter n type numeric(10, 4)", "rename n to m", "drop m"]) {
        await using stream = await f.open(await currentPosition(f.client));
        await f.query(
          `alter table t ${change}; insert into t select count(*) from t; insert into u select count(*) from u`,
        );
        const misfits: Misfit[] = [];
        assert.equal(await opsUpTo(stream, await currentPosition(f.client), misfits), 1);
        assert.deepEqual(
          misfits.map(({ error }) => [error.code, error.table]),
          [["source.table_changed", { schema: "public", name: "t" }]],
        );
        await f.describe();
      }
      const others = f.tables.filter((table) => table.id.name !== "t");
      await using stream = await openChangeStream(
        f.client,
        f.endpoint,
        { taskId: f.database, tables: others, after: start },
        never,
      );
      assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 4);
    });
  });
}

test("a value of 200 MB comes in one piece", async () => {
  await using server = await startPostgres();
  await using f = await StreamSource.make(server, "create table t (id int primary key, v text)");
  const start = await createStream(f.endpoint, f.request, never);
  await f.query("insert into t values (1, repeat('0123456789', 20000000))");
  await using stream = await f.open(start);
  for await (const item of stream) {
    if (item.kind !== "changes" || item.batch.ops.length === 0) continue;
    const { cells, bytes } = item.batch;
    assert.equal(cells[3]! - cells[2]!, 200_000_000);
    assert.equal(
      Buffer.from(bytes.buffer, bytes.byteOffset).toString("latin1", cells[3]! - 4, cells[3]!),
      "6789",
    );
    break;
  }
});
