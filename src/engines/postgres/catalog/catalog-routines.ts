import type pg from "pg";
import { identifier, literal } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { commentOn, inSchema, selectJson } from "./catalog-query.ts";
import { nodeSql } from "./object-graph.ts";
import { NOTE_FUNCTION } from "./schema-notes-sql.ts";

interface RoutineRow {
  readonly node: string;
  readonly schema: string;
  readonly name: string;
  /** prokind: f(unction), p(rocedure), w(indow function). */
  readonly kind: string;
  /** Types of the arguments, as people write them. */
  readonly types: string;
  /** What tells it from others of its name in statements. */
  readonly identity: string;
  readonly definition: string;
  /** What the definition begins with: CREATE OR REPLACE, and the name. */
  readonly prefix: string;
  readonly comment: string | null;
}

interface AggregateRow extends Omit<RoutineRow, "kind" | "definition" | "prefix"> {
  readonly arguments: string;
  /** Options of CREATE AGGREGATE by name, in its order; true for one without a value. */
  readonly options: Readonly<Record<string, string | true | null>>;
}

/** Functions, procedures and aggregates. Needs a transaction; see inSchema. */
export async function describeRoutines(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  const values = [scope.schemas, scope.oids];
  const routines = await selectJson<RoutineRow>(client, ROUTINES, values);
  const aggregates = await selectJson<AggregateRow>(client, AGGREGATES, values);
  return [...routines.map(routine), ...aggregates.map(aggregate)];
}

const COMMON = `
  ${nodeSql("pg_proc", "p.oid")} as node, n.nspname as schema, p.proname as name,
  ${inSchema("n.nspname", "oidvectortypes(p.proargtypes)")} as types,
  ${inSchema("n.nspname", "pg_get_function_identity_arguments(p.oid)")} as identity,
  ${commentOn("p.oid", "pg_proc")} as comment`;

/** One that belongs to an extension or that a type brought along is none of its own; nor is Tideway's. */
const OWN = `(n.nspname = any($1::text[]) or p.oid = any($2::oid[]))
  and not (p.proname = ${literal(NOTE_FUNCTION)} and p.prorettype = 'event_trigger'::regtype)
  and not exists (select from pg_depend d
                   where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
  order by n.nspname collate "C", p.proname collate "C", p.oid`;

const ROUTINES = `
  select ${COMMON}, p.prokind as kind, ${inSchema("n.nspname", "pg_get_functiondef(p.oid)")} as definition,
    'CREATE OR REPLACE ' || case p.prokind when 'p' then 'PROCEDURE ' else 'FUNCTION ' end
      || quote_ident(n.nspname) || '.' || quote_ident(p.proname) as prefix
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.prokind <> 'a' and ${OWN}`;

/** regproc writes a name as the search path needs it, "-" for none. */
const AGGREGATES = `
  select ${COMMON},
    ${inSchema("n.nspname", "pg_get_function_arguments(p.oid)")} as arguments,
    ${inSchema(
      "n.nspname",
      `json_build_object(
        'sfunc', a.aggtransfn::regproc::text,
        'stype', format_type(a.aggtranstype, null),
        'sspace', nullif(a.aggtransspace, 0)::text,
        'finalfunc', nullif(a.aggfinalfn::regproc::text, '-'),
        'finalfunc_extra', nullif(a.aggfinalextra, false),
        'finalfunc_modify', case a.aggfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end,
        'combinefunc', nullif(a.aggcombinefn::regproc::text, '-'),
        'serialfunc', nullif(a.aggserialfn::regproc::text, '-'),
        'deserialfunc', nullif(a.aggdeserialfn::regproc::text, '-'),
        'initcond', quote_literal(a.agginitval),
        'msfunc', nullif(a.aggmtransfn::regproc::text, '-'),
        'minvfunc', nullif(a.aggminvtransfn::regproc::text, '-'),
        'mstype', case when a.aggmtranstype <> 0 then format_type(a.aggmtranstype, null) end,
        'msspace', nullif(a.aggmtransspace, 0)::text,
        'mfinalfunc', nullif(a.aggmfinalfn::regproc::text, '-'),
        'mfinalfunc_extra', nullif(a.aggmfinalextra, false),
        'mfinalfunc_modify', case when a.aggmtransfn <> 0 then
          case a.aggmfinalmodify when 'r' then 'read_only' when 's' then 'shareable' else 'read_write' end end,
        'minitcond', quote_literal(a.aggminitval),
        'sortop', case when a.aggsortop <> 0 then (
          select 'operator(' || quote_ident(s.nspname) || '.' || o.oprname || ')'
            from pg_operator o join pg_namespace s on s.oid = o.oprnamespace where o.oid = a.aggsortop) end,
        'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end,
        'hypothetical', nullif(a.aggkind = 'h', false))`,
    )} as options
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_aggregate a on a.aggfnoid = p.oid
   where p.prokind = 'a' and ${OWN}`;

/** The server writes the name with its schema; what is made goes where the search path leads. */
function routine(row: RoutineRow): FoundObject {
  const kind = row.kind === "p" ? "procedure" : "function";
  const rest = row.definition.slice(row.prefix.length).trimEnd();
  return {
    node: row.node,
    kind,
    // The text of one that a column is computed with may call any other, which nobody has recorded.
    otherwise: "before-rows",
    id: { schema: row.schema, name: `${row.name}(${row.types})` },
    native: [`create ${kind} ${identifier(row.name)}${rest}`, ...commentStatements(kind, row)],
  };
}

function aggregate(row: AggregateRow): FoundObject {
  const options = Object.entries(row.options).flatMap(([name, value]) => {
    if (value === null) return [];
    return value === true ? [name] : [`${name} = ${value}`];
  });
  const args = row.arguments === "" ? "*" : row.arguments;
  return {
    node: row.node,
    kind: "aggregate",
    otherwise: "before-rows",
    id: { schema: row.schema, name: `${row.name}(${row.types})` },
    native: [
      `create aggregate ${identifier(row.name)} (${args}) (${options.join(", ")})`,
      ...commentStatements("aggregate", { ...row, identity: row.identity === "" ? "*" : row.identity }),
    ],
  };
}

function commentStatements(
  kind: string,
  { name, identity, comment }: Pick<RoutineRow, "name" | "identity" | "comment">,
): string[] {
  return comment === null
    ? []
    : [`comment on ${kind} ${identifier(name)} (${identity}) is ${literal(comment)}`];
}
