import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError } from "../../../core/error.ts";
import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { StreamRequest } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";
import { isComputedThere } from "../catalog/sent-columns.ts";
import { classify } from "../connection/errors.ts";
import { inShortLocks, type LockPatience } from "../connection/short-locks.ts";

const PUBLISH = "insert, update, delete, truncate";
/** Without it generated columns are left out of the changes. From version 18 on. */
const COMPUTED = "publish_generated_columns = stored";

/** How long ALTER PUBLICATION waits for writers of the tables it adds before it lets them pass and tries again. */
const WRITERS_PATIENCE: LockPatience = { timeoutMs: 2_000, tries: 30 };

/** A remedy names no more tables than this. */
const MAX_NAMED = 20;

export function publicationName(taskId: string): string {
  return `tideway_${taskId}`;
}

/** Slot and publication of one name: the task's own, or the user's, which are neither made, altered nor dropped. */
export interface StreamObjects {
  readonly name: string;
  readonly own: boolean;
}

/** Tables whose changes can be told apart by row. Publishing any other would make the application's UPDATE fail. */
export function publishable(tables: readonly TableSchema[]): readonly TableSchema[] {
  return tables.filter((table) => table.rowIdentity !== "none");
}

/**
 * Makes the task's publication hold exactly the publishable tables. It must hold a table before the
 * snapshot is taken that the table's rows are read from: changes are sent as the catalog was when
 * they were made, so what is published later is not sent for earlier transactions. Throws
 * `source.table_changed` for a table that is not there any more.
 */
export async function ensurePublication(client: pg.Client, request: StreamRequest): Promise<void> {
  const name = publicationName(request.taskId);
  const wanted = new Map(publishable(request.tables).map((table) => [tableKey(table.id), table.id]));
  try {
    const found = await listedTables(client, name);
    if (found === undefined) {
      await client.query(createSql(name, [...wanted.values()], needsComputed(request.tables)));
      failpoint("stream.publication-made");
      return;
    }
    await publishComputed(client, name, request.tables);
    const present = new Map(found.map((entry) => [tableKey(entry.id), entry]));
    // A row filter or column list that somebody added would lose changes: such a table is put in anew.
    const dropped = found.filter((entry) => entry.narrowed || !wanted.has(tableKey(entry.id)));
    const added = [...wanted].filter(([key]) => present.get(key)?.narrowed !== false);
    if (dropped.length > 0) await dropTables(client, name, idsOf(dropped));
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
    throw await publishingError(client, request, error);
  }
}

/**
 * Adds tables to the task's publication that it lacks. Throws `source.publication_missing` when it is
 * gone: a new one would not hold for the log that was written before; `source.table_changed` for a table that is
 * not there any more.
 */
export async function publishAlso(client: pg.Client, request: StreamRequest): Promise<void> {
  const name = publicationName(request.taskId);
  try {
    const found = await listedTables(client, name);
    if (found === undefined) throw publicationMissing({ name, own: true }, []);
    await publishComputed(client, name, request.tables);
    const wanted = new Set(publishable(request.tables).map((table) => tableKey(table.id)));
    const whole = new Set(found.filter((entry) => !entry.narrowed).map((entry) => tableKey(entry.id)));
    const narrowed = found.filter((entry) => entry.narrowed && wanted.has(tableKey(entry.id)));
    const added = publishable(request.tables).filter((table) => !whole.has(tableKey(table.id)));
    if (narrowed.length > 0) await dropTables(client, name, idsOf(narrowed));
    if (added.length > 0) await addTables(client, name, idsOf(added));
  } catch (error) {
    throw await publishingError(client, request, error);
  }
}

/** A table, or the schema that it was in, is not there. */
const GONE: ReadonlySet<unknown> = new Set(["42P01", "3F000"]);

/** A table that was dropped since it was described is its own error: the others can be published. */
async function publishingError(
  client: pg.Client,
  request: StreamRequest,
  error: unknown,
): Promise<MigrationError> {
  if (GONE.has((error as { readonly code?: unknown }).code)) {
    const ids = idsOf(publishable(request.tables));
    const { rows } = await client.query<{ schema: string; name: string }>(
      `select w.schema, w.name from unnest($1::text[], $2::text[]) as w(schema, name)
        where not exists (
          select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           where n.nspname = w.schema and c.relname = w.name)`,
      [ids.map(({ schema }) => schema), ids.map(({ name }) => name)],
    );
    if (rows[0] !== undefined) return tableChanged(rows[0], "was dropped or renamed");
  }
  return classify(error, { side: "source" });
}

