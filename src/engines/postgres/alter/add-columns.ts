import type pg from "pg";
import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import type { ColumnAddition } from "../../../core/target.ts";
import { goneBeforeAlteration } from "../../shared/catalog/table-misfit.ts";
import { qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { addColumn } from "../catalog/ddl.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { findTables, hasVirtualColumns, type TargetTable } from "../catalog/target-table.ts";
import { inTurn } from "../connection/in-turn.ts";

/**
 * Adds what is missing of a table's columns, in one transaction. A partition gets them from the table above it, where
 * that has none of the `others`: tables that do not get the same. Throws what the server refuses as the driver has it,
 * `target.table_mismatch` where there is no such table, and `source.table_changed` for a partition that got them alone.
 */
export async function addColumns(
  client: pg.Client,
  { plan, columns }: ColumnAddition,
  others: readonly TableId[],
): Promise<void> {
  const { target } = plan;
  await inTurn(client, async () => {
    const found = (await findTables(client, [target.id])).get(tableKey(target.id));
    if (found === undefined) throw goneBeforeAlteration(plan);
    const present = new Set(found.columns.map(({ name }) => name));
    const missing = columns
      .map((ordinal) => target.columns[ordinal]!)
      .filter(({ name }) => !present.has(name));
    const options = { sequences: [], virtualColumns: await hasVirtualColumns(client) };
    const table = { ...target, id: await partitionRoot(client, found) };
    if (missing.length > 0 && hasSome(await partitionsOf(client, table.id), others)) throw alteredAlone(plan);
    const statements = missing.flatMap((column) => addColumn(table, column, options));
    if (statements.length > 0) await runNative(client, target.id.schema, statements);
  });
}

/** The partitioned table above all others that a partition is part of; any other table itself. */
export async function partitionRoot(client: pg.Client, { id, oid }: TargetTable): Promise<TableId> {
  const [root] = await selectJson<TableId>(
    client,
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.oid = pg_partition_root($1::oid)`,
    [oid],
  );
  return root ?? id;
}

/** The tables with rows below a partitioned table; none for one without partitions. */
export async function partitionsOf(client: pg.Client, root: TableId): Promise<readonly TableId[]> {
  return selectJson<TableId>(
    client,
    `select n.nspname as schema, c.relname as name from pg_partition_tree($1::text::regclass) t
       join pg_class c on c.oid = t.relid join pg_namespace n on n.oid = c.relnamespace where t.isleaf`,
    [qualified(root)],
  );
}

/** Text of the columns that a table gets, in target names. */
export function addedNames({ plan, columns }: ColumnAddition): string {
  return JSON.stringify(columns.map((ordinal) => plan.target.columns[ordinal]!.name).toSorted());
}

function hasSome(below: readonly TableId[], others: readonly TableId[]): boolean {
  const keys = new Set(others.map(tableKey));
  return below.some((id) => keys.has(tableKey(id)));
}

/** The target would do the same to the other partitions. */
export function alteredAlone({ source }: TablePlan): MigrationError {
  return tableChanged(
    source.id,
    "was altered by itself, and the target's is a partition of one that was not",
  );
}
