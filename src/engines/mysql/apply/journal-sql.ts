import type { JournalRequest } from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import type { TableId } from "../../../core/schema.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import type { LoadRequest } from "../../../core/target.ts";
import { checkpoint } from "../../shared/checkpoint.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { controlSchema, controlTable, NOW_SQL, SERVER_NAME } from "./control-tables.ts";

/*
 * The journal's statements that belong into the transaction of the rows they speak of: then no crash can part the two.
 */

/**
 * Records a partition as loaded. Changes no row when there is none to be marked: somebody else has loaded the
 * partition meanwhile, or the table has been cut anew, and the transaction must not commit. A loader whose client is
 * gone but whose commit is under way makes this statement wait for it.
 */
export function markPartitionDoneSql(request: LoadRequest, rows: number): string {
  return `update ${controlTable(request, "awsdms_load_state")} set done = 1, loaded_rows = ${BigInt(rows)}
    where ${isAbout(request, request.plan.source.id)} and partition_id = ${literal(request.partition.id)} and done = 0`;
}

/** Records that everything up to a position has been applied. */
export function savePositionSql(request: JournalRequest, position: Position): string {
  const text = literal(checkpoint(position));
  return `insert into ${controlTable(request, "awsdms_txn_state")} (SERVER_NAME, TASK_NAME, STATE_TIME, CHECKPOINT)
    values (${literal(SERVER_NAME)}, ${literal(request.taskId)}, ${NOW_SQL}, ${text})
    on duplicate key update STATE_TIME = ${NOW_SQL}, CHECKPOINT = ${text}`;
}

/** Records what a table of the source was when the target's was made to follow it, and what it is called since. */
export function recordShapeSql(
  request: JournalRequest,
  { from, to, shape }: { readonly from: TableId; readonly to: TableId; readonly shape: TableShape },
): string[] {
  const set = `table_owner = ${literal(to.schema)}, table_name = ${literal(to.name)}`;
  const isRenamed = from.schema !== to.schema || from.name !== to.name;
  return [
    ...(isRenamed
      ? [
          ...forgetTableSql(request, to),
          `update ${controlTable(request, "awsdms_load_state")} set ${set} where ${isAbout(request, from)}`,
        ]
      : []),
    `update ${controlTable(request, "awsdms_table_state")}
      set ${set}, shape = ${literal(JSON.stringify(shape))}, updated_at = ${NOW_SQL} where ${isAbout(request, from)}`,
  ];
}

/** Removes all that is known of a table. */
export function forgetTableSql(request: JournalRequest, id: TableId): string[] {
  return (["awsdms_load_state", "awsdms_suspended_tables", "awsdms_table_state"] as const).map(
    (name) => `delete from ${controlTable(request, name)} where ${isAbout(request, id)}`,
  );
}

/** SQL that is true for a task's rows about a table. */
export function isAbout({ taskId }: JournalRequest, { schema, name }: TableId): string {
  return `task_name = ${literal(taskId)} and table_owner = ${literal(schema)} and table_name = ${literal(name)}`;
}

/**
 * Texts that stand in the journal as a table's only partition: which start rows may come of, the log that positions are
 * of, what keeps its owner, and how far large objects have been left out.
 */
export type JournalNote = "start" | "source log" | "kept objects" | "large objects";

const noteTable = (note: JournalNote): TableId => ({ schema: "tideway", name: note });

export function saveNoteSql(request: JournalRequest, note: JournalNote, text: string): string {
  const { schema, name } = noteTable(note);
  const values = [request.taskId, schema, name, "1", "note", text].map(literal);
  return `insert into ${controlTable(request, "awsdms_load_state")}
      (task_name, table_owner, table_name, partition_id, range_kind, range_to, estimated_rows, loaded_rows, done)
    values (${values.join(", ")}, -1, 0, 1)
    on duplicate key update range_to = ${literal(text)}`;
}

export function noteSql(request: JournalRequest, note: JournalNote): string {
  return `select range_to as text from ${controlTable(request, "awsdms_load_state")}
    where ${isAbout(request, noteTable(note))}`;
}

/** Which start a task's journal is about; undefined when it says nothing, or when there is none. */
export async function notedStart(client: Client, request: JournalRequest): Promise<string | undefined> {
  const [found] = await client.query(
    `select 1 as found from information_schema.tables
      where table_schema = ${literal(controlSchema(request))} and table_name = 'awsdms_load_state'`,
  );
  if (found === undefined) return undefined;
  const [row] = await client.query<{ text: string }>(noteSql(request, "start"));
  return row?.text;
}
