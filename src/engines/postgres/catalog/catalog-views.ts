import type pg from "pg";
import { identifier, literal } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import { nodeSql } from "./object-graph.ts";

interface ViewRow {
  readonly node: string;
  readonly schema: string;
  readonly name: string;
  readonly materialized: boolean;
  readonly populated: boolean;
  readonly options: readonly string[] | null;
  readonly definition: string;
  readonly comment: string | null;
  readonly columns: readonly ViewColumn[];
  readonly indexes: readonly string[] | null;
}

interface ViewColumn {
  readonly name: string;
  readonly default: string | null;
  readonly comment: string | null;
}

/** Views and materialized views. Needs a transaction; see inSchema. */
export async function describeViews(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  return (await selectJson<ViewRow>(client, VIEWS, [scope.schemas])).map(view);
}

/** Written prettily, an index names its table as the search path needs it. */
const VIEWS = `
  select ${nodeSql("pg_class", "c.oid")} as node, n.nspname as schema, c.relname as name,
    c.relkind = 'm' as materialized, c.relispopulated as populated, c.reloptions as options,
    ${inSchema("n.nspname", "pg_get_viewdef(c.oid)")} as definition,
    ${commentOn("c.oid", "pg_class")} as comment,
    (select json_agg(json_build_object('name', a.attname, 'default',
              ${inSchema("n.nspname", "pg_get_expr(e.adbin, e.adrelid)")}, 'comment', d.description) order by a.attnum)
       from pg_attribute a
       left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
       left join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select json_agg(${inSchema("n.nspname", "pg_get_indexdef(i.indexrelid, 0, true)")} order by i.indexrelid)
       from pg_index i where i.indrelid = c.oid and i.indisvalid) as indexes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('v', 'm') and c.relpersistence <> 't' and n.nspname = any($1::text[])
     and not ${isExtensionMember("c.oid", "pg_class")}
   order by n.nspname collate "C", c.relname collate "C"`;

/** A materialized view is filled before its indexes are built. */
function view(row: ViewRow): FoundObject {
  const kind = row.materialized ? "materialized view" : "view";
  const name = identifier(row.name);
  const options = row.options === null ? "" : ` with (${row.options.map(storageOption).join(", ")})`;
  const query = row.definition.trimEnd().replace(/;$/u, "");
  return {
    node: row.node,
    kind,
    id: { schema: row.schema, name: row.name },
    native: [
      `create ${kind} ${name}${options} as ${query}${row.materialized ? " with no data" : ""}`,
      ...row.columns.flatMap((column) => columnStatements(name, column)),
      ...(row.comment === null ? [] : [`comment on ${kind} ${name} is ${literal(row.comment)}`]),
      ...(row.materialized && row.populated ? [`refresh materialized view ${name}`] : []),
      ...(row.indexes ?? []),
    ],
  };
}

/** `name=value` as reloptions has it. A value is a word or a number, but nobody guarantees that. */
export function storageOption(option: string): string {
  const at = option.indexOf("=");
  return at < 0 ? option : `${option.slice(0, at)} = ${literal(option.slice(at + 1))}`;
}

function columnStatements(view: string, column: ViewColumn): string[] {
  const name = identifier(column.name);
  return [
    ...(column.default === null
      ? []
      : [`alter view ${view} alter column ${name} set default ${column.default}`]),
    ...(column.comment === null ? [] : [`comment on column ${view}.${name} is ${literal(column.comment)}`]),
  ];
}