function idsOf(tables: readonly { readonly id: TableId }[]): readonly TableId[] {
  return tables.map((table) => table.id);
}

/**
 * Throws `source.publication_missing` when the publication is gone, `source.table_unpublished` when it
 * lacks a table: from the log written meanwhile those changes cannot be had any more.
 */
export async function checkPublication(
  client: pg.Client,
  { name, own }: StreamObjects,
  tables: readonly TableSchema[],
): Promise<void> {
  const found = own ? await listedTables(client, name) : await publishedTables(client, name);
  if (found === undefined) throw publicationMissing({ name, own }, tables);
  if (!own && !(await publishesAll(client, name))) {
    throw new MigrationError("endpoint.setting_invalid", {
      message: `The publication ${name} that goes with SlotName leaves out some kinds of changes.`,
      subject: name,
      remedy: `Run on the source: alter publication ${identifier(name)} set (publish = '${PUBLISH}');`,
    });
  }
  if (!own && needsComputed(tables) && !(await publishesComputed(client, name))) {
    throw new MigrationError("endpoint.setting_invalid", {
      message: `The publication ${name} that goes with SlotName leaves out generated columns, which the target cannot compute.`,
      subject: name,
      remedy: `Run on the source: alter publication ${identifier(name)} set (${COMPUTED});`,
    });
  }
  const whole = new Set(found.filter((entry) => !entry.narrowed).map((entry) => tableKey(entry.id)));
  const lacking = publishable(tables).filter((table) => !whole.has(tableKey(table.id)));
  const missing = await firstUnpublished(client, lacking, whole);
  if (missing === undefined) return;
  throw new MigrationError("source.table_unpublished", {
    message: `The publication ${name} does not hold the whole table.`,
    subject: `${missing.id.schema}.${missing.id.name}`,
    table: missing.id,
    ...(own
      ? {}
      : { remedy: `Run on the source: ${alterSql(name, "add", [missing.id])}; then reload the table.` }),
  });
}

/** A table that is called otherwise by now is published under that name; one that is gone has no more changes. */
async function firstUnpublished(
  client: pg.Client,
  tables: readonly TableSchema[],
  whole: ReadonlySet<string>,
): Promise<TableSchema | undefined> {
  const numbered = tables.filter(({ shape }) => shape !== undefined);
  if (numbered.length === 0) return tables[0];
  const { rows } = await client.query<{ number: string; schema: string; name: string }>(
    `select c.oid as number, n.nspname as schema, c.relname as name
       from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = any($1::oid[])`,
    [numbered.map(({ shape }) => shape!.table)],
  );
  const names = new Map(rows.map(({ number, schema, name }) => [number, tableKey({ schema, name })]));
  return tables.find(({ shape }) => {
    const name = shape === undefined ? undefined : names.get(shape.table);
    return shape === undefined || (name !== undefined && !whole.has(name));
  });
}

/** Throws `source.publication_missing` when the publication that goes with a given slot does not exist. */
export async function checkGivenPublication(
  client: pg.Client,
  name: string,
  tables: readonly TableSchema[],
): Promise<void> {
  if ((await publishedTables(client, name)) === undefined)
    throw publicationMissing({ name, own: false }, tables);
}

function publicationMissing({ name, own }: StreamObjects, tables: readonly TableSchema[]): MigrationError {
  const message = `The publication ${name} does not exist.`;
  if (own) return new MigrationError("source.publication_missing", { message, subject: name });
  return new MigrationError("source.publication_missing", {
    message: `${message} With SlotName, slot and publication of that name are made by you and used as they are.`,
    subject: name,
    remedy: `Run on the source: ${givenObjectsSql(name, tables)}; a start position must lie after both.`,
  });
}

