import type { TableSchema } from "../../core/schema.ts";
import { type Charset, isUtf8, multiByteCharset, singleByteCharset } from "./binlog-charset.ts";
import type { Client } from "./client.ts";
import { literal } from "./identifier.ts";
import { atLeast } from "./server-facts.ts";

/** Every byte once, as SQL writes it. */
const ALL_BYTES = `0x${Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("hex")}`;

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
 * The character sets of tables' columns whose bytes are not UTF-8. Of a set of one byte the server says what each
 * stands for, as its latin1 and others differ from what is called so elsewhere.
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
    const charset = width === "1" ? await readSingleByte(client, name) : multiByteCharset(name);
    if (charset !== undefined) charsets.set(name, charset);
  }
  return charsets;
}

async function readSingleByte(client: Client, name: string): Promise<Charset> {
  const [row] = await client.query<{ readonly digits: string }>(
    `select hex(convert(convert(${ALL_BYTES} using ${name}) using utf8mb4)) as digits`,
  );
  return singleByteCharset(name, [...Buffer.from(row!.digits, "hex").toString("utf8")]);
}
