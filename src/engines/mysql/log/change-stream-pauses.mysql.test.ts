import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { BinlogSource, ReadLog } from "../../../../test/support/binlog-source.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { never } from "../../../../test/support/replication.ts";
import type { Position } from "../../../core/position.ts";
import { placeOf, placePosition, positionCodec } from "./binlog-position.ts";
import { openChangeStream } from "./change-stream.ts";

/* What a stream stops for in the middle of the log: to look back, to ask the catalog, to say where it is. */

const servers: Readonly<Record<string, MysqlOptions>> = {
  mariadb: { flavour: "mariadb" },
  mysql: { flavour: "mysql" },
  "mysql without GTIDs": {
    flavour: "mysql",
    settings: { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" },
  },
};

const SCHEMA = "create table a (id int primary key, v varchar(100))";

function opsOf(log: ReadLog): readonly string[] {
  return log.ops.map(
    ({ kind, table, before, after }) => `${kind} ${table.id.name} ${before?.[0] ?? "-"} ${after?.[0] ?? "-"}`,
  );
}

for (const [name, options] of Object.entries(servers)) {
  const enforcesGtids = name === "mysql";
  suite(`the change stream of ${name}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql(options);
    });
    after(() => server?.[Symbol.asyncDispose]());

    test("a transaction of two phases counts where it commits", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await source.queryAndLeave(
        `xa start 'one'; insert into a (id) values (1); xa end 'one'; xa prepare 'one'`,
      );
      await source.queryAndLeave(
        `xa start 'two'; insert into a (id) values (2); xa end 'two'; xa prepare 'two'`,
      );
      await source.query(
        `xa start 'three'; insert into a (id) values (3); xa end 'three'; xa commit 'three' one phase`,
      );
      await source.query("insert into a (id) values (4)");
      await source.query("xa rollback 'two'");
      await source.query("xa commit 'one'");
      const log = await source.read(from);
      assert.deepEqual(opsOf(log), ["1 a - 3", "1 a - 4", "1 a - 1"]);
    });

    test("a transaction that was prepared before the stream began counts where it commits", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const xa = (id: number, end: string): string =>
        `xa start 'x', 'y', 7; insert into a (id) values (${id}); xa end 'x', 'y', 7; xa prepare 'x', 'y', 7; ${end}`;
      await source.query(xa(1, "xa commit 'x', 'y', 7"));
      await source.query(`flush logs; ${xa(2, "xa rollback 'x', 'y', 7")}`);
      // As on a server that was a replica then: its log has the number of the server that wrote it.
      const elsewhere = name === "mariadb" ? "set session server_id = 77;" : "";
      await source.queryAndLeave(`flush logs; ${elsewhere} ${xa(3, "")}`);
      await source.query("flush logs; insert into a (id) values (4); flush logs");
      const from = await source.position();
      await source.query("insert into a (id) values (5)");
      await source.query("xa commit 'x', 'y', 7");
      await source.query("insert into a (id) values (6)");
      assert.deepEqual(opsOf(await source.read(from)), ["1 a - 5", "1 a - 3", "1 a - 6"]);
      // Prepared again in the file in which it commits, behind the commit of the first.
      await source.queryAndLeave(xa(7, ""));
      const again = await source.position();
      await source.query("xa commit 'x', 'y', 7");
      assert.deepEqual(opsOf(await source.read(again)), ["1 a - 7"]);
    });

    test("a stream that has looked back is not cut off by its own look", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.queryAndLeave("xa start 'w'; insert into a (id) values (1); xa end 'w'; xa prepare 'w'");
      await using stream = await source.open(await source.position());
      const log = new ReadLog();
      await source.query("xa commit 'w'");
      await log.read(stream, await source.position());
      for (const id of [2, 3]) {
        await source.query(`insert into a (id) values (${id})`);
        await log.read(stream, await source.position());
      }
      assert.deepEqual(opsOf(log), ["1 a - 1", "1 a - 2", "1 a - 3"]);
    });

    test("one whose log is gone ends the stream when it commits", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.queryAndLeave("xa start 'z'; insert into a (id) values (1); xa end 'z'; xa prepare 'z'");
      await source.query("flush logs");
      const [{ File: newest }] = (await source.query("show master status")) as [Record<string, string>];
      // MariaDB keeps what it would recover from after a crash, until a checkpoint of its log.
      await eventually("the log before is gone", async () => {
        await source.query(`purge binary logs to '${newest}'`);
        const [{ Log_name: oldest }] = (await source.query("show binary logs")) as [Record<string, string>];
        return oldest === newest;
      });
      const from = await source.position();
      await source.query("insert into a (id) values (2); xa commit 'z'");
      await assert.rejects(source.read(from), { code: "source.prepared_transactions" });
    });

    test("statements that reach a table without naming it end the stream, others do not", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.query(`create table other (id int primary key, n int); create table watched (id int);
        create view of_a as select id, v from a; create view of_view as select id from of_a;
        create view of_other as select id, n from other;
        create trigger tr after insert on watched for each row insert into a (id) values (new.id + 1000);
        create function harmless (n int) returns int deterministic no sql return n + 1;
        create function writes (n int) returns int deterministic modifies sql data begin insert into a (id) values (n); return n; end;
        insert into other values (1, 1)`);
      const tables = source.tables.filter(({ id }) => id.name === "a");
      const log = async (sql: string) => {
        const from = await source.position();
        await source.query(`set session binlog_format = STATEMENT; ${sql}`);
        return await source.read(from, tables);
      };
      for (const sql of [
        "insert into other values (2, harmless(2)); update other set n = 3 where id = 2",
        "insert into of_other values (3, 3); delete from of_other where id = 3",
        "update other o join of_other p on o.id = p.id set o.n = 4",
        ...(enforcesGtids ? [] : ["create table made as select harmless(1) as watched"]),
        "create temporary table temp (n int); insert into other values (7, 7)",
      ]) {
        assert.deepEqual(opsOf(await log(sql)), [], sql);
      }
      for (const sql of [
        "insert into of_a (id) values (10)",
        "update of_view set id = 11 where id = 10",
        `use mysql; update ${source.database}.of_a set v = 'x' where id = 11`,
        "delete p from other o join of_a p on p.id = o.id + 10",
        "insert into watched values (1)",
        "insert into other values (5, writes(20))",
        "select writes(21)",
        "insert into other select id + 100, writes(id + 30) from watched",
        // MySQL refuses that by itself.
        ...(name === "mariadb" ? ["create table filled as select writes(22) as n"] : []),
        "insert into a (id) values (23)",
        ...(name === "mariadb" ? ["analyze update a set v = 'y' where id = 1"] : []),
      ]) {
        await assert.rejects(log(sql), { code: "source.binary_log_format" }, sql);
      }
      await source.query("create view gone as select id from a");
      const from = await source.position();
      await source.query(
        "set session binlog_format = STATEMENT; insert into gone values (24); drop view gone",
      );
      await assert.rejects(source.read(from, tables), { code: "source.binary_log_format" });
    });

    test("what a statement reaches is looked up again once the log tells of a change of it", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.query("create table other (id int primary key)");
      const tables = source.tables.filter(({ id }) => id.name === "a");
      await using stream = await source.open(await source.position(), tables);
      const log = new ReadLog();
      const readOn = async (): Promise<void> => log.read(stream, await source.position());
      await source.query("set session binlog_format = STATEMENT; insert into other values (1)");
      await readOn();
      await source.query(
        "create trigger tr after insert on other for each row insert into a (id) values (1)",
      );
      await source.query("set session binlog_format = STATEMENT; insert into other values (2)");
      await assert.rejects(readOn(), { code: "source.binary_log_format" });
    });

    test("a stream says when it has come to a place, also in a file that was not there when it began", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const place = async () => {
        const [row] = (await source.query("show master status")) as [Record<string, string>];
        return placePosition({ file: row["File"]!, byte: Number(row["Position"]) });
      };
      const from = await source.position();
      await source.query("insert into a (id) values (1)");
      const first = await place();
      const firstEnd = await source.position();
      await source.query("insert into a (id) values (2); flush logs; insert into a (id) values (3)");
      const third = await source.position();
      const { file } = placeOf(first);
      const next = `${file.slice(0, -6)}${String(Number(file.slice(-6)) + 2).padStart(6, "0")}`;
      for (const [until, rows] of [
        [first, 1],
        [placePosition({ file, byte: 4 }), 0],
        [placePosition({ file: next, byte: 4 }), 3],
      ] as const) {
        const seen: string[] = [];
        let at: Position | undefined;
        await using stream = await openChangeStream(
          source.endpoint,
          { taskId: source.database, tables: source.tables, after: from, until },
          never,
        );
        for await (const item of stream) {
          if (item.kind === "changes") seen.push(...item.batch.transactions.map(({ id }) => id));
          else if (item.isAtPlace === true) {
            at = item.position;
            break;
          }
          if (rows === 3 && seen.length === 3) await source.query("flush logs");
        }
        assert.equal(seen.length, rows);
        if (until === first) assert.deepEqual(at, firstEnd);
        if (rows === 3) assert.ok(positionCodec.compare(at!, third)! >= 0);
      }
    });
  });
}
