import type pg from "pg";
import { identifier } from "../../src/engines/shared/identifier.ts";

/** Compares what two PostgreSQL databases are made of, as their catalogs describe it. */

export interface SchemaCompareOptions {
  readonly source: pg.Client;
  readonly target: pg.Client;
  /** Schema names of the source. */
  readonly schemas: readonly string[];
  /** The target's name of a schema; the same when left out. */
  readonly targetSchema?: (name: string) => string;
  /** Parts that are not compared, such as "sequence state". */
  readonly leaveOut?: readonly SchemaPart[];
}

export type SchemaPart =
  | "schema"
  | "table"
  | "column"
  | "constraint"
  | "index"
  | "sequence"
  | "sequence state"
  | "type"
  | "collation"
  | "routine"
  | "view"
  | "trigger"
  | "rule"
  | "policy"
  | "row security"
  | "statistics"
  | "text search";

export interface SchemaDifferences {
  readonly equal: boolean;
  /** Facts that hold on one side only, such as `index orders_open_idx: CREATE INDEX ...`. */
  readonly onlySource: readonly string[];
  readonly onlyTarget: readonly string[];
}

/** Each gives (name, what), for the schema in $1, names relative to it. */
const queries: Readonly<Record<SchemaPart, string>> = {
  schema: `select 'comment' as name, coalesce(obj_description(oid, 'pg_namespace'), '') as what
    from pg_namespace where nspname = $1`,
  table: `select c.relname as name, concat_ws(' ', c.relpersistence, c.relreplident, obj_description(c.oid, 'pg_class'),
        array(select o from unnest(c.reloptions) as o order by o)::text,
        (select array(select o from unnest(t.reloptions) as o order by o)::text from pg_class t where t.oid = c.reltoastrelid)) as what
    from pg_class c where c.relnamespace = $1::text::regnamespace and c.relkind = 'r' and c.relname !~ '^awsdms_'`,
  column: `select c.relname || '.' || a.attname as name,
      concat_ws(' ', 'no', row_number() over (partition by c.oid order by a.attnum), format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' end, 'default ' || pg_get_expr(d.adbin, d.adrelid),
        'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''),
        'collate ' || co.collname, col_description(c.oid, a.attnum), a.attstorage, nullif(to_jsonb(a) ->> 'attcompression', ''),
        coalesce(to_jsonb(a) ->> 'attstattarget', '-1'), a.attoptions::text) as what
    from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      left join pg_collation co on co.oid = a.attcollation and co.collname <> 'default'
    where c.relnamespace = $1::text::regnamespace and c.relkind = 'r' and c.relname !~ '^awsdms_'
      and a.attnum > 0 and not a.attisdropped`,
  constraint: `select c.relname || '.' || o.conname as name,
      concat_ws(' ', pg_get_constraintdef(o.oid, true), o.convalidated, obj_description(o.oid, 'pg_constraint')) as what
    from pg_constraint o join pg_class c on c.oid = o.conrelid
    where c.relnamespace = $1::text::regnamespace and c.relname !~ '^awsdms_' and o.contype not in ('n', 't')`,
  index: `select i.relname as name,
      concat_ws(' ', pg_get_indexdef(i.oid, 0, true), x.indisvalid, x.indisclustered, obj_description(i.oid, 'pg_class')) as what
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
    where c.relnamespace = $1::text::regnamespace and c.relkind = 'r' and c.relname !~ '^awsdms_'`,
  sequence: `select s.relname as name,
      concat_ws(' ', format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle,
        'owned by ' || (select d.refobjid::regclass || '.' || a.attname from pg_depend d
          join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
          where d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0)) as what
    from pg_sequence q join pg_class s on s.oid = q.seqrelid where s.relnamespace = $1::text::regnamespace`,
  // pg_sequences.last_value is null for a sequence that nobody has called.
  "sequence state": `select sequencename as name, coalesce(last_value::text, 'never called') as what
    from pg_sequences where schemaname = $1`,
  type: `select t.typname as name,
      concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), case when t.typnotnull then 'not null' end,
        'default ' || t.typdefault,
        array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)::text,
        array(select o.conname || ' ' || pg_get_constraintdef(o.oid, true) from pg_constraint o
          where o.contypid = t.oid and o.contype <> 'n' order by o.conname)::text,
        array(select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a
          where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped order by a.attnum)::text,
        (select concat_ws(' ', format_type(r.rngsubtype, null), r.rngsubdiff::regproc, r.rngcanonical::regproc,
           (select opcname from pg_opclass where oid = r.rngsubopc), (select collname from pg_collation where oid = r.rngcollation))
          from pg_range r where r.rngtypid = t.oid),
        obj_description(t.oid, 'pg_type')) as what
    from pg_type t where t.typnamespace = $1::text::regnamespace and (t.typtype in ('e', 'd', 'r')
      or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c'))`,
  collation: `select collname as name, concat_ws(' ', collprovider, collisdeterministic, collcollate, collctype,
      to_jsonb(c) ->> 'colllocale', obj_description(oid, 'pg_collation')) as what
    from pg_collation c where collnamespace = $1::text::regnamespace`,
  routine: `select p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as name,
      concat_ws(' ', case when p.prokind <> 'a' then regexp_replace(pg_get_functiondef(p.oid), '(FUNCTION|PROCEDURE) [^(]*', '\\1 ')
        else pg_get_function_arguments(p.oid) end,
        (select concat_ws(' ', a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggfinalextra, a.aggfinalmodify, a.aggcombinefn, a.aggserialfn,
           a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggmfinalmodify, format_type(a.aggtranstype, null), a.aggtransspace,
           quote_nullable(a.agginitval), quote_nullable(a.aggminitval), p.proparallel) from pg_aggregate a where a.aggfnoid = p.oid),
        obj_description(p.oid, 'pg_proc')) as what
    from pg_proc p where p.pronamespace = $1::text::regnamespace
      -- What Tideway makes on a source is none of its own.
      and p.proname <> 'tideway_note_change'
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))`,
  view: `select c.relname as name, concat_ws(' ', c.relkind, c.relispopulated, c.reloptions::text, pg_get_viewdef(c.oid, true),
      obj_description(c.oid, 'pg_class'),
      array(select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
              || coalesce(' ' || col_description(c.oid, a.attnum), '')
        from pg_attribute a left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 order by a.attnum)::text,
      array(select pg_get_indexdef(indexrelid, 0, true) from pg_index where indrelid = c.oid order by 1)::text) as what
    from pg_class c where c.relnamespace = $1::text::regnamespace and c.relkind in ('v', 'm')`,
  trigger: `select c.relname || '.' || t.tgname as name,
      concat_ws(' ', pg_get_triggerdef(t.oid, true), t.tgenabled, obj_description(t.oid, 'pg_trigger')) as what
    from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = $1::text::regnamespace and not t.tgisinternal`,
  rule: `select c.relname || '.' || r.rulename as name,
      concat_ws(' ', pg_get_ruledef(r.oid, true), r.ev_enabled, obj_description(r.oid, 'pg_rewrite')) as what
    from pg_rewrite r join pg_class c on c.oid = r.ev_class
    where c.relnamespace = $1::text::regnamespace and r.rulename <> '_RETURN'`,
  policy: `select c.relname || '.' || p.polname as name,
      concat_ws(' ', p.polpermissive, p.polcmd, array(select coalesce(rolname, 'public') from unnest(p.polroles) as r(oid)
        left join pg_roles on pg_roles.oid = r.oid order by 1)::text, pg_get_expr(p.polqual, c.oid, true),
        'check ' || pg_get_expr(p.polwithcheck, c.oid, true), obj_description(p.oid, 'pg_policy')) as what
    from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace = $1::text::regnamespace`,
  "row security": `select relname as name, concat_ws(' ', relrowsecurity, relforcerowsecurity) as what
    from pg_class where relnamespace = $1::text::regnamespace and (relrowsecurity or relforcerowsecurity)`,
  statistics: `select s.stxname as name, concat_ws(' ', regexp_replace(pg_get_statisticsobjdef(s.oid), '^CREATE STATISTICS [^ ]* ', ''),
      coalesce(to_jsonb(s) ->> 'stxstattarget', '-1'),
      obj_description(s.oid, 'pg_statistic_ext')) as what
    from pg_statistic_ext s join pg_class c on c.oid = s.stxrelid where c.relnamespace = $1::text::regnamespace`,
  "text search": `select 'dictionary ' || d.dictname as name,
      concat_ws(' ', t.tmplname, d.dictinitoption, obj_description(d.oid, 'pg_ts_dict')) as what
    from pg_ts_dict d join pg_ts_template t on t.oid = d.dicttemplate where d.dictnamespace = $1::text::regnamespace
    union all
    select 'configuration ' || c.cfgname, concat_ws(' ', p.prsname, obj_description(c.oid, 'pg_ts_config'),
      array(select concat_ws(' ', maptokentype, mapseqno, mapdict::regdictionary) from pg_ts_config_map where mapcfg = c.oid order by 1)::text)
    from pg_ts_config c join pg_ts_parser p on p.oid = c.cfgparser where c.cfgnamespace = $1::text::regnamespace`,
};

