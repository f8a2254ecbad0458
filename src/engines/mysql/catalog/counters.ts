import { type SequenceState, type TableId, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { qualified } from "./identifier.ts";

/**
 * Sets the numbers that AUTO_INCREMENT columns give out next; a counter goes by its table's name. Resolves with the ids
 * of those that are not there. A number that is in use already is passed over by the server itself.
 */
export async function setCounters(client: Client, states: readonly SequenceState[]): Promise<TableId[]> {
  const counters = await selectOfTables<OfTable>(
    client,
    states.map(({ id }) => id),
    (where) => `select table_schema as \`schema\`, table_name as \`table\` from information_schema.columns
      where ${where} and extra like '%auto_increment%'`,
  );
  const missing: TableId[] = [];
  for (const { id, last, isCalled } of states) {
    if (counters.get(tableKey(id))!.length === 0) {
      missing.push(id);
      continue;
    }
    const next = BigInt(last) + (isCalled ? 1n : 0n);
    // A counter that counts down, or from below one, has nothing to say here.
    if (next > 0n) await client.execute(`alter table ${qualified(id)} auto_increment = ${next}`);
  }
  return missing;
}
