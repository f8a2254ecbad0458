import type { JournalRequest } from "../../../core/journal.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { controlTable } from "./control-tables.ts";

/** Tables that the task has made, by tableKey of the source's id. */
export async function madeTables(client: Client, request: JournalRequest): Promise<ReadonlySet<string>> {
  const rows = await client.query<TableId>(
    `select table_owner as \`schema\`, table_name as name from ${controlTable(request, "awsdms_table_state")}
      where task_name = ${literal(request.taskId)} and created = 1`,
  );
  return new Set(rows.map(tableKey));
}
