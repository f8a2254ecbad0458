import type pg from "pg";
import { literal } from "../../shared/identifier.ts";
import { errorCode } from "../connection/error-code.ts";

/** A name that the search path does not lead to: a type or operator, a function. */
const UNKNOWN_NAME = new Set(["42704", "42883"]);

/**
 * Runs statements with native texts in the client's transaction, names resolved in `schema` and
 * pg_catalog alone: whatever else is on the target cannot capture them. Objects of extensions are the
 * exception. They stay where they are when the schema they shared with the tables is renamed, so
 * names unknown in the new schema are looked up once more in the schemas that extensions live in.
 */
export async function runNative(
  client: pg.Client,
  schema: string,
  statements: readonly string[],
): Promise<void> {
  const script = `${statements.join(";\n")}; release savepoint native`;
  try {
    await client.query(`savepoint native; ${strictPath(schema)}; ${script}`);
  } catch (error) {
    if (!UNKNOWN_NAME.has(errorCode(error) ?? "")) throw error;
    await client.query(`rollback to savepoint native; ${pathWithExtensions(schema)}; ${script}`);
  }
}

/** Makes names mean objects of the schema or of pg_catalog until the transaction ends. */
export function strictPath(schema: string): string {
  return `select set_config('search_path', quote_ident(${literal(schema)}), true)`;
}

function pathWithExtensions(schema: string): string {
  return `select set_config('search_path', concat_ws(', ', quote_ident(${literal(schema)}), (
      select string_agg(distinct quote_ident(nspname), ', ')
      from pg_extension join pg_namespace n on n.oid = extnamespace
      where nspname not in ('pg_catalog', ${literal(schema)}))), true)`;
}
