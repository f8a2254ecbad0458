import type pg from "pg";
import {
  type Catalog,
  type SchemaObject,
  type TableId,
  type TableSchema,
  tableKey,
} from "../../../core/schema.ts";
import type { DescribeRequest } from "../../../core/source.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import { literal } from "../../shared/identifier.ts";
import { errorCode } from "../connection/error-code.ts";
import { isGone, lookAgain } from "../connection/look-again.ts";
import { describeColumns, plainColumn, type TableColumns } from "./catalog-columns.ts";
import {
  describeChecks,
  describeForeignKeys,
  describeIndexes,
  type TableIndex,
} from "./catalog-constraints.ts";
import { describeObjects } from "./catalog-objects.ts";
import { findParents } from "./catalog-partitions.ts";
import { commentOn, isExtensionMember, SAFE_PATH, selectJson } from "./catalog-query.ts";
import { describeRights } from "./catalog-rights.ts";
import { describeSequences } from "./catalog-sequences.ts";
import { describeTypes } from "./catalog-types.ts";
import { KEY_SCHEMA } from "./note-key.ts";
import { withSent } from "./sent-columns.ts";
import { shapeSql } from "./table-shape.ts";

/** Schemas that are the user's, by name. */
export async function listSchemas(client: pg.Client): Promise<string[]> {
  const rows = await selectJson<{ name: string }>(
    client,
    `select nspname as name from pg_namespace where ${USER_SCHEMA} order by nspname collate "C"`,
  );
  return rows.map(({ name }) => name);
}

/**
 * Ordinary tables and leaf partitions of user schemas; no temporary ones, none of an extension, no
 * DMS control tables.
 */
export async function listTables(client: pg.Client): Promise<TableId[]> {
  return await listRelations(client, "'r'");
}

/** Views of the same schemas, materialized ones among them. */
export async function listViews(client: pg.Client): Promise<TableId[]> {
  return await listRelations(client, "'v', 'm'");
}

function listRelations(client: pg.Client, kinds: string): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `select nspname as schema, relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where relkind in (${kinds}) and relpersistence <> 't' and ${USER_SCHEMA} and relname not like 'awsdms\\_%'
       and not ${isExtensionMember("c.oid", "pg_class")}
     order by nspname collate "C", relname collate "C"`,
  );
}

/** Beside those of sessions, whose names begin as theirs. */
export const systemSchemas: readonly string[] = ["pg_catalog", "pg_toast", "information_schema"];

const USER_SCHEMA = `nspname not like 'pg\\_%' and nspname not in ('information_schema', ${literal(KEY_SCHEMA)})`;

/** Texts of the server show the catalog as it is, names the transaction's: what is renamed meanwhile does not fit. */
function isOutdated(error: unknown): boolean {
  return isGone(error) || errorCode(error) === "source.protocol";
}

type DescribeOptions = Omit<DescribeRequest, "tables">;

/**
 * The named tables with the types, sequences, schemas and other objects they need, and all objects of
 * the schemas that are moved whole, in a fixed number of queries and in one transaction; a table that
 * has gone is left out. The client must not be in a transaction.
 */
export async function describe(
  client: pg.Client,
  ids: readonly TableId[],
  options: DescribeOptions = { wholeSchemas: undefined, objects: true, rights: false, largeObjects: false },
): Promise<Catalog> {
  return await lookAgain(async () => {
    // jit: estimates on catalogs are far too high, and compiling costs more than the query.
    await client.query(
      `begin transaction isolation level repeatable read read only; set local jit = off; set local search_path = ${SAFE_PATH}`,
    );
    try {
      const catalog = await readCatalog(client, ids, options);
      await client.query("commit");
      return catalog;
    } catch (error) {
      await client.query("rollback").catch(() => undefined);
      throw error;
    }
  }, isOutdated);
}

export interface TableRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** relreplident: d(efault), i(ndex), f(ull), n(othing). */
  readonly identity: string;
  readonly rows: number;
  readonly bytes: number;
  readonly comment: string | null;
  readonly shape: TableShape;
  readonly rowTypes: readonly TableId[] | null;
  readonly isView?: boolean;
}

async function readCatalog(
  client: pg.Client,
  wanted: readonly TableId[],
  { views = [], wholeSchemas, objects: withObjects, rights, largeObjects, rowsOnly = false }: DescribeOptions,
): Promise<Catalog> {
  const schemas = wholeSchemas ?? [];
  const all = [...wanted, ...views];
  const rows = await selectJson<TableRow>(client, TABLES, [
    all.map(({ schema }) => schema),
    all.map(({ name }) => name),
    all.map((_, i) => i >= wanted.length),
  ]);
  const oids = rows.map(({ oid }) => oid);
  const stored = rows.filter(({ isView }) => isView !== true);
  const storedOids = stored.map(({ oid }) => oid);
  const parents = wholeSchemas === undefined ? new Map() : await findParents(client, storedOids, schemas);
  const types = await describeTypes(client, [...oids, ...parents.keys()], schemas);
  const columns = await describeColumns(client, oids, types.native);
  const indexes = await describeIndexes(client, oids);
  const checks = await describeChecks(client, oids);
  const foreignKeys = await describeForeignKeys(client, oids);
  const tables = new Map(stored.map(({ oid, schema, name }) => [oid, { schema, name }]));
  const sequences = await describeSequences(client, new Map([...tables, ...parents]), schemas);
  const isStructured = wholeSchemas !== undefined;
  const request = { schemas, isStructured, tables, parents, sequences, types: types.native };
  const objects = withObjects ? await describeObjects(client, request) : [];
  // An extension is where it is, whatever becomes of the schema around it.
  const own = objects.filter(({ kind }) => kind !== "extension");
  const ids = [...rows, ...[...types.user, ...sequences, ...own].map(({ id }) => id)];
  const names = new Set([...schemas, ...ids.map(({ schema }) => schema)]);
  const version = await serverVersion(client);
  return {
    dialect: "postgres",
    serverVersion: version,
    schemas: await describeSchemas(client, [...names]),
    types: types.user,
    sequences,
    tables: withoutOwnIdentity(
      rows.map((row) => ({
        ...withSent(tableWithColumns(row, columns.get(row.oid)!, indexes.get(row.oid) ?? []), {
          serverVersion: version,
          rowsOnly,
        }),
        checks: [...(checks.get(row.oid) ?? []), ...uncheckedNotNulls(columns.get(row.oid)!)],
        foreignKeys: foreignKeys.get(row.oid) ?? [],
      })),
      objects,
    ),
    objects,
    rights: rights ? await describeRights(client, { schemas: [...names], whole: schemas, largeObjects }) : [],
  };
}

