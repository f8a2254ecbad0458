import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import { literal } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { NOTE_FUNCTION } from "../catalog/schema-notes-sql.ts";

/** Names that a finding lists at most. */
const NAMED = 5;

interface LeftOut {
  /** In the plural, as people call them. */
  readonly kind: string;
  readonly count: string;
  readonly names: readonly string[];
}

/** Objects beside the task's tables that are not moved: one finding for each kind, before the start. */
export async function assessLeftOut(
  client: pg.Client,
  { tables, movesWhole: whole, movesRights }: SourceAssessment,
): Promise<Finding[]> {
  const schemas = new Set([...tables.map(({ id }) => id.schema), ...(whole ?? [])]);
  const views = tables.filter(({ isView }) => isView === true).map(({ id }) => id);
  const values = [
    ...[[...schemas], NAMED, whole ?? [], whole !== undefined, movesRights],
    ...[views.map(({ schema }) => schema), views.map(({ name }) => name)],
  ];
  const found = await selectJson<LeftOut>(client, LEFT_OUT, values);
  return found.map(({ kind, count, names }) => {
    const more = Number(count) > names.length ? ", ..." : "";
    const list = names.length === 0 ? "" : ` (${names.join(", ")}${more})`;
    return finding("source.not_moved", "warning", {
      subject: kind,
      message: `${kind[0]!.toUpperCase()}${kind.slice(1)} are not moved: ${count}${list}.`,
    });
  });
}

/** Types of the server's own, whose values can be computed, but not written. A table that has some is set aside. */
const TAKE_NO_INPUT =
  "pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list pg_brin_bloom_summary pg_brin_minmax_multi_summary gtsvector".split(
    " ",
  );

/** Kinds with a catalog of their own: its name, how its columns begin, and whether a schema that is moved whole brings them. */
const CATALOGS: readonly (readonly [kind: string, catalog: string, prefix: string, comesWhole: boolean])[] = [
  ["operators", "pg_operator", "opr", false],
  ["operator classes", "pg_opclass", "opc", false],
  ["operator families", "pg_opfamily", "opf", false],
  ["conversions", "pg_conversion", "con", false],
  ["text search parsers", "pg_ts_parser", "prs", false],
  ["text search templates", "pg_ts_template", "tmpl", false],
  ["text search configurations", "pg_ts_config", "cfg", true],
  ["text search dictionaries", "pg_ts_dict", "dict", true],
  ["functions and procedures", "pg_proc", "pro", true],
];

/** Kinds that belong to no schema: catalog, and how its objects' names are told. */
const OF_THE_DATABASE: readonly (readonly [kind: string, catalog: string, name: string])[] = [
  ["casts", "pg_cast", "format_type(o.castsource, null) || ' to ' || format_type(o.casttarget, null)"],
  ["transforms", "pg_transform", "format_type(o.trftype, null)"],
  ["procedural languages", "pg_language", "o.lanname"],
  ["access methods", "pg_am", "o.amname"],
  ["foreign-data wrappers", "pg_foreign_data_wrapper", "o.fdwname"],
  ["foreign servers and their user mappings", "pg_foreign_server", "o.srvname"],
  ["event triggers", "pg_event_trigger", "o.evtname"],
  ["publications", "pg_publication", "o.pubname"],
];

/** What the server itself began with has a number below 16384; what Tideway has made goes with its task. */
function ofDatabase([kind, catalog, name]: (typeof OF_THE_DATABASE)[number]): string {
  return `
    select '${kind}', ${name}, '${catalog}'::regclass, o.oid
      from ${catalog} o where o.oid >= 16384 and ${name} not like 'tideway%'`;
}

function ofCatalog([kind, catalog, prefix, comesWhole]: (typeof CATALOGS)[number]): string {
  return `
    select '${kind}', s.nspname || '.' || o.${prefix}name, '${catalog}'::regclass, o.oid
      from ${catalog} o join ${comesWhole ? "partly" : "spaces"} s on s.oid = o.${prefix}namespace
     where o.${prefix}name <> ${literal(NOTE_FUNCTION)}`;
}

/**
 * Extensions bring their own objects along, range types their functions and casts. $1: schemas of the task's tables,
 * $2: names listed, $3: schemas moved whole, $4: objects are moved, so that what is part of a table or
 * what tables are made of comes with it, $5: owners and privileges are moved, $6 and $7: schemas and names of views that
 * come as tables.
 */
