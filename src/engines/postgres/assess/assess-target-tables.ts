import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import type { PrepareMode, TargetAssessment } from "../../../core/target.ts";
import { foldedKeyFindings } from "../../shared/catalog/folded-keys.ts";
import { keptIndexFindings, type PresentIndex } from "../../shared/catalog/kept-indexes.ts";
import { type FindingDetails, finding, mends } from "../../shared/finding.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";

interface TableFacts {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  /** May drop it: owns the table or its schema. */
  readonly owned: boolean;
  readonly insert: boolean;
  readonly change: boolean;
  readonly truncate: boolean;
  readonly estimate: string;
  readonly columns: readonly string[];
  /** Columns that take no NULL and have no value of their own. */
  readonly required: readonly string[];
  /** Columns of which texts that differ may be equal. */
  readonly folding: readonly string[];
  /** Views and foreign keys that hang on the table: what DROP TABLE without CASCADE stumbles over. */
  readonly dependents: readonly { readonly kind: "view" | "table"; schema: string; name: string }[];
  readonly indexes: readonly PresentIndex[];
  /** Those that act in every session, and those that act where triggers are not silenced. */
  readonly triggers: readonly { readonly name: string; readonly always: boolean }[];
}

export interface WritingSession {
  readonly role: string;
  /** It may keep triggers from acting. */
  readonly silences: boolean;
}

/** What stands on the target under the names of the plan's tables, for all tables in one query. */
export async function assessTargetTables(
  client: pg.Client,
  { plan, mode: given, prepared, ...work }: TargetAssessment,
  { role, silences }: WritingSession,
): Promise<Finding[]> {
  const rows = await selectJson<TableFacts>(client, FACTS, [
    plan.tables.map(({ target }) => target.id.schema),
    plan.tables.map(({ target }) => target.id.name),
  ]);
  const facts = new Map(rows.map((row) => [tableKey(row), row]));
  // The plan's views are dropped before the tables, and made again after them.
  const planned = new Set([...plan.target.tables, ...plan.target.objects].map(({ id }) => tableKey(id)));
  return plan.tables.flatMap((table) => {
    const row = facts.get(tableKey(table.target.id));
    if (row === undefined) return [];
    const mode = prepared.has(tableKey(table.source.id)) ? "do-nothing" : given;
    if (!"rp".includes(row.kind) && !(row.kind === "f" && mode !== "drop-and-create")) {
      return [problem(table, "target.table_mismatch", "Something that is not a table has its name.")];
    }
    return mode === "drop-and-create"
      ? dropping(table, row, { role, planned })
      : [
          ...keeping(table, row, { mode, role }),
          ...keptIndexFindings({ ...work, plan: table, indexes: row.indexes, uniqueSql: uniqueSqlOf(table) }),
          ...acting(table, row, silences),
        ];
  });
}

const FACTS = `
  select wanted.schema, wanted.name, c.relkind as kind,
    pg_has_role(c.relowner, 'usage') or pg_has_role(n.nspowner, 'usage') as owned,
    has_table_privilege(c.oid, 'insert') as insert,
    has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'update')
      and has_table_privilege(c.oid, 'delete') as change,
    has_table_privilege(c.oid, 'truncate') as truncate,
    c.reltuples::bigint::text as estimate,
    (select coalesce(json_agg(a.attname), '[]') from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select coalesce(json_agg(a.attname), '[]') from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull
        and not a.atthasdef and a.attidentity = '') as required,
    (select coalesce(json_agg(a.attname), '[]') from pg_attribute a
       join pg_type t on t.oid = a.atttypid left join pg_collation l on l.oid = a.attcollation
      where a.attrelid = c.oid and a.attnum > 0 and (t.typname = 'citext' or not l.collisdeterministic)) as folding,
    (select coalesce(json_agg(d), '[]') from (
       select distinct 'view' as kind, vn.nspname as schema, v.relname as name
         from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
         join pg_namespace vn on vn.oid = v.relnamespace
        where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
          and d.refobjid = c.oid and v.oid <> c.oid
       union
       select 'table', fn.nspname, f.relname
         from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_namespace fn on fn.oid = f.relnamespace
        where k.contype = 'f' and k.confrelid = c.oid and f.oid <> c.oid) d) as dependents,
    (select coalesce(json_agg(json_build_object('name', i.relname, 'primary', x.indisprimary,
         'unique', x.indisunique and x.indisvalid and x.indimmediate,
         'columns', case when x.indpred is null and x.indexprs is null then (
            select json_agg(a.attname) from unnest((x.indkey::int2[])[0:x.indnkeyatts - 1]) as part(number)
              join pg_attribute a on a.attrelid = x.indrelid and a.attnum = part.number) end) order by i.relname), '[]')
       from pg_index x join pg_class i on i.oid = x.indexrelid where x.indrelid = c.oid) as indexes,
    (select coalesce(json_agg(json_build_object('name', t.tgname, 'always', t.tgenabled <> 'O') order by t.tgname), '[]')
       from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D') as triggers
  from unnest($1::text[], $2::text[]) as wanted(schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`;

