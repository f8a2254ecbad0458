import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables, read, rowsOf, whole } from "../../../../test/support/mysql-snapshot.ts";
import type { MigrationError } from "../../../core/error.ts";
import { charsetsOf, readCharsets } from "../catalog/charset-facts.ts";
import { connect } from "../connection/connection.ts";
import { writeText } from "../values/binlog-charset.ts";
import { CellBuffer } from "../values/cell-buffer.ts";
import { readColumns } from "./read-columns.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;

/** Sets of single bytes, then those of pairs. */
const SETS = [
  ...[
    "ascii",
    "latin1",
    "latin2",
    "latin5",
    "latin7",
    "greek",
    "hebrew",
    "koi8r",
    "koi8u",
    "cp1250",
    "cp1251",
  ],
  ...["cp1256", "cp1257", "cp850", "cp852", "cp866", "macce", "macroman", "tis620", "armscii8", "geostd8"],
  ...["hp8", "dec8", "swe7", "keybcs2"],
  ...["sjis", "ujis"],
];

suite("texts that a column's character set has no character for", () => {
  for (const flavour of ["mariadb", "mysql"] as const) {
    test(`of ${flavour} are the same for the load and for the log, code by code`, async () => {
      await using server = await startMysql({ flavour });
      const schema = await server.createDatabase("codes");
      const bytes = (name: string): string =>
        `(select a.i * 16 + b.i as byte from (${sixteen}) a, (${sixteen}) b) ${name}`;
      const sixteen = Array.from({ length: 16 }, (_, i) => `select ${i} as i`).join(" union all ");
      await server.query(
        `create table singles (code varchar(4)); create table pairs (code varchar(4));
         insert into singles select lpad(hex(byte), 2, '0') as code from ${bytes("x")};
         insert into pairs select code from singles union all
           select concat(hex(x.byte), hex(y.byte)) from ${bytes("x")}, ${bytes("y")} where x.byte >= 128 and y.byte >= 48`,
        schema,
      );
      let refused = 0;
      for (const set of SETS) {
        const codes = SETS.indexOf(set) < SETS.indexOf("sjis") ? "singles" : "pairs";
        // Codes that are not well formed do not come in; two question marks are characters all the same.
        await server.query(
          `set sql_mode = ''; set sql_log_bin = 0; create table ${set} (code varchar(4), c varchar(9) character set ${set});
           insert ignore into ${set}
             select code, concat(0x3f, convert(unhex(code) using ${set}), 0x3f) from ${codes};
           delete from ${set} where hex(c) <> concat('3F', code, '3F') or c is null`,
          schema,
        );
        const told = await toldByTables(server, schema, set);
        const [, column] = readColumns((await describeTables(server, schema, [set]))[0]!);
        const { expression, isChecked } = column!;
        const sent = isChecked ? expression : `convert(${expression} using utf8mb4)`;
        const rows = await server.query(`select code, hex(${sent}) as hex from ${set} order by code`, schema);
        assert.ok(rows.length >= 128, set);
        for (const { code, hex } of rows) {
          assert.equal(hex, told(code!), `${set} ${code}`);
          if (hex === "FF") refused++;
        }
      }
      assert.ok(refused > 1000, `${refused} codes are none`);
    });

    test(`set a table of ${flavour} aside, also in rows that come in pieces`, async () => {
      await using server = await startMysql({ flavour });
      const schema = await server.createDatabase("refused");
      await server.query(
        `create table s (id int primary key, c varchar(20) character set cp1251, l longtext character set greek);
         create table l like s; create table a (id int primary key, c varchar(20) character set ascii); create table ok like s;
         insert into s values (1, 'привет?', 'αβγ'), (2, x'98', null);
         insert into l values (1, null, repeat('αβγ', 100000)), (2, x'3f98', repeat('αβγ', 100000));
         insert into a values (1, 'a'), (2, x'80');
         insert into ok values (1, '?', repeat('α?', 100000)), (2, '', null)`,
        schema,
      );
      const tables = await describeTables(server, schema, ["a", "l", "ok", "s"]);
      await using snapshot = await openSnapshot(
        server.endpoint(),
        { taskId: "t", tables, anchor: "none" },
        signal,
      );
      const [a, l, ok, s] = tables;
      for (const format of ["pg-copy-text", "pg-copy-binary"] as const) {
        // More often than there are sessions: each is of use afterwards.
        for (let i = 0; i < 9; i++) {
          for (const table of [a!, l!, s!]) {
            await assert.rejects(readAll(read(snapshot, table, whole, format)), {
              code: "source.charset",
              table: table.id,
              message: /^The column c holds bytes that are no character of (?:cp1251|ascii)\.$/,
            });
          }
        }
      }
      assert.equal(await rowsOf(snapshot, ok!), 2);
    });
  }
});

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const chunk of rows) void chunk;
}

/** What the log's decoder makes of a code between two question marks, in hexadecimal digits. */
async function toldByTables(
  server: MysqlServer,
  schema: string,
  set: string,
): Promise<(code: string) => string> {
  const tables = await describeTables(server, schema, [set]);
  const client = await connect(server.endpoint(), { side: "source", purpose: "test" }, signal);
  try {
    const charset = (await readCharsets(client, charsetsOf(tables))).get(set)!;
    return (code) => {
      const out = new CellBuffer();
      const bytes = Buffer.from(`3F${code}3F`, "hex");
      try {
        writeText(out, charset, bytes, 0, bytes.length);
      } catch (error) {
        assert.equal((error as MigrationError).code, "source.charset");
        return "FF";
      }
      return Buffer.from(out.take()).toString("hex").toUpperCase();
    };
  } finally {
    await client.end();
  }
}
