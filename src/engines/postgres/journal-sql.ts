import type { Position } from "../../core/position.ts";
import type { JournalRequest, LoadRequest } from "../../core/target.ts";
import { literal } from "../shared/identifier.ts";
import { controlTable, NOW_SQL, SERVER_NAME } from "./control-tables.ts";
import { lsnCodec } from "./lsn.ts";
import { ServerError } from "./server-error.ts";

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
  const { schema, name } = request.plan.source.id;
  return `with marked as (
      update ${controlTable(request, "awsdms_load_state")} set done = true, loaded_rows = ${BigInt(rows)}
       where task_name = ${literal(request.taskId)} and table_owner = ${literal(schema)}
         and table_name = ${literal(name)} and partition_id = ${literal(request.partition.id)} and not done
      returning 1)
    select 1 / count(*) from marked`;
}

export function isNothingMarked(error: unknown): boolean {
  return error instanceof ServerError && error.fields.code === DIVISION_BY_ZERO;
}

/** Records that everything up to a position has been applied. Touches no index, so it costs little per commit. */
export function savePositionSql(request: JournalRequest, positionText: string): string {
  return positionUpsert(request, literal(checkpoint(positionText)));
}

/** The same for a session that does it at every commit: once prepared, the statement need not be planned. */
export function preparePositionSql(request: JournalRequest): string {
  return `prepare tideway_position (text) as ${positionUpsert(request, "$1")}`;
}

export function executePositionSql(positionText: string): string {
  return `execute tideway_position (${literal(checkpoint(positionText))})`;
}

function positionUpsert(request: JournalRequest, value: string): string {
  return `insert into ${controlTable(request, "awsdms_txn_state")} as s
      ("SERVER_NAME", "TASK_NAME", "STATE_TIME", "CHECKPOINT")
    values (${literal(SERVER_NAME)}, ${literal(request.taskId)}, ${NOW_SQL}, ${value})
    on conflict ("SERVER_NAME", "TASK_NAME")
      do update set "STATE_TIME" = excluded."STATE_TIME", "CHECKPOINT" = excluded."CHECKPOINT"`;
}

/** DMS's form of a checkpoint, which people may copy from here into CdcStartPosition. */
function checkpoint(positionText: string): string {
  return `checkpoint:V1#1#${positionText}#0#0#*#0#0`;
}

export function readCheckpoint(text: string): Position {
  return lsnCodec.parse(text);
}
