import type { EndpointConfig } from "../../../core/engine.ts";
import { type Catalog, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { DescribeRequest } from "../../../core/source.ts";
import type { ShapedTable, TableShape } from "../../../core/table-shape.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";
import { describeColumns, type FoundColumn } from "./catalog-columns.ts";
import {
  describeChecks,
  describeForeignKeys,
  type TableChecks,
  withoutJsonChecks,
} from "./catalog-constraints.ts";
import { describeIndexes, type TableIndex } from "./catalog-indexes.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { identitySequence } from "./catalog-sequences.ts";
import { literal } from "./identifier.ts";
import { describePartitions } from "./stored-partitions.ts";
import { tableIdentity } from "./table-keys.ts";
import { compareShapes, tableShape } from "./table-shape.ts";
import type { TypeChoices } from "./type-map.ts";

/** Databases that are the server's own. */
export const systemSchemas: readonly string[] = ["mysql", "information_schema", "performance_schema", "sys"];
/** Where control tables of AWS DMS and of Tideway are. */
const CONTROL = ["awsdms_control"];
const IS_USERS = (column: string): string =>
  `lower(${column}) not in (${[...systemSchemas, ...CONTROL].map(literal).join(", ")})`;

/** MariaDB calls a table whose history it keeps by a name of its own. */
const TABLE_TYPES = "('BASE TABLE', 'SYSTEM VERSIONED')";
const VIEW = "VIEW";

/** The users' databases by name; of an endpoint that names a database that one. */
export async function listSchemas(
  client: Client,
  { database }: Pick<EndpointConfig, "database">,
): Promise<string[]> {
  const rows = await client.query<{ name: string }>(
    `select schema_name as name from information_schema.schemata where ${IS_USERS("schema_name")}`,
  );
  const names = rows.map(({ name }) => name).sort();
  return database === "" ? names : names.filter((name) => name === database);
}

/** Tables of the users' databases without views, sequences, and DMS's control tables. */
export function listTables(client: Client, endpoint: Pick<EndpointConfig, "database">): Promise<TableId[]> {
  return listRelations(client, endpoint, TABLE_TYPES);
}

export function listViews(client: Client, endpoint: Pick<EndpointConfig, "database">): Promise<TableId[]> {
  return listRelations(client, endpoint, `('${VIEW}')`);
}

async function listRelations(
  client: Client,
  endpoint: Pick<EndpointConfig, "database">,
  types: string,
): Promise<TableId[]> {
  const only = endpoint.database === "" ? "" : `and table_schema = ${literal(endpoint.database)}`;
  const rows = await client.query<TableId>(
    `select table_schema as \`schema\`, table_name as name from information_schema.tables
      where table_type in ${types} and ${IS_USERS("table_schema")} ${only}
        and table_name not like 'awsdms\\_%'`,
  );
  const tables = rows.map(({ schema, name }) => ({ schema, name }));
  const own = endpoint.database === "" ? tables : tables.filter(({ schema }) => schema === endpoint.database);
  return own.sort((a, b) => compareTexts(a.schema, b.schema) || compareTexts(a.name, b.name));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

interface TableRow extends OfTable {
  readonly rowCount: string | null;
  readonly bytes: string | null;
  readonly collation: string | null;
  readonly comment: string;
  readonly options: string | null;
  readonly type: string;
}

/** The named tables, in a fixed number of queries for each of their databases; a table that has gone is left out. */
export async function describe(
  client: Client,
  wanted: readonly TableId[],
  { views = [], ...choices }: TypeChoices & Pick<DescribeRequest, "views">,
): Promise<Catalog> {
  const rows = new Map([
    ...(await tableRows(client, wanted)),
    ...(await tableRows(client, views, `('${VIEW}')`)),
  ]);
  const ids = [...wanted, ...views].filter((id) => rows.has(tableKey(id)));
  const checks = await describeChecks(client, ids);
  const columns = await describeColumns(client, ids, { choices, json: jsonColumns(checks) });
  const indexes = await describeIndexes(client, ids, columns);
  const foreignKeys = await describeForeignKeys(client, ids);
  const partitioned = ids.filter((id) => /\bpartitioned\b/i.test(rows.get(tableKey(id))!.options ?? ""));
  const partitions = await describePartitions(client, partitioned);
  const tables = ids
    // Dropped between two of the queries.
    .filter((id) => columns.get(tableKey(id))!.length > 0)
    .map((id) => {
      const key = tableKey(id);
      const parts = {
        row: rows.get(key)!,
        columns: columns.get(key)!,
        indexes: indexes.get(key)!,
        checks: checks.get(key)?.checks ?? [],
        foreignKeys: foreignKeys.get(key)!,
        partitions: partitions.get(key),
      };
      const table = tableSchema(id, parts);
      return client.facts.logsWholeRows ? { ...table, tellsBefore: true as const } : table;
    });
  return {
    dialect: "mysql",
    serverVersion: client.facts.text,
    schemas: [...new Set(tables.map(({ id }) => id.schema))].map((name) => ({ name })),
    types: [],
    sequences: tables.flatMap((table) => identitySequence(table) ?? []),
    tables,
    indexNamesOfTables: true,
    quotesWithBackticks: true,
    objects: [],
    rights: [],
  };
}

/** See Source.checkTables. */
export async function checkTables(
  client: Client,
  tables: readonly TableSchema[],
  choices: TypeChoices,
): Promise<readonly ShapedTable[]> {
  const ids = tables.map(({ id }) => id);
  const rows = await tableRows(client, ids);
  const checks = await describeChecks(client, ids);
  const columns = await describeColumns(client, ids, { choices, json: jsonColumns(checks) });
  const indexes = await describeIndexes(client, ids, columns);
  const foreignKeys = await describeForeignKeys(client, ids);
  const shapes = new Map<string, TableShape>();
  for (const id of ids) {
    const key = tableKey(id);
    const row = rows.get(key);
    const found = columns.get(key)!;
    if (row === undefined || found.length === 0) continue;
    const { keys } = tableIdentity(
      found.map(({ column }) => column),
      indexes.get(key)!,
    );
    const parts = { columns: found, keys, foreignKeys: foreignKeys.get(key)!, collation: row.collation };
    shapes.set(key, tableShape(id, parts));
  }
  return compareShapes(tables, shapes);
}

function jsonColumns(checks: ReadonlyMap<string, TableChecks>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([...checks].map(([key, { json }]) => [key, json]));
}

async function tableRows(
  client: Client,
  ids: readonly TableId[],
  types = TABLE_TYPES,
): Promise<ReadonlyMap<string, TableRow>> {
  // MySQL 8 shows sizes from as long ago as that, else.
  if (client.facts.flavour === "mysql" && atLeast(client.facts, 8)) {
    await client.execute("set session information_schema_stats_expiry = 0");
  }
  const rows = await selectOfTables<TableRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, table_rows as rowCount, data_length as bytes,
           table_collation as collation, table_comment as comment, create_options as options, table_type as type
      from information_schema.tables where ${where} and table_type in ${types}`,
  );
  return new Map([...rows].flatMap(([key, [row]]) => (row === undefined ? [] : [[key, row] as const])));
}

interface TableDetails {
  readonly row: TableRow;
  readonly columns: readonly FoundColumn[];
  readonly indexes: readonly TableIndex[];
  readonly checks: TableSchema["checks"];
  readonly foreignKeys: TableSchema["foreignKeys"];
  readonly partitions: TableSchema["partitions"];
}

function tableSchema(
  id: TableId,
  { row, columns: found, indexes, checks, foreignKeys, partitions }: TableDetails,
): TableSchema {
  const columns = found.map(({ column }) => column);
  const { keys, ...identity } = tableIdentity(columns, indexes);
  const isView = row.type === VIEW;
  return {
    id,
    columns,
    ...identity,
    checks: withoutJsonChecks(checks, columns),
    foreignKeys,
    // Of a view it is what is wrong with it, or that it is one.
    ...(row.comment === "" || isView ? {} : { comment: row.comment }),
    ...(isView ? { isView } : {}),
    ...(partitions === undefined ? {} : { partitions }),
    shape: tableShape(id, { columns: found, keys, foreignKeys, collation: row.collation }),
    estimatedRows: row.rowCount === null ? -1 : Number(row.rowCount),
    estimatedBytes: row.bytes === null ? -1 : Number(row.bytes),
  };
}
