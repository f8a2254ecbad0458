import assert from "node:assert/strict";
import { after, before, describe as suite, test } from "node:test";
import type pg from "pg";
import { endpointOf } from "../../../test/support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../../../test/support/postgres-server.ts";
import { connectTo } from "../../../test/support/schema-plan.ts";
import type { Misfit, StreamItem } from "../../core/change-batch.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import type { MigrationError } from "../../core/error.ts";
import type { Position } from "../../core/position.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { ChangeStream } from "../../core/source.ts";
import { describe, listTables } from "./catalog.ts";
import { openChangeStream } from "./change-stream.ts";
import { openWire } from "./connection.ts";
import { lsnCodec } from "./lsn.ts";
import { ensurePublication, publicationName } from "./publication.ts";
import { createSlot, createStream, currentPosition, dropStream, findStream, slotName } from "./slot.ts";

const never = new AbortController().signal;

/** A database with a client, the described tables and a task's name. */
class Fixture implements AsyncDisposable {
  readonly server: PostgresServer;
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly client: pg.Client;
  tables: readonly TableSchema[] = [];

  private constructor(server: PostgresServer, database: string, client: pg.Client) {
    this.server = server;
    this.database = database;
    this.endpoint = endpointOf(server, database);
    this.client = client;
  }

  static async make(server: PostgresServer, schema: string): Promise<Fixture> {
    const database = await server.createDatabase("stream");
    await server.query(schema, database);
    const fixture = new Fixture(server, database, await connectTo(server, database));
    await fixture.describe();
    return fixture;
  }

  get request(): { readonly taskId: string; readonly tables: readonly TableSchema[] } {
    return { taskId: this.database, tables: this.tables };
  }

  async describe(): Promise<void> {
    this.tables = (await describe(this.client, await listTables(this.client))).tables;
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.server.query(sql, this.database);
  }

  open(after: Position): Promise<ChangeStream> {
    return openChangeStream(this.client, this.endpoint, { ...this.request, after }, never);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await dropStream(this.client, this.request);
    await this.client.end();
  }
}

/** Ops of all transactions up to and including `goal`; what does not fit its table goes to `misfits`. */
async function opsUpTo(stream: ChangeStream, goal: Position, misfits: Misfit[] = []): Promise<number> {
  let ops = 0;
  const probe = setInterval(() => stream.probe(), 20);
  try {
    for await (const item of stream) {
      if (item.kind === "changes") {
        ops += item.batch.ops.length / 4;
        misfits.push(...(item.batch.misfits ?? []));
      }
      const position = item.kind === "heartbeat" ? item.position : item.batch.transactions.at(-1)!.position;
      if (lsnCodec.compare(position, goal) !== -1) return ops;
    }
  } finally {
    clearInterval(probe);
  }
  return ops;
}