function dropping(
  table: TablePlan,
  row: TableFacts,
  { role, planned }: { readonly role: string; readonly planned: ReadonlySet<string> },
): Finding[] {
  const id = table.target.id;
  const name = displayTable(id);
  if (!row.owned) {
    return [
      problem(
        table,
        "target.object_failed",
        `The role ${role} does not own the table ${name} and cannot drop it.`,
        mends("target", [`alter table ${qualified(id)} owner to ${identifier(role)};`], {
          after: "or use TRUNCATE_BEFORE_LOAD.",
        }),
      ),
    ];
  }
  const inTheWay = row.dependents.filter(({ schema, name }) => !planned.has(tableKey({ schema, name })));
  if (inTheWay.length > 0) {
    const names = inTheWay.slice(0, 10).map((object) => `${object.kind} ${displayTable(object)}`);
    return [
      problem(
        table,
        "target.table_in_use",
        `Other objects depend on the table ${name}: ${names.join(", ")}.`,
      ),
    ];
  }
  const rows = Number(row.estimate) > 0 ? ` with about ${row.estimate} rows` : "";
  return [
    finding("target.table_dropped", "info", {
      subject: name,
      table: table.source.id,
      message: `The table ${name}${rows} on the target is dropped and made anew.`,
    }),
  ];
}

interface Keeping {
  readonly mode: PrepareMode;
  readonly role: string;
}

function keeping(table: TablePlan, row: TableFacts, { mode, role }: Keeping): Finding[] {
  const stopper = misfit(table, row) ?? unwritable(table, row, { mode, role });
  if (stopper !== undefined) return [stopper];
  const name = displayTable(table.target.id);
  const findings = [...foldedKeyFindings(table, (column) => row.folding.includes(column))];
  if (!row.change) {
    findings.push(
      finding("target.privilege", "warning", {
        subject: name,
        table: table.source.id,
        message: `The role ${role} may not select, update and delete in the table ${name}, as applying changes needs.`,
        ...mends("target", [
          `grant select, update, delete on ${qualified(table.target.id)} to ${identifier(role)};`,
        ]),
      }),
    );
  }
  if (mode === "truncate") {
    findings.push(
      finding("target.table_dropped", "info", {
        subject: name,
        table: table.source.id,
        message: `The table ${name} on the target is emptied before it is loaded.`,
      }),
    );
  }
  return findings;
}

function uniqueSqlOf({ target: { id } }: TablePlan): (columns: readonly string[]) => string {
  return (columns) => `create unique index on ${qualified(id)} (${columns.map(identifier).join(", ")});`;
}

/** Triggers that do again what the source's rows show already. */
function acting(table: TablePlan, { triggers }: TableFacts, silences: boolean): Finding[] {
  const names = triggers.filter(({ always }) => always || !silences).map(({ name }) => name);
  if (names.length === 0) return [];
  const { id } = table.target;
  return [
    finding("target.triggers", "warning", {
      subject: displayTable(id),
      table: table.source.id,
      message: `Triggers of the table ${displayTable(id)} act on what is loaded and applied: ${names.join(", ")}.`,
      ...mends(
        "target",
        names.map((name) => `alter table ${qualified(id)} disable trigger ${identifier(name)};`),
        { after: "and enable them at the cutover." },
      ),
    }),
  ];
}

/** The columns that keep the source's rows out. */
function misfit(table: TablePlan, row: TableFacts): Finding | undefined {
  const name = displayTable(table.target.id);
  const there = new Set(row.columns);
  const columns = new Set(table.target.columns.map((column) => column.name));
  const lacking = [...columns].filter((column) => !there.has(column));
  if (lacking.length > 0) {
    return problem(table, "target.table_mismatch", `The table ${name} on the target lacks ${some(lacking)}.`);
  }
  const unfilled = row.required.filter((column) => !columns.has(column));
  if (unfilled.length === 0) return undefined;
  return problem(
    table,
    "target.table_mismatch",
    `The table ${name} on the target requires ${some(unfilled)}, which the source does not have.`,
    { remedy: "Give the columns a default or let them be null, or use DROP_AND_CREATE." },
  );
}

function unwritable(table: TablePlan, row: TableFacts, { mode, role }: Keeping): Finding | undefined {
  const truncates = mode === "truncate";
  if (row.insert && (!truncates || row.truncate)) return undefined;
  const { id } = table.target;
  const privileges = `insert, select, update, delete${truncates ? ", truncate" : ""}`;
  return problem(
    table,
    "load.rejected",
    `The role ${role} may not ${row.insert ? "truncate" : "write into"} the table ${displayTable(id)}.`,
    mends("target", [`grant ${privileges} on ${qualified(id)} to ${identifier(role)};`]),
  );
}

function some(columns: readonly string[]): string {
  const named = columns.slice(0, 10).join(", ");
  return `${columns.length === 1 ? "the column" : "the columns"} ${named}${columns.length > 10 ? ", ..." : ""}`;
}

function problem(
  table: TablePlan,
  code: Finding["code"],
  message: string,
  remedy: Pick<FindingDetails, "remedy" | "fix"> = {},
): Finding {
  return finding(code, "error", {
    subject: displayTable(table.target.id),
    table: table.source.id,
    message,
    ...remedy,
  });
}
