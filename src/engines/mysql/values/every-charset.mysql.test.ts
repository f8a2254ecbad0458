import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { BinlogSource } from "../../../../test/support/binlog-source.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { read } from "../../../../test/support/mysql-snapshot.ts";
import { never } from "../../../../test/support/replication.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { openSnapshot } from "../snapshot/snapshot.ts";

/*
 * Every character set of the servers that is no form of Unicode, with every code of one byte or two that has a character:
 * by the log and by full load they come as what the server itself converts them to.
 */

/** What stands in the place of what is no character. */
const REPLACED: ReadonlySet<string> = new Set(["3F", "EFBFBD"]);
const UNICODE: ReadonlySet<string> = new Set(
  "utf8 utf8mb3 utf8mb4 ucs2 utf16 utf16le utf32 binary".split(" "),
);

interface Codes {
  readonly name: string;
  /** By the first digits: the codes that have characters, and these as UTF-8, in hexadecimal digits. */
  readonly groups: ReadonlyMap<string, { readonly codes: string[]; readonly texts: string[] }>;
}

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`every character set of ${flavour}`, () => {
    let server: MysqlServer;
    let source: BinlogSource;
    let sets: readonly Codes[];
    const tableOf = (name: string): TableSchema => source.tables.find(({ id }) => id.name === name)!;

    before(async () => {
      server = await startMysql({ flavour });
      const names = await charsets(server);
      const tables = names.map(
        (name) => `create table ${name} (lead char(2) primary key, c text character set ${name})`,
      );
      source = await BinlogSource.make(server, tables.join("; "));
      sets = await Promise.all(names.map((name) => readCodes(server, name)));
    });
    after(async () => {
      await source?.[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    });

    test("comes with all characters by the log, and by full load", async (context) => {
      const from = await source.position();
      const inserts = sets.flatMap(({ name, groups }) =>
        [...groups].map(
          ([lead, { codes }]) => `insert into ${name} values ('${lead}', x'${codes.join("")}')`,
        ),
      );
      await source.query(`set sql_mode = ''; ${inserts.join("; ")}`);
      const log = await source.read(from);
      assert.deepEqual(log.misfits, []);
      const told = new Map<string, Map<string, string>>();
      for (const { table, after: row } of log.ops) {
        const rows = told.get(table.id.name) ?? new Map<string, string>();
        told.set(table.id.name, rows.set(row![0]!, row![1]!));
      }
      await using snapshot = await openSnapshot(
        source.endpoint,
        { taskId: "t", tables: source.tables, anchor: "none" },
        never,
      );
      let characters = 0;
      for (const { name, groups } of sets) {
        const wanted = new Map<string, string>();
        for (const [lead, { texts }] of groups) {
          wanted.set(lead, Buffer.from(texts.join(""), "hex").toString());
          characters += texts.length;
        }
        assert.deepEqual(told.get(name), wanted, `${name} by the log`);
        const texts: string[] = [];
        for await (const chunk of read(snapshot, tableOf(name))) texts.push(textOf(chunk));
        assert.deepEqual(loaded(texts.join("")), wanted, `${name} by full load`);
      }
      context.diagnostic(`${characters} characters of ${sets.length} sets`);
      assert.ok(sets.length >= 32 && characters > 90_000);
    });
  });
}

async function charsets(server: MysqlServer): Promise<readonly string[]> {
  const rows = await server.query("select character_set_name as name from information_schema.character_sets");
  return rows.map((row) => row["name"]!).filter((name) => !UNICODE.has(name));
}

const bytes = (first: number): string[] =>
  Array.from({ length: 256 - first }, (_, i) => (first + i).toString(16).padStart(2, "0"));
const listOf = (codes: readonly string[]): string =>
  `(${codes.map((one) => `select '${one}' as b`).join(" union all ")})`;

/** What the server makes of codes of one byte or two, but for 0, which other databases have in no text. */
async function readCodes(server: MysqlServer, name: string): Promise<Codes> {
  const stored = `convert(unhex(code) using ${name})`;
  const rows = await server.query(
    `select code, hex(convert(${stored} using utf8mb4)) as text from
       (select b as code from ${listOf(bytes(1))} s union all
        select concat(f.b, g.b) from ${listOf(bytes(0x80))} f, ${listOf(bytes(0x30))} g) codes
      where lower(hex(${stored})) = code and char_length(${stored}) = 1`,
  );
  const groups = new Map<string, { codes: string[]; texts: string[] }>();
  for (const { code, text } of rows) {
    if (REPLACED.has(text!) && code !== "3f") continue;
    const lead = code!.length === 2 ? "" : code!.slice(0, 2);
    const group = groups.get(lead) ?? { codes: [], texts: [] };
    groups.set(lead, group);
    group.codes.push(code!);
    group.texts.push(text!);
  }
  return { name, groups };
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** A chunk in COPY's text, without its frame. */
function textOf({ bytes }: RowChunk): string {
  return Buffer.from(bytes).subarray(5).toString();
}

/** Rows of two columns. */
function loaded(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").slice(0, -1);
  return new Map(
    rows.map((row) => {
      const [lead, c] = row.split("\t") as [string, string];
      return [lead, c.replace(/\\(.)/gs, (_, one: string) => ESCAPES[one] ?? one)];
    }),
  );
}
