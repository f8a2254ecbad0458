import { type TableId, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { literal } from "./identifier.ts";

/** Of more tables of a database all are asked for: looking for that many names costs more than the others do. */
const MAX_NAMES = 300;

/** A row of information_schema that is about one table. */
export interface OfTable {
  readonly schema: string;
  readonly table: string;
}

/** What a view calls the two. */
interface NameColumns {
  readonly schema: string;
  readonly table: string;
}

const USUAL: NameColumns = { schema: "table_schema", table: "table_name" };

/**
 * Rows of a view of information_schema that are about these tables, by the table's key. The server reads such a view
 * by opening the tables of a database (MySQL 5.7, MariaDB), so each database is asked about once; and names
 * are compared again here, as the view does it without regard to case. `sql` writes the statement around a condition.
 *
 * MySQL 8 calls a column by its name in upper case, whatever the statement does, unless it is given another by AS.
 */
export async function selectOfTables<Row extends OfTable>(
  client: Client,
  ids: readonly TableId[],
  sql: (where: string) => string,
  columns = USUAL,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const found = new Map<string, Row[]>(ids.map((id) => [tableKey(id), []]));
  for (const [schema, names] of namesBySchema(ids)) {
    const named = areLookedFor(names) ? ` and ${columns.table} in (${names.map(literal).join(", ")})` : "";
    for (const row of await client.query<Row>(sql(`${columns.schema} = ${literal(schema)}${named}`))) {
      found.get(tableKey({ schema: row.schema, name: row.table }))?.push(row);
    }
  }
  return found;
}

/** Of two names that differ in case alone MariaDB looks for one. */
function areLookedFor(names: readonly string[]): boolean {
  return names.length <= MAX_NAMES && new Set(names.map((name) => name.toLowerCase())).size === names.length;
}

function namesBySchema(ids: readonly TableId[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { schema, name } of ids) {
    const list = names.get(schema);
    if (list === undefined) names.set(schema, [name]);
    else list.push(name);
  }
  return names;
}
