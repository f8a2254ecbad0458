import type pg from "pg";
import { isDefaultRights, type ObjectRights } from "../../../core/rights.ts";
import type { TableId } from "../../../core/schema.ts";
import { inSchema, selectJson } from "./catalog-query.ts";

/** Rights as they stand in a database. */
export interface FoundRights extends ObjectRights {
  /** The object as statements name it, from any search path. */
  readonly identity: string;
}

/**
 * Owners and privileges of some schemas and of everything in them that has any, default privileges
 * included, except what extensions brought along. Needs a transaction; see inSchema.
 */
export async function readRights(client: pg.Client, schemas: readonly string[]): Promise<FoundRights[]> {
  const rows = await selectJson<RightsRow>(client, RIGHTS, [schemas]);
  return rows.map(({ on, ...row }) => (on === null ? row : { ...row, on }));
}

type RightsRow = Omit<FoundRights, "on"> & { readonly on: TableId | null };

/** What readRights() finds on a source; default privileges only of the schemas that are moved whole. */
export async function describeRights(
  client: pg.Client,
  { schemas, whole, largeObjects }: RightsScope,
): Promise<ObjectRights[]> {
  const found = await readRights(client, schemas);
  const moved = found.filter(({ kind, id }) => !isDefaultRights(kind) || whole.includes(id.schema));
  const alike = largeObjects ? await selectJson<FoundRights>(client, ONE_OF_EACH) : [];
  return [...moved, ...alike].map(({ identity, ...rights }) => rights);
}

interface RightsScope {
  readonly schemas: readonly string[];
  readonly whole: readonly string[];
  readonly largeObjects: boolean;
}

/** A table is its own; a serial's or identity's sequence is its table's. */
const OWN_TABLE = `
  case when c.relkind = 'r' then json_build_object('schema', n.nspname, 'name', c.relname)
       when c.relkind = 'S' then (
         select json_build_object('schema', tn.nspname, 'name', t.relname)
           from pg_depend d join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
            and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
  end`;

/**
 * Whatever has an owner. `built_in`: what the server gives where `acl` is null; it starts from nothing in default
 * privileges of a schema, which only add to others. Multiranges and a table's row type follow their own.
 */
const THINGS = `
  select 0 as rank, 'pg_namespace'::regclass as class, n.oid, 'schema' as kind, n.nspname::text as schema, '' as name,
         n.nspowner as owner, n.nspacl as acl, acldefault('n', n.nspowner) as built_in, null::json as "on"
    from pg_namespace n where n.nspname = any($1::text[])
  union all
  select 1, 'pg_type'::regclass, t.oid, 'type', n.nspname, t.typname, t.typowner, t.typacl, acldefault('T', t.typowner), null
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
   where n.nspname = any($1::text[]) and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and exists (
           select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  union all
  select 1, 'pg_collation'::regclass, l.oid, 'collation', n.nspname, l.collname, l.collowner, null, null, null
    from pg_collation l join pg_namespace n on n.oid = l.collnamespace where n.nspname = any($1::text[])
  union all
  select 1, 'pg_ts_dict'::regclass, d.oid, 'text search dictionary', n.nspname, d.dictname, d.dictowner, null, null, null
    from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace where n.nspname = any($1::text[])
  union all
  select 1, 'pg_ts_config'::regclass, f.oid, 'text search configuration', n.nspname, f.cfgname, f.cfgowner, null, null, null
    from pg_ts_config f join pg_namespace n on n.oid = f.cfgnamespace where n.nspname = any($1::text[])
  union all
  select 2, 'pg_proc'::regclass, p.oid,
         case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, n.nspname,
         p.proname || '(' || ${inSchema("n.nspname", "oidvectortypes(p.proargtypes)")} || ')',
         p.proowner, p.proacl, acldefault('f', p.proowner), null
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = any($1::text[]) and not exists (
           select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
  union all
  select 3, 'pg_class'::regclass, c.oid,
         case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'S' then 'sequence'
                        when 'v' then 'view' else 'materialized view' end, n.nspname, c.relname,
         c.relowner, c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner), ${OWN_TABLE}
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = any($1::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relpersistence <> 't'
  union all
  select 4, 'pg_statistic_ext'::regclass, s.oid, 'statistics', n.nspname, s.stxname, s.stxowner, null, null,
         json_build_object('schema', n.nspname, 'name', c.relname)
    from pg_statistic_ext s join pg_class c on c.oid = s.stxrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = any($1::text[])
  union all
  select 5, 'pg_default_acl'::regclass, a.oid, 'default privileges on ' || case a.defaclobjtype
           when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines' else 'types' end,
         n.nspname, pg_get_userbyid(a.defaclrole), a.defaclrole, a.defaclacl, null, null
    from pg_default_acl a join pg_namespace n on n.oid = a.defaclnamespace where n.nspname = any($1::text[])`;

