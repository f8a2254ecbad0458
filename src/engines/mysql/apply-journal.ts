import type { JournalRequest } from "../../core/journal.ts";
import type { Position } from "../../core/position.ts";
import { displayTable } from "../../core/schema.ts";
import type { Conflict } from "../shared/apply-counts.ts";
import { checkpoint } from "../shared/checkpoint.ts";
import { literal, qualified } from "./identifier.ts";

const DEFAULT_SCHEMA = "awsdms_control";
const SERVER_NAME = "tideway";
const NOW_SQL = "utc_timestamp(6)";

function controlTable({ controlSchema }: JournalRequest, name: string): string {
  return qualified({ schema: controlSchema ?? DEFAULT_SCHEMA, name });
}

/** Records that everything up to a position has been applied. */
export function savePositionSql(request: JournalRequest, position: Position): string {
  const text = literal(checkpoint(position));
  return `insert into ${controlTable(request, "awsdms_txn_state")} (SERVER_NAME, TASK_NAME, STATE_TIME, CHECKPOINT)
    values (${literal(SERVER_NAME)}, ${literal(request.taskId)}, ${NOW_SQL}, ${text})
    on duplicate key update STATE_TIME = ${NOW_SQL}, CHECKPOINT = ${text}`;
}

export function positionSql(request: JournalRequest): string {
  return `select CHECKPOINT from ${controlTable(request, "awsdms_txn_state")}
    where SERVER_NAME = ${literal(SERVER_NAME)} and TASK_NAME = ${literal(request.taskId)}`;
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
