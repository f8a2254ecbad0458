import type pg from "pg";
import { type Column, type ObjectKind, type Sequence, type TableId, tableKey } from "../../../core/schema.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { describeColumns, plainColumn } from "./catalog-columns.ts";
import type { FoundObject, ObjectRequest } from "./catalog-objects.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import { columnDefinition } from "./ddl.ts";
import { nodeSql } from "./object-graph.ts";

/*
 * Rows lie in partitions, which are moved as the tables that they are. What holds them together is made
 * around them: the partitioned tables above, and each table's place in them, while the tables are empty;
 * keys, indexes and foreign keys of the tables above after the rows, when each partition has its own, which
 * the server then takes over instead of building others.
 */

/** Partitioned tables of some schemas, and those above some tables. */
export async function findParents(
  client: pg.Client,
  tables: readonly string[],
  schemas: readonly string[],
): Promise<Map<string, TableId>> {
  const rows = await selectJson<TableId & { readonly oid: string }>(client, PARENTS, [tables, schemas]);
  return new Map(rows.map(({ oid, schema, name }) => [oid, { schema, name }]));
}

const PARENTS = `
  with recursive above(oid) as (
    select unnest($1::oid[]) union
    select i.inhparent from above join pg_class c on c.oid = above.oid join pg_inherits i on i.inhrelid = c.oid
     where c.relispartition)
  select c.oid, n.nspname as schema, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'p' and c.relpersistence <> 't' and (n.nspname = any($2::text[]) or c.oid in (select oid from above))
     and not ${isExtensionMember("c.oid", "pg_class")}
   order by c.oid`;

/** Needs a transaction; see inSchema. */
export async function describePartitions(client: pg.Client, request: ObjectRequest): Promise<FoundObject[]> {
  const parents = [...request.parents.keys()];
  const tables = [...request.tables.keys()];
  const inherited = await selectJson<PlaceRow>(client, PLACES, [tables, parents]);
  if (parents.length === 0) return inherited.map(place);
  const columns = await describeColumns(client, parents, request.types);
  const above = await selectJson<ParentRow>(client, PARTITIONED, [parents]);
  const parts = await selectJson<PartRow>(client, PARTS, [parents]);
  const references = await selectJson<PartRow>(client, REFERENCES, [tables, parents]);
  return [
    ...above.map((row) => parent(row, columns.get(row.oid)!.columns, request.sequences)),
    ...inherited.map(place),
    ...[...parts, ...references].map(part),
  ];
}

interface ParentRow {
  readonly node: string;
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly key: string;
  /** Of a table further up. */
  readonly isPartition: boolean;
  readonly checks: readonly string[] | null;
  readonly comment: string | null;
}

const PARTITIONED = `
  select ${nodeSql("pg_class", "c.oid")} as node, c.oid, n.nspname as schema, c.relname as name,
    ${inSchema("n.nspname", "pg_get_partkeydef(c.oid)")} as key, c.relispartition as "isPartition",
    (select json_agg('constraint ' || quote_ident(k.conname) || ' ' || ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")}
            order by k.conname collate "C")
       from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.convalidated) as checks,
    ${commentOn("c.oid", "pg_class")} as comment
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any($1::oid[]) order by c.oid`;

function parent(row: ParentRow, described: readonly Column[], all: readonly Sequence[]): FoundObject {
  const columns = row.isPartition ? described.map(plainColumn) : described;
  const name = identifier(row.name);
  const key = tableKey(row);
  const own = all.filter(({ ownedBy }) => ownedBy !== undefined && tableKey(ownedBy.table) === key);
  const sequences = own.filter(({ internal }) => internal);
  // A sequence cannot be owned across schemas.
  const serials = own.filter(({ internal, id }) => !internal && id.schema === row.schema);
  const named = ({ id }: Sequence): string => identifier(id.name);
  const options = { sequences, named, virtualColumns: true };
  const parts = [...columns.map((column) => columnDefinition(column, options)), ...(row.checks ?? [])];
  return {
    node: row.node,
    kind: "partitioned table",
    id: { schema: row.schema, name: row.name },
    stage: "before-rows",
    native: [
      `create table ${name} (${parts.join(", ")}) partition by ${row.key}`,
      ...(row.comment === null ? [] : [`comment on table ${name} is ${literal(row.comment)}`]),
      ...columns.flatMap((column) =>
        column.comment === undefined
          ? []
          : [`comment on column ${name}.${identifier(column.name)} is ${literal(column.comment)}`],
      ),
      ...serials.map(
        (serial) => `alter sequence ${named(serial)} owned by ${name}.${identifier(serial.ownedBy!.column)}`,
      ),
    ],
  };
}

interface PlaceRow {
  readonly node: string;
  readonly schema: string;
  readonly name: string;
  readonly parent: TableId;
  /** Of the table above, as a text of the table's schema names it. */
  readonly parentName: string;
  /** FOR VALUES ..., or DEFAULT; null for a table that merely inherits. */
  readonly bound: string | null;
}

