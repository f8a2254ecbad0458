import assert from "node:assert/strict";
import { after, before, describe as suite, test } from "node:test";
import { LONG_NAME, mysqlNastySchema } from "../../../../test/support/mysql-nasty-schema.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import type { Catalog, Column, Index, TableSchema } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { checkTables, describe, listSchemas, listTables } from "./catalog.ts";
import { readSequenceStates } from "./catalog-sequences.ts";
import { identifier, literal, qualified } from "./identifier.ts";

const CHOICES = { booleans: false, timesOfDay: false };
const signal = new AbortController().signal;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`the catalog of ${flavour}`, () => {
    let server: MysqlServer;
    let client: Client;
    let nasty: string;

    before(async () => {
      server = await startMysql({ flavour });
      client = await connect(server.endpoint(), { side: "source", purpose: "test" }, signal);
      nasty = "na`sty ünï";
      await server.query(`create database ${identifier(nasty)} character set utf8mb4`);
      await server.query(mysqlNastySchema(flavour), nasty);
    });

    after(async () => {
      await client?.end();
      await server?.[Symbol.asyncDispose]();
    });

    async function describeAll(schema: string, by = client): Promise<Catalog> {
      return await describe(by, await listTables(by, { database: schema }), CHOICES);
    }

    async function tableOf(schema: string, name: string): Promise<TableSchema> {
      const { tables } = await describe(client, [{ schema, name }], CHOICES);
      return tables[0]!;
    }

    test("who may only read tables sees all of them that others see", async () => {
      await server.query(
        `create table up (id int primary key, \`it's\` varchar(9) unique) comment 'CONSTRAINT \`x\` FOREIGN KEY';
         create table down (a int, b int, c int, constraint \`do\`\`es\` foreign key (a) references up (id) on delete cascade,
           constraint \`it's\` foreign key (b) references up (id) on delete set null on update cascade,
           constraint rests foreign key (c) references up (id));
         create user reader identified by 'p'; grant select on ${identifier(nasty)}.* to reader`,
        nasty,
      );
      const own = await describeAll(nasty);
      const endpoint = { ...server.endpoint(), username: "reader", password: "p" };
      const reader = await connect(endpoint, { side: "source", purpose: "test" }, signal);
      const { tables } = await describeAll(nasty, reader);
      await reader.end();
      const actions = tables.find(({ id }) => id.name === "down")!.foreignKeys.map(({ native }) => native);
      assert.deepEqual(actions, ["ON DELETE CASCADE", "ON DELETE SET NULL ON UPDATE CASCADE", ""]);
      assert.deepEqual(tables, own.tables);
      await server.query("drop table down; drop table up; drop user reader", nasty);
    });

    test("databases of the server's own are no schemas, and an endpoint may name one", async () => {
      const schemas = await listSchemas(client, { database: "" });
      assert.ok(schemas.includes(nasty));
      for (const own of ["mysql", "information_schema", "performance_schema", "sys"]) {
        assert.ok(!schemas.includes(own), own);
      }
      assert.deepEqual(await listSchemas(client, { database: nasty }), [nasty]);
    });

    test("views, sequences and control tables are no tables", async () => {
      const database = await server.createDatabase();
      await server.query(
        `create table a (x int); create table awsdms_txn_state (x int); create view v as select * from a`,
        database,
      );
      if (flavour === "mariadb") await server.query("create sequence s", database);
      assert.deepEqual(await listTables(client, { database }), [{ schema: database, name: "a" }]);
      const everywhere = await listTables(client, { database: "" });
      assert.ok(everywhere.some(({ schema, name }) => schema === nasty && name === LONG_NAME));
      assert.ok(everywhere.every(({ schema }) => schema !== "mysql"));
    });

    test("a table that is made again from what is described has the same definition", async () => {
      const catalog = await describeAll(nasty);
      const copy = await server.createDatabase("copy");
      for (const table of catalog.tables) await server.query(tableSql(table), copy);
      for (const table of catalog.tables) {
        for (const sql of foreignKeySql(table, copy)) await server.query(sql, copy);
      }
      assert.ok(catalog.tables.length >= 8);
      for (const { id } of catalog.tables) {
        const [was, is] = await Promise.all(
          [nasty, copy].map((schema) => definition(server, schema, id.name)),
        );
        assert.deepEqual(is, was, id.name);
      }
    });

    test("types become the logical types that hold all their values", async () => {
      const { columns } = await tableOf(nasty, "types");
      const types = new Map(columns.map(({ name, type }) => [name, type]));
      const at = (name: string): unknown => types.get(name);
      assert.deepEqual(at("id"), { kind: "int", bits: 32, unsigned: true });
      assert.deepEqual(at("t1"), { kind: "int", bits: 8, unsigned: false });
      assert.deepEqual(at("mi"), { kind: "int", bits: 24, unsigned: true });
      assert.deepEqual(at("f2"), { kind: "float", bits: 32 });
      assert.deepEqual(at("de"), { kind: "decimal", precision: 65, scale: 30 });
      assert.deepEqual(at("dn"), { kind: "decimal", precision: 10, scale: 0 });
      assert.deepEqual(at("b64"), { kind: "bit", length: 64 });
      assert.deepEqual(at("y"), { kind: "int", bits: 16, unsigned: false });
      assert.deepEqual(at("t6"), { kind: "interval" });
      assert.deepEqual(at("dt6"), { kind: "timestamp", precision: 6, zoned: false });
      assert.deepEqual(at("ts3"), { kind: "timestamp", precision: 3, zoned: true });
      assert.deepEqual(at("c"), { kind: "string", maxChars: 10, fixed: true });
      assert.deepEqual(at("lt"), { kind: "string", fixed: false });
      assert.deepEqual(at("bn"), { kind: "bytes", maxBytes: 3, fixed: true });
      assert.deepEqual(at("bl"), { kind: "bytes", maxBytes: 65_535, fixed: false });
      assert.deepEqual(at("e"), {
        kind: "enum",
        values: ["a", "b,c", "it's", "x\\y", "ä", "n\nl", "unsigned (5) /* x */"],
      });
      assert.deepEqual(at("s"), { kind: "set", values: ["a", "b", "it's", "ü"] });
      assert.deepEqual(at("g"), { kind: "bytes", fixed: false, shape: { of: "geometry" } });
      assert.deepEqual(at("j"), { kind: "json" });
      const chosen = await describe(client, [{ schema: nasty, name: "types" }], {
        booleans: true,
        timesOfDay: true,
      });
      const others = new Map(chosen.tables[0]!.columns.map(({ name, type }) => [name, type]));
      assert.deepEqual(others.get("t1"), { kind: "boolean" });
      assert.deepEqual(others.get("ti"), { kind: "int", bits: 8, unsigned: false });
      assert.deepEqual(others.get("t6"), { kind: "time", precision: 6, zoned: false });
    });

    test("a string's collation is told whatever the table's is", async () => {
      const { columns } = await tableOf(nasty, "types");
      const collations = new Map(columns.map(({ name, collation }) => [name, collation]));
      assert.equal(collations.get("vc"), "latin1_swedish_ci");
      assert.match(collations.get("c") ?? "", /^utf8mb4_/);
      assert.match(collations.get("s") ?? "", /^utf8mb4_/);
      assert.equal(collations.get("bn"), undefined);
    });

    test("rows are identified by the key that the server takes, or by all columns", async () => {
      const identity = async (name: string): Promise<unknown> => {
        const { key, rowIdentity, columns } = await tableOf(nasty, name);
        return [rowIdentity, key.map((ordinal) => columns[ordinal]!.name)];
      };
      assert.deepEqual(await identity("order `x`"), ["key", ["a", "b b"]]);
      assert.deepEqual(await identity("uniq"), ["key", ["b"]]);
      assert.deepEqual(await identity("nokey"), ["full", []]);
    });

    test("AUTO_INCREMENT is an identity with a sequence that tells the next number", async () => {
      const database = await server.createDatabase();
      await server.query(
        `create table t (a int, b bigint unsigned not null auto_increment unique); insert into t (a) values (1), (2);
         create table none (a int); create table empty (a int auto_increment primary key)`,
        database,
      );
      const { sequences, tables } = await describeAll(database);
      assert.equal(tables.find(({ id }) => id.name === "t")!.columns[1]!.identity, "by-default");
      assert.deepEqual(
        sequences.map(({ id, internal, ownedBy }) => [id.name, internal, ownedBy?.column]),
        [
          ["empty_a_seq", true, "a"],
          ["t_b_seq", true, "b"],
        ],
      );
      const states = await readSequenceStates(
        client,
        sequences.map(({ id }) => id),
      );
      const last = new Map(states.map((state) => [state.id.name, [state.last, state.isCalled]]));
      assert.deepEqual(last.get("t_b_seq"), ["3", false]);
      assert.deepEqual(last.get("empty_a_seq"), ["1", false]);
      assert.deepEqual(await readSequenceStates(client, [{ schema: database, name: "other" }]), []);
    });

    test("tables whose names differ in case are told apart, and one that is gone is left out", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int); create table T (b int)", database);
      const ids = ["T", "gone", "t"].map((name) => ({ schema: database, name }));
      const { tables } = await describe(client, ids, CHOICES);
      assert.deepEqual(
        tables.map(({ id, columns }) => [id.name, columns.map(({ name }) => name)]),
        [
          ["T", ["b"]],
          ["t", ["a"]],
        ],
      );
    });

    test("many tables are described by one query of each kind", async () => {
      const database = await server.createDatabase();
      const names = Array.from({ length: 400 }, (_, at) => `t${at}`);
      await server.query(
        names.map((name) => `create table ${name} (a int primary key, b int, key (b))`).join(";"),
        database,
      );
      const asked: string[] = [];
      const counting = new Proxy(client, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name, target);
          if (name !== "query") return typeof member === "function" ? member.bind(target) : member;
          return async (sql: string) => {
            asked.push(sql);
            return await target.query(sql);
          };
        },
      });
      const { tables } = await describe(
        counting,
        names.map((name) => ({ schema: database, name })),
        CHOICES,
      );
      assert.equal(tables.length, 400);
      assert.ok(tables.every(({ indexes, columns }) => indexes.length === 2 && columns.length === 2));
      assert.ok(asked.length <= 6, `${asked.length} queries`);
    });

    test("columns added at the end are told with what earlier rows show, other changes as what they are", async () => {
      const database = await server.createDatabase();
      const change = async (ddl: string): Promise<string> => {
        await server.query(
          "drop table if exists t; create table t (id int primary key, a int, b varchar(10))",
          database,
        );
        const known = await tableOf(database, "t");
        await server.query(ddl, database);
        return await checkTables(client, [known], CHOICES).then(
          (found) => (found.length === 0 ? "same" : "kept"),
          (error: Error) => error.message,
        );
      };
      assert.equal(await change("insert into t values (1, 2, 'x')"), "same");
      assert.equal(await change("alter table t add index (a)"), "same");
      assert.equal(await change("alter table t alter column a set default 5"), "kept");
      assert.equal(await change("alter table t add column c int"), "The table got the column c.");
      assert.equal(
        await change("alter table t add column c int first"),
        "The table calls its column id c now.",
      );
      assert.equal(await change("alter table t drop column a"), "The table calls its column a b now.");
      assert.equal(await change("alter table t drop column b"), "The table lost its column b.");
      assert.equal(
        await change("alter table t modify b text"),
        "The table has another type in its column b.",
      );
      assert.equal(
        await change("alter table t modify b varchar(10) character set latin1"),
        "The table has another type in its column b.",
      );
      assert.equal(await change("rename table t to u"), "The table was dropped or renamed.");
      await server.query("drop table u", database);
      assert.match(
        await change("alter table t add column c datetime default current_timestamp"),
        /got the column c, with a value that only its rows tell/,
      );
    });

    test("what rows from before show in a column is what the server shows in them", async () => {
      const database = await server.createDatabase();
      const additions = [
        "c1 int not null default -7",
        "c2 varchar(20) default 'it''s \\\\ ü'",
        "c3 decimal(10,4) default 1.5",
        "c4 int not null",
        "c5 varchar(5) not null",
        "c6 enum('x','y') not null",
        "c7 int",
        "c8 datetime(3) default '2020-01-02 03:04:05.120'",
        "c9 bigint unsigned default 18446744073709551615",
      ];
      await server.query("create table t (id int primary key); insert into t values (1)", database);
      for (const addition of additions) await server.query(`alter table t add column ${addition}`, database);
      const { shape } = await tableOf(database, "t");
      const [row] = await server.query("select * from t", database);
      for (const { name, fill, varies } of shape!.columns.slice(1)) {
        assert.equal(varies, undefined, name);
        const shown = row![name]!;
        assert.equal(fill, name === "c8" ? shown.replace(/0$/, "") : shown, name);
      }
    });
  });
}