/** The publication comes first: a slot sends nothing from a time when there was none. */
function givenObjectsSql(name: string, tables: readonly TableSchema[]): string {
  const ids = publishable(tables).map((table) => table.id);
  const what = ids.length === 0 || ids.length > MAX_NAMED ? " for all tables" : forTables(ids);
  return [
    `create publication ${identifier(name)}${what}`,
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${literal(name)}`,
    `select pg_create_logical_replication_slot(${literal(name)}, 'pgoutput')`,
  ].join("; ");
}

export async function dropPublication(client: pg.Client, taskId: string): Promise<void> {
  await client.query(`drop publication if exists ${identifier(publicationName(taskId))}`);
}

interface PublishedTable {
  readonly id: TableId;
  /** Has a row filter or a column list (version 15 on). */
  readonly narrowed: boolean;
}

/** What the publication names; undefined when there is none. */
async function listedTables(client: pg.Client, name: string): Promise<PublishedTable[] | undefined> {
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

/** What the publication comes to: also what it holds as all tables, as a schema or as partitions. */
async function publishedTables(client: pg.Client, name: string): Promise<PublishedTable[] | undefined> {
  const listed = await listedTables(client, name);
  if (listed === undefined) return undefined;
  const narrowed = new Set(listed.filter((entry) => entry.narrowed).map((entry) => tableKey(entry.id)));
  const { rows } = await client.query<{ schema: string; table: string }>(
    "select schemaname as schema, tablename as table from pg_catalog.pg_publication_tables where pubname = $1",
    [name],
  );
  return rows.map((row) => {
    const id = { schema: row.schema, name: row.table };
    return { id, narrowed: narrowed.has(tableKey(id)) };
  });
}

function needsComputed(tables: readonly TableSchema[]): boolean {
  return publishable(tables).some(({ columns }) => columns.some(isComputedThere));
}

/** Changes that were made before come without the columns: their table is not loaded yet. */
async function publishComputed(
  client: pg.Client,
  name: string,
  tables: readonly TableSchema[],
): Promise<void> {
  if (!needsComputed(tables) || (await publishesComputed(client, name))) return;
  await client.query(`alter publication ${identifier(name)} set (${COMPUTED})`);
}

async function publishesComputed(client: pg.Client, name: string): Promise<boolean> {
  const result = await client.query<{ stored: string }>(
    "select pubgencols = 's' as stored from pg_catalog.pg_publication where pubname = $1",
    [name],
  );
  return result.rows[0]?.stored === "t";
}

async function publishesAll(client: pg.Client, name: string): Promise<boolean> {
  const result = await client.query<{ all: string }>(
    `select pubinsert and pubupdate and pubdelete and pubtruncate as all
       from pg_catalog.pg_publication where pubname = $1`,
    [name],
  );
  return result.rows[0]?.all === "t";
}

async function dropTables(client: pg.Client, name: string, ids: readonly TableId[]): Promise<void> {
  await client.query(alterSql(name, "drop", ids));
  failpoint("stream.table-unpublished");
}

/**
 * Adds tables while nobody writes to them. Without the lock a transaction that is writing right now
 * may be decoded with the publication's old contents, and its changes and those after it get lost
 * (PostgreSQL mended that only in the minor releases of 2025).
 */
async function addTables(client: pg.Client, name: string, ids: readonly TableId[]): Promise<void> {
  await inShortLocks(client, WRITERS_PATIENCE, async () => {
    await client.query(`lock table only ${ids.map(qualified).join(", only ")} in share row exclusive mode`);
    await client.query(alterSql(name, "add", ids));
  });
  failpoint("stream.table-published");
}

function createSql(name: string, ids: readonly TableId[], withComputed: boolean): string {
  const tables = ids.length === 0 ? "" : forTables(ids);
  const computed = withComputed ? `, ${COMPUTED}` : "";
  return `create publication ${identifier(name)}${tables} with (publish = '${PUBLISH}'${computed})`;
}

function forTables(ids: readonly TableId[]): string {
  return ` for table only ${ids.map(qualified).join(", only ")}`;
}

function alterSql(name: string, change: "add" | "drop", ids: readonly TableId[]): string {
  return `alter publication ${identifier(name)} ${change} table only ${ids.map(qualified).join(", only ")}`;
}
