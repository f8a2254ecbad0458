import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { never } from "../../../../test/support/replication.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { withKnownNumbers } from "../../../core/table-shape.ts";
import { describe } from "../catalog/catalog.ts";
import { readDefaultCollations } from "../catalog/charset-facts.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { alteredTable, createdTable } from "./altered-table.ts";
import type { DefinitionContext } from "./defined-column.ts";
import { SqlReader } from "./sql-words.ts";
import { readTableStatement } from "./table-statement.ts";

/* What a statement is read to make of a table is what the server's catalog shows afterwards. */

const choices = { booleans: false, timesOfDay: false };

const BEFORE = `create table parent (id int primary key, u int not null unique);
  create table t (id int not null auto_increment primary key, a varchar(10) default 'x', b decimal(6,2), key a (a, b)) default charset=utf8mb4`;

const TYPES = [
  "bool default true",
  "tinyint unsigned default 007",
  "smallint(3) not null default -5",
  "mediumint",
  "integer default '12'",
  "bigint unsigned default 18446744073709551615",
  "dec(5)",
  "numeric(8,3) unsigned default 1.5",
  "decimal default 10",
  "float default 1.25",
  "double precision",
  "real not null",
  "bit(5) default b'00101'",
  "bit default 1",
  "year default 2020",
  "date default '2020-02-29'",
  "datetime(3) default '2020-02-29 10:00:00.5'",
  "datetime default current_timestamp on update current_timestamp",
  "timestamp(6) not null default now(6) on update now(6)",
  "timestamp null",
  "time(2) default '10:00:00'",
  "char default 'é'",
  "character varying(30) not null default 'it''s \\\\ \\n \"x\"'",
  "varchar(9) character set latin1 default 7",
  "varchar(9) collate utf8mb4_bin comment 'a comment, with `signs`'",
  "tinytext",
  "text character set latin1",
  "longtext not null",
  "binary(4)",
  "varbinary(9) default 'ab'",
  "blob",
  "enum('a', 'b''c', 'ü') not null default 'ü'",
  "set('a', 'b') default 'a,b'",
  "int null default null comment ''",
];

const STATEMENTS = [
  ...TYPES.map((type, i) => `alter table t add column c${i} ${type}${["", " first", " after a"][i % 3]}`),
  "alter table t drop c1, drop column c2, add (d1 int, d2 varchar(5) default 'y'), modify c3 mediumint not null after d2",
  "alter table t change c4 e4 bigint default 5 comment 'x' first, change column c5 c4 bigint unsigned, comment = 'a table'",
  "alter table t alter c6 set default 5, alter column c7 drop default, alter c16 set default '2020-01-01'",
  "alter table t alter c16 drop default, alter e4 set default null",
  "alter table t add key (d1), add index (d1), add unique key u (c4, d2), add index p (c26(10), d1)",
  "create unique index v on t (e4); drop index p on t",
  "alter table t drop d1, modify c21 varchar(20) character set utf8mb4 collate utf8mb4_unicode_ci not null",
  "alter table t add r int, add constraint f foreign key (r) references parent (u) on delete restrict on update no action",
  "alter table t add unique key w (c11)",
  "alter table t drop foreign key f, drop index f",
  "alter table t modify id int not null, drop primary key",
  "alter table t add primary key (c31, id), default charset = latin1",
  "alter table t add plain varchar(9), add other varchar(9) character set utf8mb4, default collate utf8mb4_bin",
  "alter table t add plainer char(3), engine = InnoDB, row_format = dynamic",
  "alter table t engine = InnoDB row_format = dynamic comment = 'rebuilt', order by c21 desc, id",
  "alter table t drop plainer, add plainer char(3), order by t.id",
  "alter table t drop key u, drop index v, add fulltext key ft (plain)",
  "alter table t drop primary key, drop key w, drop c31, drop c8, drop c9, drop c10, drop c11, add primary key (id)",
  "alter table t add tiny tinytext character set latin1, add medium mediumtext character set utf8mb4",
  "alter table t convert to character set latin1",
  "alter table t convert to character set utf8mb4 collate utf8mb4_unicode_ci, comment = 'converted'",
];

