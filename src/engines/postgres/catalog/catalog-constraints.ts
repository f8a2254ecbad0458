import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { Check, ForeignKey, Index } from "../../../core/schema.ts";
import { commentOn, inSchema, selectJson } from "./catalog-query.ts";

export interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly unique: boolean;
  readonly replicaIdentity: boolean;
  readonly immediate: boolean;
  readonly constraint: "p" | "u" | "x" | null;
  /** attnums of the key columns; 0 for an expression. */
  readonly numbers: readonly number[];
  readonly columns: readonly (string | null)[];
  readonly definition: string;
  readonly prefix: string;
  readonly constraintDefinition: string | null;
  readonly comment: string | null;
}

export interface ConstraintRow {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly validated: boolean;
  readonly comment: string | null;
}

export interface ForeignKeyRow extends ConstraintRow {
  readonly prefix: string;
  readonly columns: readonly string[];
  readonly schema: string;
  readonly referenced: string;
  readonly referencedColumns: readonly string[];
  readonly period: boolean | null;
}

export interface TableIndex {
  readonly index: Index;
  /** The table's replica identity is USING INDEX this one. */
  readonly replicaIdentity: boolean;
  /** False when it is checked late: between two changes of a transaction, rows may have the same key. */
  readonly immediate: boolean;
  readonly numbers: readonly number[];
}

/** Valid indexes by the table's oid, the primary key first, then by name. Needs a transaction. */
export async function describeIndexes(
  client: pg.Client,
  tables: readonly string[],
): Promise<Map<string, TableIndex[]>> {
  return byTable(await selectJson<IndexRow>(client, INDEXES, [tables]), index);
}

/** Check constraints by the table's oid, by name. Needs a transaction. */
export async function describeChecks(
  client: pg.Client,
  tables: readonly string[],
): Promise<Map<string, Check[]>> {
  return byTable(await selectJson<ConstraintRow>(client, CHECKS, [tables]), check);
}

/** Foreign keys by the table's oid, by name. Needs a transaction. */
export async function describeForeignKeys(
  client: pg.Client,
  tables: readonly string[],
): Promise<Map<string, ForeignKey[]>> {
  return byTable(await selectJson<ForeignKeyRow>(client, FOREIGN_KEYS, [tables]), foreignKey);
}

export const INDEXES = `
  select i.indrelid as table, x.relname as name, i.indisunique as unique,
    i.indisreplident as "replicaIdentity", i.indimmediate as immediate, k.contype as constraint,
    keys.numbers, keys.columns,
    ${inSchema("n.nspname", "pg_get_indexdef(i.indexrelid)")} as definition,
    ${inSchema(
      "n.nspname",
      `'CREATE ' || case when i.indisunique then 'UNIQUE ' else '' end || 'INDEX '
        || quote_ident(x.relname) || ' ON ' || case when c.relkind = 'p' then 'ONLY ' else '' end
        || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' '`,
    )} as prefix,
    ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} as "constraintDefinition",
    coalesce(case when k.oid is not null then ${commentOn("k.oid", "pg_constraint")} end,
      ${commentOn("x.oid", "pg_class")}) as comment
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_constraint k
    on k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
  cross join lateral (
    select json_agg(key.number order by key.at) as numbers, json_agg(a.attname order by key.at) as columns
    from unnest(i.indkey::int2[]) with ordinality as key(number, at)
    left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = key.number
    where key.at <= i.indnkeyatts
  ) as keys
  where i.indrelid = any($1::oid[]) and i.indisvalid and i.indislive
  order by i.indrelid, i.indisprimary desc, x.relname collate "C"`;

export const CHECKS = `
  select k.conrelid as table, k.conname as name, k.convalidated as validated,
    ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} as definition,
    ${commentOn("k.oid", "pg_constraint")} as comment
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
  where k.conrelid = any($1::oid[]) and k.contype = 'c'
  order by k.conrelid, k.conname collate "C"`;

function columnList(key: string, table: string, value: string): string {
  return `from unnest(k.${key}) with ordinality as key(number, at)
    join pg_attribute a on a.attrelid = k.${table} and a.attnum = key.number) ${value}`;
}

