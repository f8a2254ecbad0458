import { createHash } from "node:crypto";
import type { TablePlan } from "../../../core/plan.ts";
import type { TableId, TableSchema } from "../../../core/schema.ts";
import { CONTROL_COMMENT } from "../../shared/apply/control-tables.ts";
import { createTable } from "../catalog/ddl.ts";
import { literal, qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";

export const TRIAL_PREFIX = "awsdms_trial_";
const PATTERN = literal(`${TRIAL_PREFIX.replaceAll("_", "\\_")}%`);

/**
 * Makes the table under another name and drops it: what the server refuses, as a row of more columns than a page has room
 * for, is told while the table that is there still is.
 */
export async function tryTable(client: Client, { target }: TablePlan): Promise<void> {
  const trial = trialOf(target);
  const drop = `drop table if exists ${qualified(trial.id)}`;
  await client.execute(drop);
  try {
    await client.execute(createTable(trial, client.facts));
  } finally {
    await client.execute(drop);
  }
}

/** Names of checks are the database's, and may be those of the table that is there. */
export function trialOf(table: TableSchema): TableSchema {
  const hash = createHash("sha256").update(table.id.name).digest("hex").slice(0, 16);
  const id: TableId = { schema: table.id.schema, name: `${TRIAL_PREFIX}${hash}` };
  return { ...table, id, checks: [], comment: CONTROL_COMMENT };
}

/** Drops what starts that were killed have left in databases. Another task's, made at this moment, has served when it is there. */
export async function dropTrials(client: Client, schemas: readonly string[]): Promise<void> {
  const of = `table_schema in (${schemas.map(literal).join(", ")}) and table_name`;
  // Names are found without a look into tables; a comment takes one.
  const named = await client.query<TableId>(
    `select table_schema as \`schema\`, table_name as name from information_schema.tables where ${of} like ${PATTERN}`,
  );
  if (named.length === 0) return;
  const trials = await client.query<TableId>(
    `select table_schema as \`schema\`, table_name as name from information_schema.tables
      where ${of} in (${named.map(({ name }) => literal(name)).join(", ")}) and table_comment = ${literal(CONTROL_COMMENT)}`,
  );
  for (const id of trials) {
    try {
      await client.execute(`drop table if exists ${qualified(id)}`);
    } catch (error) {
      // Who may not drop what another has left goes on beside it.
      if (serverFields(error) === undefined) throw error;
    }
  }
}
