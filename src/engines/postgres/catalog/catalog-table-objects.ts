import type pg from "pg";
import type { ObjectKind, TableId } from "../../../core/schema.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import { nodeSql } from "./object-graph.ts";

interface PartRow {
  readonly node: string;
  /** Of the table or view. Statistics may lie elsewhere on the source, and come to their table on the target. */
  readonly schema: string;
  readonly table: TableId;
  readonly name: string;
  readonly comment: string | null;
}

interface FiringRow extends PartRow {
  /** What follows CREATE. */
  readonly definition: string;
  /** O(rigin), D(isabled), R(eplica), A(lways): in which session_replication_role it acts. */
  readonly enabled: string;
  /** A rule ON UPDATE of a table: even a disabled one makes INSERT ... ON CONFLICT fail. */
  readonly onUpdate?: boolean;
}

interface PolicyRow extends PartRow {
  readonly permissive: boolean;
  readonly command: string;
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

interface SecurityRow extends PartRow {
  readonly enabled: boolean;
  readonly forced: boolean;
}

interface StatisticsRow extends PartRow {
  readonly definition: string;
  /** How much ANALYZE looks at for them; null for as much as for the columns. */
  readonly target: number | null;
}

/**
 * Triggers, rules, policies and statistics of tables, and triggers and rules of views. Needs a
 * transaction; see inSchema.
 */
export async function describeTableObjects(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  const values = [scope.schemas, scope.tables];
  const triggers = await selectJson<FiringRow>(client, TRIGGERS, values);
  const rules = await selectJson<FiringRow>(client, RULES, values);
  const policies = await selectJson<PolicyRow>(client, POLICIES, values);
  const security = await selectJson<SecurityRow>(client, SECURITY, values);
  const statistics = await selectJson<StatisticsRow>(client, STATISTICS, values);
  return [
    ...triggers.map((row) => firing("trigger", row)),
    ...rules.map((row) => firing("rule", row)),
    ...policies.map(policy),
    ...security.flatMap(rowSecurity),
    ...statistics.map((row) => ({
      ...part("statistics", row),
      native: [
        `create statistics ${identifier(row.name)} ${row.definition}`,
        ...(row.target === null
          ? []
          : [`alter statistics ${identifier(row.name)} set statistics ${row.target}`]),
        ...(row.comment === null
          ? []
          : [`comment on statistics ${identifier(row.name)} is ${literal(row.comment)}`]),
      ],
    })),
  ];
}

/** Tables of the task, and views of the schemas that are moved whole. */
const OF_SCOPE = `c.oid = any($2::oid[]) or c.relkind = 'v' and n.nspname = any($1::text[])`;

const TABLE = `json_build_object('schema', n.nspname, 'name', c.relname) as table`;

/** Written prettily, a definition names its table as the search path needs it. A partition's triggers come with its parent's. */
const TRIGGERS = `
  select ${nodeSql("pg_trigger", "t.oid")} as node, n.nspname as schema, ${TABLE}, t.tgname as name,
    substr(${inSchema("n.nspname", "pg_get_triggerdef(t.oid, true)")}, length('CREATE ') + 1) as definition,
    t.tgenabled as enabled, ${commentOn("t.oid", "pg_trigger")} as comment
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
   where not t.tgisinternal and coalesce((to_jsonb(t) ->> 'tgparentid')::oid, 0) = 0 and (${OF_SCOPE})
     and not ${isExtensionMember("t.oid", "pg_trigger")}
   order by n.nspname collate "C", c.relname collate "C", t.tgname collate "C"`;

const RULES = `
  select ${nodeSql("pg_rewrite", "r.oid")} as node, n.nspname as schema, ${TABLE}, r.rulename as name,
    rtrim(substr(${inSchema("n.nspname", "pg_get_ruledef(r.oid, true)")}, length('CREATE ') + 1), ';') as definition,
    r.ev_enabled as enabled, r.ev_type = '2' and c.relkind <> 'v' as "onUpdate", ${commentOn("r.oid", "pg_rewrite")} as comment
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
   where r.rulename <> '_RETURN' and (${OF_SCOPE}) and not ${isExtensionMember("r.oid", "pg_rewrite")}
   order by n.nspname collate "C", c.relname collate "C", r.rulename collate "C"`;

const POLICIES = `
  select ${nodeSql("pg_policy", "p.oid")} as node, n.nspname as schema, ${TABLE}, p.polname as name,
    p.polpermissive as permissive,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
    (select json_agg(case when role.oid is null then 'public' else quote_ident(role.rolname) end order by named.at)
       from unnest(p.polroles) with ordinality as named(oid, at) left join pg_roles role on role.oid = named.oid) as roles,
    ${inSchema("n.nspname", "pg_get_expr(p.polqual, p.polrelid)")} as using,
    ${inSchema("n.nspname", "pg_get_expr(p.polwithcheck, p.polrelid)")} as check,
    ${commentOn("p.oid", "pg_policy")} as comment
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
   where (${OF_SCOPE})
   order by n.nspname collate "C", c.relname collate "C", p.polname collate "C"`;

const SECURITY = `
  select ${nodeSql("pg_class", "c.oid")} || '/security' as node, n.nspname as schema, ${TABLE}, c.relname as name,
    c.relrowsecurity as enabled, c.relforcerowsecurity as forced, null as comment
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where (c.relrowsecurity or c.relforcerowsecurity) and (${OF_SCOPE})
   order by n.nspname collate "C", c.relname collate "C"`;

const STATISTICS = `
  select ${nodeSql("pg_statistic_ext", "s.oid")} as node, n.nspname as schema, ${TABLE}, s.stxname as name,
    substr(${inSchema("n.nspname", "pg_get_statisticsobjdef(s.oid)")},
      length('CREATE STATISTICS ' || quote_ident(sn.nspname) || '.' || quote_ident(s.stxname) || ' ') + 1) as definition,
    nullif((to_jsonb(s) ->> 'stxstattarget')::integer, -1) as target,
    ${commentOn("s.oid", "pg_statistic_ext")} as comment
    from pg_statistic_ext s join pg_class c on c.oid = s.stxrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_namespace sn on sn.oid = s.stxnamespace
   where (${OF_SCOPE}) and not ${isExtensionMember("s.oid", "pg_statistic_ext")}
   order by n.nspname collate "C", c.relname collate "C", s.stxname collate "C"`;

function part(kind: ObjectKind, row: PartRow): Pick<FoundObject, "node" | "kind" | "id" | "on"> {
  return { node: row.node, kind, id: { schema: row.schema, name: row.name }, on: row.table };
}

const STATES: Readonly<Record<string, string>> = { D: "disable", R: "enable replica", A: "enable always" };

/** Triggers and rules act where session_replication_role is origin, unless they are told otherwise. */
function firing(kind: "trigger" | "rule", row: FiringRow): FoundObject {
  const name = identifier(row.name);
  const table = identifier(row.table.name);
  const state = STATES[row.enabled];
  return {
    ...part(kind, row),
    native: [
      `create ${row.definition}`,
      ...(state === undefined ? [] : [`alter table ${table} ${state} ${kind} ${name}`]),
      ...partComment(kind, row),
    ],
    ...(row.enabled === "R" || row.enabled === "A" || row.onUpdate === true ? { acts: true } : {}),
  };
}

function policy(row: PolicyRow): FoundObject {
  const parts = [
    `create policy ${identifier(row.name)} on ${identifier(row.table.name)}`,
    `as ${row.permissive ? "permissive" : "restrictive"} for ${row.command} to ${row.roles.join(", ")}`,
    ...(row.using === null ? [] : [`using (${row.using})`]),
    ...(row.check === null ? [] : [`with check (${row.check})`]),
  ];
  return { ...part("policy", row), native: [parts.join(" "), ...partComment("policy", row)] };
}

/** A table's owner, who writes it, is not subject to its policies unless they are forced. */
function rowSecurity(row: SecurityRow): FoundObject[] {
  const table = identifier(row.table.name);
  const one = (statement: string, node: string): FoundObject => ({
    ...part("row security", { ...row, node }),
    native: [`alter table ${table} ${statement}`],
  });
  return [
    ...(row.enabled ? [one("enable row level security", row.node)] : []),
    ...(row.forced
      ? [{ ...one("force row level security", `${row.node}/forced`), acts: true as const }]
      : []),
  ];
}

function partComment(kind: string, row: PartRow): string[] {
  if (row.comment === null) return [];
  return [
    `comment on ${kind} ${identifier(row.name)} on ${identifier(row.table.name)} is ${literal(row.comment)}`,
  ];
}