const LEFT_OUT = `
  with spaces as (select oid, nspname from pg_namespace where nspname = any($1::text[])),
  partly as (select oid, nspname from spaces where nspname <> all($3::text[])),
  found(kind, name, class, oid) as (
    select 'foreign tables', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind = 'f'
    union all
    ${CATALOGS.map(ofCatalog).join(" union all ")}
    union all
    ${OF_THE_DATABASE.map(ofDatabase).join(" union all ")}
    union all
    select 'subscriptions', subname, 'pg_subscription'::regclass, 0
      from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())
    union all
    select 'security labels', 'on ' || i.type || ' ' || i.identity || ' by ' || l.provider, l.classoid, l.objoid
      from pg_seclabel l cross join lateral pg_identify_object(l.classoid, l.objoid, l.objsubid) as i
    union all
    select 'settings of the database and of roles in it', coalesce('role ' || pg_get_userbyid(nullif(s.setrole, 0)), 'database'),
           'pg_db_role_setting'::regclass, 0
      from pg_db_role_setting s where s.setdatabase = (select oid from pg_database where datname = current_database())
    union all
    select 'privileges on the database', datname, 'pg_database'::regclass, oid
      from pg_database where $5 and datname = current_database() and datacl is not null
    union all
    select 'rows in tables of extensions', c.oid::regclass::text, 'pg_extension'::regclass, 0
      from pg_extension e cross join lateral unnest(e.extconfig) as t(oid) join pg_class c on c.oid = t.oid
     where c.relkind = 'r' and pg_relation_size(c.oid) > 0
    union all
    select 'places in tablespaces', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace where c.reltablespace <> 0
    union all
    select 'access methods of tables', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace join pg_am m on m.oid = c.relam
     where c.relkind in ('r', 'p', 'm') and m.amname <> 'heap'
    union all
    select 'statistics targets of index columns', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace
     where c.relkind in ('i', 'I') and exists (
             select from pg_attribute a where a.attrelid = c.oid and (to_jsonb(a) ->> 'attstattarget')::integer >= 0)
    union all
    select 'values of types that take no input', s.nspname || '.' || c.relname || '.' || a.attname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
      join pg_type t on t.oid = a.atttypid and t.typnamespace = 'pg_catalog'::regnamespace
     where c.relkind = 'r' and t.typname in (${TAKE_NO_INPUT.map(literal).join(", ")})
    union all
    select 'storage parameters', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace
     where c.relkind = 'r' and c.reloptions is not null and not $4
    union all
    select case c.relkind when 'v' then 'views' when 'm' then 'materialized views' else 'composite types' end,
           s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join partly s on s.oid = c.relnamespace
     where c.relkind in ('v', 'm') and (s.nspname, c.relname) not in (select * from unnest($6::text[], $7::text[]))
        or c.relkind = 'c' and not $4
    union all
    select 'range types', s.nspname || '.' || t.typname, 'pg_type'::regclass, t.oid
      from pg_type t join partly s on s.oid = t.typnamespace where t.typtype = 'r' and not $4
    union all
    select 'triggers', s.nspname || '.' || c.relname || '.' || t.tgname, 'pg_trigger'::regclass, t.oid
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join spaces s on s.oid = c.relnamespace
     where not t.tgisinternal and not $4
    union all
    select 'rules', s.nspname || '.' || c.relname || '.' || r.rulename, 'pg_rewrite'::regclass, r.oid
      from pg_rewrite r join pg_class c on c.oid = r.ev_class join spaces s on s.oid = c.relnamespace
     where r.rulename <> '_RETURN' and not $4
    union all
    select 'row security policies', s.nspname || '.' || c.relname || '.' || p.polname, 'pg_policy'::regclass, p.oid
      from pg_policy p join pg_class c on c.oid = p.polrelid join spaces s on s.oid = c.relnamespace
     where not $4
    union all
    select 'extended statistics', s.nspname || '.' || x.stxname, 'pg_statistic_ext'::regclass, x.oid
      from pg_statistic_ext x join spaces s on s.oid = x.stxnamespace
     where not $4
    union all
    select 'default privileges of all schemas', 'of ' || pg_get_userbyid(defaclrole), 'pg_default_acl'::regclass, oid
      from pg_default_acl where $5 and defaclnamespace = 0
  )
  select f.kind, count(*)::text as count,
         coalesce((array_agg(f.name order by f.name) filter (where f.name is not null))[1:$2], '{}') as names
    from found f
   where not exists (select from pg_depend d
                      where d.classid = f.class and d.objid = f.oid
                        and (d.deptype = 'e' or (d.deptype = 'i' and f.class in ('pg_proc'::regclass, 'pg_cast'::regclass))))
   group by f.kind order by f.kind`;
