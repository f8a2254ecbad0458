import type pg from "pg";
import type { Sequence, TableId } from "../../../core/schema.ts";
import { isExtensionMember, selectJson } from "./catalog-query.ts";

interface SequenceRow {
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly owner: string | null;
  readonly column: string | null;
  readonly internal: boolean | null;
}

/**
 * Sequences that the tables' columns own, those that their defaults draw from, and those of some schemas
 * that nobody owns. One that belongs to a table outside counts as free.
 */
export async function describeSequences(
  client: pg.Client,
  tables: ReadonlyMap<string, TableId>,
  schemas: readonly string[] = [],
): Promise<Sequence[]> {
  const rows = await selectJson<SequenceRow>(client, SEQUENCES, [[...tables.keys()], schemas]);
  return rows.map((row) => {
    const table = row.owner === null ? undefined : tables.get(row.owner);
    const internal = row.internal === true && table !== undefined;
    return {
      id: { schema: row.schema, name: row.name },
      native: sequenceNative(row, internal),
      ownedBy: table === undefined ? undefined : { table, column: row.column! },
      internal,
    };
  });
}

const SEQUENCES = `
  select n.nspname as schema, c.relname as name, format_type(s.seqtypid, null) as type,
    s.seqstart::text as start, s.seqincrement::text as increment, s.seqmin::text as min,
    s.seqmax::text as max, s.seqcache::text as cache, s.seqcycle as cycle,
    own.refobjid as owner, a.attname as column, own.deptype = 'i' as internal
  from (
    select d.objid as oid from pg_depend d
      where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
        and d.refobjid = any($1::oid[]) and d.refobjsubid > 0 and d.deptype in ('a', 'i')
    union
    select d.refobjid from pg_attrdef e
      join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid
      where e.adrelid = any($1::oid[]) and d.refclassid = 'pg_class'::regclass
    union
    select f.oid from pg_class f join pg_namespace fn on fn.oid = f.relnamespace
      where f.relkind = 'S' and f.relpersistence <> 't' and fn.nspname = any($2::text[])
        and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = f.oid
                          and refclassid = 'pg_class'::regclass and refobjsubid > 0 and deptype in ('a', 'i'))
  ) as used
  join pg_class c on c.oid = used.oid and c.relkind = 'S'
  join pg_namespace n on n.oid = c.relnamespace
  join pg_sequence s on s.seqrelid = c.oid
  left join pg_depend own on own.classid = 'pg_class'::regclass and own.objid = c.oid
    and own.refclassid = 'pg_class'::regclass and own.refobjsubid > 0 and own.deptype in ('a', 'i')
  left join pg_attribute a on a.attrelid = own.refobjid and a.attnum = own.refobjsubid
  where not ${isExtensionMember("c.oid", "pg_class")}
  order by n.nspname collate "C", c.relname collate "C"`;

/** An identity column's sequence has the column's type and may not be given one. */
function sequenceNative(row: SequenceRow, internal: boolean): string {
  return [
    ...(internal ? [] : [`as ${row.type}`]),
    `increment by ${row.increment} minvalue ${row.min} maxvalue ${row.max}`,
    `start with ${row.start} cache ${row.cache} ${row.cycle ? "cycle" : "no cycle"}`,
  ].join(" ");
}
