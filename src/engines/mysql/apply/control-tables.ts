import { failpoint } from "../../../base/failpoint.ts";
import type { JournalRequest, OptionalControlTable } from "../../../core/journal.ts";
import {
  CONTROL_COMMENT,
  type ControlTableName,
  controlTables,
  isWhole,
  lackingColumns,
  OPTIONAL_TABLES,
  tablesOf,
  unfitControlTable,
} from "../../shared/apply/control-tables.ts";
import { identifier, literal, qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";

/** Where DMS keeps its control tables on MySQL: a database of their own. */
const DEFAULT_SCHEMA = "awsdms_control";

const ER_DUP_FIELDNAME = 1060;

/** Characters of a long text that an index holds. */
const SOUGHT_LENGTH = 255;

const tables = controlTables({
  time: "datetime(6)",
  flag: "tinyint(1)",
  text: "longtext",
  // A set of GTIDs may be long.
  checkpoint: "mediumtext",
  position: "mediumtext",
  // Names of any engine, and together short enough for a key.
  task: "varchar(255)",
  name: "varchar(192)",
  partition: "varchar(64)",
  word: "varchar(32)",
});

const tableNames = Object.keys(tables) as ControlTableName[];

/** The time in DMS's columns. */
export const NOW_SQL = "utc_timestamp(6)";

/** Qualified SQL name of a control table of a task. */
export function controlTable(request: JournalRequest, name: ControlTableName): string {
  return qualified({ schema: controlSchema(request), name });
}

export function controlSchema(request: JournalRequest): string {
  return request.controlSchema ?? DEFAULT_SCHEMA;
}

/**
 * Makes the control database, tables and columns that are missing, and checks those that are there. Safe when several tasks
 * start at once; needs no right to create where nothing is missing. Throws `target.control_table` for a table of that
 * name with other columns, without its key, or of an engine without transactions.
 */
export async function ensureControlTables(client: Client, request: JournalRequest): Promise<void> {
  const schema = controlSchema(request);
  const missing = await missingStatements(client, schema, tableNames.filter(tablesOf(request)));
  if (missing.length === 0) return;
  const [found] = await client.query<{ name: string }>(
    `select schema_name as name from information_schema.schemata where schema_name = ${literal(schema)}`,
  );
  if (found === undefined) {
    await client.execute(
      `create database if not exists ${identifier(schema)} character set utf8mb4 collate utf8mb4_bin`,
    );
  }
  for (const sql of missing) {
    await client.execute(sql).catch((error) => {
      // Another task has added the column meanwhile.
      if (serverFields(error)?.number !== ER_DUP_FIELDNAME) throw error;
    });
  }
  failpoint("journal.tables-made");
}

/** Those of the optional tables that are there, in the database of a request. */
export async function presentOptionalTables(
  client: Client,
  request: JournalRequest,
): Promise<readonly OptionalControlTable[]> {
  const found = await columnsOf(client, controlSchema(request));
  return OPTIONAL_TABLES.filter((name) => isWhole(tables[name], found.get(name)));
}

/** Whether control tables of a task have to be made. */
export async function lacksRecords(client: Client, request: JournalRequest): Promise<boolean> {
  const found = await columnsOf(client, controlSchema(request));
  return tableNames.filter(tablesOf(request)).some((name) => !found.has(name));
}

/** The names of the columns of the control tables that are there. */
async function columnsOf(client: Client, schema: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rows = await client.query<{ table: string; name: string }>(
    `select table_name as \`table\`, column_name as name from information_schema.columns
      where table_schema = ${literal(schema)} and table_name in (${tableNames.map(literal).join(", ")})`,
  );
  const found = Map.groupBy(rows, ({ table }) => table.toLowerCase());
  return new Map([...found].map(([table, columns]) => [table, new Set(columns.map(({ name }) => name))]));
}

/** What makes the tables and columns that are missing. */
async function missingStatements(
  client: Client,
  schema: string,
  names: readonly ControlTableName[],
): Promise<readonly string[]> {
  const found = await columnsOf(client, schema);
  const fit = found.size === 0 ? new Set<string>() : await fitTables(client, schema);
  return names.flatMap((name) => {
    const present = found.get(name);
    if (present === undefined) return createSql(schema, name);
    const lacking = lackingColumns(schema, { name, columns: tables[name].columns }, present);
    if (!fit.has(name))
      throw unfitControlTable(schema, name, "without its unique key or with an engine other than InnoDB");
    return lacking.map(
      ([column, type]) =>
        `alter table ${qualified({ schema, name })} add column ${identifier(column)} ${type}`,
    );
  });
}

/** Control tables whose changes are transactions, and which have their key: rows are replaced by it. */
async function fitTables(client: Client, schema: string): Promise<ReadonlySet<string>> {
  const among = `table_schema = ${literal(schema)} and table_name in (${tableNames.map(literal).join(", ")})`;
  const inInnoDb = await client.query<{ name: string }>(
    `select table_name as name from information_schema.tables where ${among} and engine = 'InnoDB'`,
  );
  const parts = await client.query<Record<"table" | "name" | "column", string>>(
    `select table_name as \`table\`, index_name as name, column_name as \`column\`
      from information_schema.statistics where ${among} and non_unique = 0 and sub_part is null`,
  );
  const indexes = [
    ...Map.groupBy(parts, ({ table, name }) => JSON.stringify([table.toLowerCase(), name])).values(),
  ];
  const hasKey = (name: ControlTableName): boolean => {
    const { key } = tables[name];
    const wanted = key
      .map((column) => column.toLowerCase())
      .toSorted()
      .join();
    return indexes.some(
      (index) =>
        index[0]!.table.toLowerCase() === name &&
        index
          .map(({ column }) => column.toLowerCase())
          .toSorted()
          .join() === wanted,
    );
  };
  const transactional = new Set(inInnoDb.map(({ name }) => name.toLowerCase()));
  return new Set(
    tableNames.filter((name) => transactional.has(name) && (tables[name].key.length === 0 || hasKey(name))),
  );
}

function createSql(schema: string, name: ControlTableName): string {
  const { columns, key, keyIndex, soughtBy } = tables[name];
  const parts = columns.map(([column, type]) => `${identifier(column)} ${type}`);
  const list = key.map(identifier).join(", ");
  if (keyIndex !== undefined) parts.push(`unique index ${identifier(keyIndex)} (${list})`);
  else if (list !== "") parts.push(`primary key (${list})`);
  if (soughtBy !== undefined) parts.push(`index (${identifier(soughtBy)}(${SOUGHT_LENGTH}))`);
  return (
    `create table if not exists ${qualified({ schema, name })} (${parts.join(", ")}) ` +
    `engine = InnoDB row_format = dynamic character set utf8mb4 collate utf8mb4_bin comment = ${literal(CONTROL_COMMENT)}`
  );
}
