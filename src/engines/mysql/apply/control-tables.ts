import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError } from "../../../core/error.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import { identifier, literal, qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";

/** Where DMS keeps its control tables on MySQL: a database of their own. */
const DEFAULT_SCHEMA = "awsdms_control";

/** What tells Tideway's control tables from those that AWS DMS has made. */
export const CONTROL_COMMENT = "Tideway's records of its tasks";

interface ControlTable {
  readonly columns: readonly (readonly [name: string, type: string])[];
  /** Columns that name a row; none for a table that is a list. */
  readonly key: readonly string[];
  /** Name of the unique index over the key; a primary key where DMS has no table of that name. */
  readonly keyIndex?: string;
}

const NAME_128 = "varchar(128) not null";
const UTC_TIME = "datetime(6) not null";
/** Names of any engine, and together short enough for a key. */
const TASK = "varchar(255) not null";
const NAME = "varchar(192) not null";
const FLAG = "tinyint(1) not null";

/**
 * All that Tideway adds to a target. The first three are DMS's own, column for column; where a position is wider than
 * DMS's it has room. The others are ours.
 */
const controlTables = {
  awsdms_txn_state: {
    columns: [
      ["SERVER_NAME", NAME_128],
      ["TASK_NAME", NAME_128],
      ["STATE_TIME", UTC_TIME],
      // A set of GTIDs may be long.
      ["CHECKPOINT", "mediumtext not null"],
    ],
    key: ["SERVER_NAME", "TASK_NAME"],
    keyIndex: "awsdms_txn_state_task_recovery_index",
  },
  awsdms_apply_exceptions: {
    columns: [
      ["TASK_NAME", NAME_128],
      ["TABLE_OWNER", NAME_128],
      ["TABLE_NAME", NAME_128],
      ["ERROR_TIME", UTC_TIME],
      ["STATEMENT", "longtext not null"],
      ["ERROR", "longtext not null"],
    ],
    key: [],
  },
  awsdms_suspended_tables: {
    columns: [
      ["server_name", NAME_128],
      ["task_name", NAME_128],
      ["table_owner", NAME_128],
      ["table_name", NAME_128],
      ["suspend_reason", "varchar(32)"],
      ["suspend_timestamp", "datetime(6)"],
    ],
    key: ["server_name", "task_name", "table_owner", "table_name"],
    keyIndex: "awsdms_suspended_tables_task_suspended_tables_index",
  },
  awsdms_table_state: {
    columns: [
      ["task_name", TASK],
      ["table_owner", NAME],
      ["table_name", NAME],
      ["created", FLAG],
      ["keeps_rows", FLAG],
      ["state", "varchar(32) not null"],
      ["reason", "longtext"],
      ["shape", "longtext"],
      ["updated_at", UTC_TIME],
    ],
    key: ["task_name", "table_owner", "table_name"],
  },
  awsdms_load_state: {
    columns: [
      ["task_name", TASK],
      ["table_owner", NAME],
      ["table_name", NAME],
      ["partition_id", "varchar(64) not null"],
      ["range_kind", "varchar(32) not null"],
      ["range_columns", "longtext"],
      ["range_from", "longtext"],
      ["range_to", "longtext"],
      ["snapshot_kind", "varchar(32)"],
      ["snapshot_position", "mediumtext"],
      ["estimated_rows", "bigint not null"],
      ["loaded_rows", "bigint not null"],
      ["done", FLAG],
    ],
    key: ["task_name", "table_owner", "table_name", "partition_id"],
  },
} as const satisfies Record<string, ControlTable>;

export type ControlTableName = keyof typeof controlTables;

const tableNames = Object.keys(controlTables) as ControlTableName[];

/** The server's name in DMS's tables; each of Tideway's tasks has a name of its own. */
export const SERVER_NAME = "tideway";

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
 * Makes the control database and tables that are missing, and checks those that are there. Safe when several tasks
 * start at once; needs no right to create where nothing is missing. Throws `target.control_table` for a table of that
 * name with other columns, without its key, or of an engine without transactions.
 */
export async function ensureControlTables(client: Client, request: JournalRequest): Promise<void> {
  const schema = controlSchema(request);
  const missing = await missingTables(client, schema);
  if (missing.length === 0) return;
  const [found] = await client.query<{ name: string }>(
    `select schema_name as name from information_schema.schemata where schema_name = ${literal(schema)}`,
  );
  if (found === undefined) {
    await client.execute(
      `create database if not exists ${identifier(schema)} character set utf8mb4 collate utf8mb4_bin`,
    );
  }
  for (const name of missing) await client.execute(createSql(schema, name));
  failpoint("journal.tables-made");
}

async function missingTables(client: Client, schema: string): Promise<readonly ControlTableName[]> {
  const rows = await client.query<{ table: string; name: string }>(
    `select table_name as \`table\`, column_name as name from information_schema.columns
      where table_schema = ${literal(schema)} and table_name in (${tableNames.map(literal).join(", ")})`,
  );
  const found = Map.groupBy(rows, ({ table }) => table.toLowerCase());
  const fit = found.size === 0 ? new Set<string>() : await fitTables(client, schema);
  return tableNames.filter((name) => {
    const there = found.get(name);
    if (there === undefined) return true;
    const columns = new Set(there.map((row) => row.name));
    const lacking = controlTables[name].columns.find(([column]) => !columns.has(column));
    if (lacking !== undefined) throw unfit(schema, name, `without the column ${lacking[0]}`);
    if (!fit.has(name))
      throw unfit(schema, name, "without its unique key or with an engine other than InnoDB");
    return false;
  });
}

/** Control tables whose changes are transactions, and which have their key: rows are replaced by it. */
async function fitTables(client: Client, schema: string): Promise<ReadonlySet<string>> {
  const among = `table_schema = ${literal(schema)} and table_name in (${tableNames.map(literal).join(", ")})`;
  const tables = await client.query<{ name: string }>(
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
    const key: readonly string[] = controlTables[name].key;
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
  const transactional = new Set(tables.map(({ name }) => name.toLowerCase()));
  return new Set(
    tableNames.filter(
      (name) => transactional.has(name) && (controlTables[name].key.length === 0 || hasKey(name)),
    ),
  );
}

function unfit(schema: string, name: string, how: string): MigrationError {
  const subject = `${schema}.${name}`;
  return new MigrationError("target.control_table", {
    message: `The table ${subject} is there ${how}.`,
    subject,
  });
}

function createSql(schema: string, name: ControlTableName): string {
  const { columns, key, keyIndex }: ControlTable = controlTables[name];
  const parts = columns.map(([column, type]) => `${identifier(column)} ${type}`);
  const list = key.map(identifier).join(", ");
  if (keyIndex !== undefined) parts.push(`unique index ${identifier(keyIndex)} (${list})`);
  else if (list !== "") parts.push(`primary key (${list})`);
  return (
    `create table if not exists ${qualified({ schema, name })} (${parts.join(", ")}) ` +
    `engine = InnoDB row_format = dynamic character set utf8mb4 collate utf8mb4_bin comment = ${literal(CONTROL_COMMENT)}`
  );
}
