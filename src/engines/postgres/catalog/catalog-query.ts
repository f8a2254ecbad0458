import type pg from "pg";

/** The search path while a text of ours is looked up: a function of a user's schema could suit a call better. */
export const SAFE_PATH = "pg_catalog, pg_temp";

/**
 * Rows of a query as objects with JSON's types, whatever type parsers the client has. Numbers beyond
 * 2^53 and oids come as text. Several rows of one query cost one round trip and no parsing of ours.
 */
export async function selectJson<Row>(
  client: pg.Client,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  // What inSchema() leaves is set back in a last row: the rows of UNION ALL are made in turn.
  const setsPath = sql.includes("set_config('search_path'");
  const end = setsPath ? ` union all select set_config('search_path', '${SAFE_PATH}', true)` : "";
  const result = await client.query<{ row: string }>(
    `select row_to_json(q)::text as row from (${sql}) as q${end}`,
    [...values],
  );
  if (setsPath) result.rows.pop();
  return result.rows.map(({ row }) => JSON.parse(row) as Row);
}

/** Reads in a transaction of its own, which some queries need; see inSchema. */
export async function readOnly<Result>(client: pg.Client, read: () => Promise<Result>): Promise<Result> {
  await client.query(`begin transaction read only; set local search_path = ${SAFE_PATH}`);
  try {
    return await read();
  } finally {
    await client.query("rollback");
  }
}

/**
 * SQL that evaluates an expression with the search path set to one schema, so that what the server
 * deparses names that schema's objects without it. CASE is what guarantees the order of evaluation
 * (manual, "Expression Evaluation Rules"), and so one query serves the tables of all schemas. Needs a
 * transaction, at whose end the search path is what it was.
 */
export function inSchema(schemaColumn: string, expression: string): string {
  return `case when set_config('search_path', quote_ident(${schemaColumn}), true) is null then null else ${expression} end`;
}

/** SQL for the comment on an object; `catalog` is the one that it stands in. */
export function commentOn(oid: string, catalog: string): string {
  return `(select description from pg_description where objoid = ${oid} and classoid = '${catalog}'::regclass and objsubid = 0)`;
}

/** SQL that is true for an object that belongs to an extension. */
export function isExtensionMember(oid: string, catalog: string): string {
  return `exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${oid} and deptype = 'e')`;
}