export async function compareSchemas(options: SchemaCompareOptions): Promise<SchemaDifferences> {
  const left = new Set<string>();
  const right = new Set<string>();
  const parts = (Object.keys(queries) as SchemaPart[]).filter(
    (part) => options.leaveOut?.includes(part) !== true,
  );
  for (const schema of options.schemas) {
    const other = options.targetSchema?.(schema) ?? schema;
    await addFacts(left, options.source, { parts, schema, label: schema });
    await addFacts(right, options.target, { parts, schema: other, label: schema });
  }
  const onlySource = [...left].filter((fact) => !right.has(fact)).sort();
  const onlyTarget = [...right].filter((fact) => !left.has(fact)).sort();
  return { equal: onlySource.length + onlyTarget.length === 0, onlySource, onlyTarget };
}

interface FactRequest {
  readonly parts: readonly SchemaPart[];
  readonly schema: string;
  /** How the schema is called in the facts, the same on both sides. */
  readonly label: string;
}

async function addFacts(facts: Set<string>, client: pg.Client, request: FactRequest): Promise<void> {
  await client.query(`set search_path = ${identifier(request.schema)}, pg_catalog`);
  const exists = await client.query("select 1 from pg_namespace where nspname = $1", [request.schema]);
  if (exists.rows.length === 0) return;
  facts.add(`schema ${request.label}`);
  for (const part of request.parts) {
    const { rows } = await client.query(queries[part], [
      part === "schema" || part === "sequence state" ? request.schema : identifier(request.schema),
    ]);
    for (const row of rows) facts.add(`${part} ${request.label}.${row.name}: ${row.what}`);
  }
}

/** What a failed comparison says, for an assertion's message. */
export function describeSchemaDifferences(found: SchemaDifferences): string {
  const lines = [
    ...found.onlySource.map((fact) => `- ${fact}`),
    ...found.onlyTarget.map((fact) => `+ ${fact}`),
  ];
  return lines.join("\n");
}
