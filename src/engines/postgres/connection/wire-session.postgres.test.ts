import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { BulkFormat } from "../../../core/row-chunk.ts";
import { parseUrl } from "../url.ts";
import { openWire } from "./connection.ts";
import { classify } from "./errors.ts";
import { ServerError } from "./server-error.ts";
import { queryMessage } from "./wire-message.ts";
import type { WireSession } from "./wire-session.ts";

const MIB = 1 << 20;
const never = new AbortController().signal;
const server = await serverOfFile(startPostgres());

function open(database = "postgres", signal = never): Promise<WireSession> {
  return openWire(parseUrl(server.url(database)), { side: "source", purpose: "wire test" }, signal);
}

async function copy(sql: string, format: BulkFormat): Promise<{ bytes: Buffer; rows: number }> {
  await using wire = await open();
  const parts: Uint8Array[] = [];
  let rows = 0;
  for await (const chunk of wire.copyOut(sql, format)) {
    parts.push(chunk.bytes);
    rows += chunk.rows;
  }
  assert.equal((await wire.query("select 'usable'")).rows[0]?.[0], "usable");
  return { bytes: Buffer.concat(parts), rows };
}

/** Text rows as one CopyData frame. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write("d", 0);
  bytes.writeInt32BE(4 + body.length, 1);
  body.copy(bytes, 5);
  return bytes;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail("It should have failed."),
    (error: unknown) => error,
  );
}

test("a query gives the rows of its last statement as texts and nulls", async () => {
  await using wire = await open();
  const { rows, tag } = await wire.query(
    "select 1; select 'a\n€😀', null, '' union all select 'b', '\\', null",
  );
  assert.deepEqual(rows, [
    ["a\n€😀", null, ""],
    ["b", "\\", null],
  ]);
  assert.equal(tag, "SELECT 2");
  assert.deepEqual((await wire.query("")).rows, []);
});

test("an error of a statement is thrown as the server's, and the session goes on", async () => {
  await using wire = await open();
  for (const sql of ["selec", "select 1/0", "select 1; select 1/0; select 2", "copy nowhere to stdout"]) {
    assert.ok((await failure(wire.query(sql))) instanceof ServerError, sql);
  }
  assert.ok(
    (await failure(wire.copyOut("copy nowhere to stdout", "pg-copy-text").next())) instanceof ServerError,
  );
  assert.ok((await failure(wire.copyIn("copy nowhere from stdin"))) instanceof ServerError);
  assert.equal(((await failure(wire.copyIn("select 1"))) as MigrationError).code, "source.protocol");
  assert.equal((await wire.query("select 1")).rows[0]?.[0], "1");
});

test("rows are counted in both formats, also when there are none", async () => {
  for (const count of [0, 1, 2, 100_000]) {
    const sql = `copy (select i, repeat('x', i % 50) from generate_series(1, ${count}) i) to stdout`;
    assert.equal((await copy(sql, "pg-copy-text")).rows, count);
    assert.equal((await copy(`${sql} (format binary)`, "pg-copy-binary")).rows, count);
  }
});

test("warnings between the rows of a copy cost no row", async () => {
  await server.query(`create function noisy(i int) returns int language plpgsql as $$
    begin if i % 7 = 0 then raise warning 'row %', i; end if; return i; end $$`);
  const sql = "copy (select noisy(i) from generate_series(1, 20000) i) to stdout";
  const { bytes, rows } = await copy(sql, "pg-copy-text");
  assert.equal(rows, 20_000);
  let text = "";
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    end = at + 1 + bytes.readInt32BE(at + 1);
    text += bytes.toString("utf8", at + 5, end);
  }
  assert.equal(text, Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(""));
});

test("frames that come out go in again, values of every shape unchanged", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table here as select i, case i % 4 when 0 then null when 1 then '' when 2 then E'a\\tb\\nc\\\\d' else repeat('😀', i) end as t,
       decode(repeat('00ff0a5c', i % 9), 'hex') as b from generate_series(1, 5000) i;
     create table there (like here)`,
    database,
  );
  for (const [format, option] of [
    ["pg-copy-text", ""],
    ["pg-copy-binary", " (format binary)"],
  ] as const) {
    await using from = await open(database);
    await using to = await open(database);
    await to.copyIn(`copy there from stdin${option}`);
    for await (const chunk of from.copyOut(`copy here to stdout${option}`, format)) {
      await to.checkCopyIn();
      await to.send(chunk.bytes);
    }
    assert.equal(await to.copyInEnd(), "COPY 5000");
    const differences = "select count(*)::int as n from (table here except table there) d";
    assert.equal((await server.query(differences, database))[0].n, 0);
    await server.query("truncate there", database);
  }
});

test("a value of 200 MB passes through in bounded memory", async () => {
  const database = await server.createDatabase();
  const size = 200 * MIB;
  await server.query(
    `create table here (t text); alter table here alter t set storage external;
     create table there (t text); alter table there alter t set storage external;
     insert into here select repeat('0123456789abcdef', ${size / 16})`,
    database,
  );
  await using from = await open(database);
  await using to = await open(database);
  const before = process.memoryUsage().rss;
  let peak = before;
  let rows = 0;
  await to.copyIn("copy there from stdin (format binary)");
  for await (const chunk of from.copyOut("copy here to stdout (format binary)", "pg-copy-binary")) {
    await to.send(chunk.bytes);
    rows += chunk.rows;
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  assert.equal(await to.copyInEnd(), "COPY 1");
  assert.equal(rows, 1);
  const same = "select (select t from here) = (select t from there) as same, length(t) as n from there";
  const [found] = await server.query(same, database);
  assert.deepEqual(found, { same: true, n: size });
  assert.ok(peak - before < 128 * MIB, `grew by ${Math.round((peak - before) / MIB)} MiB`);
});

test("an error in the middle of a COPY IN shows while sending, and leaves the session usable", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (i int primary key)", database);
  await using wire = await open(database);
  await wire.copyIn("copy t from stdin");
  const error = await failure(
    (async () => {
      // The server's answer takes a moment; the loop is bounded by what it sends.
      for (let i = 0; i < 100_000; i++) {
        await wire.checkCopyIn();
        await wire.send(frame(i === 10 ? "not a number\n" : `${i}\n`));
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
  );
  assert.ok(error instanceof ServerError);
  assert.equal(error.fields.code, "22P02");
  assert.doesNotMatch(JSON.stringify(classify(error, { side: "target" })), /not a number/);
  assert.equal((await wire.query("select count(*) from t")).rows[0]?.[0], "0");
  await wire.copyIn("copy t from stdin");
  await wire.send(frame("1\n"));
  assert.equal(await wire.copyInEnd(), "COPY 1");
});

test("an error that comes only at the end of a COPY IN is thrown there", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (i int primary key)", database);
  await using wire = await open(database);
  await wire.copyIn("copy t from stdin");
  await wire.send(frame("1\n1\n"));
  const error = await failure(wire.copyInEnd());
  assert.ok(error instanceof ServerError);
  assert.equal(error.fields.code, "23505");
  assert.equal(error.fields.constraint, "t_pkey");
  assert.equal((await wire.query("select 1")).rows.length, 1);
});

test("a trigger's warnings during a COPY IN stop nothing", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table t (i int);
     create function warn() returns trigger language plpgsql as $$ begin raise warning 'seen'; return new; end $$;
     create trigger warn before insert on t for each row execute function warn()`,
    database,
  );
  await using wire = await open(database);
  await wire.copyIn("copy t from stdin");
  for (let i = 0; i < 5000; i++) {
    await wire.send(frame(`${i}\n`));
    await wire.checkCopyIn();
  }
  assert.equal(await wire.copyInEnd(), "COPY 5000");
});

async function backend(wire: WireSession): Promise<string> {
  return (await wire.query("select pg_backend_pid()")).rows[0]![0]!;
}

/** Ends a session from outside; what it was doing must fail so that it is tried again. */
async function assertBroken(work: Promise<unknown>): Promise<void> {
  const error = classify(await failure(work), { side: "source", endpoint: parseUrl(server.url()) });
  assert.equal(error.code, "connect.lost");
  assert.equal(error.retry, "once-worked");
  assert.equal(error.subject, `127.0.0.1:${server.port}`);
}