/** As a target of the dialect would write it. */
function tableSql(table: TableSchema): string {
  const parts = [...table.columns.map(columnSql), ...table.indexes.map(indexSql)];
  for (const { name, native } of table.checks) parts.push(`constraint ${identifier(name)} ${native}`);
  const comment = table.comment === undefined ? "" : ` comment = ${literal(table.comment)}`;
  return `create table ${identifier(table.id.name)} (${parts.join(", ")})${comment}`;
}

function columnSql(column: Column): string {
  const parts = [identifier(column.name), column.nativeType];
  if (column.collation !== undefined) parts.push(`collate ${column.collation}`);
  if (column.generated !== undefined) {
    parts.push(`generated always as (${column.generated}) ${column.virtual === true ? "virtual" : "stored"}`);
  } else {
    parts.push(column.nullable ? "null" : "not null");
    const { default: value } = column;
    if (value !== undefined) parts.push(value.startsWith("ON UPDATE") ? value : `default ${value}`);
    if (column.identity !== undefined) parts.push("auto_increment");
  }
  if (column.comment !== undefined) parts.push(`comment ${literal(column.comment)}`);
  return parts.join(" ");
}

function indexSql({ name, unique, constraint, native, comment }: Index): string {
  const remark = comment === undefined ? "" : ` comment ${literal(comment)}`;
  if (constraint === "primary-key") return `${native}${remark}`;
  const [, word = "", list = ""] = /^(FULLTEXT|SPATIAL|UNIQUE)? ?(.*)$/s.exec(native)!;
  const kind = word === "" && unique ? "UNIQUE" : word;
  return `${kind} index ${identifier(name)} ${list}${remark}`;
}

