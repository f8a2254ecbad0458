import assert from "node:assert/strict";
import { after, before, describe as suite, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { type MysqlServer, startMysql } from "../../../test/support/mysql-server.ts";
import type { Position } from "../../core/position.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { StreamRequest } from "../../core/source.ts";
import { gtidPositionOf } from "./log/binlog-position.ts";
import { MysqlSource } from "./source.ts";

const signal = new AbortController().signal;

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`${flavour} as source`, () => {
    let server: MysqlServer;
    let source: MysqlSource;
    let database: string;
    let table: TableSchema;

    before(async () => {
      // The test of lock waits turns on what keeps account of locks.
      server = await startMysql({
        flavour,
        ...(flavour === "mysql" ? { settings: { performance_schema: 1 } } : {}),
      });
      database = await server.createDatabase();
      await server.query("create table t (a int primary key, b varchar(10))", database);
      source = new MysqlSource(server.endpoint(database));
      table = await described("t");
    });

    after(async () => {
      await source?.[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    });

    async function described(name: string): Promise<TableSchema> {
      const request = { wholeSchemas: undefined, objects: false, rights: false, largeObjects: false };
      const { tables } = await source.describe({ tables: [{ schema: database, name }], ...request }, signal);
      return tables[0]!;
    }

    function request(taskId = "T1"): StreamRequest {
      return { taskId, tables: [table] };
    }

    test("a task has a stream wherever it stands in the log, and none before it stands somewhere", async () => {
      assert.equal(await source.findStream({ ...request(), applied: undefined }, signal), undefined);
      const start = await source.createStream(request(), signal);
      assert.deepEqual(await source.findStream({ ...request(), applied: start }, signal), start);
      await source.dropStream(request());
      assert.deepEqual(await source.findStream({ ...request(), applied: start }, signal), start);
      await server.query("insert into t values (100, 'x')", database);
      await server.query("flush binary logs");
      const [last] = (await server.query("show binary logs")).slice(-1);
      // MariaDB keeps a file that it might need after a crash a moment longer.
      await eventually("the log to be purged", async () => {
        await server.query(`purge binary logs to '${last!["Log_name"]}'`);
        return (await server.query("show binary logs")).length === 1;
      });
      await assert.rejects(source.findStream({ ...request(), applied: start }, signal), {
        code: "source.log_purged",
      });
    });

    test("the stream brings what was committed after its start, and its health shrinks with what is confirmed", async () => {
      const after = await source.createStream(request("T2"), signal);
      await server.query("insert into t values (1, 'x'), (2, 'y')", database);
      await server.query("flush binary logs");
      await server.query("update t set b = 'z' where a = 2", database);
      const before = await source.streamHealth(request("T2"), signal);
      await using stream = await source.openChangeStream({ ...request("T2"), after }, signal);
      const end = await source.currentPosition(signal);
      const last = await readTo(stream, end);
      stream.confirm(last);
      const now = await source.streamHealth(request("T2"), signal);
      assert.ok(now!.behindBytes < before!.behindBytes, `${now!.behindBytes} < ${before!.behindBytes}`);
      assert.equal(await source.streamHealth(request("T3"), signal), undefined);
    });

    /** Reads until a position has come; resolves with it. */
    async function readTo(
      stream: Awaited<ReturnType<MysqlSource["openChangeStream"]>>,
      end: Position,
    ): Promise<Position> {
      stream.probe();
      for await (const item of stream) {
        const positions =
          item.kind === "heartbeat"
            ? [item.position]
            : item.kind === "changes"
              ? item.batch.transactions.map(({ position }) => position)
              : [];
        for (const position of positions) {
          const order = source.positions.compare(position, end);
          if (order !== undefined && order >= 0) return position;
        }
      }
      throw new Error("the stream has ended");
    }

    test("a stream is refused at another log than the one that was followed", async () => {
      const after = await source.createStream(request("T4"), signal);
      const log = await source.followLog({ taskId: "T4", known: undefined, reached: after }, signal);
      await using stream = await source.openChangeStream({ ...request("T4"), after, log }, signal);
      stream.probe();
      await assert.rejects(source.openChangeStream({ ...request("T4"), after, log: "another" }, signal), {
        code: "connect.lost",
      });
      const foreign = gtidPositionOf(
        flavour === "mariadb" ? "9-9-9" : "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
      );
      await assert.rejects(source.followLog({ taskId: "T4", known: log, reached: foreign }, signal), {
        code: "source.other_server",
      });
    });

    test("a file and a byte are found as the transactions that are logged before", async () => {
      for (let a = 101; a < 104; a++) await server.query(`insert into t values (${a}, 'p')`, database);
      const end = await source.currentPosition(signal);
      const [status] = await server.query("show master status");
      const place = source.positions.parse(`${status!["File"]}:${status!["Position"]}`);
      await server.query("insert into t values (104, 'p')", database);
      assert.deepEqual(await source.resolvePosition(place, signal), end);
      assert.deepEqual(await source.resolvePosition(end, signal), end);
      const absent = source.positions.parse(`${status!["File"]}:999999999`);
      await assert.rejects(source.resolvePosition(absent, signal), { code: "source.position_unavailable" });
      const ahead = { kind: "mysql-binlog", text: place.text.replace(/\d+:\d+$/, "999999:4") };
      assert.deepEqual(await source.stopPosition(ahead, signal), { position: ahead, compares: false });
      assert.deepEqual(await source.stopPosition(end, signal), { position: end, compares: true });
      await assert.rejects(source.stopPosition({ ...ahead, text: "other.000001:4" }, signal), {
        code: "source.position_unavailable",
      });
    });

    test("a log that has come to hold statements ends the stream", async () => {
      await source.checkStream(request(), signal);
      await server.query("set global binlog_format = STATEMENT");
      await assert.rejects(source.checkStream(request(), signal), { code: "source.binary_log_format" });
      await server.query("set global binlog_format = ROW");
      await source.checkStream(request(), signal);
    });

    test("tables that get columns are noticed, and those that change without concern for rows are told", async () => {
      await server.query("create table c (a int primary key, b int)", database);
      const known = await described("c");
      assert.deepEqual(await source.checkTables([table, known], signal), []);
      await server.query("alter table c alter b set default 3", database);
      const [found] = await source.checkTables([table, known], signal);
      assert.equal(found!.id.name, "c");
      await server.query("alter table c add column d int default 7", database);
      await assert.rejects(source.checkTables([table, known], signal), { code: "source.table_changed" });
      assert.equal((await described("c")).shape!.columns[2]!.fill, "7");
    });

    test("who holds up a snapshot is named", async () => {
      const busy = await server.connect(database);
      try {
        const done = busy.query("select sleep(3600)").catch(() => undefined);
        const writer = await eventually(
          "a long statement",
          async () => (await source.openWriters(signal))[0],
        );
        assert.match(writer.subject, new RegExp(`session ${busy.threadId} of tideway@`));
        await server.query(`kill ${busy.threadId}`);
        await done;
      } finally {
        busy.destroy();
      }
    });

    test("a transaction that stands idle after it has written, or is prepared, is named, too", async () => {
      const preparer = await server.connect(database);
      await preparer.query("xa start 'p'; insert into t values (501, 'x'); xa end 'p'; xa prepare 'p'");
      await preparer.end();
      const idle = await server.connect(database);
      try {
        await idle.query("begin; insert into t values (500, 'x')");
        // Whoever asks for transactions again and again is told what was there when he began.
        const sql = `select 1 from information_schema.processlist where id = ${idle.threadId} and time > 3`;
        await eventually("an idle one", async () => (await server.query(sql)).length === 1);
        const writers = await source.openWriters(signal);
        assert.match(writers[0]!.subject, new RegExp(`session ${idle.threadId} of tideway@`));
        assert.deepEqual(
          writers.map(({ state }) => state),
          ["idle in a transaction", "prepared"],
        );
      } finally {
        await server.query("xa rollback 'p'");
        idle.destroy();
      }
    });

    test("who keeps a table from being read is named where the server tells that, and nobody elsewhere", async () => {
      await server.query(
        "create user if not exists 'app'@'%' identified by 'pw'; grant all on *.* to 'app'@'%'",
      );
      const keepsAccount =
        flavour === "mysql"
          ? "update performance_schema.setup_instruments set enabled = 'YES' where name = 'wait/lock/metadata/sql/mdl'"
          : "install soname 'metadata_lock_info'";
      for (const setUp of ["select 1", keepsAccount]) {
        await server.query(setUp);
        const holder = await server.connect(database, { user: "app", password: "pw" });
        const reader = await server.connect(database);
        const busy = await server.connect("", { user: "app", password: "pw" });
        try {
          await holder.query("lock tables t write");
          const read = reader.query(`select * from \`${database}\`.\`t\``).catch(() => undefined);
          // Has been at it for longer, and has nothing to do with it.
          const asking = busy.query("select sleep(60)").catch(() => undefined);
          const wait = await eventually(
            "a reader that waits",
            async () => (await source.lockWaits(signal))[0],
          );
          const named = setUp === keepsAccount ? `session ${holder.threadId} of app@` : "does not name";
          assert.match(wait.holder, new RegExp(named));
          assert.match(wait.waiting, new RegExp(`session ${reader.threadId} of tideway@`));
          await server.query(`kill ${holder.threadId}; kill ${busy.threadId}`);
          await Promise.all([read, asking]);
        } finally {
          for (const one of [holder, reader, busy]) one.destroy();
        }
      }
    });
  });
}
