import { failpoint } from "../../../base/failpoint.ts";
import type { TableOutcome } from "../../../core/error.ts";
import type { PostLoadStep } from "../../../core/post-load-step.ts";
import type { Index, TableId, TableSchema } from "../../../core/schema.ts";
import { checkDefinition, foreignKeyDefinition, hasChecks, indexDefinition } from "../catalog/ddl.ts";
import { identifier, literal, qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { eachTable } from "../connection/each-table.ts";
import { uncheckedKeys } from "../connection/foreign-key-checks.ts";
import { indexesOf } from "./post-load.ts";

/**
 * Runs steps of full load's end, of any tables. Each looks first whether its object is there, and is all or nothing, so
 * it may be run again after any crash.
 */
export function buildSteps(
  client: Client,
  steps: readonly PostLoadStep[],
): Promise<readonly TableOutcome<undefined>[]> {
  return eachTable(
    steps,
    ({ plan }) => plan.source.id,
    async (step) => {
      await buildStep(client, step);
      return undefined;
    },
  );
}

async function buildStep(client: Client, { plan, stage, object, subject }: PostLoadStep): Promise<void> {
  const table = plan.target;
  if (object === "index") await buildIndexes(client, table, indexesOf(table, stage));
  else if (object === "table") await client.query(`analyze no_write_to_binlog table ${qualified(table.id)}`);
  else if (object === "foreign-key") await buildReference(client, table, subject);
  else if (object === "check") await buildCheck(client, table, subject);
}

/** Those that are missing, in one statement; when that fails, one by one, so that one is not the others' fault. */
export async function buildIndexes(
  client: Client,
  table: TableSchema,
  indexes: readonly Index[],
): Promise<void> {
  const there = await indexNames(client, table.id);
  const missing = indexes.filter(({ name }) => !there.has(name.toLowerCase()));
  if (missing.length === 0) return;
  const alter = `alter table ${qualified(table.id)} add `;
  try {
    await client.execute(alter + missing.map(indexDefinition).join(", add "));
  } catch (error) {
    if (missing.length === 1) throw error;
    const failures: unknown[] = [];
    for (const index of missing) {
      try {
        await client.execute(alter + indexDefinition(index));
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** In lower case, as the server compares them. */
export async function indexNames(client: Client, { schema, name }: TableId): Promise<ReadonlySet<string>> {
  const rows = await client.query<{ name: string }>(
    `select distinct index_name as name from information_schema.statistics
      where table_schema = ${literal(schema)} and table_name = ${literal(name)}`,
  );
  return new Set(rows.map((row) => row.name.toLowerCase()));
}

/** Rows are looked at, unless the source has not looked at them itself. */
export async function buildReference(client: Client, table: TableSchema, name: string): Promise<void> {
  if (await hasConstraint(client, table.id, name)) return;
  const key = table.foreignKeys.find((one) => one.name === name)!;
  const add = `alter table ${qualified(table.id)} add ${foreignKeyDefinition(key)}`;
  // A script of the endpoint may have switched the checks off.
  if (key.validated) await client.execute(`set foreign_key_checks = 1; ${add}`);
  else await uncheckedKeys(client, () => client.execute(add));
  failpoint("build.foreign-key-added");
}

/** For a check that the source's rows may violate: the server looks at those that are there all the same. */
export async function buildCheck(client: Client, table: TableSchema, name: string): Promise<void> {
  if (!hasChecks(client.facts) || (await hasConstraint(client, table.id, name))) return;
  const check = table.checks.find((one) => one.name === name)!;
  await client.execute(`alter table ${qualified(table.id)} add ${checkDefinition(check)}`);
}

/** Drops a check that is there. */
export async function dropCheck(client: Client, table: TableId, name: string): Promise<void> {
  if (!(await hasConstraint(client, table, name))) return;
  const kind = client.facts.flavour === "mariadb" ? "constraint" : "check";
  await client.execute(`alter table ${qualified(table)} drop ${kind} ${identifier(name)}`);
}

async function hasConstraint(
  client: Client,
  { schema, name }: TableId,
  constraint: string,
): Promise<boolean> {
  const rows = await client.query(
    `select 1 as found from information_schema.table_constraints
      where table_schema = ${literal(schema)} and table_name = ${literal(name)}
        and constraint_name = ${literal(constraint)}`,
  );
  return rows.length > 0;
}
