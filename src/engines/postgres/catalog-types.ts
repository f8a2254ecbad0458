import type pg from "pg";
import type { UserType } from "../../core/schema.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import type { NativeType } from "./type-map.ts";

interface TypeRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly category: string;
  readonly element: string | null;
  readonly base: string | null;
  readonly baseModifier: number;
  readonly labels: readonly string[] | null;
  readonly needs: readonly string[] | null;
  readonly userDefined: boolean;
  readonly baseNative: string | null;
  readonly collation: string | null;
  readonly default: string | null;
  readonly notNull: boolean;
  readonly checks: readonly string[] | null;
  readonly comment: string | null;
}

export interface Types {
  /** Everything the columns are made of, by oid. */
  readonly native: ReadonlyMap<string, NativeType>;
  /** Enums and domains of the user's, each after those it is made of. */
  readonly user: readonly UserType[];
}

/** Types that columns, defaults, constraints and indexes of some tables use, and what those consist of. */
export async function describeTypes(client: pg.Client, tables: readonly string[]): Promise<Types> {
  return readTypes(
    client,
    `select a.atttypid from pg_attribute a
       where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
     union select d.refobjid from pg_attrdef e
       join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid
       where e.adrelid = any($1::oid[]) and d.refclassid = 'pg_type'::regclass
     union select d.refobjid from pg_constraint k
       join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid
       where k.conrelid = any($1::oid[]) and d.refclassid = 'pg_type'::regclass
     union select d.refobjid from pg_index i
       join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
       where i.indrelid = any($1::oid[]) and d.refclassid = 'pg_type'::regclass`,
    [tables],
  );
}

/**
 * The types that a query of oids selects and all they are made of. The client must be in a
 * transaction; see inSchema.
 */
export async function readTypes(
  client: pg.Client,
  roots: string,
  values: readonly unknown[],
): Promise<Types> {
  const rows = await selectJson<TypeRow>(client, typesQuery(roots), values);
  const native = new Map<string, NativeType>();
  for (const row of rows) native.set(row.oid, nativeType(row));
  return {
    native,
    user: inDependencyOrder(rows)
      .filter((row) => row.userDefined)
      .map(userType),
  };
}

function typesQuery(roots: string): string {
  const element = "case when t.typelem <> 0 and t.typlen = -1 and t.typcategory = 'A' then t.typelem end";
  const parts = `select ${element} as oid
    union all select t.typbasetype where t.typtype = 'd'
    union all select d.refobjid from pg_constraint k
      join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid
      where k.contypid = t.oid and d.refclassid = 'pg_type'::regclass and t.typtype = 'd'`;
  const collation = `case when pg_collation_is_visible(c.oid) then quote_ident(c.collname)
    else quote_ident(cn.nspname) || '.' || quote_ident(c.collname) end`;
  return `with recursive used(oid) as (
      select roots.oid from (${roots}) as roots(oid)
      union
      select part.oid from used join pg_type t on t.oid = used.oid cross join lateral (${parts}) as part
        where part.oid is not null
    )
    select t.oid, n.nspname as schema, t.typname as name, t.typtype as kind, t.typcategory as category,
      ${element} as element, nullif(t.typbasetype, 0) as base, t.typtypmod as "baseModifier",
      (select json_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid) as labels,
      (select json_agg(part.oid) from (${parts}) as part where part.oid is not null) as needs,
      t.typtype in ('e', 'd') and n.nspname not in ('pg_catalog', 'information_schema')
        and not ${isExtensionMember("t.oid", "pg_type")} as "userDefined",
      ${inSchema("n.nspname", "format_type(t.typbasetype, t.typtypmod)")} as "baseNative",
      ${inSchema("n.nspname", collation)} as collation,
      ${inSchema("n.nspname", "pg_get_expr(t.typdefaultbin, 'pg_type'::regclass)")} as default,
      t.typnotnull as "notNull",
      (select json_agg('constraint ' || quote_ident(k.conname) || ' '
          || ${inSchema("n.nspname", "pg_get_constraintdef(k.oid)")} order by k.conname collate "C")
        from pg_constraint k where k.contypid = t.oid and k.contype = 'c') as checks,
      ${commentOn("t.oid", "pg_type")} as comment
    from used join pg_type t on t.oid = used.oid join pg_namespace n on n.oid = t.typnamespace
    left join pg_type b on b.oid = t.typbasetype
    left join pg_collation c on t.typtype = 'd' and c.oid = t.typcollation and t.typcollation <> b.typcollation
    left join pg_namespace cn on cn.oid = c.collnamespace
    order by n.nspname collate "C", t.typname collate "C"`;
}

function nativeType(row: TypeRow): NativeType {
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    category: row.category,
    // These two are stored like arrays but written as numbers with spaces between them.
    element: row.name === "int2vector" || row.name === "oidvector" ? undefined : (row.element ?? undefined),
    base: row.base ?? undefined,
    baseModifier: row.baseModifier,
    labels: row.labels ?? [],
  };
}

function userType(row: TypeRow): UserType {
  return {
    id: { schema: row.schema, name: row.name },
    kind: row.kind === "e" ? "enum" : "domain",
    labels: row.labels ?? [],
    native: row.kind === "e" ? "" : domainNative(row),
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
}

const NOT_VALID = " NOT VALID";

function domainNative(row: TypeRow): string {
  let text = row.baseNative ?? "";
  if (row.collation !== null) text += ` collate ${row.collation}`;
  if (row.default !== null) text += ` default ${row.default}`;
  if (row.notNull) text += " not null";
  // CREATE DOMAIN has no NOT VALID; the values that the source let pass are refused on the target.
  for (const check of row.checks ?? []) {
    text += ` ${check.endsWith(NOT_VALID) ? check.slice(0, -NOT_VALID.length) : check}`;
  }
  return text;
}

/** Arrays stand between a domain and what it is made of, so the whole graph is walked by oid. */
function inDependencyOrder(rows: readonly TypeRow[]): TypeRow[] {
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const ordered = new Set<TypeRow>();
  const entered = new Set<string>();
  const visit = (oid: string): void => {
    if (entered.has(oid)) return;
    entered.add(oid);
    const row = byOid.get(oid);
    for (const part of row?.needs ?? []) visit(part);
    if (row !== undefined) ordered.add(row);
  };
  for (const row of rows) visit(row.oid);
  return [...ordered];
}
