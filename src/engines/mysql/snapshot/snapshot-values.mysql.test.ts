import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables, load, read, whole } from "../../../../test/support/mysql-snapshot.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import type { BulkFormat } from "../../../core/row-chunk.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;

/**
 * A column of each type: how MySQL declares it, what rows get, PostgreSQL's type for it, and a text that both servers
 * make of its value in SQL and that must be the same.
 */
interface Sample {
  readonly type: string;
  readonly values: readonly string[];
  readonly target: string;
  readonly ours: (column: string) => string;
  readonly theirs: (column: string) => string;
}

const same = (cast: string) => (column: string) => cast.replaceAll("@", column);
const number = { ours: same("cast(@ as char)"), theirs: same("@::text") };
const bytes = { ours: same("lower(hex(@))"), theirs: same("encode(@, 'hex')") };
const text = {
  ours: same("lower(hex(convert(@ using utf8mb4)))"),
  theirs: same("encode(convert_to(@::text, 'UTF8'), 'hex')"),
};
const bits = (length: number) => ({
  ours: same(`lpad(conv(hex(@), 16, 2), ${length}, '0')`),
  theirs: same("@::text"),
});
const moment = {
  ours: same("date_format(@, '%Y-%m-%d %H:%i:%s.%f')"),
  theirs: same("to_char(@, 'YYYY-MM-DD HH24:MI:SS.US')"),
};
const duration = {
  ours: same(
    "concat(if(left(@, 1) = '-', '-', ''), ((hour(@) * 60 + minute(@)) * 60 + second(@)) * 1000000 + microsecond(@))",
  ),
  theirs: same("(extract(epoch from @) * 1000000)::bigint::text"),
};

