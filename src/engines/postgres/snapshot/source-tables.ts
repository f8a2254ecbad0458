import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { isSameDefinition, type TableShape, tableChanged } from "../../../core/table-shape.ts";
import { literal } from "../../shared/identifier.ts";
import { binaryFormSql } from "../catalog/binary-form.ts";
import { shapeSql } from "../catalog/table-shape.ts";
import type { QueryResult, WireSession } from "../connection/wire-session.ts";

/** What a snapshot remembers of a table from the moment it was opened. */
export interface SourceTable {
  /** Names of the columns that have no binary form. */
  readonly textual: ReadonlySet<string>;
  /** Which columns there are and where the rows are stored, to be compared later. */
  readonly layout: TableLayout;
}

interface TableLayout {
  /** Columns it has ever had. */
  readonly attributes: number;
  /** null for a table without columns. */
  readonly columns: string | null;
  readonly storage: string | null;
}

/**
 * Facts about tables by table key, as the transaction's snapshot has them. Tables that are not there
 * are left out. Throws `source.table_changed` for one whose columns changed since it was described: what came
 * with the change would not be read, nor be in the change stream. That it was emptied or rewritten does not
 * matter: the snapshot is newer.
 */
export async function readSourceTables(
  wire: WireSession,
  tables: readonly TableSchema[],
): Promise<ReadonlyMap<string, SourceTable>> {
  const ids = tables.map(({ id }) => ({ schema: id.schema, name: id.name }));
  const { rows } = await wire.query(`
    with wanted as materialized (
      select w.schema, w.name, c.oid, c.relnatts, c.relfilenode
        from json_to_recordset(${literal(JSON.stringify(ids))}) as w(schema text, name text)
        join pg_catalog.pg_namespace n on n.nspname = w.schema
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
    ), columns as materialized (
      select a.attrelid, a.attname, a.atttypid from wanted w join pg_catalog.pg_attribute a on a.attrelid = w.oid
       where a.attnum > 0 and not a.attisdropped
    ), unsendable as materialized (
      select t.oid from (select distinct atttypid as oid from columns) t where ${binaryFormSql("t.oid")} is null
    ), textual as materialized (
      select c.attrelid, json_agg(c.attname) as names
        from columns c join unsendable u on u.oid = c.atttypid group by c.attrelid
    )
    select w.schema, w.name, w.relnatts, ${layoutSql("w.oid", "w.relnatts")}, t.names, ${shapeSql("w")}
      from wanted w left join textual t on t.attrelid = w.oid`);
  const found = new Map<string, SourceTable>();
  const described = new Map(tables.map((table) => [tableKey(table.id), table]));
  for (const [schema, name, attributes, columns, storage, names, shape] of rows) {
    const layout = { attributes: Number(attributes), columns: columns ?? null, storage: storage ?? null };
    const key = tableKey({ schema: schema!, name: name! });
    const known = described.get(key)!;
    if (known.shape !== undefined && !isSameDefinition(known.shape, JSON.parse(shape!) as TableShape)) {
      throw tableChanged(known.id, "changed between its description and the snapshot");
    }
    const textual = names === null || names === undefined ? [] : (JSON.parse(names) as string[]);
    found.set(key, { textual: new Set(textual), layout });
  }
  return found;
}

/** Asks for what checkUnchanged() looks at; outside the snapshot's transaction, where the catalog is today's. */
export function layoutQuery(id: TableId, before: SourceTable): string {
  return `
    select ${layoutSql("c.oid", String(before.layout.attributes))}
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${literal(id.schema)} and c.relname = ${literal(id.name)}`;
}

/**
 * Throws when what was read since may not be what the snapshot holds. `now`: what layoutQuery() found.
 *
 * DDL is not versioned like rows: after a TRUNCATE or a rewriting ALTER TABLE that committed since, a
 * snapshot sees an empty table, and a column that was dropped and added again reads as NULL. All of
 * them leave a trace in the catalog. So does VACUUM FULL, which is harmless except for block ranges;
 * it cannot be told from TRUNCATE, so the table counts as rewritten. Locking the tables for the whole
 * load would avoid that but block the application's own DDL, and whatever queues behind it.
 */
export function checkUnchanged(id: TableId, { layout }: SourceTable, now: QueryResult): void {
  const [columns, storage] = now.rows[0] ?? [undefined, undefined];
  if (columns !== layout.columns) throw changedWhileRead(id);
  if (storage === layout.storage) return;
  throw new MigrationError("source.table_rewritten", {
    message: `The table ${displayTable(id)} was emptied or rewritten while it was being read.`,
    subject: displayTable(id),
    table: id,
  });
}

/** For a table that is not what it was, or not there any more. */
export function changedWhileRead(id: TableId): MigrationError {
  return tableChanged(id, "changed its columns while it was being read");
}

/** Two columns of SQL for a table's oid: its first columns, and where its rows are. Later columns do not count. */
function layoutSql(oid: string, attributes: string): string {
  return `(select hashtextextended(string_agg(a.attnum || ' ' || a.atttypid || ' ' || a.attname, ',' order by a.attnum), 0)
      from pg_catalog.pg_attribute a
     where a.attrelid = ${oid} and a.attnum between 1 and ${attributes} and not a.attisdropped),
    (select r.oid || ' ' || r.relfilenode from pg_catalog.pg_class r where r.oid = ${oid})`;
}
