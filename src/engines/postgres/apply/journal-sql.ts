import type pg from "pg";
import type { JournalRequest } from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import type { RightsId } from "../../../core/rights.ts";
import type { TableId } from "../../../core/schema.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import type { LoadRequest, WriteLargeObjects } from "../../../core/target.ts";
import { checkpoint, readCheckpoint } from "../../shared/checkpoint.ts";
import { literal } from "../../shared/identifier.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { ServerError } from "../connection/server-error.ts";
import { controlTable, NOW_SQL, SERVER_NAME } from "./control-tables.ts";

/*
 * The journal's statements that belong into the transaction of the rows they speak of: then no crash
 * can part the two.
 */

const DIVISION_BY_ZERO = "22012";

/**
 * Records a partition as loaded. Fails with isNothingMarked() when there is none to be marked: somebody
 * else has loaded the partition meanwhile, or the table has been cut anew, and the transaction must not
 * commit. A loader whose client is gone but whose commit is under way makes this statement wait for it.
 */
export function markPartitionDoneSql(request: LoadRequest, rows: number): string {
  return `with marked as (
      update ${controlTable(request, "awsdms_load_state")} set done = true, loaded_rows = ${BigInt(rows)}
       where ${isAbout(request, request.plan.source.id)} and partition_id = ${literal(request.partition.id)} and not done
      returning 1)
    select 1 / count(*) from marked`;
}

/** Records what a table of the source was when the target's was made to follow it, and what it is called since. */
export function recordShapeSql(
  request: JournalRequest,
  { from, to, shape }: { readonly from: TableId; readonly to: TableId; readonly shape: TableShape },
): string {
  const set = `table_owner = ${literal(to.schema)}, table_name = ${literal(to.name)}`;
  const isRenamed = from.schema !== to.schema || from.name !== to.name;
  return [
    ...(isRenamed
      ? [
          forgetTableSql(request, to),
          `update ${controlTable(request, "awsdms_load_state")} set ${set} where ${isAbout(request, from)}`,
        ]
      : []),
    `update ${controlTable(request, "awsdms_table_state")}
      set ${set}, shape = ${literal(JSON.stringify(shape))}, updated_at = ${NOW_SQL} where ${isAbout(request, from)}`,
  ].join("; ");
}

/** Removes all that is known of a table. */
export function forgetTableSql(request: JournalRequest, id: TableId): string {
  return (["awsdms_load_state", "awsdms_suspended_tables", "awsdms_table_state"] as const)
    .map((name) => `delete from ${controlTable(request, name)} where ${isAbout(request, id)}`)
    .join("; ");
}

/** SQL that is true for a task's rows about a table. */
function isAbout({ taskId }: JournalRequest, { schema, name }: TableId): string {
  return `task_name = ${literal(taskId)} and table_owner = ${literal(schema)} and table_name = ${literal(name)}`;
}

export function isNothingMarked(error: unknown): boolean {
  return error instanceof ServerError && error.fields.code === DIVISION_BY_ZERO;
}

/** Large objects stand in the journal as a table that is in one partition, known by its last number done. */
const LARGE_OBJECTS: TableId = { schema: "pg_catalog", name: "pg_largeobject" };

/** Changes no row when the journal does not say `from`: somebody else has got further. */
export function moveLargeObjectsSql(request: WriteLargeObjects): string {
  const { from, to, objects, taskId } = request;
  const { schema, name } = LARGE_OBJECTS;
  const values = [taskId, schema, name, "1", "key", '["loid"]', mark(to)].map(literal);
  return `insert into ${controlTable(request, "awsdms_load_state")} as l
      (task_name, table_owner, table_name, partition_id, range_kind, range_columns, range_to, estimated_rows, loaded_rows, done)
    values (${values.join(", ")}, -1, ${objects.length}, ${to.done})
    on conflict (task_name, table_owner, table_name, partition_id)
      do update set range_to = excluded.range_to, done = excluded.done, loaded_rows = l.loaded_rows + excluded.loaded_rows
      where l.range_to = ${literal(mark(from))} and not l.done`;
}

export function largeObjectProgressSql(request: JournalRequest): string {
  return `select range_to, done from ${controlTable(request, "awsdms_load_state")}
    where ${isAbout(request, LARGE_OBJECTS)}`;
}

/** Stand in the journal as a table's only partition, too: servers have the tables for it since the first version. */
const KEPT_OBJECTS: TableId = { schema: "pg_catalog", name: "kept objects" };

