import type pg from "pg";
import type { JournalRequest } from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import type { TableId } from "../../../core/schema.ts";
import type { LoadRequest, WriteLargeObjects } from "../../../core/target.ts";
import { checkpoint, readCheckpoint } from "../../shared/apply/checkpoint.ts";
import { journalSql } from "../../shared/apply/journal-sql.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { ServerError } from "../connection/server-error.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

/*
 * The journal's statements that belong into the transaction of the rows they speak of: then no crash
 * can part the two.
 */

export const postgresJournalSql = journalSql({
  identifier,
  literal,
  controlTable,
  digest: (text) => `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8')), 'hex')`,
  now: NOW_SQL,
  overwrite: (key, columns) => {
    const set = columns.map((column) => `${column} = excluded.${column}`);
    return `on conflict (${key.join(", ")}) do update set ${set.join(", ")}`;
  },
  noteSchema: "pg_catalog",
});

export const {
  forgetExceptionsSql,
  forgetTableSql,
  positionSql,
  recordedErrorsSql,
  recordShapeSql,
  savePositionSql,
} = postgresJournalSql;

const DIVISION_BY_ZERO = "22012";

/**
 * Records a partition as loaded. Fails with isNothingMarked() when there is none to be marked: somebody
 * else has loaded the partition meanwhile, or the table has been cut anew, and the transaction must not
 * commit. A loader whose client is gone but whose commit is under way makes this statement wait for it.
 */
export function markPartitionDoneSql(request: LoadRequest, rows: number): string {
  const isTable = postgresJournalSql.isAbout(request, request.plan.source.id);
  return `with marked as (
      update ${controlTable(request, "awsdms_load_state")} set done = true, loaded_rows = ${BigInt(rows)}
       where ${isTable} and partition_id = ${literal(request.partition.id)} and not done
      returning 1)
    select 1 / count(*) from marked`;
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
    where ${postgresJournalSql.isAbout(request, LARGE_OBJECTS)}`;
}

/** Which start a task's journal is about; undefined when it says nothing, or when there is none. */
export async function notedStart(client: pg.Client, request: JournalRequest): Promise<string | undefined> {
  const loads = controlTable(request, "awsdms_load_state");
  const found = await client.query("select pg_catalog.to_regclass($1) as name", [loads]);
  if (found.rows[0].name === null) return undefined;
  const { rows } = await client.query<{ text: string }>(postgresJournalSql.noteSql(request, "start"));
  return rows[0]?.text;
}

/** The number itself and not one above it: that above the last would be none any more. */
function mark({ after }: LargeObjectProgress): string {
  return JSON.stringify([after]);
}

/** savePositionSql() for a session that does it at every commit: once prepared, the statement need not be planned. */
export function preparePositionSql(request: JournalRequest): string {
  return `prepare tideway_position (text) as ${postgresJournalSql.saveCheckpointSql(request, "$1")}`;
}

export function executePositionSql(position: Position): string {
  return `execute tideway_position (${literal(checkpoint(position))})`;
}

/** The position of a checkpoint; what somebody has written there by hand may be a position itself. */
export function checkpointPosition(text: string): Position {
  return readCheckpoint(text) ?? lsnCodec.parse(text);
}
