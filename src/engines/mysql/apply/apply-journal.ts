import type { JournalRequest } from "../../../core/journal.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import type { Conflict } from "../../shared/apply/apply-counts.ts";
import { literal, qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

/** Tables that the task has made, by tableKey of the source's id. */
export async function madeTables(client: Client, request: JournalRequest): Promise<ReadonlySet<string>> {
  const rows = await client.query<TableId>(
    `select table_owner as \`schema\`, table_name as name from ${controlTable(request, "awsdms_table_state")}
      where task_name = ${literal(request.taskId)} and created = 1`,
  );
  return new Set(rows.map(tableKey));
}

/** Rows of one statement. */
const MAX_ROWS = 500;

/** Statements that write one row for each time of a conflict. The rows hold no values. */
export function conflictSql(request: JournalRequest, conflict: Conflict): readonly string[] {
  const { plan, verb, error, times } = conflict;
  const { schema, name } = plan.target.id;
  const texts = [request.taskId, schema, name].map(literal).join(", ");
  const statement = `${verb} ${qualified(plan.target.id)}`;
  const row = `(${texts}, ${NOW_SQL}, ${literal(statement)}, ${literal(`${error} (${displayTable(plan.source.id)})`)})`;
  const statements: string[] = [];
  for (let left = times; left > 0; left -= MAX_ROWS) {
    const rows = Array.from({ length: Math.min(left, MAX_ROWS) }, () => row).join(", ");
    statements.push(
      `insert into ${controlTable(request, "awsdms_apply_exceptions")}
        (TASK_NAME, TABLE_OWNER, TABLE_NAME, ERROR_TIME, STATEMENT, ERROR) values ${rows}`,
    );
  }
  return statements;
}
