import type pg from "pg";
import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import {
  columnMisfit,
  mismatch,
  NOT_A_TABLE,
  type PresentColumn,
  type Referrer,
} from "../../shared/catalog/table-misfit.ts";
import { qualified } from "../../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";

/** What stands on the target under the name of a table of the plan. */
export interface TargetTable {
  readonly id: TableId;
  readonly oid: string;
  /** relkind: r(elation), p(artitioned), f(oreign), v(iew), ... */
  readonly kind: string;
  readonly columns: readonly PresentColumn[];
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
  const written = plan.target.columns.filter(({ generated }) => generated === undefined);
  const reason = ["r", "p", "f"].includes(table.kind)
    ? columnMisfit(
        table.columns,
        written.map(({ name }) => name),
        plan,
      )
    : NOT_A_TABLE;
  if (reason !== undefined) throw mismatch(plan, reason);
}

/** A foreign key of another table, and what it does when a row that it refers to is deleted. */
export interface ActingReferrer extends Referrer {
  /** confdeltype: a (no action), r(estrict), c(ascade), n (set null), d (set default). */
  readonly onDelete: string;
}

/** Foreign keys of other tables that point at this one. */
export async function findReferrers(client: pg.Client, table: TargetTable): Promise<ActingReferrer[]> {
  return selectJson<ActingReferrer>(
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

/** A partitioned table has no rows of its own to be emptied of alone. */
export function ownRows(table: TargetTable): string {
  return `${table.kind === "p" ? "" : "only "}${qualified(table.id)}`;
}
