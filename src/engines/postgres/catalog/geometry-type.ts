import type pg from "pg";

/** PostGIS takes another number for a reference system beyond it, and says so in a notice alone. */
export const LAST_REFERENCE = 999_999;

/** The name of PostGIS's type for shapes in SQL; undefined where the database has no PostGIS. */
export async function geometryType(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select pg_catalog.quote_ident(n.nspname) || '.geometry' as name
       from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
      where e.extname = 'postgis'`,
  );
  return rows[0]?.name;
}

/**
 * The bytes of a shape (EWKB in Intel's order) out of their text, for PostGIS to read; none, which it refuses, where it
 * would take another reference system for that of the shape.
 */
export function shapeSql(text: string): string {
  const bytes = `${text}::pg_catalog.bytea`;
  const byte = (at: number): string => `pg_catalog.get_byte(${bytes}, ${at})`;
  const reference = `${byte(5)} + 256 * (${byte(6)} + 256 * (${byte(7)} + 256::bigint * ${byte(8)}))`;
  const isBeyond = `pg_catalog.length(${bytes}) > 8 and ${byte(0)} = 1 and ${byte(4)} & 32 > 0 and ${reference} > ${LAST_REFERENCE}`;
  return `case when ${isBeyond} then ''::pg_catalog.bytea else ${bytes} end`;
}