/** The column list as the server writes it; PERIOD stands before the last column (PostgreSQL 18). */
function deparsedList(key: string, table: string): string {
  return `(select string_agg(case when period.on and key.at = cardinality(k.${key}) then 'PERIOD ' else '' end
    || quote_ident(a.attname), ', ' order by key.at) ${columnList(key, table, "")}`;
}

// A foreign key to a partitioned table also has a row for each partition: those are not declared ones.
export const FOREIGN_KEYS = `
  select k.conrelid as table, k.conname as name, k.convalidated as validated,
    rn.nspname as schema, r.relname as referenced, period.on as period,
    (select json_agg(a.attname order by key.at) ${columnList("conkey", "conrelid", "as columns")},
    (select json_agg(a.attname order by key.at) ${columnList("confkey", "confrelid", 'as "referencedColumns"')},
    ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} as definition,
    ${inSchema(
      "n.nspname",
      `'FOREIGN KEY (' || ${deparsedList("conkey", "conrelid")} || ') REFERENCES '
        || k.confrelid::regclass::text || '(' || ${deparsedList("confkey", "confrelid")} || ')'`,
    )} as prefix,
    ${commentOn("k.oid", "pg_constraint")} as comment
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class r on r.oid = k.confrelid
  join pg_namespace rn on rn.oid = r.relnamespace
  cross join lateral (select coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) as on) as period
  where k.conrelid = any($1::oid[]) and k.contype = 'f'
    and not exists (select from pg_constraint p where p.oid = k.conparentid and p.conrelid = k.conrelid)
  order by k.conrelid, k.conname collate "C"`;

/** The server writes no definition of what was dropped after the statement began to look. */
export function isThere(row: {
  readonly definition: string | null;
  readonly constraintDefinition?: string | null;
}): boolean {
  const { definition, constraintDefinition } = row;
  const isBacked = "constraint" in row && row.constraint !== null;
  return definition !== null && !(isBacked && constraintDefinition === null);
}

function byTable<Row extends { readonly table: string; readonly definition: string }, Part>(
  rows: readonly Row[],
  part: (row: Row) => Part,
): Map<string, Part[]> {
  const found = new Map<string, Part[]>();
  for (const row of rows.filter(isThere)) {
    const list = found.get(row.table);
    if (list === undefined) found.set(row.table, [part(row)]);
    else list.push(part(row));
  }
  return found;
}

const constraintKinds = { p: "primary-key", u: "unique", x: "exclusion" } as const;

export function index(row: IndexRow): TableIndex {
  const columns = row.columns.filter((name) => name !== null);
  return {
    index: {
      name: row.name,
      unique: row.unique,
      ...(row.replicaIdentity && row.constraint !== "p" ? { replicaIdentity: true } : {}),
      constraint: row.constraint === null ? undefined : constraintKinds[row.constraint],
      columns: columns.length === row.columns.length ? columns : undefined,
      native: row.constraintDefinition ?? withoutPrefix(row.definition, row.prefix, row.name),
      ...(row.comment === null ? {} : { comment: row.comment }),
    },
    replicaIdentity: row.replicaIdentity,
    immediate: row.immediate,
    numbers: row.numbers,
  };
}

export function check(row: ConstraintRow): Check {
  return {
    name: row.name,
    ...validity(row, row.definition),
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
}

export function foreignKey(row: ForeignKeyRow): ForeignKey {
  return {
    name: row.name,
    columns: row.columns,
    references: { schema: row.schema, name: row.referenced },
    referencedColumns: row.referencedColumns,
    ...validity(row, withoutPrefix(row.definition, row.prefix, row.name).trimStart()),
    ...(row.period === true ? { period: true } : {}),
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
}

const NOT_VALID = "NOT VALID";

/** The server writes NOT VALID last. A constraint that is not enforced says so instead, and stays as it is. */
function validity(
  row: ConstraintRow,
  text: string,
): { readonly native: string; readonly validated: boolean } {
  if (row.validated || !text.endsWith(NOT_VALID)) return { native: text, validated: true };
  return { native: text.slice(0, -NOT_VALID.length).trimEnd(), validated: false };
}

/** Definitions begin with names that may hold anything, so the known beginning is cut by its length. */
function withoutPrefix(text: string, prefix: string, name: string): string {
  if (text.startsWith(prefix)) return text.slice(prefix.length);
  throw new MigrationError("source.protocol", {
    message: "The server describes an index or a foreign key in a form that Tideway does not know.",
    subject: name,
  });
}
