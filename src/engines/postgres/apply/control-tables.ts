import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError } from "../../../core/error.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";

const DEFAULT_SCHEMA = "public";

/** What tells Tideway's control tables from those that AWS DMS has made. */
export const CONTROL_COMMENT = "Tideway's records of its tasks";

/** "tide", "way": the lock under which control tables are made. */
const LOCK_SQL = "select pg_advisory_xact_lock(1953064037, 2002874656)";

interface ControlTable {
  readonly columns: readonly (readonly [name: string, type: string])[];
  /** Of these what a table that an earlier version has made may lack, and gets. */
  readonly later?: readonly string[];
  /** Columns that name a row; none for a table that is a list. */
  readonly key: readonly string[];
  /** Name of the unique index over the key; a primary key where DMS has no table of that name. */
  readonly keyIndex?: string;
  readonly storage?: string;
}

const NAME_128 = "varchar(128) not null";
const UTC_TIME = "timestamp not null";

/**
 * All that Tideway adds to a target. The first three are DMS's own, column for column, mixed case
 * included; the others are ours and hold names of any length.
 */
const controlTables = {
  awsdms_txn_state: {
    columns: [
      ["SERVER_NAME", NAME_128],
      ["TASK_NAME", NAME_128],
      ["STATE_TIME", UTC_TIME],
      ["CHECKPOINT", "varchar(1024) not null"],
    ],
    key: ["SERVER_NAME", "TASK_NAME"],
    keyIndex: "awsdms_txn_state_task_recovery_index",
    // Room beside the row, so that the update of every commit stays on its page and off the index (HOT).
    storage: "fillfactor = 10",
  },
  awsdms_apply_exceptions: {
    columns: [
      ["TASK_NAME", NAME_128],
      ["TABLE_OWNER", NAME_128],
      ["TABLE_NAME", NAME_128],
      ["ERROR_TIME", UTC_TIME],
      ["STATEMENT", "text not null"],
      ["ERROR", "text not null"],
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
      ["suspend_timestamp", "timestamp"],
    ],
    key: ["server_name", "task_name", "table_owner", "table_name"],
    keyIndex: "awsdms_suspended_tables_task_suspended_tables_index",
  },
  awsdms_table_state: {
    columns: [
      ["task_name", "text not null"],
      ["table_owner", "text not null"],
      ["table_name", "text not null"],
      ["created", "boolean not null"],
      ["keeps_rows", "boolean not null"],
      ["state", "text not null"],
      ["reason", "text"],
      ["shape", "text"],
      ["updated_at", UTC_TIME],
    ],
    later: ["shape"],
    key: ["task_name", "table_owner", "table_name"],
  },
  awsdms_load_state: {
    columns: [
      ["task_name", "text not null"],
      ["table_owner", "text not null"],
      ["table_name", "text not null"],
      ["partition_id", "text not null"],
      ["range_kind", "text not null"],
      ["range_columns", "text"],
      ["range_from", "text"],
      ["range_to", "text"],
      ["snapshot_kind", "text"],
      ["snapshot_position", "text"],
      ["estimated_rows", "bigint not null"],
      ["loaded_rows", "bigint not null"],
      ["done", "boolean not null"],
    ],
    key: ["task_name", "table_owner", "table_name", "partition_id"],
  },
} as const satisfies Record<string, ControlTable>;

export type ControlTableName = keyof typeof controlTables;

const tableNames = Object.keys(controlTables) as ControlTableName[];

/** The server's name in DMS's tables; each of Tideway's tasks has a name of its own. */
export const SERVER_NAME = "tideway";

/** The time in DMS's columns. */
export const NOW_SQL = "(now() at time zone 'utc')";

/** Qualified SQL name of a control table of a task. */
export function controlTable(request: JournalRequest, name: ControlTableName): string {
  return qualified({ schema: controlSchema(request), name });
}

/**
 * Makes the control schema, tables and columns that are missing, and checks those that are there. Safe when
 * several tasks start at once; needs no right to create where nothing is missing. Throws
 * `target.control_table` for a table of that name with other columns.
 */
export async function ensureControlTables(client: pg.Client, request: JournalRequest): Promise<void> {
  const schema = controlSchema(request);
  if ((await missingStatements(client, schema)).length === 0) return;
  await client.query("begin isolation level read committed");
  try {
    await client.query(LOCK_SQL);
    const found = await client.query("select from pg_catalog.pg_namespace where nspname = $1", [schema]);
    if (found.rowCount === 0) await client.query(`create schema if not exists ${identifier(schema)}`);
    for (const sql of await missingStatements(client, schema)) await client.query(sql);
    await client.query("commit");
    failpoint("journal.tables-made");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

/** What makes the tables and columns that are missing. */
async function missingStatements(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ relname: string; columns: string }>(
    `select c.relname, json_agg(a.attname) as columns
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where n.nspname = $1 and c.relname = any($2)
      group by c.relname`,
    [schema, tableNames],
  );
  const found = new Map(rows.map((row) => [row.relname, new Set<string>(JSON.parse(row.columns))]));
  return tableNames.flatMap((name) => {
    const columns = found.get(name);
    return columns === undefined ? createSql(schema, name) : addSql(schema, name, columns);
  });
}

function addSql(schema: string, name: ControlTableName, present: ReadonlySet<string>): string[] {
  const { columns, later = [] }: ControlTable = controlTables[name];
  return columns
    .filter(([column]) => !present.has(column))
    .map(([column, type]) => {
      if (later.includes(column)) {
        return `alter table ${qualified({ schema, name })} add column ${identifier(column)} ${type}`;
      }
      throw new MigrationError("target.control_table", {
        message: `The table ${schema}.${name} is there without the column ${column}.`,
        subject: `${schema}.${name}`,
      });
    });
}

function createSql(schema: string, name: ControlTableName): string {
  const definition: ControlTable = controlTables[name];
  const table = qualified({ schema, name });
  const columns = definition.columns.map(([column, type]) => `${identifier(column)} ${type}`);
  const key = definition.key.map(identifier).join(", ");
  const { keyIndex, storage } = definition;
  if (key !== "" && keyIndex === undefined) columns.push(`primary key (${key})`);
  const statements = [
    `create table ${table} (${columns.join(", ")})${storage === undefined ? "" : ` with (${storage})`}`,
    `comment on table ${table} is ${literal(CONTROL_COMMENT)}`,
  ];
  if (keyIndex !== undefined) {
    statements.push(`create unique index ${identifier(keyIndex)} on ${table} (${key})`);
  }
  return statements.join("; ");
}

function controlSchema(request: JournalRequest): string {
  return request.controlSchema ?? DEFAULT_SCHEMA;
}
