import { SERVER_NAME } from "./control-tables.ts";
import type { JournalDialect, JournalSql } from "./journal-sql.ts";

type Value = string | number | undefined;

/** The statements that write awsdms_status and awsdms_history: a row for each task, and one for each stretch of time. */
export function reportSql(dialect: JournalDialect): Pick<JournalSql, "saveStatusSql" | "saveHistorySql"> {
  const { literal, controlTable, overwrite } = dialect;
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString().replace("T", " ").replace("Z", "");
  const sqlOf = (value: Value): string => {
    if (value === undefined) return "null";
    return typeof value === "number" ? String(Math.round(value)) : literal(value);
  };
  const upsert = (table: string, key: Record<string, Value>, values: Record<string, Value>): string => {
    const names = [...Object.keys(key), ...Object.keys(values)];
    const row = [...Object.values(key), ...Object.values(values)].map(sqlOf);
    return `insert into ${table} (${names.join(", ")}) values (${row.join(", ")})
      ${overwrite(Object.keys(key), Object.keys(values))}`;
  };
  return {
    saveStatusSql(request, { work, atMs, pendingChanges, memoryMb, checkpoint, appliedMs }) {
      return upsert(
        controlTable(request, "awsdms_status"),
        { server_name: SERVER_NAME, task_name: request.taskId },
        {
          task_status: work,
          status_time: time(atMs),
          pending_changes: pendingChanges,
          // Changes wait in memory, and then in the source's log.
          disk_swap_size: 0,
          task_memory: memoryMb,
          source_current_position: checkpoint,
          source_current_timestamp: time(appliedMs),
          source_timestamp_applied: time(appliedMs),
        },
      );
    },

    saveHistorySql(request, { work, endMs, minutes, latencyS, records, volumeMb }) {
      return upsert(
        controlTable(request, "awsdms_history"),
        { server_name: SERVER_NAME, task_name: request.taskId, timeslot_type: work, timeslot: time(endMs) },
        {
          timeslot_duration: minutes,
          timeslot_latency: latencyS,
          timeslot_records: records,
          timeslot_volume: volumeMb,
        },
      );
    },
  };
}
