import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { baseTypeSql, binaryFormSql } from "../catalog/binary-form.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** What the target's own catalog says of a column, for which plans and real tables may differ. */
export interface TargetColumn {
  /**
   * Qualified SQL name of its type without modifier; for a domain that of its base type. A cast to the domain
   * would cut a value that is too long for it, which an assignment does not.
   */
  readonly type: string;
  /** See binary-form.ts; undefined when values cannot be sent in binary. */
  readonly form: string | undefined;
  readonly generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY, also one that a partition has from the table above it. */
  readonly identityAlways: boolean;
  /** Values of it that are equal are the same; not so 1.0 and 1.00, or 30 days and a month. */
  readonly exact: boolean;
  /** Its collation, if it has one, takes no texts for the same that differ. */
  readonly deterministic: boolean;
  /** It is one of PostGIS's that has a cast of bytes: its text is another one. */
  readonly castsBytes: boolean;
}

export interface TargetTable {
  /** By column name. */
  readonly columns: ReadonlyMap<string, TargetColumn>;
  readonly partitioned: boolean;
  /** Tables that inherit from it get changes of their own. Not so the chunks of a TimescaleDB hypertable. */
  readonly heirs: boolean;
  /** A unique or exclusion constraint that is checked later, for which ON CONFLICT is refused. */
  readonly deferrable: boolean;
  /** Columns of each unique index that ON CONFLICT can name: of all rows, and checked at once. */
  readonly uniques: readonly (readonly string[])[];
  /**
   * Nothing on the table or its partitions acts on single statements or their order: no rule, no trigger that
   * fires on replicas.
   */
  readonly plain: boolean;
}

/**
 * SQL for a table's own rows, without those of tables that inherit from it and are applied by themselves;
 * partitions are a table's own.
 */
export function ownRows(id: TableId, target: TargetTable | undefined): string {
  return target?.partitioned === true || target?.heirs === false ? qualified(id) : `only ${qualified(id)}`;
}

/** Types whose equality is identity, where their collation does not say otherwise; so are enums, and arrays of these. */
const exactTypes =
  "bool int2 int4 int8 oid xid xid8 cid tid char name text varchar bytea bit varbit date time timetz timestamp timestamptz uuid inet cidr macaddr macaddr8 money pg_lsn";

const EXACT_SQL = `e.typname = any ('{${exactTypes.split(" ").join(",")}}') and e.typnamespace = 'pg_catalog'::regnamespace or e.typtype = 'e'`;

const DETERMINISTIC_SQL =
  "not exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation and not l.collisdeterministic)";

const CASTS_SQL = `exists (select from pg_catalog.pg_cast k where k.castsource = 'bytea'::regtype and k.casttarget = t.oid
    and k.castcontext <> 'e')
  and exists (select from pg_catalog.pg_depend d join pg_catalog.pg_extension x on x.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
      and d.refclassid = 'pg_catalog.pg_extension'::regclass and x.extname = 'postgis')`;

/** Ids of all that inherits from a table, as a JSON array; null for a table without heirs. Asked for with its first column. */
const HEIRS_SQL = `case when c.relkind = 'r' and c.relhassubclass then (
    with recursive heirs (oid) as (
      select inhrelid from pg_catalog.pg_inherits where inhparent = c.oid
      union select i.inhrelid from pg_catalog.pg_inherits i join heirs h on h.oid = i.inhparent)
    select json_agg(json_build_object('schema', hn.nspname, 'name', hc.relname))
      from heirs h join pg_catalog.pg_class hc on hc.oid = h.oid join pg_catalog.pg_namespace hn on hn.oid = hc.relnamespace) end`;

/** Columns of unique indexes as a JSON array of arrays; asked for like the heirs. */
const UNIQUES_SQL = `(select json_agg(u.names) from (
    select (select json_agg(k.attname) from unnest((x.indkey::int2[])[0:x.indnkeyatts - 1]) as part(number)
              join pg_catalog.pg_attribute k on k.attrelid = x.indrelid and k.attnum = part.number) as names
      from pg_catalog.pg_index x
     where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indimmediate
       and x.indpred is null and x.indexprs is null) u)`;

const FACTS_SQL = (wanted: string): string => `
  select wanted.i, c.relkind = 'p',
         exists (select from pg_catalog.pg_index x where x.indrelid = c.oid and not x.indimmediate),
         c.relkind in ('r', 'p') and not c.relhasrules and not exists (
           select from pg_catalog.pg_trigger g where g.tgenabled in ('A', 'R') and (g.tgrelid = c.oid
              or c.relkind = 'p' and g.tgrelid in (select relid from pg_catalog.pg_partition_tree(c.oid)))),
         a.attname, pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname),
         ${binaryFormSql("a.atttypid")}, a.attgenerated <> '', a.attidentity = 'a',
         ${EXACT_SQL}, ${DETERMINISTIC_SQL}, ${CASTS_SQL},
         case when row_number() over (partition by wanted.i order by a.attnum) = 1 then ${HEIRS_SQL} end,
         case when row_number() over (partition by wanted.i order by a.attnum) = 1 then ${UNIQUES_SQL} end
    from (values ${wanted}) as wanted (i, schema, name)
    join pg_catalog.pg_namespace n on n.nspname = wanted.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = ${baseTypeSql("a.atttypid")}
    join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
    join pg_catalog.pg_type e on e.oid = case when t.typelem <> 0 and t.typlen = -1 then t.typelem else t.oid end
   order by wanted.i, a.attnum`;

/** Tables of one question; a question for 2,000 at once takes the planner long. */
const TABLES_PER_QUERY = 200;

/** The plans' target tables as they are; undefined for one that is not there. */
export async function readTargetTables(
  wire: WireSession,
  plans: readonly TablePlan[],
): Promise<(TargetTable | undefined)[]> {
  const tables: ((TargetTable & { columns: Map<string, TargetColumn> }) | undefined)[] = plans.map(
    () => undefined,
  );
  const planned = new Set(plans.map(({ target }) => tableKey(target.id)));
  for (let from = 0; from < plans.length; from += TABLES_PER_QUERY) {
    const wanted = plans
      .slice(from, from + TABLES_PER_QUERY)
      .map(({ target }, i) => `(${from + i}, ${literal(target.id.schema)}, ${literal(target.id.name)})`);
    const { rows } = await wire.query(FACTS_SQL(wanted.join(", ")));
    for (const [
      i,
      partitioned,
      deferrable,
      plain,
      name,
      type,
      form,
      generated,
      always,
      exact,
      deterministic,
      casts,
      heirs,
      uniques,
    ] of rows) {
      const index = Number(i);
      const table = tables[index] ?? {
        columns: new Map<string, TargetColumn>(),
        partitioned: partitioned === "t",
        heirs: (JSON.parse(heirs ?? "[]") as TableId[]).some((id) => planned.has(tableKey(id))),
        deferrable: deferrable === "t",
        uniques: JSON.parse(uniques ?? "[]") as string[][],
        plain: plain === "t",
      };
      tables[index] = table;
      table.columns.set(name!, {
        ...{ type: type!, form: form ?? undefined },
        ...{ generated: generated === "t", identityAlways: always === "t" },
        ...{ exact: exact === "t" && deterministic === "t", deterministic: deterministic === "t" },
        castsBytes: casts === "t",
      });
    }
  }
  return tables;
}
