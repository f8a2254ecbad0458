import type { TableSchema } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";
import {
  type CharacterTable,
  type Charset,
  isUtf8,
  tableEntry,
  unicodeCharset,
} from "../values/binlog-charset.ts";
import { literal } from "./identifier.ts";

/** Sets in which a byte from 0x80 on may make one character with the next, or with the next two. */
const PAIRS = new Set(["big5", "cp932", "eucjpms", "euckr", "gb2312", "gbk", "sjis", "ujis"]);
const TRIPLES = new Set(["eucjpms", "ujis"]);

/** Names of character sets by the numbers of their collations. */
export async function readCollations(client: Client): Promise<ReadonlyMap<number, string>> {
  // MariaDB's newer collations are of several sets, and have a number for each.
  const view =
    client.facts.flavour === "mariadb" && atLeast(client.facts, 10, 10)
      ? "collation_character_set_applicability"
      : "collations";
  const rows = await client.query<{ readonly id: string | null; readonly name: string }>(
    `select id, character_set_name as name from information_schema.${view}`,
  );
  return new Map(rows.flatMap(({ id, name }) => (id === null ? [] : [[Number(id), name] as const])));
}

/**
 * The character sets of tables' columns whose bytes are not UTF-8. The server says what each code stands for: its latin1
 * and most of the others differ from what is called so elsewhere.
 */
export async function readCharsets(
  client: Client,
  tables: readonly TableSchema[],
): Promise<ReadonlyMap<string, Charset>> {
  const names = new Set<string>();
  for (const { columns } of tables) {
    for (const { collation } of columns) {
      const name = collation?.split("_", 1)[0];
      if (name !== undefined && !isUtf8(name)) names.add(name);
    }
  }
  if (names.size === 0) return new Map();
  const rows = await client.query<{ readonly name: string; readonly width: string }>(
    `select character_set_name as name, maxlen as width from information_schema.character_sets
      where character_set_name in (${[...names].map(literal).join(", ")})`,
  );
  const charsets = new Map<string, Charset>();
  for (const { name, width } of rows) {
    const charset = width === "1" || PAIRS.has(name) ? await readTables(client, name) : unicodeCharset(name);
    if (charset !== undefined) charsets.set(name, charset);
  }
  return charsets;
}

async function readTables(client: Client, name: string): Promise<Charset> {
  const singles = await readTable(client, name, { digits: 2 });
  if (!PAIRS.has(name)) return { name, singles };
  const pairs = await readTable(client, name, { digits: 4 });
  if (!TRIPLES.has(name)) return { name, singles, pairs };
  return { name, singles, pairs, triples: await readTable(client, name, { digits: 4, prefix: "8F" }) };
}

/** What the codes of so many hexadecimal digits, behind a prefix, stand for. */
async function readTable(
  client: Client,
  name: string,
  { digits, prefix = "" }: { readonly digits: 2 | 4; readonly prefix?: string },
): Promise<CharacterTable> {
  const digit = [..."0123456789ABCDEF"].map((one) => `select '${one}' as d`).join(" union all ");
  const places = Array.from({ length: digits }, (_, i) => `p${i}`);
  const code = `concat(${places.map((place) => `${place}.d`).join(", ")})`;
  // The second byte of a pair is never one that stands for a control character.
  const where = digits === 4 ? "where p0.d >= '8' and p2.d >= '3'" : "";
  const rows = await client.query<{ readonly code: string; readonly text: string | null }>(
    `select code, convert(convert(unhex(concat('${prefix}', code)) using ${name}) using utf8mb4) as text
       from (select ${code} as code from ${places.map((place) => `(${digit}) ${place}`).join(", ")} ${where}) codes`,
  );
  const table = new Int32Array(16 ** digits);
  for (const row of rows) {
    // What is no character is NULL, or "?" in its place.
    if (row.text === null || (row.text === "?" && row.code !== "3F")) continue;
    table[Number.parseInt(row.code, 16)] = tableEntry(row.text);
  }
  return table;
}