for (const version of [12, 13, 14, 15, 16, 17, 18]) {
  suite(`change stream of PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres({
        version,
        settings: { wal_sender_timeout: "1500ms" },
      });
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
    });

    test("no heartbeat lies before the position from which the stream was opened", async () => {
      await using f = await Fixture.make(server, "create table t (id int primary key)");
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
      await using f = await Fixture.make(
        server,
        "create table t (id int primary key); insert into t values (1)",
      );
      await ensurePublication(f.client, f.request);
      const session = { side: "source", purpose: "test", replication: true } as const;
      await using wire = await openWire(f.endpoint, session, never);
      const name = slotName(f.database);
      const slot = await createSlot(wire, { name, temporary: false, exportSnapshot: true });
      await f.query("insert into t values (2), (3)");
      await f.client.query(
        `begin isolation level repeatable read; set transaction snapshot '${slot.snapshotName}'`,
      );
      assert.deepEqual((await f.client.query("select id from t")).rows, [{ id: "1" }]);
      await f.client.query("commit");
      await using stream = await f.open(slot.position);
      assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 2);
      await using other = await openWire(f.endpoint, session, never);
      await assert.rejects(createSlot(other, { name, temporary: false, exportSnapshot: false }), {
        code: "source.slot_exists",
      });
    });

    // The rest is the same in between: what differs by version is the slot, and binary from 14 on.
    if (version !== 12 && version !== 18) return;

    test("the current position lies behind every commit and is reached while idle", async () => {
      await using f = await Fixture.make(server, "create table t (id int primary key)");
      const start = await createStream(f.endpoint, f.request, never);
      await using stream = await f.open(start);
      await f.query("set synchronous_commit = off; insert into t values (1)");
      const goal = await currentPosition(f.client);
      assert.equal(await opsUpTo(stream, goal), 1);
    });

    test("a stream goes on after what was confirmed, and from any later position", async () => {
      await using f = await Fixture.make(server, "create table t (id int primary key)");
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
      await using f = await Fixture.make(server, "create table t (id int primary key, v text)");
      const start = await createStream(f.endpoint, f.request, never);
      await f.query("insert into t select i, repeat('x', 1000) from generate_series(1, 20000) i");
      const stream = await f.open(start);
      const items = stream[Symbol.asyncIterator]();
      while ((await items.next()).value?.kind !== "changes");
      const since = Date.now();
      // Longer than the server waits for a sign of life; the log goes on unread meanwhile.
      while (Date.now() - since < 2_500) await f.client.query("select pg_sleep(0.1)");
      let item: StreamItem | undefined = (await items.next()).value;
      assert.equal(item?.kind, "changes");
      const before = performance.now();
      await stream[Symbol.asyncDispose]();
      item = (await items.next()).value;
      assert.ok(performance.now() - before < 1_000);
      await using again = await f.open(start);
      assert.equal(await opsUpTo(again, await currentPosition(f.client)), 20_000);
    });

    test("changes of a table that is not the one described are told as misfits, and the others go on", async () => {
      await using f = await Fixture.make(
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

suite("slot and publication", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres({
      settings: {
        max_slot_wal_keep_size: "16MB",
        wal_keep_size: 0,
        max_wal_size: "32MB",
        min_wal_size: "32MB",
      },
    });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  const published = async (f: Fixture): Promise<string[]> =>
    (
      await f.query(
        `select schemaname || '.' || tablename as t from pg_publication_tables where pubname = '${publicationName(f.database)}' order by 1`,
      )
    ).map((row) => row.t);

  test("the publication holds exactly the tables with an identity, and is brought up to date", async () => {
    await using f = await Fixture.make(
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
    await using f = await Fixture.make(server, "create table a (id int primary key)");
    await createStream(f.endpoint, f.request, never);
    await f.query("create table b (id int primary key)");
    await f.describe();
    const writer = await server.connect(f.database);
    await writer.query("begin; insert into b values (1)");
    const added = ensurePublication(f.client, f.request);
    for (let waiting = "0"; waiting === "0"; ) {
      [{ count: waiting }] = (await f.query(
        "select count(*) from pg_locks where not granted and locktype = 'relation'",
      )) as [{ count: string }];
    }
    assert.deepEqual(await published(f), ["public.a"]);
    await writer.query("commit");
    await writer.end();
    await added;
    assert.deepEqual(await published(f), ["public.a", "public.b"]);
  });

  test("2,000 tables are published in one go", async () => {
    await using f = await Fixture.make(
      server,
      "do $$ begin for i in 1..2000 loop execute format('create table t%s (id int primary key)', i); end loop; end $$",
    );
    const start = await createStream(f.endpoint, f.request, never);
    assert.equal((await published(f)).length, 2_000);
    await f.query("insert into t1999 values (1)");
    await using stream = await f.open(start);
    assert.equal(await opsUpTo(stream, await currentPosition(f.client)), 1);
  });

  test("what was created is dropped, also while a reader that died holds the slot; nothing to drop is fine", async () => {
    await using f = await Fixture.make(server, "create table t (id int primary key)");
    await dropStream(f.client, f.request);
    const start = await createStream(f.endpoint, f.request, never);
    await using stream = await f.open(start);
    const items = stream[Symbol.asyncIterator]();
    const broken = assert.rejects(
      async () => {
        for (;;) await items.next();
      },
      { code: "connect.lost" },
    );
    await dropStream(f.client, f.request);
    await broken;
    assert.equal(await findStream(f.client, f.endpoint, f.request), undefined);
    assert.deepEqual(
      await f.query("select * from pg_replication_slots where database = current_database()"),
      [],
    );
    assert.deepEqual(await f.query("select * from pg_publication"), []);
  });

  test("a missing slot or publication, and a table taken out of it, are told before the stream starts", async () => {
    await using f = await Fixture.make(
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
    await using f = await Fixture.make(server, "create table t (id int primary key)");
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
    await using f = await Fixture.make(
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
    await dropStream(f.client, f.request);
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
    await using f = await Fixture.make(server, "create table t (id int primary key)");
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
    await using f = await Fixture.make(server, "create table t (id int primary key)");
    await createStream(f.endpoint, f.request, never);
    for (let i = 0; i < 6; i++)
      await f.query(
        "create table w as select repeat('x', 2000) from generate_series(1, 5000); select pg_switch_wal(); checkpoint; drop table w",
      );
    await f.query("checkpoint");
    await assert.rejects(findStream(f.client, f.endpoint, f.request), { code: "source.slot_lost" });
    await assert.rejects(f.open(lsnCodec.parse("0/1")), { code: "source.slot_lost" });
  });

  test("a value of 200 MB comes in one piece", async () => {
    await using f = await Fixture.make(server, "create table t (id int primary key, v text)");
    await server.query("alter system set max_slot_wal_keep_size = -1");
    await server.query("select pg_reload_conf()");
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
});
