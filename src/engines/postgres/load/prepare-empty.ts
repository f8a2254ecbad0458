import type pg from "pg";
import type { TablePlan } from "../../../core/plan.ts";
import type { TableId } from "../../../core/schema.ts";
import { inUse, type Referrer } from "../../shared/catalog/table-misfit.ts";
import { qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { type ActingReferrer, findReferrers, ownRows, type TargetTable } from "../catalog/target-table.ts";
import { errorCode } from "../connection/error-code.ts";

const FOREIGN_KEY_VIOLATION = "23503";
const RESTRICT_VIOLATION = "23001";
const INSUFFICIENT_PRIVILEGE = "42501";

export interface ClearOptions {
  readonly plan: TablePlan;
  /** Whether a table that refers to this one is loaded by the task too. */
  readonly isMigrated: (table: TableId) => boolean;
}

/**
 * Empties a table in the client's transaction.
 *
 * TRUNCATE is a privilege of its own, and refuses a table that foreign keys point at, even when nothing refers
 * to its rows. Without it the rows are deleted one by one with the foreign keys' triggers off, so that nothing cascades into
 * tables that may be loaded already. Rows of a table outside the task are never orphaned, nor deleted
 * by a cascade: then nothing is done and `target.table_in_use` names that table.
 */
export async function clearTable(
  client: pg.Client,
  table: TargetTable,
  options: ClearOptions,
): Promise<void> {
  const { plan, isMigrated } = options;
  const name = qualified(table.id);
  const referrers = await findReferrers(client, table);
  if (table.kind === "f") {
    await client.query(`delete from ${name}`);
    return;
  }
  if (referrers.length === 0 && (await truncated(client, table))) return;
  const inTheWay = await withRows(
    client,
    referrers.filter((referrer) => !isMigrated({ schema: referrer.schema, name: referrer.name })),
  );
  if (inTheWay.length > 0) {
    throw inUse(plan, "Rows of tables outside the task refer to the table", inTheWay);
  }
  if (!(await turnTriggersOff(client))) await refuseCascades(client, referrers, plan);
  try {
    await client.query(`delete from ${ownRows(table)}`);
  } catch (error) {
    const code = errorCode(error);
    if (code !== FOREIGN_KEY_VIOLATION && code !== RESTRICT_VIOLATION) throw error;
    throw inUse(plan, "Rows of other tables refer to the table", referrers);
  }
}

/** False when the user may not, who may then still delete the rows. */
function truncated(client: pg.Client, table: TargetTable): Promise<boolean> {
  return isPermitted(client, `truncate ${ownRows(table)}`);
}

/** Until the end of the transaction; false when the user may not. */
function turnTriggersOff(client: pg.Client): Promise<boolean> {
  return isPermitted(client, "set local session_replication_role = replica");
}

async function isPermitted(client: pg.Client, statement: string): Promise<boolean> {
  try {
    await client.query(`savepoint attempt; ${statement}`);
    return true;
  } catch (error) {
    if (errorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    await client.query("rollback to savepoint attempt");
    return false;
  }
}

async function refuseCascades(
  client: pg.Client,
  referrers: readonly ActingReferrer[],
  plan: TablePlan,
): Promise<void> {
  const changing = referrers.filter(({ onDelete }) => onDelete !== "a" && onDelete !== "r");
  const inTheWay = await withRows(client, changing);
  if (inTheWay.length === 0) return;
  throw inUse(plan, "Deleting the table's rows would change other tables", inTheWay);
}

async function withRows(client: pg.Client, referrers: readonly Referrer[]): Promise<Referrer[]> {
  const found: Referrer[] = [];
  for (const referrer of referrers) {
    const [row] = await selectJson<{ found: boolean }>(
      client,
      `select exists (select from ${qualified(referrer)}) as found`,
    );
    if (row!.found) found.push(referrer);
  }
  return found;
}
