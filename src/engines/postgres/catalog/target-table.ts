import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import { qualified } from "../../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";

/** What stands on the target under the name of a table of the plan. */
export interface TargetTable {
  readonly id: TableId;
  readonly oid: string;
  /** relkind: r(elation), p(artitioned), f(oreign), v(iew), ... */
  readonly kind: string;
  readonly columns: readonly TargetColumn[];
}

interface TargetColumn {
  readonly name: string;
  readonly generated: boolean;
  /** A row cannot be inserted without a value for it. */
  readonly required: boolean;
}

/** Those of the named tables that are there, by key. */
export async function findTables(
  client: pg.Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, TargetTable>> {
  const rows = await selectJson<Omit<TargetTable, "id"> & TableId>(
    client,
    `select wanted.schema, wanted.name, c.oid, c.relkind as kind, coalesce((
       select json_agg(json_build_object(
         'name', a.attname,
         'generated', a.attgenerated <> '',
         'required', a.attnotnull and not a.atthasdef and a.attidentity = '' and not exists (
           select from pg_type t where t.oid = a.atttypid and t.typdefault is not null)
       ) order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns
     from unnest($1::text[], $2::text[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`,
    [ids.map(({ schema }) => schema), ids.map(({ name }) => name)],
  );
  return new Map(
    rows.map(({ schema, name, ...table }) => {
      const id = { schema, name };
      return [tableKey(id), { id, ...table }];
    }),
  );
}

const VIRTUAL_COLUMNS_SINCE = 180_000;

/** Whether the server has virtual generated columns. */
export async function hasVirtualColumns(client: pg.Client): Promise<boolean> {
  const [row] = await selectJson<{ version: number }>(
    client,
    "select current_setting('server_version_num')::int as version",
  );
  return row!.version >= VIRTUAL_COLUMNS_SINCE;
}

/** Throws `target.table_mismatch` when rows of the source cannot be put into what is there. */
export function checkColumns(table: TargetTable, plan: TablePlan): void {
  if (!["r", "p", "f"].includes(table.kind))
    throw mismatch(plan, "something that is not a table has its name");
  const there = new Map(table.columns.map((column) => [column.name, column]));
  const wanted = plan.target.columns.filter((column) => column.generated === undefined);
  const missing = wanted.filter(({ name }) => !there.has(name));
  if (missing.length > 0) throw mismatch(plan, `it lacks the columns ${names(missing)}`);
  const computed = wanted.filter(({ name }) => there.get(name)?.generated === true);
  if (computed.length > 0) throw mismatch(plan, `it computes the columns ${names(computed)} itself`);
  const known = new Set(plan.target.columns.map(({ name }) => name));
  const unfilled = table.columns.filter(({ name, required }) => required && !known.has(name));
  if (unfilled.length > 0) {
    throw mismatch(plan, `it demands values for ${names(unfilled)}, which the source does not have`);
  }
}

export function mismatch(plan: TablePlan, what: string): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: `The table on the target cannot be used: ${what}.`,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}

/** A table of the target with a foreign key to another. */
export interface Referrer extends TableId {
  readonly constraint: string;
  /** confdeltype: a (no action), r(estrict), c(ascade), n (set null), d (set default). */
  readonly onDelete: string;
}

/** Foreign keys of other tables that point at this one. */
export async function findReferrers(client: pg.Client, table: TargetTable): Promise<Referrer[]> {
  return selectJson<Referrer>(
    client,
    `select n.nspname as schema, c.relname as name, k.conname as constraint, k.confdeltype as "onDelete"
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     where k.contype = 'f' and k.confrelid = $1 and k.conrelid <> $1
       -- Not the partitions of a table that refers to this one, but one that refers to it through the table above.
       and not exists (select from pg_constraint p where p.oid = k.conparentid and p.confrelid = k.confrelid)
     order by n.nspname collate "C", c.relname collate "C", k.conname collate "C"`,
    [table.oid],
  );
}

/** `target.table_in_use`, naming what is in the way. */
export function inUse(plan: TablePlan, details: { readonly message: string }): MigrationError {
  return new MigrationError("target.table_in_use", {
    ...details,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}

export function nameReferrers(referrers: readonly Referrer[]): string {
  return referrers.map((referrer) => `${displayTable(referrer)} (${referrer.constraint})`).join(", ");
}

function names(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => name).join(", ");
}

/** A partitioned table has no rows of its own to be emptied of alone. */
export function ownRows(table: TargetTable): string {
  return `${table.kind === "p" ? "" : "only "}${qualified(table.id)}`;
}