/** A table may inherit from several; then their order is that of its columns. */
const PLACES = `
  select ${nodeSql("pg_inherits", "c.oid || '.' || i.inhseqno")} as node, n.nspname as schema, c.relname as name,
    json_build_object('schema', pn.nspname, 'name', p.relname) as parent,
    ${inSchema("n.nspname", "p.oid::regclass::text")} as "parentName",
    ${inSchema("n.nspname", "pg_get_expr(c.relpartbound, c.oid)")} as bound
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
   where (c.oid = any($1::oid[]) or c.oid = any($2::oid[])) and (p.oid = any($1::oid[]) or p.oid = any($2::oid[]))
   order by c.oid, i.inhseqno`;

function place(row: PlaceRow): FoundObject {
  const child = { schema: row.schema, name: row.name };
  const table = identifier(row.name);
  const isPartition = row.bound !== null;
  const statement = isPartition
    ? `alter table ${row.parentName} attach partition ${table} ${row.bound}`
    : `alter table ${table} inherit ${row.parentName}`;
  return {
    node: row.node,
    kind: isPartition ? "partition" : "inheritance",
    id: { schema: row.schema, name: `${row.name} of ${row.parent.name}` },
    on: child,
    of: row.parent,
    stage: "before-rows",
    native: [unlessInherited(statement, row.name, row.parentName)],
  };
}

/** Attaching what is attached is an error of its own kind in every version. */
function unlessInherited(statement: string, child: string, parentName: string): string {
  const query = `select from pg_catalog.pg_inherits
    where inhrelid = ${literal(identifier(child))}::regclass and inhparent = ${literal(parentName)}::regclass`;
  return unless(query, statement);
}

/** A second primary key is an error of its own kind, and a foreign key is looked at before its name. */
function unlessConstrained(statement: string, { table, name }: PartRow): string {
  return unless(
    `select from pg_catalog.pg_constraint
      where conrelid = ${literal(identifier(table.name))}::regclass and conname = ${literal(name)}`,
    statement,
  );
}

/** A statement that is run where a query, which is asked in the same search path, finds nothing. */
function unless(query: string, statement: string): string {
  return `do $tideway$ begin if not exists (${query}) then execute ${literal(statement)}; end if; end $tideway$`;
}

interface PartRow {
  readonly node: string;
  readonly kind: "index" | "constraint" | "foreign key";
  readonly schema: string;
  readonly name: string;
  readonly table: TableId;
  readonly of: TableId | null;
  /** What follows CREATE INDEX's or ADD CONSTRAINT's name and, for an index, its table. */
  readonly definition: string;
  readonly unique: boolean;
  readonly comment: string | null;
}

const TABLE = `json_build_object('schema', n.nspname, 'name', c.relname) as table`;

/** What partitioned tables have of their own: an index of theirs belongs to a partition above when it has a parent. */
const PARTS = `
  select ${nodeSql("pg_constraint", "k.oid")} as node, case k.contype when 'f' then 'foreign key' else 'constraint' end as kind, n.nspname as schema, k.conname as name, ${TABLE},
    case when r.oid is not null then json_build_object('schema', rn.nspname, 'name', r.relname) end as of,
    ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} as definition, false as unique,
    ${commentOn("k.oid", "pg_constraint")} as comment
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_class r on r.oid = k.confrelid and k.contype = 'f' left join pg_namespace rn on rn.oid = r.relnamespace
   where c.oid = any($1::oid[]) and k.conparentid = 0
     and (k.contype in ('p', 'u', 'x', 'f') or k.contype = 'c' and not k.convalidated and k.conislocal)
  union all
  select ${nodeSql("pg_index", "i.indexrelid")}, 'index', n.nspname, x.relname, ${TABLE}, null,
    substr(${inSchema("n.nspname", "pg_get_indexdef(i.indexrelid, 0, true)")},
      strpos(${inSchema("n.nspname", "pg_get_indexdef(i.indexrelid, 0, true)")}, ' USING ') + 1),
    i.indisunique, ${commentOn("x.oid", "pg_class")}
    from pg_index i join pg_class x on x.oid = i.indexrelid
    join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
   where c.oid = any($1::oid[]) and i.indisvalid and not x.relispartition
     and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid
                        and k.contype in ('p', 'u', 'x'))
   order by kind, node`;

/** Foreign keys of ordinary tables to partitioned ones. Those of a partition come from the table above it. */
const REFERENCES = `
  select ${nodeSql("pg_constraint", "k.oid")} as node, 'foreign key' as kind, n.nspname as schema, k.conname as name, ${TABLE},
    json_build_object('schema', rn.nspname, 'name', r.relname) as of,
    ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} as definition, false as unique,
    ${commentOn("k.oid", "pg_constraint")} as comment
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
   where c.oid = any($1::oid[]) and r.oid = any($2::oid[]) and k.contype = 'f' and k.conparentid = 0
   order by node`;

function part(row: PartRow): FoundObject {
  const table = identifier(row.table.name);
  const name = identifier(row.name);
  const isIndex = row.kind === "index";
  const what = isIndex ? `index ${name}` : `constraint ${name} on ${table}`;
  return {
    node: row.node,
    kind: row.kind satisfies ObjectKind,
    id: { schema: row.schema, name: row.name },
    on: row.table,
    ...(row.of === null ? {} : { of: row.of }),
    native: [
      isIndex
        ? `create ${row.unique ? "unique " : ""}index ${name} on ${table} ${row.definition}`
        : unlessConstrained(`alter table ${table} add constraint ${name} ${row.definition}`, row),
      ...(row.comment === null ? [] : [`comment on ${what} is ${literal(row.comment)}`]),
    ],
  };
}