const MYSQL = ["alter table t alter c17 set default '2020-01-01'", "alter table t alter c17 drop default"];

const MARIADB = [
  "alter table t add j json, add k uuid, add l inet6 default null",
  "alter table t change j jj json, rename column l to ll, rename index a to aa, add column if not exists k int, drop column if exists nothing",
  "alter table t add column m varchar(20) invisible default 'z', modify column k uuid first",
];

interface Comparable {
  readonly columns: readonly string[];
  readonly parts: unknown;
}

function comparable({
  columns,
  indexes,
  foreignKeys,
  key,
  rowIdentity,
  comment,
  shape,
}: TableSchema): Comparable {
  const { collation, columnsEver, keys, silentKeys } = shape!;
  return {
    columns: columns.map((column, i) => {
      const { number, name, type, version } = shape!.columns[i]!;
      return JSON.stringify([Object.entries(column).sort(), number, name, type, version]);
    }),
    parts: { indexes, foreignKeys, key, rowIdentity, comment, collation, columnsEver, keys, silentKeys },
  };
}

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`tables that statements of ${flavour} alter`, () => {
    let server: MysqlServer;
    let client: Client;
    let context: DefinitionContext;
    before(async () => {
      server = await startMysql({ flavour });
      client = await connect(server.endpoint(), { side: "source", purpose: "test" }, never);
      const collations = await readDefaultCollations(client);
      context = { facts: client.facts, choices, collations, isStrict: true };
    });
    after(async () => {
      await client?.end();
      await server?.[Symbol.asyncDispose]();
    });

    const described = async (schema: string, name = "t"): Promise<TableSchema> =>
      (await describe(client, [{ schema, name }], choices)).tables[0]!;

    test("are what the catalog shows after each of them", async () => {
      const database = await server.createDatabase("altered");
      await server.query(BEFORE, database);
      let table = await described(database);
      for (const sql of [...STATEMENTS, ...(flavour === "mariadb" ? MARIADB : MYSQL)]) {
        await server.query(sql, database);
        for (const one of sql.split("; ")) {
          const statement = readTableStatement(new SqlReader(one), database);
          assert.ok(statement?.kind === "alter", one);
          const altered = alteredTable(table, statement.clauses, context);
          assert.ok(altered !== undefined, one);
          table = altered.table;
        }
        const now = await described(database);
        const shown = { ...now, shape: withKnownNumbers(now.shape!, table.shape!) };
        assert.deepEqual(comparable(table), comparable(shown), sql);
      }
    });

    test("or make are what the catalog shows, too", async () => {
      const database = await server.createDatabase("made");
      const columns = TYPES.map((type, i) => `c${i} ${type}`);
      const sql = `create table t (id bigint unsigned not null auto_increment, ${columns.join(", ")},
        primary key (id), unique key (c4), key k (c21, c22(5)), fulltext (c25)) engine=InnoDB auto_increment=7
        default charset=utf8mb4 collate=utf8mb4_unicode_ci comment='made'`;
      await server.query(sql, database);
      const read = async (text: string): Promise<TableSchema> => {
        const statement = readTableStatement(new SqlReader(text), database);
        assert.ok(
          statement?.kind === "create" && statement.form !== undefined && "clauses" in statement.form,
        );
        const parts = { context, collation: undefined };
        const table = createdTable(statement.table, statement.form.clauses, parts);
        assert.ok(table !== undefined, text);
        return table;
      };
      const now = comparable(await described(database));
      assert.deepEqual(comparable(await read(sql)), now);
      // As pt-online-schema-change makes its copies.
      const [shown] = await server.query("show create table t", database);
      assert.deepEqual(comparable(await read(shown!["Create Table"]!)), now);
    });
  });
}
