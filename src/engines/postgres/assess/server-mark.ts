import { randomBytes } from "node:crypto";
import type pg from "pg";
import type { MigrationPlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { ServerMark } from "../../../core/server-mark.ts";

const KIND = "pg-advisory-lock";

/**
 * See Source.marked: an advisory lock that nobody else has, of the one database that it is taken in. The system's
 * identifier would not do: a copy that was promoted, or restored from a backup, has it too.
 */
export async function marked<Result>(
  client: pg.Client,
  work: (mark: ServerMark) => Promise<Result>,
): Promise<Result> {
  const bytes = randomBytes(8);
  const keys = [bytes.readInt32BE(0), bytes.readInt32BE(4)];
  await client.query("select pg_advisory_lock_shared($1::int, $2::int)", keys);
  try {
    return await work({ kind: KIND, text: keys.join(" ") });
  } finally {
    await client.query("select pg_advisory_unlock_shared($1::int, $2::int)", keys);
  }
}

/** See Target.overwritten. */
export async function overwritten(
  client: pg.Client,
  { kind, text }: ServerMark,
  { tables }: MigrationPlan,
): Promise<readonly TableId[]> {
  if (kind !== KIND) return [];
  const { rows } = await client.query(
    `select from pg_catalog.pg_locks as lock join pg_catalog.pg_database as d on d.oid = lock.database
      where d.datname = current_database() and lock.locktype = 'advisory' and lock.objsubid = 2 and lock.granted
        and lock.classid::bigint::bit(32)::int = $1::int and lock.objid::bigint::bit(32)::int = $2::int`,
    text.split(" "),
  );
  if (rows.length === 0) return [];
  const written = new Set(tables.map(({ target }) => tableKey(target.id)));
  return tables.map(({ source }) => source.id).filter((id) => written.has(tableKey(id)));
}
