import type { MigrationError, TableOutcome } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { PreparedTable, PrepareRequest, SchemaRequest } from "../../../core/target.ts";
import { goneBeforeReload, inUse, mismatch, NOT_A_TABLE } from "../../shared/catalog/table-misfit.ts";
import { createSchema, createTable } from "../catalog/ddl.ts";
import { identifier, literal, qualified } from "../catalog/identifier.ts";
import {
  checkColumns,
  findReferrers,
  findTables,
  hasRows,
  isTable,
  type TargetTable,
} from "../catalog/target-table.ts";
import type { Client } from "../connection/client.ts";
import { eachTable } from "../connection/each-table.ts";
import { uncheckedKeys } from "../connection/foreign-key-checks.ts";
import { dropTrials, tryTable } from "./trial-table.ts";

/*
 * Every statement that makes or drops something commits by itself. So each looks at what is there, and a crash between
 * two of them leaves what the next attempt finds and goes on with.
 */

/** Which of these tables are there. */
export async function existingTables(client: Client, tables: readonly TableId[]): Promise<TableId[]> {
  const found = await findTables(client, tables);
  return [...found.values()].map(({ id }) => id);
}

/** Databases that are not there yet. Those that are there stay as they are, but for what a killed start has left. */
export async function prepareSchema(client: Client, { plan }: SchemaRequest): Promise<MigrationError[]> {
  const wanted = new Set(plan.tables.map(({ target }) => target.id.schema));
  if (wanted.size === 0) return [];
  const rows = await client.query<{ name: string }>(
    `select schema_name as name from information_schema.schemata
      where schema_name in (${[...wanted].map(literal).join(", ")})`,
  );
  const there = rows.map(({ name }) => name);
  if (there.length > 0) await dropTrials(client, there);
  for (const name of there) wanted.delete(name);
  for (const name of wanted) await client.execute(createSchema(name, client.facts));
  return [];
}

/** Makes tables ready to be loaded. An outcome for each of them, in their order. */
export async function prepareTables(
  client: Client,
  requests: readonly PrepareRequest[],
): Promise<readonly TableOutcome<PreparedTable>[]> {
  const existing = await findTables(
    client,
    requests.map(({ plan }) => plan.target.id),
  );
  const migrated = new Set(requests[0]?.migration.tables.map(({ target }) => tableKey(target.id)));
  return eachTable(
    requests,
    ({ plan }) => plan.source.id,
    (request) => {
      const there = existing.get(tableKey(request.plan.target.id));
      return prepareTable(client, request, { there, migrated });
    },
  );
}

interface Surroundings {
  readonly there: TargetTable | undefined;
  /** Keys of the tables that the task makes or loads. */
  readonly migrated: ReadonlySet<string>;
}

async function prepareTable(
  client: Client,
  { plan, mode }: PrepareRequest,
  { there, migrated }: Surroundings,
): Promise<PreparedTable> {
  if (there === undefined || mode === "drop-and-create") {
    if (there !== undefined) {
      await tryTable(client, plan);
      await dropTable(client, there, { plan, migrated });
    }
    await client.execute(createTable(plan.target, client.facts));
    return { keepsRows: false };
  }
  checkColumns(there, plan);
  if (mode === "do-nothing") return { keepsRows: await hasRows(client, there.id) };
  await clearTable(client, there, { plan, migrated });
  return { keepsRows: false };
}

/** Empties a table that is to be loaded again. One that is not there is `target.table_mismatch`. */
export async function emptyTable(client: Client, plan: TablePlan): Promise<void> {
  const { id } = plan.target;
  const there = (await findTables(client, [id])).get(tableKey(id));
  if (there === undefined) {
    throw goneBeforeReload(plan);
  }
  // The same rows come back, so it does not matter who refers to them.
  await clearTable(client, there, { plan, migrated: undefined });
}

interface DropOptions {
  readonly plan: TablePlan;
  readonly migrated: ReadonlySet<string>;
}

/**
 * Foreign keys of tables that the task makes anew go with the table; one of another table is in the way, for it would
 * refer to nothing.
 */
async function dropTable(client: Client, table: TargetTable, { plan, migrated }: DropOptions): Promise<void> {
  if (!isTable(table)) throw mismatch(plan, NOT_A_TABLE);
  const referrers = await findReferrers(client, table.id);
  const foreign = referrers.filter((referrer) => !migrated.has(tableKey(referrer)));
  if (foreign.length > 0) {
    throw inUse(plan, "Foreign keys of tables outside the task refer to the table", foreign);
  }
  for (const referrer of referrers) {
    await client.execute(
      `alter table ${qualified(referrer)} drop foreign key ${identifier(referrer.constraint)}`,
    );
  }
  await client.execute(`drop table ${qualified(table.id)}`);
}

interface ClearOptions {
  readonly plan: TablePlan;
  /** Undefined: it does not matter who refers to the table's rows. */
  readonly migrated: ReadonlySet<string> | undefined;
}

/**
 * Empties a table, whatever refers to it in the task: those rows come back. Rows of a table outside the task are never
 * orphaned. TRUNCATE needs the right to drop the table; without it the rows are deleted one by one.
 */
export async function clearTable(
  client: Client,
  table: TargetTable,
  { plan, migrated }: ClearOptions,
): Promise<void> {
  if (migrated !== undefined) {
    const inTheWay = [];
    for (const referrer of await findReferrers(client, table.id)) {
      if (!migrated.has(tableKey(referrer)) && (await hasRows(client, referrer))) inTheWay.push(referrer);
    }
    if (inTheWay.length > 0) {
      throw inUse(plan, "Rows of tables outside the task refer to the table", inTheWay);
    }
  }
  const name = qualified(table.id);
  await uncheckedKeys(client, async () => {
    try {
      await client.execute(`truncate table ${name}`);
    } catch (error) {
      if (!isDenied(error)) throw error;
      await client.execute(`delete from ${name}`);
    }
  });
}

const DENIED: ReadonlySet<unknown> = new Set([1044, 1142, 1227]);

function isDenied(error: unknown): boolean {
  return error instanceof Error && "errno" in error && DENIED.has(error.errno);
}
