import { randomBytes } from "node:crypto";
import type { MigrationPlan } from "../../../core/plan.ts";
import type { TableId } from "../../../core/schema.ts";
import { tableKey } from "../../../core/schema.ts";
import type { ServerMark } from "../../../core/server-mark.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";

const KIND = "mysql-lock";

/** What Percona XtraDB Cluster answers in its strict mode, which lets nobody lock by name. */
const ER_UNKNOWN_ERROR = 1105;

/**
 * See Source.marked: a lock of a name that nobody else has. server_uuid would not do: MariaDB has none, and a server that
 * was copied has that of the other. Where no such lock can be had, nobody sees the mark.
 */
export async function marked<Result>(
  client: Client,
  work: (mark: ServerMark) => Promise<Result>,
): Promise<Result> {
  const text = `tideway mark ${randomBytes(16).toString("hex")}`;
  const isHeld = await lock(client, text);
  try {
    return await work({ kind: KIND, text });
  } finally {
    if (isHeld) await client.query(`select release_lock(${literal(text)})`);
  }
}

async function lock(client: Client, name: string): Promise<boolean> {
  try {
    await client.query(`select get_lock(${literal(name)}, 0)`);
    return true;
  } catch (error) {
    if (serverFields(error)?.number === ER_UNKNOWN_ERROR) return false;
    throw error;
  }
}

/** See Target.overwritten. */
export async function overwritten(
  client: Client,
  { kind, text }: ServerMark,
  { tables }: MigrationPlan,
): Promise<readonly TableId[]> {
  if (kind !== KIND) return [];
  const [row] = await client.query<{ holder: string | null }>(
    `select is_used_lock(${literal(text)}) as holder`,
  );
  if (row!.holder === null) return [];
  const folds = client.facts.lowerCaseTableNames !== 0;
  const keyOf = (id: TableId): string => (folds ? tableKey(id).toLowerCase() : tableKey(id));
  const written = new Set(tables.map(({ target }) => keyOf(target.id)));
  return tables.map(({ source }) => source.id).filter((id) => written.has(keyOf(id)));
}