test("a session that is terminated while a query runs is a lost connection", async () => {
  await using wire = await open();
  const pid = await backend(wire);
  const broken = assertBroken(wire.query("select pg_sleep(60)"));
  await server.query(`select pg_terminate_backend(${pid})`);
  await broken;
  await assertBroken(wire.query("select 1"));
});

test("a session that is terminated in the middle of a COPY OUT is a lost connection, not an end", async () => {
  await using wire = await open();
  const pid = await backend(wire);
  const sql = "copy (select repeat('x', 10000) from generate_series(1, 10000)) to stdout";
  const chunks = wire.copyOut(sql, "pg-copy-text");
  await chunks.next();
  await server.query(`select pg_terminate_backend(${pid})`);
  await assertBroken(
    (async () => {
      for await (const _ of chunks);
    })(),
  );
});

test("a session that is terminated in the middle of a COPY IN is a lost connection", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (i text)", database);
  await using wire = await open(database);
  const pid = await backend(wire);
  await wire.copyIn("copy t from stdin");
  await wire.send(frame("1\n"));
  await server.query(`select pg_terminate_backend(${pid})`);
  await assertBroken(
    (async () => {
      const rows = frame(`${"x".repeat(10_000)}\n`);
      for (let i = 0; i < 100_000; i++) {
        await wire.checkCopyIn();
        await wire.send(rows);
      }
    })(),
  );
  assert.equal((await server.query("select count(*)::int as n from t", database))[0].n, 0);
});

test("an abort cuts the connection and wakes whoever waits", async () => {
  const abort = new AbortController();
  await using wire = await open("postgres", abort.signal);
  const pid = await backend(wire);
  const broken = assertBroken(wire.query("select pg_sleep(60)"));
  abort.abort();
  await broken;
  await server.query(`select pg_terminate_backend(${pid})`);
});

test("disposing a session ends it on the server, also in the middle of a COPY", async () => {
  const database = await server.createDatabase();
  await server.query("create table t (i int)", database);
  const wire = await open(database);
  const pid = await backend(wire);
  await wire.copyIn("copy t from stdin");
  await wire.send(frame("1\n"));
  await wire[Symbol.asyncDispose]();
  const gone = `select not exists (select from pg_stat_activity where pid = ${pid}) as gone`;
  for (let i = 0; i < 500 && !(await server.query(gone))[0].gone; i++);
  assert.equal((await server.query(gone))[0].gone, true);
  assert.equal((await server.query("select count(*)::int as n from t", database))[0].n, 0);
});

test("a query's text is sent by its length in bytes", () => {
  const message = queryMessage("€");
  assert.deepEqual([...message], [0x51, 0, 0, 0, 8, 0xe2, 0x82, 0xac, 0]);
});
