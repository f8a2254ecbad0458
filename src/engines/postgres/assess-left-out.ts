import type pg from "pg";
import type { Finding } from "../../core/finding.ts";
import { selectJson } from "./catalog-query.ts";
import { finding } from "./finding.ts";

/** Names that a finding lists at most. */
const NAMED = 5;

interface LeftOut {
  /** In the plural, as people call them. */
  readonly kind: string;
  readonly count: string;
  readonly names: readonly string[];
}

/**
 * Objects beside the task's tables that are not moved: one finding for each kind, before the start.
 * `whole`: schemas that are moved with all that is in them; undefined when nothing but tables is moved.
 */
export async function assessLeftOut(
  client: pg.Client,
  schemas: readonly string[],
  whole: readonly string[] | undefined,
): Promise<Finding[]> {
  const values = [[...new Set([...schemas, ...(whole ?? [])])], NAMED, whole ?? [], whole !== undefined];
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

/**
 * Extensions bring their own objects along, range types their functions. $1: schemas of the task's tables,
 * $2: names listed, $3: schemas moved whole, $4: objects are moved, so that what is part of a table or
 * what tables are made of comes with it.
 */
const LEFT_OUT = `
  with spaces as (select oid, nspname from pg_namespace where nspname = any($1::text[])),
  partly as (select oid, nspname from spaces where nspname <> all($3::text[])),
  found(kind, name, class, oid) as (
    select 'foreign tables', s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind = 'f'
    union all
    select 'operators', s.nspname || '.' || o.oprname, 'pg_operator'::regclass, o.oid
      from pg_operator o join spaces s on s.oid = o.oprnamespace
    union all
    select 'text search configurations', s.nspname || '.' || t.cfgname, 'pg_ts_config'::regclass, t.oid
      from pg_ts_config t join spaces s on s.oid = t.cfgnamespace
    union all
    select 'event triggers', evtname, 'pg_event_trigger'::regclass, oid from pg_event_trigger where not evtname like 'tideway%'
    union all
    select case c.relkind when 'v' then 'views' when 'm' then 'materialized views' else 'composite types' end,
           s.nspname || '.' || c.relname, 'pg_class'::regclass, c.oid
      from pg_class c join partly s on s.oid = c.relnamespace
     where c.relkind in ('v', 'm') or c.relkind = 'c' and not $4
    union all
    select 'functions and procedures', s.nspname || '.' || p.proname, 'pg_proc'::regclass, p.oid
      from pg_proc p join partly s on s.oid = p.pronamespace
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
    select 'large objects', null, 'pg_largeobject'::regclass, oid from pg_largeobject_metadata
  )
  select f.kind, count(*)::text as count,
         coalesce((array_agg(f.name order by f.name) filter (where f.name is not null))[1:$2], '{}') as names
    from found f
   where not exists (select from pg_depend d
                      where d.classid = f.class and d.objid = f.oid
                        and (d.deptype = 'e' or (d.deptype = 'i' and f.class = 'pg_proc'::regclass)))
   group by f.kind order by f.kind`;
