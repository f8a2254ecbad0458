import type pg from "pg";
import type { UserType } from "../../../core/schema.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import type { NativeType } from "./type-map.ts";

interface TypeRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly isText: boolean;
  readonly element: string | null;
  readonly base: string | null;
  readonly baseModifier: number;
  readonly labels: readonly string[] | null;
  readonly needs: readonly string[] | null;
  readonly userDefined: boolean;
  readonly baseNative: string | null;
  readonly attributes: string | null;
  readonly range: readonly string[] | null;
  readonly collation: string | null;
  readonly default: string | null;
  readonly notNull: boolean;
  readonly checks: readonly string[] | null;
  readonly comment: string | null;
}

export interface Types {
  /** Everything the columns are made of, by oid. */
  readonly native: ReadonlyMap<string, NativeType>;
  /** What people have made, each after those it is made of. */
  readonly user: readonly UserType[];
}

/**
 * Types that columns, defaults, constraints and indexes of some tables use, those of some schemas, and what
 * those consist of.
 */
export async function describeTypes(
  client: pg.Client,
  tables: readonly string[],
  schemas: readonly string[] = [],
): Promise<Types> {
  return readTypes(
    client,
    `select t.oid from pg_type t join pg_namespace n on n.oid = t.typnamespace
       where n.nspname = any($2::text[]) and ${OWN_TYPE}
     union select a.atttypid from pg_attribute a
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
    [tables, schemas],
  );
}

/** Enum, domain, range, or a composite type that is not the row of a table. Multiranges come with their range. */
const OWN_TYPE = `(t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and exists (
    select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  and not ${isExtensionMember("t.oid", "pg_type")}`;

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
    union all select a.atttypid from pg_attribute a
      where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped and t.typtype = 'c'
    union all select r.rngsubtype from pg_range r where r.rngtypid = t.oid
    union all select r.rngtypid from pg_range r
      where t.typtype = 'm' and (to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid
    union all select d.refobjid from pg_constraint k
      join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = k.oid
      where k.contypid = t.oid and d.refclassid = 'pg_type'::regclass and t.typtype = 'd'`;
  const collation = collationName("c", "cn");
  return `with recursive used(oid) as (
      select roots.oid from (${roots}) as roots(oid)
      union
      select part.oid from used join pg_type t on t.oid = used.oid cross join lateral (${parts}) as part
        where part.oid is not null
    )
    select t.oid, n.nspname as schema, t.typname as name, t.typtype as kind, 
      t.typcategory = 'S' and exists (select from pg_proc p join pg_language l on l.oid = p.prolang
        where p.oid = t.typsend and l.lanname = 'internal' and p.prosrc in ('textsend', 'varcharsend', 'bpcharsend')
      ) as "isText",
      ${element} as element, nullif(t.typbasetype, 0) as base, t.typtypmod as "baseModifier",
      (select json_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid) as labels,
      (select json_agg(part.oid) from (${parts}) as part where part.oid is not null) as needs,
      n.nspname not in ('pg_catalog', 'information_schema') and ${OWN_TYPE} as "userDefined",
      ${inSchema("n.nspname", "format_type(t.typbasetype, t.typtypmod)")} as "baseNative",
      case when t.typtype = 'c' then ${inSchema("n.nspname", ATTRIBUTES)} end as attributes,
      case when t.typtype = 'r' then ${inSchema("n.nspname", RANGE)} end as range,
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

function collationName(collation: string, namespace: string): string {
  return `case when pg_collation_is_visible(${collation}.oid) then quote_ident(${collation}.collname)
    else quote_ident(${namespace}.nspname) || '.' || quote_ident(${collation}.collname) end`;
}

const ATTRIBUTES = `(
  select string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
           || coalesce(' collate ' || ${collationName("l", "ln")}, ''), ', ' order by a.attnum)
    from pg_attribute a join pg_type y on y.oid = a.atttypid
    left join pg_collation l on l.oid = a.attcollation and a.attcollation <> y.typcollation
    left join pg_namespace ln on ln.oid = l.collnamespace
   where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)`;

/** Options of CREATE TYPE ... AS RANGE that are not what they are by themselves. */
const RANGE = `(
  select json_agg(option.text) from pg_range r join pg_type s on s.oid = r.rngsubtype
   cross join lateral (values
     ('subtype = ' || format_type(r.rngsubtype, null)),
     ((select 'subtype_opclass = ' || quote_ident(on_.nspname) || '.' || quote_ident(o.opcname)
         from pg_opclass o join pg_namespace on_ on on_.oid = o.opcnamespace
        where o.oid = r.rngsubopc and not o.opcdefault)),
     ((select 'collation = ' || ${collationName("l", "ln")} from pg_collation l
         join pg_namespace ln on ln.oid = l.collnamespace
        where l.oid = r.rngcollation and l.oid <> s.typcollation)),
     ('canonical = ' || nullif(r.rngcanonical::regproc::text, '-')),
     ('subtype_diff = ' || nullif(r.rngsubdiff::regproc::text, '-')),
     ((select 'multirange_type_name = ' || quote_ident(m.typname) from pg_type m
        where m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid
          and m.typname <> case when t.typname like '%range%' then replace(t.typname, 'range', 'multirange')
                                else t.typname || '_multirange' end))
   ) as option(text)
   where r.rngtypid = t.oid and option.text is not null)`;

function nativeType(row: TypeRow): NativeType {
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    isText: row.isText,
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
    ...definition(row),
    labels: row.labels ?? [],
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
}

function definition(row: TypeRow): Pick<UserType, "kind" | "native"> {
  switch (row.kind) {
    case "e":
      return { kind: "enum", native: "" };
    case "c":
      return { kind: "composite", native: `(${row.attributes ?? ""})` };
    case "r":
      return { kind: "range", native: `(${(row.range ?? []).join(", ")})` };
    default:
      return { kind: "domain", native: domainNative(row) };
  }
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
