import type pg from "pg";
import type { Column } from "../../../core/schema.ts";
import { inSchema, selectJson } from "./catalog-query.ts";
import { logicalType, type NativeType } from "./type-map.ts";

export interface ColumnRow {
  readonly table: string;
  readonly number: number;
  readonly name: string;
  readonly quoted: string;
  readonly native: string;
  readonly type: string;
  readonly modifier: number;
  readonly notNull: boolean;
  /** NOT NULL that the rows of the source may violate (PostgreSQL 18). */
  readonly unchecked: string | null;
  readonly identity: string;
  readonly generated: string;
  readonly expression: string | null;
  readonly collation: string | null;
  readonly comment: string | null;
}

export interface TableColumns {
  readonly columns: Column[];
  /** Ordinal in columns by attnum: dropped columns leave gaps in the numbers. */
  readonly ordinals: Map<number, number>;
  /** NOT NULL constraints that are not validated: name, and column as SQL writes it. */
  readonly unchecked: { readonly name: string; readonly column: string }[];
}

/** The columns of tables by the table's oid. The client must be in a transaction; see inSchema. */
export async function describeColumns(
  client: pg.Client,
  tables: readonly string[],
  types: ReadonlyMap<string, NativeType>,
): Promise<Map<string, TableColumns>> {
  const rows = await selectJson<ColumnRow>(client, COLUMNS, [tables]);
  const found = new Map<string, TableColumns>();
  for (const oid of tables) found.set(oid, { columns: [], ordinals: new Map(), unchecked: [] });
  for (const row of rows) addColumnRow(found.get(row.table)!, row, types);
  return found;
}

/** The columns of one table from its rows of COLUMNS. */
export function columnsOf(rows: readonly ColumnRow[], types: ReadonlyMap<string, NativeType>): TableColumns {
  const table: TableColumns = { columns: [], ordinals: new Map(), unchecked: [] };
  for (const row of rows) addColumnRow(table, row, types);
  return table;
}

function addColumnRow(table: TableColumns, row: ColumnRow, types: ReadonlyMap<string, NativeType>): void {
  table.ordinals.set(row.number, table.columns.length);
  table.columns.push(column(row, types));
  if (row.unchecked !== null) table.unchecked.push({ name: row.unchecked, column: row.quoted });
}

export const COLUMNS = `
  select a.attrelid as table, a.attnum as number, a.attname as name,
    quote_ident(a.attname) as quoted,
    ${inSchema("n.nspname", "format_type(a.atttypid, a.atttypmod)")} as native,
    a.atttypid as type, a.atttypmod as modifier, a.attnotnull as "notNull", k.conname as unchecked,
    a.attidentity as identity, a.attgenerated as generated,
    ${inSchema("n.nspname", "pg_get_expr(e.adbin, e.adrelid)")} as expression,
    ${inSchema(
      "n.nspname",
      `case when pg_collation_is_visible(l.oid) then quote_ident(l.collname)
        else quote_ident(ln.nspname) || '.' || quote_ident(l.collname) end`,
    )} as collation,
    d.description as comment
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
  left join pg_collation l on l.oid = a.attcollation and a.attcollation <> t.typcollation
  left join pg_namespace ln on ln.oid = l.collnamespace
  left join pg_description d
    on d.objoid = a.attrelid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
  left join pg_constraint k
    on k.conrelid = a.attrelid and k.contype = 'n' and not k.convalidated and k.conkey = array[a.attnum]
  where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
  order by a.attrelid, a.attnum`;

/** The column without an identity. */
export function plainColumn({ identity, ...column }: Column): Column {
  return column;
}

function column(row: ColumnRow, types: ReadonlyMap<string, NativeType>): Column {
  const expression = row.expression ?? undefined;
  const isGenerated = row.generated !== "";
  return {
    name: row.name,
    nativeType: row.native,
    type: logicalType(row.type, row.modifier, types),
    nullable: !row.notNull || row.unchecked !== null,
    ...(isGenerated || expression === undefined ? {} : { default: expression }),
    ...(row.identity === "" ? {} : { identity: row.identity === "a" ? "always" : "by-default" }),
    ...(isGenerated && expression !== undefined ? { generated: expression } : {}),
    ...(row.generated === "v" ? { virtual: true } : {}),
    ...(row.collation === null ? {} : { collation: row.collation }),
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
}
