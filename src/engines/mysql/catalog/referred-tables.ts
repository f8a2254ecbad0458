import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { describe } from "./catalog.ts";
import type { TypeChoices } from "./type-map.ts";

/** Tables that are not among some, but that foreign keys of these refer to which act by themselves. */
export async function describeReferred(
  client: Client,
  tables: readonly TableSchema[],
  choices: TypeChoices,
): Promise<readonly TableSchema[]> {
  const known = new Set(tables.map(({ id }) => tableKey(id)));
  const missing = new Map<string, TableId>();
  for (const { foreignKeys } of tables) {
    for (const { silent, references } of foreignKeys) {
      const key = tableKey(references);
      if (silent !== undefined && !known.has(key)) missing.set(key, references);
    }
  }
  return missing.size === 0 ? [] : (await describe(client, [...missing.values()], choices)).tables;
}