/** A role, or null for the owner. */
function party(column: string): string {
  return `case ${column} when t.owner then null when 0 then 'public' else pg_get_userbyid(${column}) end`;
}

function grants(acl: string, column = "null::name"): string {
  return `select x.privilege_type as privilege, ${column} as "column", ${party("x.grantor")} as by,
    ${party("x.grantee")} as to, x.is_grantable as grantable from aclexplode(${acl}) as x`;
}

/** What one role gives another stands together. */
export function listed(query: string): string {
  return `(select coalesce(json_agg(json_strip_nulls(row_to_json(g))
             order by g.by nulls first, g.to, g.grantable, g."column", g.privilege), '[]') from (${query}) as g)`;
}

/** Nothing is given with a column by itself. */
const COLUMN_GRANTS = `
  select g.* from pg_attribute a cross join lateral (${grants("a.attacl", "a.attname")}) as g
   where t.class = 'pg_class'::regclass and a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped`;

const ACTUAL = "coalesce(t.acl, t.built_in)";

/** Of a row `t` with an owner, an acl, and the one that the server gives by itself. */
export const DIFFERENCES = {
  granted: `${grants(ACTUAL)} except ${grants("t.built_in")}`,
  revoked: `${grants("t.built_in")} except ${grants(ACTUAL)}`,
};

/** Of large objects that a query selects, with their oid, lomowner and lomacl. */
function largeObjectRights(query: string): string {
  return `
    select 'large object' as kind, json_build_object('schema', '', 'name', t.oid::text) as id, t.oid::text as identity,
      pg_get_userbyid(t.owner) as owner, ${listed(DIFFERENCES.granted)} as granted, ${listed(DIFFERENCES.revoked)} as revoked
      from (select q.oid, q.lomowner as owner, q.lomacl as acl, acldefault('L', q.lomowner) as built_in
              from (${query}) as q) as t
     order by t.oid::int8`;
}

/** There may be millions of them, with few different rights: those say which roles are needed. */
const ONE_OF_EACH = largeObjectRights(
  "select min(oid::int8) as oid, lomowner, lomacl from pg_largeobject_metadata group by lomowner, lomacl",
);

export async function readLargeObjectRights(
  client: pg.Client,
  ids: readonly string[],
): Promise<FoundRights[]> {
  const query = largeObjectRights("select * from pg_largeobject_metadata where oid = any($1::oid[])");
  return selectJson<FoundRights>(client, query, [ids]);
}

const RIGHTS = `
  select t.kind, json_build_object('schema', t.schema, 'name', t.name) as id, t."on", pg_get_userbyid(t.owner) as owner,
    coalesce(i.identity, '') as identity,
    ${listed(`(${DIFFERENCES.granted}) union all ${COLUMN_GRANTS}`)} as granted, ${listed(DIFFERENCES.revoked)} as revoked
    from (${THINGS}) as t
    left join lateral pg_identify_object(t.class, t.oid, 0) as i on t.kind not like 'default%'
   where not exists (select from pg_depend where classid = t.class and objid = t.oid and deptype = 'e')
   order by t.rank, t.schema collate "C", t.name collate "C"`;