const samples: readonly Sample[] = [
  { type: "tinyint", values: ["-128", "127", "null"], target: "smallint", ...number },
  { type: "tinyint(3) unsigned zerofill", values: ["0", "7", "255"], target: "smallint", ...plusZero() },
  { type: "bigint", values: ["-9223372036854775808", "9223372036854775807"], target: "bigint", ...number },
  { type: "bigint unsigned", values: ["18446744073709551615", "0"], target: "numeric(20)", ...number },
  {
    type: "decimal(65,30)",
    values: ["-12345678901234567890123456789012345.123456789012345678901234567890"],
    target: "numeric(65,30)",
    ...number,
  },
  { type: "year", values: ["2026", "0", "1901"], target: "smallint", ...plusZero() },
  {
    type: "double",
    values: ["1.7976931348623157e308", "-2.2250738585072014e-308", "0.1", "1e20", "-0e0"],
    target: "double precision",
    ...readBack("double"),
  },
  {
    type: "float",
    values: ["1.1", "16777216", "3e38", "1.17549435e-38", "-0.3333333333", "123456.79", "1e-10"],
    target: "real",
    ...readBack("float"),
  },
  { type: "float(10,2)", values: ["1234567.89", "0.1"], target: "real", ...readBack("float") },
  { type: "double(12,3)", values: ["123456789.123"], target: "double precision", ...readBack("double") },
  { type: "bit(1)", values: ["b'1'", "b'0'"], target: "bit(1)", ...bits(1) },
  { type: "bit(13)", values: ["b'1000000000001'", "b'101'"], target: "bit(13)", ...bits(13) },
  { type: "bit(64)", values: ["18446744073709551615", "1"], target: "bit(64)", ...bits(64) },
  { type: "char(10)", values: ["'ab'", "''", "'a\\\\b'"], target: "varchar(10)", ...text },
  {
    type: "varchar(200)",
    values: ["'tab\\tline\\nback\\\\slash\\r\\b'", "'ü€😀'", "' trailing '", "'\\\\N'"],
    target: "text",
    ...text,
  },
  { type: "varchar(50) character set latin1", values: ["'Grüße €'"], target: "text", ...text },
  { type: "varchar(50) character set cp1251", values: ["'Привет'"], target: "text", ...text },
  { type: "varchar(50) character set utf16", values: ["'ü€😀'"], target: "text", ...text },
  { type: "varchar(50) character set sjis", values: ["'ソ表示'"], target: "text", ...text },
  { type: "longtext", values: ["repeat('line of text\\n', 30000)"], target: "text", ...text },
  { type: "binary(4)", values: ["x'00ff'", "x'0a5c0d09'"], target: "bytea", ...bytes },
  { type: "varbinary(300)", values: ["x''", "repeat(x'00105cff', 70)"], target: "bytea", ...bytes },
  { type: "longblob", values: ["repeat(x'00105cff', 100000)"], target: "bytea", ...bytes },
  {
    type: "enum('a','b,c','d''e','f\\\\g')",
    values: ["'a'", "'b,c'", "'d''e'", "'f\\\\g'"],
    target: "text",
    ...text,
  },
  { type: "set('x','y','z')", values: ["'x,z'", "''"], target: "text", ...text },
  {
    type: "date",
    values: ["'2026-02-28'", "'1000-01-01'", "'9999-12-31'"],
    target: "date",
    ours: same("cast(@ as char)"),
    theirs: same("@::text"),
  },
  {
    type: "datetime(6)",
    values: ["'2026-02-28 23:59:59.999999'", "'2026-02-28 00:00:00.5'"],
    target: "timestamp",
    ...moment,
  },
  { type: "datetime", values: ["'2024-02-29 12:30:00'"], target: "timestamp", ...moment },
  {
    type: "timestamp(3) null",
    values: ["'2038-01-19 03:14:07.123'", "'1970-01-02 00:00:01'"],
    target: "timestamptz",
    ours: moment.ours,
    theirs: same("to_char(@ at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
  },
  {
    type: "time(6)",
    values: ["'-838:59:59'", "'838:59:58.5'", "'00:00:00.000001'", "'-00:00:01.25'"],
    target: "interval",
    ...duration,
  },
];

/** What ZEROFILL and YEAR print zeros before. */
function plusZero(): Pick<Sample, "ours" | "theirs"> {
  return { ours: same("cast(@ + 0 as char)"), theirs: number.theirs };
}

/** PostgreSQL's text is shown to MySQL, which must take it for the same number: see `theirs` in the comparison. */
function readBack(type: "float" | "double"): Pick<Sample, "ours" | "theirs"> {
  return { ours: same(type), theirs: same("@::text") };
}

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`values of ${flavour} in a snapshot`, () => {
    let server: MysqlServer;
    let postgres: PostgresServer;
    before(async () => {
      [server, postgres] = await Promise.all([
        startMysql({ flavour, settings: { max_allowed_packet: "256M" } }),
        startPostgres(),
      ]);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await postgres?.[Symbol.asyncDispose]();
    });

    for (const format of ["pg-copy-text", "pg-copy-binary"] as const) {
      test(`every type's values arrive in PostgreSQL as they are, by ${format}`, async () => {
        const schema = await server.createDatabase("types");
        const database = await postgres.createDatabase("types");
        const used = samples.filter(({ type }) => format === "pg-copy-text" || !type.startsWith("set("));
        const rows = Math.max(...used.map(({ values }) => values.length));
        const columns = used.map(({ type }, i) => `c${i} ${type}`);
        const inserts = Array.from({ length: rows }, (_, row) => {
          const values = used.map(({ values: given }) => given[row] ?? "null");
          return `insert into t values (${[row, ...values].join(", ")})`;
        });
        await server.query(
          `set sql_mode = ''; create table t (id int primary key, ${columns.join(", ")}) character set utf8mb4; ${inserts.join("; ")}`,
          schema,
        );
        await postgres.query(
          `create table t (id int primary key, ${used.map(({ target }, i) => `c${i} ${target}`).join(", ")})`,
          database,
        );
        const [table] = await describeTables(server, schema, ["t"]);
        const request = { taskId: "t", tables: [table!], anchor: "none" } as const;
        await using snapshot = await openSnapshot(server.endpoint(), request, signal);
        assert.equal(snapshot.bulkFormats(table!)[0], format);
        assert.equal(await load({ server: postgres, database, into: "t", format }, snapshot, table!), rows);
        for (const [i, sample] of used.entries()) {
          const column = `c${i}`;
          const theirs = await postgres.query(
            `select ${sample.theirs(column)} as v from t order by id`,
            database,
          );
          const found = theirs.map(({ v }) => v as string | null);
          if (sample.ours("") === "float" || sample.ours("") === "double") {
            await assertReadBack(schema, column, found);
            continue;
          }
          const ours = await server.query(
            `set time_zone = '+00:00'; select ${sample.ours(column)} as v from t order by id`,
            schema,
          );
          assert.deepEqual(
            found,
            ours.map(({ v }) => v),
            sample.type,
          );
        }
      });
    }

    /** Writes the texts into a copy of the column, and compares the two there. */
    async function assertReadBack(
      schema: string,
      column: string,
      texts: readonly (string | null)[],
    ): Promise<void> {
      const updates = texts.map((value, id) => {
        const given = value === null ? "null" : `'${value}'`;
        return `update copied set ${column} = ${given} where id = ${id}`;
      });
      const exact = (table: string): string => `concat(${table}.${column} * 1e0)`;
      const differing = await server.query(
        `drop table if exists copied; create table copied like t; insert into copied (id) select id from t;
         ${updates.join("; ")};
         select id, ${exact("t")} as had, ${exact("copied")} as got from t join copied using (id)
          where not (${exact("t")} <=> ${exact("copied")})`,
        schema,
      );
      assert.deepEqual(differing, [], column);
    }

    for (const format of ["pg-copy-text", "pg-copy-binary"] as const) {
      test(`geometries arrive as EWKB with their reference system, by ${format}`, async () => {
        const schema = await server.createDatabase("geo");
        const database = await postgres.createDatabase("geo");
        await server.query(
          `create table g (id int primary key, v geometry);
         insert into g values (1, st_geomfromtext('POINT(1 2)')), (2, st_geomfromtext('POINT(1 2)', 4326)), (3, null),
           (4, st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))', 3857))`,
          schema,
        );
        await postgres.query("create table g (id int, v bytea)", database);
        const [table] = await describeTables(server, schema, ["g"]);
        const request = { taskId: "t", tables: [table!], anchor: "none" } as const;
        await using snapshot = await openSnapshot(server.endpoint(), request, signal);
        await load({ server: postgres, database, into: "g", format }, snapshot, table!);
        const found = await postgres.query("select encode(v, 'hex') as v from g order by id", database);
        const wkb = await server.query(
          "select lower(hex(st_aswkb(v))) as wkb, st_srid(v) as srid from g order by id",
          schema,
        );
        const expected = wkb.map(({ wkb: hex, srid: reference }) => {
          if (hex === null || hex === undefined) return null;
          if (reference === "0") return hex;
          const number = Buffer.alloc(4);
          number.writeUInt32LE(Number(reference));
          return `01${hex.slice(2, 8)}20${number.toString("hex")}${hex.slice(10)}`;
        });
        assert.deepEqual(
          found.map(({ v }) => v),
          expected,
        );
      });
    }

    test("zero dates are NULL, the epoch or an error, as ZeroDates says", async () => {
      const schema = await server.createDatabase("zero");
      const database = await postgres.createDatabase("zero");
      await server.query(
        `set sql_mode = ''; create table z (id int primary key, d date, t datetime(3), s timestamp null, n date not null);
         insert into z values (1, '0000-00-00', '2026-00-01 10:00:00', '0000-00-00 00:00:00', '2026-01-01')`,
        schema,
      );
      await postgres.query("create table z (id int, d date, t timestamp, s timestamptz, n date)", database);
      const [table] = await describeTables(server, schema, ["z"]);
      const request = { taskId: "t", tables: [table!], anchor: "none" } as const;
      const loadWith = async (
        settings: Record<string, string>,
        format: BulkFormat = "pg-copy-text",
      ): Promise<Record<string, unknown>> => {
        await using snapshot = await openSnapshot(server.endpoint("", settings), request, signal);
        await postgres.query("truncate z", database);
        await load({ server: postgres, database, into: "z", format }, snapshot, table!);
        assert.match(
          snapshot.findings!()
            .map(({ message }) => message)
            .join(),
          settings["ZeroDates"] === "epoch" ? /^[34] dates .*1970/ : /^3 dates .*NULL/,
        );
        const [row] = await postgres.query("select d::text, t::text, s::text, n::text from z", database);
        return row;
      };
      for (const format of ["pg-copy-text", "pg-copy-binary"] as const) {
        assert.deepEqual(await loadWith({}, format), { d: null, t: null, s: null, n: "2026-01-01" });
        assert.deepEqual(await loadWith({ ZeroDates: "epoch" }, format), {
          d: "1970-01-01",
          t: "1970-01-01 00:00:00",
          s: "1970-01-01 00:00:00+00",
          n: "2026-01-01",
        });
      }
      await assert.rejects(loadWith({ ZeroDates: "error" }), { code: "source.zero_date", table: table!.id });
      await server.query("set sql_mode = ''; update z set n = '0000-00-00'", schema);
      await assert.rejects(loadWith({}), { code: "source.zero_date", message: /column n .*ZeroDates/ });
      assert.equal((await loadWith({ ZeroDates: "epoch" }))["n"], "1970-01-01");
    });

    for (const format of ["pg-copy-text", "pg-copy-binary"] as const) {
      test(`values of tens of megabytes pass in pieces, by ${format}`, async () => {
        const schema = await server.createDatabase("huge");
        const database = await postgres.createDatabase("huge");
        await server.query(
          `create table h (id int primary key, v longtext, b longblob);
         insert into h values (1, repeat('0123456789\\n\\t', 3500000), repeat(x'00ff5c', 11500000)), (2, 'small', x'01')`,
          schema,
        );
        await postgres.query("create table h (id int, v text, b bytea)", database);
        const [table] = await describeTables(server, schema, ["h"]);
        const request = { taskId: "t", tables: [table!], anchor: "none" } as const;
        await using snapshot = await openSnapshot(server.endpoint(), request, signal);
        let largest = 0;
        for await (const { bytes } of read(snapshot, table!, whole, format))
          largest = Math.max(largest, bytes.length);
        assert(largest < 1 << 20, `${largest} bytes in a chunk`);
        await load({ server: postgres, database, into: "h", format }, snapshot, table!);
        const sums = "md5(v) as v, md5(b) as b";
        const ours = await server.query(`select id, ${sums}, length(v) as length from h order by id`, schema);
        const theirs = await postgres.query(
          `select id::text, ${sums}, length(v)::text as length from h order by id`,
          database,
        );
        assert.equal(ours[0]?.["length"], "42000000");
        assert.deepEqual(theirs, ours);
      });
    }

    test("JSON arrives as the document that it is", async () => {
      const schema = await server.createDatabase("docs");
      const database = await postgres.createDatabase("docs");
      const document = { text: 'quote " and \\ and \n', list: [1, 2.5, null, true], nested: { "ü€😀": {} } };
      await server.query("create table j (id int primary key, v json)", schema);
      const connection = await server.connect(schema);
      await connection.query("insert into j values (1, ?), (2, null)", [JSON.stringify(document)]);
      await connection.end();
      await postgres.query("create table j (id int, v jsonb)", database);
      const [table] = await describeTables(server, schema, ["j"]);
      const request = { taskId: "t", tables: [table!], anchor: "none" } as const;
      await using snapshot = await openSnapshot(server.endpoint(), request, signal);
      await load({ server: postgres, database, into: "j" }, snapshot, table!);
      const found = await postgres.query("select v from j order by id", database);
      assert.deepEqual(
        found.map(({ v }) => v),
        [document, null],
      );
    });
  });
}
