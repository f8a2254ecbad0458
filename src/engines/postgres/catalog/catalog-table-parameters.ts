import type pg from "pg";
import type { TableId } from "../../../core/schema.ts";
import { identifier } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { selectJson } from "./catalog-query.ts";
import { storageOption } from "./catalog-views.ts";

interface ParameterRow {
  readonly schema: string;
  readonly table: string;
  readonly column: string | null;
  readonly name: string;
  /** What follows SET, or what the statement says otherwise. */
  readonly value: string;
  readonly kind: "option" | "attribute" | "column" | "table";
  readonly isParent: boolean;
}

/**
 * How tables are stored, one object for each parameter, since servers of other versions know others. They
 * are set while tables are empty, except what names an index or would keep changes from being published.
 */
export async function describeTableParameters(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  const rows = await selectJson<ParameterRow>(client, PARAMETERS, [scope.tables]);
  return rows.map(parameter);
}

/** Since version 17 no statistics target is null and no longer -1; compression has been there since 14. */
const PARAMETERS = `
  with wanted as (
    select c.oid, n.nspname as schema, c.relname as "table", c.reloptions, c.reltoastrelid, c.relreplident, c.relkind
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = any($1::oid[])),
  attribute as (
    select w.*, a.attname, a.attnum, a.attoptions, a.attstorage, t.typstorage, to_jsonb(a) as row
      from wanted w join pg_attribute a on a.attrelid = w.oid join pg_type t on t.oid = a.atttypid
     where a.attnum > 0 and not a.attisdropped)
  select found.*, w.relkind = 'p' as "isParent" from (
  select oid, schema, "table", null as "column", split_part(o.text, '=', 1) as name, o.text as value, 'option' as kind
    from wanted cross join unnest(reloptions) as o(text)
  union all
  select w.oid, schema, "table", null, 'toast.' || split_part(o.text, '=', 1), 'toast.' || o.text, 'option'
    from wanted w join pg_class x on x.oid = w.reltoastrelid cross join unnest(x.reloptions) as o(text)
  union all
  select oid, schema, "table", attname, split_part(o.text, '=', 1), o.text, 'attribute'
    from attribute cross join unnest(attoptions) as o(text)
  union all
  select oid, schema, "table", attname, 'storage',
         case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end, 'column'
    from attribute where attstorage <> typstorage
  union all
  select oid, schema, "table", attname, 'compression', case row ->> 'attcompression' when 'p' then 'pglz' else 'lz4' end, 'column'
    from attribute where row ->> 'attcompression' in ('p', 'l')
  union all
  select oid, schema, "table", attname, 'statistics', row ->> 'attstattarget', 'column'
    from attribute where (row ->> 'attstattarget')::integer >= 0
  union all
  select wanted.oid, schema, "table", null, 'cluster', 'cluster on ' || quote_ident(x.relname), 'table'
    from wanted join pg_index i on i.indrelid = wanted.oid and i.indisclustered join pg_class x on x.oid = i.indexrelid
  union all
  select oid, schema, "table", null, 'replica identity', 'replica identity nothing', 'table'
    from wanted where relreplident = 'n'
  ) as found join wanted w using (oid)
  order by schema, "table", "column" nulls first, name`;

function parameter({ schema, table, column, name, value, kind, isParent }: ParameterRow): FoundObject {
  const id = { schema, name: column === null ? name : `${column} ${name}` };
  return {
    // A server keeps no record of what a parameter needs.
    node: `parameter/${JSON.stringify([schema, table, column, name])}`,
    kind: "table parameter",
    id,
    on: { schema, name: table } satisfies TableId,
    // A partitioned table has no rows, and is made together with its parameters.
    stage: kind === "table" && !isParent ? "after-rows" : "before-rows",
    // Without ONLY those of the partitions and heirs would be overwritten.
    native: [`alter table only ${identifier(table)} ${action({ column, name, value, kind })}`],
  };
}

function action({
  column,
  name,
  value,
  kind,
}: Pick<ParameterRow, "column" | "name" | "value" | "kind">): string {
  if (kind === "table") return value;
  if (column === null) return `set (${storageOption(value)})`;
  const set = kind === "attribute" ? `set (${storageOption(value)})` : `set ${name} ${value}`;
  return `alter column ${identifier(column)} ${set}`;
}
