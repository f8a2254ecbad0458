import type { Replication } from "./replication.ts";

/** Versions between which sets are tested: a source before version 14 sends every value as text. */
export const SET_VERSIONS = [
  [12, 15],
  [18, 18],
] as const;

/**
 * The staging tables that applied a table's updates and deletes as sets. Sets that failed have left none behind.
 * Only where COPY into the table itself is not possible is there one for inserts.
 */
export async function stagesOf(r: Replication, table: string): Promise<readonly string[]> {
  const plan = r.plan.tables.findIndex(({ source }) => source.id.name === table);
  const rows = await r.queryTarget(
    `select relname from pg_class where relpersistence = 't' and relname ~ '^tideway_[bt]${plan}_[du]' order by 1`,
  );
  return rows.map(({ relname }) => relname.replace(/^tideway_[bt]\d+_/, ""));
}