/** A partition has its identity from the table above it, and may have none of its own when it is attached. */
function withoutOwnIdentity(
  tables: readonly TableSchema[],
  objects: readonly SchemaObject[],
): readonly TableSchema[] {
  const attached = new Set(
    objects.flatMap(({ kind, on }) => (kind === "partition" && on !== undefined ? tableKey(on) : [])),
  );
  return tables.map((table) => {
    return attached.has(tableKey(table.id)) ? { ...table, columns: table.columns.map(plainColumn) } : table;
  });
}

/** Tables whose rows, or arrays of them, are the type of a column. */
const ROW_TYPES = `(
  select jsonb_agg(distinct jsonb_build_object('schema', rn.nspname, 'name', r.relname))
    from pg_depend d join pg_type t on t.oid = d.refobjid left join pg_type element on element.oid = t.typelem
    join pg_class r on r.oid = coalesce(nullif(t.typrelid, 0), element.typrelid) and r.relkind in ('r', 'p')
    join pg_namespace rn on rn.oid = r.relnamespace
   where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid > 0
     and d.refclassid = 'pg_type'::regclass)`;

/**
 * Rows are estimated as the planner does: the density at the last analyze times the size now; without
 * one, the size over a guess of the row's width.
 */
const TABLES = `
  select c.oid, n.nspname as schema, c.relname as name, c.relreplident as identity,
    coalesce(pg_table_size(c.oid), 0) as bytes, ${commentOn("c.oid", "pg_class")} as comment,
    ${shapeSql("c")} as shape, ${ROW_TYPES} as "rowTypes", wanted.view as "isView",
    round((case
      when wanted.view and c.relkind <> 'm' then -1
      when now.pages is null then -1
      when now.pages = 0 then 0
      when c.reltuples >= 0 and c.relpages > 0 then c.reltuples / c.relpages * now.pages
      else now.pages * current_setting('block_size')::float8 / (28 + (
        select coalesce(sum(case when a.attlen > 0 then a.attlen else 32 end), 0) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
    end)::numeric) as rows
  from unnest($1::text[], $2::text[], $3::bool[]) with ordinality as wanted(schema, name, view, at)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
   and case when wanted.view then c.relkind in ('v', 'm', 'p', 'f') else c.relkind in ('r', 'p') end
  cross join lateral (select pg_relation_size(c.oid) / current_setting('block_size')::int8 as pages) as now
  order by wanted.at`;

export function tableWithColumns(
  row: Omit<TableRow, "oid">,
  { columns, ordinals }: TableColumns,
  indexes: readonly TableIndex[],
): Omit<TableSchema, "checks" | "foreignKeys"> {
  const identifying =
    row.identity === "i"
      ? indexes.find((candidate) => candidate.replicaIdentity)
      : // A deferrable one is no identity to the server: changes of the table would be refused once it is published.
        indexes.find(({ index, immediate }) => index.constraint === "primary-key" && immediate);
  const key =
    row.identity === "n" || identifying === undefined
      ? []
      : identifying.numbers.map((at) => ordinals.get(at)!);
  return {
    id: { schema: row.schema, name: row.name },
    columns,
    key,
    rowIdentity: row.identity === "f" ? "full" : key.length > 0 ? "key" : "none",
    indexes: indexes.map(({ index }) => index),
    ...(row.comment === null ? {} : { comment: row.comment }),
    ...(row.rowTypes === null ? {} : { rowTypes: row.rowTypes }),
    ...(row.isView === true ? { isView: true } : {}),
    shape: row.shape,
    estimatedRows: row.rows,
    estimatedBytes: row.bytes,
  };
}

/** PostgreSQL 18's NOT NULL ... NOT VALID, in words that every version understands. */
export function uncheckedNotNulls({ unchecked }: TableColumns): TableSchema["checks"] {
  return unchecked.map(({ name, column }) => ({
    name,
    native: `CHECK ((${column} IS NOT NULL))`,
    validated: false,
  }));
}

/** Without the comment that every database's "public" comes with. */
async function describeSchemas(client: pg.Client, names: readonly string[]): Promise<Catalog["schemas"]> {
  const rows = await selectJson<{ name: string; comment: string | null }>(
    client,
    `select nspname as name, nullif(${commentOn("oid", "pg_namespace")},
       case nspname when 'public' then 'standard public schema' end) as comment
     from pg_namespace where nspname = any($1::text[]) order by nspname collate "C"`,
    [names],
  );
  return rows.map(({ name, comment }) => (comment === null ? { name } : { name, comment }));
}

export async function serverVersion(client: pg.Client): Promise<string> {
  const [row] = await selectJson<{ version: string }>(
    client,
    "select current_setting('server_version') as version",
  );
  return row!.version;
}
