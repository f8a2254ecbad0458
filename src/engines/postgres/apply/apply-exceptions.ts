import type { JournalRequest } from "../../../core/journal.ts";
import { displayTable } from "../../../core/schema.ts";
import type { Conflict } from "../../shared/apply/apply-counts.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

/** A statement that writes one row for each time of a conflict. The rows hold no values. */
export function conflictSql(request: JournalRequest, { plan, times, verb, error }: Conflict): string {
  const { schema, name } = plan.target.id;
  const statement = `${verb} ${qualified(plan.target.id)}`;
  const texts = [request.taskId, schema, name].map(literal).join(", ");
  return (
    `insert into ${controlTable(request, "awsdms_apply_exceptions")} ` +
    `("TASK_NAME", "TABLE_OWNER", "TABLE_NAME", "ERROR_TIME", "STATEMENT", "ERROR") ` +
    `select ${texts}, ${NOW_SQL}, ${literal(statement)}, ` +
    `${literal(`${error} (${displayTable(plan.source.id)})`)} from pg_catalog.generate_series(1, ${times})`
  );
}
