import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import {
  describeTables,
  digestsOf,
  partitionsOf,
  read,
  rowsOf,
  whole,
} from "../../../../test/support/mysql-snapshot.ts";
import {
  FILLED,
  type FilledSource,
  filledSource,
  writeFilled,
} from "../../../../test/support/mysql-writers.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;
/** So small that a table of 5,000 rows has many partitions. */
const SMALL = { rowsPerPartition: 300, bytesPerPartition: 100_000 };
const SESSIONS = 8;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`snapshots of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour, settings: { max_allowed_packet: "256M" } });
    });
    after(() => server?.[Symbol.asyncDispose]());

    const filled = (ddl?: string, name?: string): Promise<FilledSource> => filledSource(server, ddl, name);

    async function sessions(): Promise<number> {
      const rows = await server.query("select id from information_schema.processlist where user = 'tideway'");
      return rows.length - 1;
    }

    test("a statement in the way of the lock delays the snapshot and not everybody else", async () => {
      const source = await filled();
      const blocker = await server.connect(source.schema);
      await blocker.query("lock tables d write");
      // Without them MariaDB needs no lock.
      const writers = writeFilled(server, source.schema, 2);
      const opening = openSnapshot(server.endpoint(), source.request, signal);
      let isOpen = false;
      void opening.then(() => {
        isOpen = true;
      });
      if (flavour === "mysql") {
        await eventually("the lock is waited for", async () => {
          const rows = await server.query("show processlist");
          return rows.some(({ Info }) => Info === "flush tables with read lock");
        });
        const before = writers.written();
        await eventually("others write again", async () => writers.written() > before + 20);
        assert.equal(isOpen, false);
      }
      await blocker.query("unlock tables");
      await using snapshot = await opening;
      await writers.stop();
      assert(snapshot.position !== undefined);
      await blocker.end();
    });

    test("who waits for the lock stops when told to", async () => {
      const source = await filled();
      const blocker = await server.connect(source.schema);
      await blocker.query("lock tables d write");
      const writers = writeFilled(server, source.schema, 2);
      const controller = new AbortController();
      const opening = openSnapshot(server.endpoint(), source.request, controller.signal);
      const ended = assert.rejects(
        opening.then((snapshot) =>
          snapshot[Symbol.asyncDispose]().then(() => controller.signal.throwIfAborted()),
        ),
        /enough/,
      );
      controller.abort(new Error("enough"));
      await ended;
      await writers.stop();
      await blocker.query("unlock tables");
      await blocker.end();
      await eventually("no session is left", async () => (await sessions()) === 0);
    });

    test("a killed session is a lost connection, and the snapshot ends with its last one", async () => {
      const { schema, table, request } = await filled(
        `${FILLED}; insert into t (v, pad) select a.v, a.pad from t a, d x, d y where y.n < 4`,
      );
      await using snapshot = await openSnapshot(server.endpoint(schema), request, signal);
      const rows = read(snapshot, table)[Symbol.asyncIterator]();
      const killAll = async (): Promise<void> => {
        const own = await server.query("show processlist");
        for (const { Id, Command, db } of own) {
          if (db === schema && Command !== "Binlog Dump") await server.query(`kill ${Id}`);
        }
      };
      await rows.next();
      await killAll();
      await assert.rejects(
        async () => {
          while ((await rows.next()).done !== true);
        },
        { code: "connect.lost" },
      );
      for (let i = 1; i < SESSIONS; i++)
        await assert.rejects(rowsOf(snapshot, table), { code: "connect.lost" });
      await assert.rejects(rowsOf(snapshot, table), { code: "source.snapshot_lost" });
    });

    test("a reader that stops halfway leaves its session to the next", async () => {
      const { table, request } = await filled(
        `${FILLED}; insert into t (v, pad) select a.v, a.pad from t a, d x, d y where y.n < 2`,
      );
      await using snapshot = await openSnapshot(server.endpoint(), request, signal);
      for (let i = 0; i < 2 * SESSIONS; i++) {
        for await (const chunk of read(snapshot, table)) {
          assert(chunk.rows < 100_000);
          break;
        }
      }
      const counts = await Promise.all(Array.from({ length: SESSIONS }, () => rowsOf(snapshot, table)));
      assert.deepEqual(counts, Array(SESSIONS).fill(105_000));
    });

    test("a zero date that ends a read leaves its session to the next", async () => {
      const { table, request } = await filled(
        "set sql_mode = ''; create table t (id int primary key, at date not null); insert into t values (1, '2026-01-01'), (2, '0000-00-00')",
      );
      await using snapshot = await openSnapshot(server.endpoint(), request, signal);
      for (let i = 0; i < 2 * SESSIONS; i++) {
        await assert.rejects(rowsOf(snapshot, table), { code: "source.zero_date" });
      }
    });

    test("a table that was truncated, made anew or dropped is not taken for an empty one", async () => {
      // MySQL 5.7 shows a truncated table as empty; a change stream tells of it.
      const truncated = flavour === "mysql" ? [] : [["truncate t", "source.table_rewritten"] as const];
      for (const [statement, code] of [
        ...truncated,
        ["alter table t modify v bigint", "source.table_rewritten"],
        ["drop table t; create table t (id int primary key, v int, pad text)", "source.table_rewritten"],
        ["alter table t drop column v", undefined],
        ["drop table t", "source.table_unreadable"],
      ] as const) {
        const { schema, table, request } = await filled();
        await using snapshot = await openSnapshot(server.endpoint(), request, signal);
        await server.query(statement, schema);
        const expected = code === undefined ? { table: table.id } : { code };
        await assert.rejects(rowsOf(snapshot, table), expected, statement);
        if (code !== undefined) await assert.rejects(digestsOf(snapshot, table), expected, statement);
      }
    });

    test("a table that has been read may be altered while the snapshot goes on", async () => {
      const { schema, table, request } = await filled();
      await using snapshot = await openSnapshot(server.endpoint(), request, signal);
      const partitions = await partitionsOf(snapshot, table, SMALL);
      await Promise.all(partitions.map((partition) => rowsOf(snapshot, table, partition)));
      await server.query("set lock_wait_timeout = 5; alter table t add column later int", schema);
      await assert.rejects(rowsOf(snapshot, { ...table, id: { ...table.id, name: "none" } }), {
        code: "source.table_unreadable",
      });
      await server.query("set lock_wait_timeout = 5; drop table t", schema);
    });

    test("a table that is truncated while it is read is told, and not taken for empty", async () => {
      const { schema, table, request } = await filled(`${FILLED}; create table e (id int primary key)`);
      const [empty] = await describeTables(server, schema, ["e"]);
      const tables = [table, empty!];
      await using snapshot = await openSnapshot(
        server.endpoint(),
        { ...request, tables, anchor: "none" },
        signal,
      );
      const [first, second] = await partitionsOf(snapshot, table, SMALL);
      assert.ok((await rowsOf(snapshot, table, first)) > 0 && (await rowsOf(snapshot, empty!)) === 0);
      await server.query("truncate t; insert into t (v) values (1)", schema);
      await assert.rejects(rowsOf(snapshot, table, second), { code: "source.table_rewritten" });
      await assert.rejects(digestsOf(snapshot, table), { code: "source.table_rewritten" });
    });

    // MariaDB always numbers its transactions.
    if (flavour === "mysql") {
      test("a position of file and byte is exact, too", async () => {
        await using plain = await startMysql({
          flavour,
          settings: { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" },
        });
        const schema = await plain.createDatabase("source");
        await plain.query(FILLED, schema);
        const [table] = await describeTables(plain, schema, ["t"]);
        const request = { taskId: "task", tables: [table!], anchor: "new-stream" } as const;
        await using snapshot = await openSnapshot(plain.endpoint(), request, signal);
        const [status] = await plain.query("show master status");
        assert.deepEqual(snapshot.position, {
          kind: "mysql-binlog",
          text: `${status!["File"]}:${status!["Position"]}`,
        });
        assert.equal(await rowsOf(snapshot, table!, whole), 5000);
        await plain.query("create user readers identified by 'secret'; grant select on *.* to readers");
        const endpoint = { ...plain.endpoint(), username: "readers", password: "secret" };
        await assert.rejects(openSnapshot(endpoint, request, signal), {
          code: "source.privilege",
          remedy: /grant reload on \*\.\* to 'readers'@'%'; .*lock tables .*gtid_mode ON/,
        });
      });
    }
  });
}
