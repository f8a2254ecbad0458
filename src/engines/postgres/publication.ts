import type pg from "pg";
import { MigrationError } from "../../core/error.ts";
import { type TableId, type TableSchema, tableKey } from "../../core/schema.ts";
import type { StreamRequest } from "../../core/source.ts";
import { identifier, qualified } from "../shared/identifier.ts";
import { classify } from "./errors.ts";

const PUBLISH = "insert, update, delete, truncate";

/** How long ALTER PUBLICATION waits for writers of the tables it adds before it lets them pass and tries again. */
const LOCK_TIMEOUT_MS = 2_000;
const LOCK_ATTEMPTS = 30;
const LOCK_NOT_AVAILABLE = "55P03";

export function publicationName(taskId: string): string {
  return `tideway_${taskId}`;
}

/** Tables whose changes can be told apart by row. Publishing any other would make the application's UPDATE fail. */
export function publishable(tables: readonly TableSchema[]): readonly TableSchema[] {
  return tables.filter((table) => table.rowIdentity !== "none");
}

/**
 * Makes the task's publication hold exactly the publishable tables. It must hold a table before the
 * snapshot is taken that the table's rows are read from: changes are sent as the catalog was when
 * they were made, so what is published later is not sent for earlier transactions.
 */
export async function ensurePublication(client: pg.Client, request: StreamRequest): Promise<void> {
  const name = publicationName(request.taskId);
  const wanted = new Map(publishable(request.tables).map((table) => [tableKey(table.id), table.id]));
  try {
    const found = await publishedTables(client, name);
    if (found === undefined) {
      await client.query(createSql(name, [...wanted.values()]));
      return;
    }
    const present = new Map(found.map((entry) => [tableKey(entry.id), entry]));
    // A row filter or column list that somebody added would lose changes: such a table is put in anew.
    const dropped = found.filter((entry) => entry.narrowed || !wanted.has(tableKey(entry.id)));
    const added = [...wanted].filter(([key]) => present.get(key)?.narrowed !== false);
    if (dropped.length > 0)
      await client.query(
        alterSql(
          name,
          "drop",
          dropped.map((entry) => entry.id),
        ),
      );
    if (added.length > 0)
      await addTables(
        client,
        name,
        added.map(([, id]) => id),
      );
    if (!(await publishesAll(client, name))) {
      await client.query(`alter publication ${identifier(name)} set (publish = '${PUBLISH}')`);
    }
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}

/**
 * Throws `source.publication_missing` when the publication is gone, `source.table_unpublished` when it
 * lacks a table: from the log written meanwhile those changes cannot be had any more.
 */
export async function checkPublication(client: pg.Client, request: StreamRequest): Promise<void> {
  const name = publicationName(request.taskId);
  const found = await publishedTables(client, name);
  if (found === undefined) {
    throw new MigrationError("source.publication_missing", {
      message: `The publication ${name} does not exist.`,
      subject: name,
    });
  }
  const whole = new Set(found.filter((entry) => !entry.narrowed).map((entry) => tableKey(entry.id)));
  const missing = publishable(request.tables).find((table) => !whole.has(tableKey(table.id)));
  if (missing !== undefined) {
    throw new MigrationError("source.table_unpublished", {
      message: `The publication ${name} does not hold the whole table.`,
      subject: `${missing.id.schema}.${missing.id.name}`,
      table: missing.id,
    });
  }
}

export async function hasPublication(client: pg.Client, taskId: string): Promise<boolean> {
  return (await publishedTables(client, publicationName(taskId))) !== undefined;
}

export async function dropPublication(client: pg.Client, taskId: string): Promise<void> {
  await client.query(`drop publication if exists ${identifier(publicationName(taskId))}`);
}

interface PublishedTable {
  readonly id: TableId;
  /** Has a row filter or a column list (version 15 on). */
  readonly narrowed: boolean;
}

async function publishedTables(client: pg.Client, name: string): Promise<PublishedTable[] | undefined> {
  const result = await client.query<{ schema: string | null; table: string | null; narrowed: string }>(
    `select n.nspname as schema, c.relname as table,
            coalesce(jsonb_typeof(to_jsonb(r) -> 'prqual'), 'null') <> 'null'
            or coalesce(jsonb_typeof(to_jsonb(r) -> 'prattrs'), 'null') <> 'null' as narrowed
       from pg_catalog.pg_publication p
       left join pg_catalog.pg_publication_rel r on r.prpubid = p.oid
       left join pg_catalog.pg_class c on c.oid = r.prrelid
       left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where p.pubname = $1`,
    [name],
  );
  if (result.rows.length === 0) return undefined;
  const tables: PublishedTable[] = [];
  for (const row of result.rows) {
    if (row.schema === null || row.table === null) continue;
    tables.push({ id: { schema: row.schema, name: row.table }, narrowed: row.narrowed === "t" });
  }
  return tables;
}

async function publishesAll(client: pg.Client, name: string): Promise<boolean> {
  const result = await client.query<{ all: string }>(
    `select pubinsert and pubupdate and pubdelete and pubtruncate as all
       from pg_catalog.pg_publication where pubname = $1`,
    [name],
  );
  return result.rows[0]?.all === "t";
}

/**
 * Adds tables while nobody writes to them. Without the lock a transaction that is writing right now
 * may be decoded with the publication's old contents, and its changes and those after it get lost
 * (PostgreSQL mended that only in the minor releases of 2025).
 */
async function addTables(client: pg.Client, name: string, ids: readonly TableId[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await client.query("begin");
    try {
      await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query(`lock table only ${ids.map(qualified).join(", only ")} in share row exclusive mode`);
      await client.query(alterSql(name, "add", ids));
      await client.query("commit");
      return;
    } catch (error) {
      await client.query("rollback");
      const code = (error as { readonly code?: unknown }).code;
      if (code !== LOCK_NOT_AVAILABLE || attempt === LOCK_ATTEMPTS) throw error;
    }
  }
}

function createSql(name: string, ids: readonly TableId[]): string {
  const tables = ids.length === 0 ? "" : ` for table only ${ids.map(qualified).join(", only ")}`;
  return `create publication ${identifier(name)}${tables} with (publish = '${PUBLISH}')`;
}

function alterSql(name: string, change: "add" | "drop", ids: readonly TableId[]): string {
  return `alter publication ${identifier(name)} ${change} table only ${ids.map(qualified).join(", only ")}`;
}
