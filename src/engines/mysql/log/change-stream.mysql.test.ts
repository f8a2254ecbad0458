import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { BinlogSource, LogRows, ReadLog } from "../../../../test/support/binlog-source.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { seededRandom } from "../../../../test/support/mysql-values.ts";
import { never } from "../../../../test/support/replication.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { positionCodec } from "./binlog-position.ts";
import { openChangeStream } from "./change-stream.ts";

const servers: Readonly<
  Record<string, { readonly flavour: MysqlFlavour; readonly settings?: Record<string, string> }>
> = {
  mariadb: { flavour: "mariadb" },
  mysql: { flavour: "mysql" },
  "mysql without GTIDs": {
    flavour: "mysql",
    settings: { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" },
  },
};

const SCHEMA = `create table a (id int primary key, v varchar(100), n int not null default 0) engine = InnoDB;
  create table b (id int primary key, v longtext) engine = InnoDB;
  create table keyless (x int, y varchar(10)) engine = InnoDB;
  create table plain (id int primary key, v int) engine = MyISAM`;

for (const [name, options] of Object.entries(servers)) {
  suite(`the change stream of ${name}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql(options);
    });
    after(() => server?.[Symbol.asyncDispose]());

    const opsOf = (log: ReadLog): string[] =>
      log.ops.map(
        ({ kind, table, before, after }) =>
          `${kind} ${table.id.name} ${before?.[0] ?? "-"} ${after?.[0] ?? "-"}`,
      );

    test("transactions come whole, in order, with positions that grow, and without what was rolled back", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await source.query(`insert into a (id) values (1), (2);
        begin; update a set v = 'x' where id = 1; savepoint s; delete from a; rollback to s; insert into b values (1, 'y'); commit;
        begin; delete from a; rollback;
        update a set id = 3 where id = 2; insert into keyless values (1, null), (1, null);
        update keyless set y = 'z' limit 1; delete from keyless; insert into plain values (5, 5); truncate a`);
      const log = await source.read(from);
      assert.deepEqual(opsOf(log), [
        ...["1 a - 1", "1 a - 2", "2 a - 1", "1 b - 1", "2 a 2 3", "1 keyless - 1", "1 keyless - 1"],
        ...["2 keyless 1 1", "3 keyless 1 -", "3 keyless 1 -", "1 plain - 5", "4 a - -"],
      ]);
      const positions = [from, ...log.transactions.map(({ position }) => position)];
      for (let i = 1; i < positions.length; i++) {
        assert.equal(positionCodec.compare(positions[i - 1]!, positions[i]!), -1);
      }
      for (const { committedAtMs } of log.transactions) {
        assert.ok(Math.abs(committedAtMs - Date.now()) < 60_000);
      }
    });

    test("a statement names its table in the character set of its client", async () => {
      await using source = await BinlogSource.make(server, "create table `café` (id int primary key)");
      const from = await source.position();
      const truncate = async (charset: string): Promise<void> => {
        const client = await server.connect(source.database, { charset });
        await client.query("truncate table `café`").finally(() => client.end());
      };
      for (const charset of ["latin1", "latin2", "utf8mb4"]) await truncate(charset);
      assert.deepEqual(opsOf(await source.read(from)), ["4 café - -", "4 café - -", "4 café - -"]);
      await truncate("cp850");
      await assert.rejects(source.read(from), { code: "source.log_unreadable" });
    });

    test("a stream goes on after any of its positions, with nothing lost and nothing twice", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      let at = await source.position();
      await source.query(workload(5, 300));
      const goal = await source.position();
      const rows = new LogRows();
      const random = seededRandom(3);
      let streams = 0;
      while (positionCodec.compare(at, goal) !== 0) {
        const wanted = 1 + Math.floor(random() * 40);
        const read = await readSome(source, at, { wanted, goal });
        rows.apply(read.transactions.flatMap(({ ops }) => ops));
        at = read.at;
        streams++;
      }
      assert.ok(streams > 3);
      for (const table of source.tables) {
        const told = [...rows.rows(table).values()].map((row) => row.join("|")).sort();
        const columns = table.columns.map((column) => `ifnull(${column.name}, '')`).join(", ");
        const held = await source.query(`select concat_ws('|', ${columns}) as line from ${table.id.name}`);
        assert.deepEqual(told, held.map(({ line }) => line).sort(), table.id.name);
      }
    });

    const cascades = `create table p (id int primary key, u varchar(9), v int, a int, b int, unique key (u), unique key (a, b));
      create table c (id int primary key, p int, foreign key (p) references p (id) on delete cascade on update cascade);
      create table n (id int primary key, u varchar(9), foreign key (u) references p (u) on delete set null on update set null);
      create table two (x int, y int, key (y, x), foreign key (y, x) references p (a, b) on delete cascade on update cascade);
      insert into p values (1, 'one', 0, 10, 11), (2, 'two', 0, 20, 21), (3, null, 0, 30, null), (4, 'four', 0, 40, 41)`;

    /** Cells that say something, as column=text. */
    const referringOps = (log: ReadLog): string[] =>
      log.ops
        .filter(({ kind }) => kind > 4)
        .map(({ kind, table, before, after }) => {
          const shown = (row: typeof before): string =>
            (row ?? [])
              .flatMap((cell, i) => (cell === undefined ? [] : [`${table.columns[i]!.name}=${cell}`]))
              .join();
          return `${kind} ${table.id.name} ${shown(before)} -> ${shown(after)}`;
        });

    test("what foreign keys do by themselves is told behind the rows that it comes from", async () => {
      await using source = await BinlogSource.make(server, cascades);
      const from = await source.position();
      await source.query(`update p set v = 1; update p set id = 5, b = 12 where id = 1; update p set u = 'zwei' where id = 2;
        delete from p where id in (2, 3); set foreign_key_checks = 0; delete from p where id = 4`);
      const expected = [
        ...["6 c p=1 -> p=5", "6 two x=11,y=10 -> x=12", "6 n u=two -> u=null"],
        ...["5 c p=2 -> ", "5 c p=3 -> ", "6 n u=zwei -> u=null", "5 two x=21,y=20 -> "],
      ];
      const told = referringOps(await source.read(from));
      assert.deepEqual(told.toSorted(), expected.toSorted());
      assert.equal(told.indexOf("5 c p=3 -> ") - told.indexOf("5 c p=2 -> "), 1);
      // Rows of a table that is referred to and not read itself.
      const children = source.tables.filter(({ id }) => id.name !== "p");
      const alone = await source.read(from, children);
      assert.deepEqual(referringOps(alone).toSorted(), expected.toSorted());
      assert.ok(alone.ops.every(({ kind }) => kind > 4));
    });

    test("a log that lacks what rows refer to sets these rows' table aside, and tells of others", async () => {
      await using source = await BinlogSource.make(server, cascades);
      const from = await source.position();
      await source.query(`set binlog_row_image = minimal; update p set v = 1 where id = 1; update p set id = 5 where id = 1;
        delete from p where id = 2`);
      const log = await source.read(from);
      assert.deepEqual(referringOps(log), ["6 c p=1 -> p=5", "5 c p=2 -> "]);
      assert.deepEqual(log.misfits.map(({ error }) => [error.code, error.table?.name]).toSorted(), [
        ["source.row_image", "n"],
        ["source.row_image", "two"],
      ]);
    });

    test("an idle stream says where the log has come to when it is asked, also over a new file", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await source.query(
        "flush logs; create table unrelated (x int); insert into unrelated values (1); flush logs",
      );
      const log = await source.read(from);
      assert.deepEqual(opsOf(log), []);
      await using stream = await source.open(await source.position());
      const idle = new ReadLog();
      await idle.read(stream, await source.position());
      assert.equal(idle.heartbeats.at(-1)?.text, (await source.position()).text);
    });

    test("a large transaction comes in pieces whose position is known from the first on", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      const rows = Array.from({ length: 8 }, (_, i) => `(${i + 1}, repeat('${i}', 300000))`);
      await source.query(
        `begin; insert into b values ${rows.join(", ")}; insert into a (id) values (1); commit`,
      );
      const log = await source.read(from);
      assert.equal(log.transactions.length, 1);
      assert.ok(log.pieces > 4, `${log.pieces} pieces`);
      assert.deepEqual(
        log.ops.map(({ after }) => after![1]?.length),
        [...Array(8).fill(300_000), undefined],
      );
      assert.equal(
        positionCodec.compare(log.transactions[0]!.position, await source.position()),
        name.endsWith("GTIDs") ? -1 : 0,
      );
    });

    test("a value that is larger than the protocol's packets arrives whole", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await server.query("set global max_allowed_packet = 1073741824");
      await source.query(
        "insert into b values (1, concat(repeat('é', 10000000), 'end')); insert into b values (2, 'x')",
      );
      const log = await source.read(from);
      const [large, small] = log.ops;
      assert.equal(large!.after![1]!.length, 10_000_003);
      assert.ok(large!.after![1]!.endsWith("éend"));
      assert.deepEqual(small!.after, ["2", "x"]);
    });

    test("a probe does not keep what is on its way from arriving", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await using proxy = await TcpProxy.start(server.port);
      const after = await source.position();
      const endpoint = { ...source.endpoint, port: proxy.port };
      await using stream = await openChangeStream(
        endpoint,
        { taskId: "slow", tables: source.tables, after },
        never,
      );
      proxy.slow(100_000);
      await source.query("insert into a (id) values (1); insert into b values (1, repeat('x', 100000))");
      const log = new ReadLog();
      await log.read(stream, await source.position());
      assert.ok(proxy.waits > 0);
      assert.deepEqual(opsOf(log), ["1 a - 1", "1 b - 1"]);
    });

    test("a stream whose session is killed fails as a lost connection", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await using stream = await source.open(await source.position());
      const items = stream[Symbol.asyncIterator]();
      const next = items.next();
      next.catch(() => undefined);
      const id = await eventually("the stream's session", async () => {
        const rows = await server.query("show processlist");
        return rows.findLast(({ Command }) => Command?.startsWith("Binlog Dump"))?.["Id"];
      });
      await server.query(`kill ${id}`);
      await assert.rejects(
        async () => {
          for (let item = await next; item.done !== true; item = await items.next());
        },
        { code: "connect.lost" },
      );
    });

    test("log that was purged is told as such", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await source.query(
        "insert into a (id) values (1); flush logs; insert into a (id) values (2); flush logs",
      );
      const files = await server.query("show binary logs");
      await eventually("the files to go", async () => {
        await server.query(`purge binary logs to '${files.at(-1)!["Log_name"]}'`);
        return (await server.query("show binary logs")).length === 1;
      });
      await assert.rejects(source.read(from), (error: MigrationError) => {
        assert.equal(error.code, "source.log_purged");
        return true;
      });
    });

    test("a statement in place of its rows ends the stream where it may concern the task", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.query("create table other (id int)");
      const from = await source.position();
      await source.query("set session binlog_format = STATEMENT; insert into other select count(*) from a");
      assert.deepEqual(opsOf(await source.read(from)), []);
      await source.query("set session binlog_format = STATEMENT; insert into a (id) values (1)");
      await assert.rejects(source.read(from), { code: "source.binary_log_format" });
    });

    test("rows that a table is made with come with it", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      await source.query("insert into a (id) values (1), (2)");
      if (name === "mysql") return; // Not allowed while GTIDs are enforced.
      const from = await source.position();
      await source.query("create table c select id from a; insert into a (id) values (3)");
      assert.deepEqual(opsOf(await source.read(from)), ["1 a - 3"]);
    });

    test("dates that no calendar has become what ZeroDates says", async () => {
      const schema =
        "create table z (id int primary key, d date, m datetime(3), t timestamp null, n date not null)";
      for (const [choice, expected] of [
        ["null", [null, null, null, "2024-01-01"]],
        ["epoch", ["1970-01-01", "1970-01-01 00:00:00", "1970-01-01 00:00:00+00", "2024-01-01"]],
        ["error", undefined],
      ] as const) {
        await using source = await BinlogSource.make(server, schema, { ZeroDates: choice });
        const from = await source.position();
        await source.query(`set sql_mode = 'ALLOW_INVALID_DATES'; insert into z values (1, '0000-00-00', '2024-02-31 10:00:00', 0, '2024-01-01');
          insert into z values (2, null, null, null, '0000-00-00')`);
        const log = await source.read(from);
        if (expected !== undefined) assert.deepEqual(log.ops[0]!.after!.slice(1), expected);
        const errors = log.misfits.map(({ error }) => error.code);
        assert.deepEqual(
          errors,
          { null: ["source.zero_date"], epoch: [], error: ["source.zero_date", "source.zero_date"] }[choice],
        );
      }
    });
  });
}

interface SomeRead {
  readonly transactions: ReadLog["transactions"];
  readonly at: Position;
}

/** Some of the transactions behind a position, by a stream that is given up in between. */
async function readSome(
  source: BinlogSource,
  after: Position,
  { wanted, goal }: { readonly wanted: number; readonly goal: Position },
): Promise<SomeRead> {
  const whole = new ReadLog();
  await using stream = await source.open(after);
  await whole.read(stream, goal);
  const transactions = whole.transactions.slice(0, wanted);
  return { transactions, at: whole.transactions.length <= wanted ? goal : transactions.at(-1)!.position };
}

/** Transactions of one to a few changes of two tables; with new files of the log in between. */
function workload(seed: number, count: number): string {
  const random = seededRandom(seed);
  const statements: string[] = [];
  for (let i = 0; i < count; i++) {
    const id = Math.floor(random() * 50);
    statements.push("begin");
    for (let n = 0; n <= Math.floor(random() * 3); n++) {
      const table = random() < 0.5 ? "a" : "b";
      statements.push(
        random() < 0.3
          ? `delete from ${table} where id = ${id + n}`
          : `insert into ${table} (id, v) values (${id + n}, 'v${i}') on duplicate key update v = 'u${i}'`,
      );
    }
    statements.push("commit");
    if (i % 100 === 50) statements.push("flush logs");
  }
  return statements.join("; ");
}
