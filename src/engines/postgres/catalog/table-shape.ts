import type pg from "pg";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { type ShapedTable, shapeChange, type TableShape, tableChanged } from "../../../core/table-shape.ts";
import { selectJson } from "./catalog-query.ts";

/**
 * SQL for the TableShape of a row of pg_class, as JSON. Which transaction has written a column's row of
 * pg_attribute tells whether the column was changed, and relfilenode whether the table was rewritten.
 * attmissingval is what ADD COLUMN ... DEFAULT leaves there instead of writing all rows anew.
 */
export function shapeSql(table: string): string {
  return `json_build_object('table', ${table}.oid::text, 'storage', ${table}.relfilenode::text,
    'columnsEver', ${table}.relnatts, 'columns', (
      select coalesce(json_agg(json_build_object('number', s.attnum, 'name', s.attname,
          'type', s.atttypid::text || ' ' || s.atttypmod::text, 'version', s.xmin::text,
          'computed', case when s.attgenerated <> '' then (
             select md5(x.adbin::text) from pg_catalog.pg_attrdef x
              where x.adrelid = s.attrelid and x.adnum = s.attnum) end,
          'fill', (s.attmissingval::text::text[])[1]) order by s.attnum), '[]')
        from pg_catalog.pg_attribute s
       where s.attrelid = ${table}.oid and s.attnum > 0 and not s.attisdropped))`;
}

/** What the server compares with what is known; two tables that agree in it have the same shape. */
const FACTS = `n.nspname::text, c.relname::text, c.relfilenode::text, c.relnatts::int, (
  select coalesce(string_agg(a.attnum || ' ' || a.xmin::text, ',' order by a.attnum), '')
    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`;

/**
 * See Source.checkTables. The stream tells nothing of a table that nobody writes to, and it cannot tell a column
 * that gave way to another of the same name and type. Only tables that differ are sent: all columns of a large
 * database would be some megabytes each time.
 */
export async function checkShapes(
  client: pg.Client,
  tables: readonly TableSchema[],
): Promise<readonly ShapedTable[]> {
  const known = tables.flatMap(({ id, shape }) => (shape === undefined ? [] : [{ id, shape }]));
  const rows = await selectJson<FoundTable>(
    client,
    `select k.position, n.nspname as schema, c.relname as name,
            case when c.oid is not null then ${shapeSql("c")} end as shape
       from unnest($1::oid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[]) with ordinality
              as k(oid, schema, name, storage, ever, versions, position)
       left join pg_catalog.pg_class c on c.oid = k.oid
       left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where (k.schema, k.name, k.storage, k.ever, k.versions) is distinct from (${FACTS})
      order by k.position`,
    [
      known.map(({ shape }) => shape.table),
      known.map(({ id }) => id.schema),
      known.map(({ id }) => id.name),
      known.map(({ shape }) => shape.storage),
      known.map(({ shape }) => shape.columnsEver),
      known.map(({ shape: { columns } }) =>
        columns.map(({ number, version }) => `${number} ${version}`).join(","),
      ),
    ],
  );
  return rows.map((row) => {
    const before = known[row.position - 1]!;
    const how = changeOf(before, row);
    if (how !== undefined) throw tableChanged(before.id, how);
    return { id: before.id, shape: row.shape! };
  });
}

interface FoundTable extends TableId {
  /** Counted from 1. */
  readonly position: number;
  /** null when the table is gone, and so are its names. */
  readonly shape: TableShape | null;
}

function changeOf(known: ShapedTable, now: FoundTable): string | undefined {
  if (now.shape === null) return "was dropped";
  if (tableKey(now) !== tableKey(known.id)) return `is called ${displayTable(now)} now`;
  const change = shapeChange(known.shape, now.shape);
  if (change.kind === "none") return undefined;
  if (change.kind === "other") return change.how;
  return `got the column ${change.columns[0]!.name}`;
}
