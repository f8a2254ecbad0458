import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { qualified } from "../catalog/identifier.ts";
import { serverFields } from "../connection/errors.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { RELEASE } from "./row-read.ts";

/*
 * TRUNCATE of MySQL before 8.0 empties a table for everybody, also for transactions that began before; later servers and
 * MariaDB refuse the table to those (ER_TABLE_DEF_CHANGED). Whatever is inserted afterwards an older transaction does not
 * see, so a table that was truncated stays empty for it: one that held rows and holds none was truncated.
 */

export function showsTruncated(facts: ServerFacts): boolean {
  return facts.flavour === "mysql" && !atLeast(facts, 8);
}

/** Tables that are asked about in one statement. */
const ASKED_AT_ONCE = 50;

/** Keys of the tables that hold rows. One that cannot be read is not among them: whoever reads it is told. */
export async function filledTables(
  wire: WireSession,
  tables: readonly TableSchema[],
): Promise<ReadonlySet<string>> {
  const filled = new Set<string>();
  const ask = async (ids: readonly TableId[]): Promise<void> => {
    const one = (id: TableId, place: number): string => `(select ${place} from ${qualified(id)} limit 1)`;
    try {
      const rows = await wire.query(ids.map(one).join(" union all "));
      for (const [place] of rows) filled.add(tableKey(ids[Number(place)]!));
    } catch (error) {
      if (serverFields(error) === undefined) throw error;
      if (ids.length > 1) for (const id of ids) await ask([id]);
    }
  };
  const ids = tables.filter(({ isView }) => isView !== true).map(({ id }) => id);
  for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) await ask(ids.slice(at, at + ASKED_AT_ONCE));
  return filled;
}

/** Whether a session of a snapshot sees any row of a table, which is free for ALTER TABLE afterwards. */
export async function seesRows(wire: WireSession, id: TableId): Promise<boolean> {
  const rows = await wire.query(`select 1 from ${qualified(id)} limit 1; ${RELEASE}`);
  return rows.length > 0;
}