function foreignKeySql(table: TableSchema, schema: string): readonly string[] {
  return table.foreignKeys.map(({ name, columns, references, referencedColumns, native }) => {
    const other = qualified({ schema, name: references.name });
    const list = (names: readonly string[]): string => names.map(identifier).join(", ");
    return `alter table ${identifier(table.id.name)} add constraint ${identifier(name)}
      foreign key (${list(columns)}) references ${other} (${list(referencedColumns)}) ${native}`;
  });
}

/**
 * What is not described is left out: engine, partitions, history, how a column is kept. The order of parts is free, and
 * a check of a column is one of the table of the column's name.
 */
async function definition(server: MysqlServer, schema: string, table: string): Promise<readonly string[]> {
  const [row] = await server.query(`show create table ${qualified({ schema, name: table })}`);
  const text = Object.values(row!)[1]!;
  const end = text.lastIndexOf("\n) ");
  const [head = "", ...lines] = text.slice(0, end).split("\n");
  const parts = lines
    .filter((line) => !/row (?:start|end)|SYSTEM_TIME/i.test(line))
    .flatMap((line) => withoutCheck(line.replace(/,$/, "").replace(/,`re`\)/, ")")));
  const comment = / COMMENT='.*'/s.exec(text.slice(end))?.[0] ?? "";
  return [head, ...parts.sort(), comment];
}

function withoutCheck(line: string): readonly string[] {
  const [, column, name, check] = /^( {2}(`[^`]*`) .*) (CHECK \(.*\))$/.exec(line) ?? [];
  if (column === undefined || check!.includes(`json_valid(\`j\`)`)) return [line];
  return [column, `  CONSTRAINT ${name} ${check}`];
}
