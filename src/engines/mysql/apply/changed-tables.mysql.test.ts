import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { BinlogSource, ReadLog } from "../../../../test/support/binlog-source.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";

const SCHEMA = `create table a (id int primary key, v varchar(100), n int not null default 0) engine = InnoDB;
  create table b (id int primary key, v longtext) engine = InnoDB`;

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`tables that change in the log of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server?.[Symbol.asyncDispose]());

    test("statements that change a table's columns or rows make its transaction unfit, others pass", async () => {
      const cases: readonly (readonly [string, readonly string[]])[] = [
        ["alter table a add index (v), comment = 'x', engine = InnoDB", []],
        ["create table c like a; drop table c; optimize table b", []],
        ["alter table a add c int", ["source.table_changed"]],
        ["alter table a drop v", ["source.rows_replaced"]],
        ["alter table a modify v varchar(200)", ["source.table_changed"]],
        ["alter table a alter v set default 'x'", []],
        ["alter table a drop primary key, add primary key (id, v)", ["source.table_changed"]],
        ["create unique index u on a (id, n); drop index u on a", []],
        ["drop table b", ["source.rows_replaced"]],
        [
          "create table _a_new like a; rename table a to _a_old, _a_new to a",
          ["source.rows_replaced", "source.rows_replaced"],
        ],
      ];
      for (const [sql, expected] of cases) {
        await using source = await BinlogSource.make(server, SCHEMA);
        const from = await source.position();
        await source.query(sql);
        const log = await source.read(from);
        const codes = log.misfits.map(({ error }) => error.code);
        assert.deepEqual(codes.slice(0, 1), expected.slice(0, 1), sql);
      }
    });

    test("a column whose default was changed behind its addition has rows that the log does not tell", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      const before = source.tables;
      await source.query(
        "insert into a (id) values (1); alter table a add c int not null default 1; insert into a (id) values (2)",
      );
      const readAgain = async (): Promise<ReadLog> => {
        await source.describe();
        const position = await source.position();
        const tables = source.tables.map((table, i) => ({
          ...table,
          columns: table.columns.map((column) =>
            column.name === "c" ? { ...column, later: { value: "1" } } : column,
          ),
          shape: { ...table.shape!, place: { position, before: before[i]!.shape! } },
        }));
        return await source.read(from, tables);
      };
      const log = await readAgain();
      assert.deepEqual(
        log.ops.map(({ after }) => after!.at(-1)),
        ["1", "1"],
      );
      assert.deepEqual(log.misfits, []);
      await source.query("alter table a alter c set default 0");
      assert.deepEqual(
        (await readAgain()).misfits.map(({ error }) => error.code),
        ["source.rows_replaced"],
      );
    });

    test("rows of a table that is another one than it was described as are unfit", async () => {
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      await source.query(
        "create table c (id int primary key, v bigint); insert into c values (1, 2); insert into a (id) values (1)",
      );
      const now = source.tables;
      const described = now.map((table) =>
        table.id.name === "b" ? { ...table, id: { ...table.id, name: "c" } } : table,
      );
      const goal = await source.position();
      await using stream = await source.open(from, described);
      const log = new ReadLog();
      await log.read(stream, goal);
      assert.deepEqual(
        log.misfits.map(({ error }) => [error.code, error.table?.name]),
        [["source.table_changed", "c"]],
      );
      assert.equal(log.transactions.at(-1)!.ops.length, 1);
    });
  });
}
