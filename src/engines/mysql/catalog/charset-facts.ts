import type { TableSchema } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";
import {
  type CharacterTable,
  type Charset,
  charsetOf,
  isUtf8,
  tableEntry,
  unicodeCharset,
} from "../values/binlog-charset.ts";
import { decodeGb18030, FOUR_BYTE_CODES, FOUR_BYTE_LEADS, placeOfFour } from "../values/gb18030.ts";

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

/** The character sets of tables' columns. */
export function charsetsOf(tables: readonly TableSchema[]): ReadonlySet<string> {
  const collations = tables.flatMap(({ columns }) => columns.map(({ collation }) => collation));
  return new Set(collations.flatMap((one) => (one === undefined ? [] : [charsetOf(one)])));
}

/** The collation of each character set that is named without one. */
export async function readDefaultCollations(client: Client): Promise<ReadonlyMap<string, string>> {
  const rows = await client.query<{ readonly name: string; readonly collation: string }>(
    "select character_set_name as name, default_collate_name as collation from information_schema.character_sets",
  );
  const defaults = new Map(rows.map(({ name, collation }) => [name, collation]));
  const { facts } = client;
  if (facts.flavour === "mariadb" && atLeast(facts, 11, 2)) {
    const [row] = await client.query<{ readonly value: string }>(
      "select @@global.character_set_collations as value",
    );
    for (const pair of (row?.value ?? "").split(",")) {
      const [name, collation] = pair.split("=");
      if (name !== undefined && collation !== undefined) defaults.set(name, collation);
    }
  }
  return defaults;
}

/**
 * Character sets whose bytes are not UTF-8, those of these names or all. The server says what each code stands for: its
 * latin1 and most of the others differ from what is called so elsewhere.
 */
export async function readCharsets(
  client: Client,
  names: ReadonlySet<string> | "all",
): Promise<ReadonlyMap<string, Charset>> {
  const isWanted = (name: string): boolean => !isUtf8(name) && (names === "all" || names.has(name));
  if (names !== "all" && ![...names].some(isWanted)) return new Map();
  const rows = await client.query<{ readonly name: string; readonly width: string }>(
    "select character_set_name as name, maxlen as width from information_schema.character_sets",
  );
  const charsets = new Map<string, Charset>();
  for (const { name, width } of rows) {
    const charset = isWanted(name) ? await readCharset(client, name, width) : undefined;
    if (charset !== undefined) charsets.set(name, charset);
  }
  return charsets;
}

async function readCharset(client: Client, name: string, width: string): Promise<Charset | undefined> {
  if (name === "gb18030") return await readGb18030(client);
  return width === "1" || PAIRS.has(name) ? await readTables(client, name) : unicodeCharset(name);
}

async function readTables(client: Client, name: string): Promise<Charset> {
  const singles = await readTable(client, name, { digits: 2 });
  if (!PAIRS.has(name)) return { name, singles };
  const pairs = await readTable(client, name, { digits: 4 });
  if (!TRIPLES.has(name)) return { name, singles, pairs };
  return { name, singles, pairs, triples: await readTable(client, name, { digits: 4, prefix: "8F" }) };
}

async function readGb18030(client: Client): Promise<Charset> {
  const name = "gb18030";
  const pairs = new Int32Array(1 << 16);
  for (const [code, text] of await readCodes(client, name, { parts: [LEADS, TRAILS] })) {
    if ([...text].length === 1) pairs[Number.parseInt(code, 16)] = text.codePointAt(0)!;
  }
  const fours = new Int32Array(FOUR_BYTE_CODES);
  const digits = hexBytes(0x30, 0x39);
  const parts = [FOUR_BYTE_LEADS, digits, LEADS, digits];
  for (const [code, text] of await readCodes(client, name, { parts })) {
    const place = placeOfFour(Buffer.from(code, "hex"), 0)!;
    if ([...text].length === 1) fours[place] = text.codePointAt(0)!;
  }
  return { name, decode: (bytes) => decodeGb18030({ pairs, fours }, bytes) };
}

function hexBytes(first: number, last: number): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, i) =>
    (first + i).toString(16).toUpperCase().padStart(2, "0"),
  );
}

const LEADS = hexBytes(0x80, 0xff);
/** The second byte of a pair is never one that stands for a control character. */
const TRAILS = hexBytes(0x30, 0xff);

/** What the codes of one byte or two, behind a prefix, stand for. */
async function readTable(
  client: Client,
  name: string,
  { digits, prefix = "" }: { readonly digits: 2 | 4; readonly prefix?: string },
): Promise<CharacterTable> {
  const parts = digits === 2 ? [hexBytes(0, 0xff)] : [LEADS, TRAILS];
  const table = new Int32Array(16 ** digits);
  for (const [code, text] of await readCodes(client, name, { parts, prefix })) {
    table[Number.parseInt(code, 16)] = tableEntry(text);
  }
  return table;
}

/** Codes, in hexadecimal digits without the prefix, and what the server says that each stands for. */
async function readCodes(
  client: Client,
  name: string,
  { parts, prefix = "" }: { readonly parts: readonly (readonly string[])[]; readonly prefix?: string },
): Promise<readonly (readonly [code: string, text: string])[]> {
  const lists = parts.map(
    (bytes, i) => `(${bytes.map((one) => `select '${one}' as b`).join(" union all ")}) p${i}`,
  );
  const code = `concat(${parts.map((_, i) => `p${i}.b`).join(", ")})`;
  const rows = await client.query<{ readonly code: string; readonly text: string | null }>(
    `select code, convert(convert(unhex(concat('${prefix}', code)) using ${name}) using utf8mb4) as text
       from (select ${code} as code from ${lists.join(", ")}) codes`,
  );
  // What is no character is NULL, or "?" in its place.
  return rows.flatMap((row) =>
    row.text === null || (row.text === "?" && row.code !== "3F") ? [] : [[row.code, row.text] as const],
  );
}
