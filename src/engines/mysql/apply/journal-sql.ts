import type { JournalRequest } from "../../../core/journal.ts";
import type { LoadRequest } from "../../../core/target.ts";
import { journalSql } from "../../shared/apply/journal-sql.ts";
import { identifier, literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { controlSchema, controlTable, NOW_SQL } from "./control-tables.ts";

/*
 * The journal's statements that belong into the transaction of the rows they speak of: then no crash can part the two.
 */

export const mysqlJournalSql = journalSql({
  identifier,
  literal,
  controlTable,
  digest: (text) => `sha2(${text}, 256)`,
  now: NOW_SQL,
  overwrite: (_key, columns) => {
    const set = columns.map((column) => `${column} = values(${column})`);
    return `on duplicate key update ${set.join(", ")}`;
  },
  noteSchema: "tideway",
});

export const {
  forgetExceptionsSql,
  forgetTableSql,
  noteSql,
  positionSql,
  recordedErrorsSql,
  recordShapeSql,
  saveNoteSql,
  savePositionSql,
} = mysqlJournalSql;

/**
 * Records a partition as loaded. Changes no row when there is none to be marked: somebody else has loaded the
 * partition meanwhile, or the table has been cut anew, and the transaction must not commit. A loader whose client is
 * gone but whose commit is under way makes this statement wait for it.
 */
export function markPartitionDoneSql(request: LoadRequest, rows: number): string {
  return `update ${controlTable(request, "awsdms_load_state")} set done = 1, loaded_rows = ${BigInt(rows)}
    where ${isWaiting(request)}`;
}

/** Answers with a row while there is a partition to be marked, and keeps it so until the transaction ends. */
export function isWaitingSql(request: LoadRequest): string {
  return `select 1 from ${controlTable(request, "awsdms_load_state")} where ${isWaiting(request)} for update`;
}

function isWaiting(request: LoadRequest): string {
  const isTable = mysqlJournalSql.isAbout(request, request.plan.source.id);
  return `${isTable} and partition_id = ${literal(request.partition.id)} and done = 0`;
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