/** Adds to those that are noted already. */
export function keepObjectsSql(request: JournalRequest, objects: readonly RightsId[]): string {
  const { schema, name } = KEPT_OBJECTS;
  const values = [request.taskId, schema, name, "1", "kept", rightsIds(objects)].map(literal);
  return `insert into ${controlTable(request, "awsdms_load_state")} as l
      (task_name, table_owner, table_name, partition_id, range_kind, range_to, estimated_rows, loaded_rows, done)
    values (${values.join(", ")}, -1, 0, true)
    on conflict (task_name, table_owner, table_name, partition_id)
      do update set range_to = (l.range_to::jsonb || excluded.range_to::jsonb)::text`;
}

/** Does nothing where none are kept. */
export function releaseObjectsSql(request: JournalRequest, objects: readonly RightsId[]): string {
  return `update ${controlTable(request, "awsdms_load_state")} as l
      set range_to = coalesce((
        select pg_catalog.jsonb_agg(kept) from pg_catalog.jsonb_array_elements(l.range_to::jsonb) as kept
         where not ${literal(rightsIds(objects))}::jsonb @> pg_catalog.jsonb_build_array(kept)), '[]')::text
    where ${isAbout(request, KEPT_OBJECTS)}`;
}

/** Texts that stand there in the same way: which start rows may come of, and the log that positions are of. */
type JournalNote = "start" | "source log";

export function saveNoteSql(request: JournalRequest, note: JournalNote, text: string): string {
  const values = [request.taskId, "pg_catalog", note, "1", "note", text].map(literal);
  return `insert into ${controlTable(request, "awsdms_load_state")}
      (task_name, table_owner, table_name, partition_id, range_kind, range_to, estimated_rows, loaded_rows, done)
    values (${values.join(", ")}, -1, 0, true)
    on conflict (task_name, table_owner, table_name, partition_id) do update set range_to = excluded.range_to`;
}

export function noteSql(request: JournalRequest, note: JournalNote): string {
  return `select range_to from ${controlTable(request, "awsdms_load_state")}
    where ${isAbout(request, { schema: "pg_catalog", name: note })}`;
}

/** Which start a task's journal is about; undefined when it says nothing, or when there is none. */
export async function notedStart(client: pg.Client, request: JournalRequest): Promise<string | undefined> {
  const loads = controlTable(request, "awsdms_load_state");
  const found = await client.query("select pg_catalog.to_regclass($1) as name", [loads]);
  if (found.rows[0].name === null) return undefined;
  const { rows } = await client.query<{ range_to: string }>(noteSql(request, "start"));
  return rows[0]?.range_to;
}

function rightsIds(objects: readonly RightsId[]): string {
  return JSON.stringify(objects.map(({ kind, id: { schema, name } }) => ({ kind, id: { schema, name } })));
}

export function keptObjectsSql(request: JournalRequest): string {
  return `select range_to from ${controlTable(request, "awsdms_load_state")}
    where ${isAbout(request, KEPT_OBJECTS)}`;
}

/** The number itself and not one above it: that above the last would be none any more. */
function mark({ after }: LargeObjectProgress): string {
  return JSON.stringify([after]);
}

/** Records that everything up to a position has been applied. Touches no index, so it costs little per commit. */
export function savePositionSql(request: JournalRequest, position: Position): string {
  return positionUpsert(request, literal(checkpoint(position)));
}

/** The same for a session that does it at every commit: once prepared, the statement need not be planned. */
export function preparePositionSql(request: JournalRequest): string {
  return `prepare tideway_position (text) as ${positionUpsert(request, "$1")}`;
}

export function executePositionSql(position: Position): string {
  return `execute tideway_position (${literal(checkpoint(position))})`;
}

function positionUpsert(request: JournalRequest, value: string): string {
  return `insert into ${controlTable(request, "awsdms_txn_state")} as s
      ("SERVER_NAME", "TASK_NAME", "STATE_TIME", "CHECKPOINT")
    values (${literal(SERVER_NAME)}, ${literal(request.taskId)}, ${NOW_SQL}, ${value})
    on conflict ("SERVER_NAME", "TASK_NAME")
      do update set "STATE_TIME" = excluded."STATE_TIME", "CHECKPOINT" = excluded."CHECKPOINT"`;
}

/** The position of a checkpoint; what somebody has written there by hand may be a position itself. */
export function checkpointPosition(text: string): Position {
  return readCheckpoint(text) ?? lsnCodec.parse(text);
}
