import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import {
  columnMisfit,
  mismatch,
  NOT_A_TABLE,
  names,
  type Referrer,
} from "../../shared/catalog/table-misfit.ts";
import type { Client } from "../connection/client.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { literal, qualified } from "./identifier.ts";
import { type TargetColumn, targetColumns } from "./target-columns.ts";

/** What stands on the target under the name of a table of the plan. */
export interface TargetTable {
  readonly id: TableId;
  /** TABLE_TYPE: BASE TABLE, VIEW, SEQUENCE, SYSTEM VERSIONED. */
  readonly kind: string;
  /** Undefined for what has none, as a view. */
  readonly engine: string | undefined;
  /** By the engine's own reckoning. */
  readonly estimatedRows: number;
  readonly columns: readonly TargetColumn[];
}

interface TableRow extends OfTable {
  readonly kind: string;
  readonly engine: string | null;
  readonly estimated: string | null;
}

/** Those of the named tables that are there, by key. */
export async function findTables(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, TargetTable>> {
  const rows = await selectOfTables<TableRow>(
    client,
    ids,
    (
      where,
    ) => `select table_schema as \`schema\`, table_name as \`table\`, table_type as kind, engine as engine,
      table_rows as estimated from information_schema.tables where ${where}`,
  );
  const there = ids.filter((id) => rows.get(tableKey(id))!.length > 0);
  const columns = await targetColumns(client, there);
  return new Map(
    there.map((id) => {
      const key = tableKey(id);
      const { kind, engine, estimated } = rows.get(key)![0]!;
      const table = {
        id,
        kind,
        engine: engine ?? undefined,
        estimatedRows: Number(estimated ?? 0),
        columns: columns.get(key) ?? [],
      };
      return [key, table];
    }),
  );
}

export function isTable({ kind }: Pick<TargetTable, "kind">): boolean {
  return kind === "BASE TABLE" || kind === "SYSTEM VERSIONED";
}

/** Throws `target.table_mismatch` when rows of the source cannot be put into what is there. */
export function checkColumns(table: TargetTable, plan: TablePlan): void {
  const reason = misfit(table, plan);
  if (reason !== undefined) throw mismatch(plan, reason);
}

/** What keeps rows of the source out of what is there: a part of a sentence about the table, or undefined. */
export function misfit(table: TargetTable, plan: TablePlan): string | undefined {
  if (!isTable(table)) return NOT_A_TABLE;
  const written = plan.target.columns.filter((_, i) => plan.source.columns[i]!.generated === undefined);
  const reason = columnMisfit(
    table.columns,
    written.map(({ name }) => name),
    plan,
  );
  if (reason !== undefined) return reason;
  const there = new Map(table.columns.map((column) => [column.name, column]));
  const full = plan.target.columns.filter(({ name }, i) => {
    const source = plan.source.columns[i]!;
    const column = there.get(name);
    return source.nullable && source.generated === undefined && column !== undefined && turnsNull(column);
  });
  return full.length === 0 ? undefined : `it puts something else in the place of NULL into ${names(full)}`;
}

/**
 * Whether the server takes NULL for a column that has none, and makes a number or the current time of it: for
 * AUTO_INCREMENT, and for TIMESTAMP without explicit_defaults_for_timestamp. Other columns refuse it.
 */
function turnsNull({ nullable, counts, dataType }: TargetColumn): boolean {
  return !nullable && (counts || dataType === "timestamp");
}

/** Foreign keys of other tables that point at this one. */
export async function findReferrers(client: Client, id: TableId): Promise<readonly Referrer[]> {
  const rows = await client.query<Referrer>(
    `select distinct table_schema as \`schema\`, table_name as name, constraint_name as \`constraint\`
       from information_schema.key_column_usage
      where referenced_table_schema = ${literal(id.schema)} and referenced_table_name = ${literal(id.name)}
      order by 1, 2, 3`,
  );
  return rows.filter(({ schema, name }) => schema !== id.schema || name !== id.name);
}

export async function hasRows(client: Client, id: TableId): Promise<boolean> {
  const rows = await client.query(`select 1 as found from ${qualified(id)} limit 1`);
  return rows.length > 0;
}
