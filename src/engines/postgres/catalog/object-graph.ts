import type pg from "pg";
import { selectJson } from "./catalog-query.ts";

/**
 * What needs what in a database, as the server has recorded it (pg_depend). A node is a catalog and an
 * oid, `pg_proc/16402`. Parts stand for their whole: a default, a constraint and an index for their
 * table, a view's rule for the view, an array for its element, a member of an extension for the extension.
 */
export class ObjectGraph {
  readonly #needs: ReadonlyMap<string, readonly string[]>;

  private constructor(needs: ReadonlyMap<string, readonly string[]>) {
    this.#needs = needs;
  }

  static async read(client: pg.Client): Promise<ObjectGraph> {
    const needs = new Map<string, string[]>();
    // Of a database that was filled a moment ago there are no statistics, and loops over all of it take minutes.
    await client.query("set local enable_nestloop = off");
    const edges = await selectJson<{ from: string; to: string }>(client, EDGES);
    await client.query("set local enable_nestloop to default");
    for (const { from, to } of edges) {
      const known = needs.get(from);
      if (known === undefined) needs.set(from, [to]);
      else known.push(to);
    }
    return new ObjectGraph(needs);
  }

  /** What a node needs itself. */
  needs(node: string): readonly string[] {
    return this.#needs.get(node) ?? [];
  }

  /** The nodes and all that they need, each after what it needs unless there is a circle. */
  closure(roots: Iterable<string>): ReadonlySet<string> {
    const ordered = new Set<string>();
    const entered = new Set<string>();
    // A stack of its own: chains of views may be longer than calls may be deep.
    const stack = [...roots].toReversed().map((node) => ({ node, isLeaving: false }));
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { node, isLeaving } = top;
      if (isLeaving) {
        ordered.add(node);
        continue;
      }
      if (entered.has(node)) continue;
      entered.add(node);
      stack.push({ node, isLeaving: true });
      for (const need of this.needs(node)) stack.push({ node: need, isLeaving: false });
    }
    return ordered;
  }
}

/** A node's text from its catalog and oid, as SQL. */
export function nodeSql(catalog: string, oid: string): string {
  return `'${catalog}/' || ${oid}`;
}

/** A node's oid; none for what is part of an object and has no number of its own. */
export function oidOf(node: string): string[] {
  const oid = node.slice(node.indexOf("/") + 1);
  return /^\d+$/u.test(oid) ? [oid] : [];
}

/** Objects that every database has are below, and nobody has to make them. */
const FIRST_USER_OID = 16_384;

/** Membership of an extension comes before everything else; an array of a member takes two steps. */
const PARTS = `
  select distinct on (class, id) class, id, whole_class, whole from (
    select 0 as rank, classid as class, objid as id, refclassid as whole_class, refobjid as whole
      from pg_depend where deptype = 'e'
    union all
    select 1, 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class from pg_rewrite where rulename = '_RETURN'
    union all
    select 1, 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid from pg_attrdef
    union all
    select 1, 'pg_constraint'::regclass, oid,
           case when conrelid <> 0 then 'pg_class'::regclass else 'pg_type'::regclass end,
           case when conrelid <> 0 then conrelid else contypid end
      from pg_constraint where conrelid <> 0 or contypid <> 0
    union all
    select 1, 'pg_class'::regclass, indexrelid, 'pg_class'::regclass, indrelid from pg_index
    union all
    select 1, 'pg_class'::regclass, oid, 'pg_type'::regclass, reltype from pg_class where relkind = 'c'
    union all
    select 1, 'pg_type'::regclass, t.oid, 'pg_class'::regclass, c.oid
      from pg_type t join pg_class c on c.oid = t.typrelid where c.relkind <> 'c'
    union all
    select 1, 'pg_type'::regclass, a.oid, 'pg_type'::regclass, a.typelem
      from pg_type a where a.typelem <> 0 and a.typlen = -1 and a.typcategory = 'A'
    union all
    select 1, classid, objid, refclassid, refobjid from pg_depend
     where deptype = 'i' and classid = 'pg_proc'::regclass and refclassid = 'pg_type'::regclass
    union all
    select 1, 'pg_type'::regclass, (to_jsonb(r) ->> 'rngmultitypid')::oid, 'pg_type'::regclass, r.rngtypid
      from pg_range r where to_jsonb(r) ->> 'rngmultitypid' is not null
  ) as part where id >= ${FIRST_USER_OID} order by class, id, rank`;

const EDGES = `
  with part as materialized (${PARTS})
  select distinct "from", "to" from (
    select coalesce(f2.whole_class, f1.whole_class, d.classid)::regclass || '/' || coalesce(f2.whole, f1.whole, d.objid) as "from",
           coalesce(t2.whole_class, t1.whole_class, d.refclassid)::regclass || '/' || coalesce(t2.whole, t1.whole, d.refobjid) as "to"
      from pg_depend d
      left join part f1 on f1.class = d.classid and f1.id = d.objid
      left join part f2 on f2.class = f1.whole_class and f2.id = f1.whole
      left join part t1 on t1.class = d.refclassid and t1.id = d.refobjid
      left join part t2 on t2.class = t1.whole_class and t2.id = t1.whole
     where d.deptype in ('n', 'a') and d.objid >= ${FIRST_USER_OID} and d.refobjid >= ${FIRST_USER_OID}
       and d.refclassid <> 'pg_namespace'::regclass
       -- The types of a view's columns are what its query comes to, and its text does not name them.
       and not (d.classid = 'pg_class'::regclass and d.objsubid > 0
                and exists (select from pg_class v where v.oid = d.objid and v.relkind in ('v', 'm')))
  ) as edge where "from" <> "to" order by "from", "to"`;
