import type pg from "pg";
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
} from "../../shared/apply/control-tables.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";

const DEFAULT_SCHEMA = "public";

/** "tide", "way": the lock under which control tables are made. */
const LOCK_SQL = "select pg_advisory_xact_lock(1953064037, 2002874656)";

const tables = controlTables({
  time: "timestamp",
  flag: "boolean",
  text: "text",
  checkpoint: "varchar(1024)",
  position: "text",
  task: "text",
  name: "text",
  partition: "text",
  word: "text",
});

/** Room beside the row, so that the update of every commit stays on its page and off the index (HOT). */
const STORAGE: Readonly<Partial<Record<ControlTableName, string>>> = {
  awsdms_txn_state: "fillfactor = 10",
  awsdms_status: "fillfactor = 10",
};

const tableNames = Object.keys(tables) as ControlTableName[];

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
  const names = tableNames.filter(tablesOf(request));
  if ((await missingStatements(client, schema, names)).length === 0) return;
  await client.query("begin isolation level read committed");
  try {
    await client.query(LOCK_SQL);
    const found = await client.query("select from pg_catalog.pg_namespace where nspname = $1", [schema]);
    if (found.rowCount === 0) await client.query(`create schema if not exists ${identifier(schema)}`);
    for (const sql of await missingStatements(client, schema, names)) await client.query(sql);
    await client.query("commit");
    failpoint("journal.tables-made");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

/** Those of the optional tables that are there, in the schema of a request. */
export async function presentOptionalTables(
  client: pg.Client,
  request: JournalRequest,
): Promise<readonly OptionalControlTable[]> {
  const found = await columnsOf(client, controlSchema(request), OPTIONAL_TABLES);
  return OPTIONAL_TABLES.filter((name) => isWhole(tables[name], found.get(name)));
}

export interface PresentRecords {
  readonly schema: string;
  /** Those of the task's control tables that are there. */
  readonly names: readonly ControlTableName[];
  readonly isComplete: boolean;
}

/** Which of a task's control tables are there. Throws `target.control_table` as ensureControlTables() does. */
export async function presentRecords(client: pg.Client, request: JournalRequest): Promise<PresentRecords> {
  const schema = controlSchema(request);
  const wanted = tableNames.filter(tablesOf(request));
  const found = await columnsOf(client, schema, wanted);
  for (const [name, columns] of found) addSql(schema, name, columns);
  return { schema, names: [...found.keys()], isComplete: found.size === wanted.length };
}

/** What makes the tables and columns that are missing. */
async function missingStatements(
  client: pg.Client,
  schema: string,
  names: readonly ControlTableName[],
): Promise<string[]> {
  const found = await columnsOf(client, schema, names);
  return names.flatMap((name) => {
    const columns = found.get(name);
    return columns === undefined ? createSql(schema, name) : addSql(schema, name, columns);
  });
}

/** The names of the columns of those of the tables that are there. */
async function columnsOf(
  client: pg.Client,
  schema: string,
  names: readonly ControlTableName[],
): Promise<ReadonlyMap<ControlTableName, ReadonlySet<string>>> {
  const { rows } = await client.query<{ relname: ControlTableName; columns: string }>(
    `select c.relname, json_agg(a.attname) as columns
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where n.nspname = $1 and c.relname = any($2)
      group by c.relname`,
    [schema, names],
  );
  return new Map(rows.map((row) => [row.relname, new Set<string>(JSON.parse(row.columns))]));
}

function addSql(schema: string, name: ControlTableName, present: ReadonlySet<string>): string[] {
  return lackingColumns(schema, { name, columns: tables[name].columns }, present).map(
    ([column, type]) => `alter table ${qualified({ schema, name })} add column ${identifier(column)} ${type}`,
  );
}

function createSql(schema: string, name: ControlTableName): string {
  const { columns, key: keyColumns, keyIndex, soughtBy } = tables[name];
  const storage = STORAGE[name];
  const table = qualified({ schema, name });
  const parts = columns.map(([column, type]) => `${identifier(column)} ${type}`);
  const key = keyColumns.map(identifier).join(", ");
  if (key !== "" && keyIndex === undefined) parts.push(`primary key (${key})`);
  const statements = [
    `create table ${table} (${parts.join(", ")})${storage === undefined ? "" : ` with (${storage})`}`,
    `comment on table ${table} is ${literal(CONTROL_COMMENT)}`,
  ];
  if (keyIndex !== undefined) {
    statements.push(`create unique index ${identifier(keyIndex)} on ${table} (${key})`);
  }
  // Of this kind one takes texts of any length.
  if (soughtBy !== undefined)
    statements.push(`create index on ${table} using hash (${identifier(soughtBy)})`);
  return statements.join("; ");
}

function controlSchema(request: JournalRequest): string {
  return request.controlSchema ?? DEFAULT_SCHEMA;
}
