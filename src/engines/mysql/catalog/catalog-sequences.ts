import type { Sequence, SequenceState, TableId, TableSchema } from "../../../core/schema.ts";
import { tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";
import { literal } from "./identifier.ts";

/** AUTO_INCREMENT's numbers as the sequence behind the column; undefined for a table without. */
export function identitySequence({ id, columns }: TableSchema): Sequence | undefined {
  const column = columns.find(({ identity }) => identity !== undefined);
  if (column === undefined) return undefined;
  return {
    id: { schema: id.schema, name: sequenceName(id.name, column.name) },
    native: "",
    ownedBy: { table: id, column: column.name },
    internal: true,
  };
}

/** As PostgreSQL would call it; nothing of that name exists here. */
function sequenceName(table: string, column: string): string {
  return `${table}_${column}_seq`;
}

interface CounterRow {
  readonly table: string;
  readonly column: string;
  readonly next: string | null;
}

/**
 * The numbers that AUTO_INCREMENT columns give out next, by the names of their sequences; one without a column is
 * left out. An empty table begins with 1, whatever the increment.
 */
export async function readSequenceStates(client: Client, ids: readonly TableId[]): Promise<SequenceState[]> {
  if (client.facts.flavour === "mysql" && atLeast(client.facts, 8)) {
    await client.execute("set session information_schema_stats_expiry = 0");
  }
  const states: SequenceState[] = [];
  const wanted = new Map(ids.map((id) => [tableKey(id), id]));
  for (const schema of new Set(ids.map((id) => id.schema))) {
    const rows = await client.query<CounterRow>(
      `select c.table_name as \`table\`, c.column_name as \`column\`, t.auto_increment as next
         from information_schema.columns c
         join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
        where c.table_schema = ${literal(schema)} and t.table_schema = ${literal(schema)}
          and c.extra like '%auto_increment%'`,
    );
    for (const { table, column, next } of rows) {
      const id = wanted.get(tableKey({ schema, name: sequenceName(table, column) }));
      if (id !== undefined) states.push({ id, last: next ?? "1", isCalled: false });
    }
  }
  return states;
}
