import type { SettingCase } from "./setting-case.ts";

/* Tables of AWS DMS's on a target, by its names and column for column, and what a table that is set aside leaves there. */

const columns: Readonly<Record<string, string>> = {
  awsdms_apply_exceptions: "TASK_NAME TABLE_OWNER TABLE_NAME ERROR_TIME STATEMENT ERROR",
  awsdms_full_load_exceptions: "TASK_NAME TABLE_OWNER TABLE_NAME ERROR_TIME STATEMENT ERROR",
  awsdms_history:
    "server_name task_name timeslot_type timeslot timeslot_duration timeslot_latency timeslot_records timeslot_volume",
  awsdms_status:
    "server_name task_name task_status status_time pending_changes disk_swap_size task_memory source_current_position source_current_timestamp source_tail_position source_tail_timestamp source_timestamp_applied",
  awsdms_suspended_tables: "server_name task_name table_owner table_name suspend_reason suspend_timestamp",
  awsdms_txn_state: "SERVER_NAME TASK_NAME STATE_TIME CHECKPOINT",
  awsdms_validation_failures_v1:
    "TASK_NAME TABLE_OWNER TABLE_NAME FAILURE_TIME KEY_TYPE KEY FAILURE_TYPE DETAILS",
};

const ALL = { HistoryTableEnabled: true, StatusTableEnabled: true };
const OURS = "('awsdms_table_state', 'awsdms_load_state')";
const from = (schema: string): string =>
  `from information_schema.columns where table_schema = '${schema}' and table_name like 'awsdms%'
    and table_name not in ${OURS} group by table_name order by table_name`;

export const controlStories: readonly SettingCase[] = [
  {
    path: "ControlTablesSettings.FullLoadExceptionTableEnabled",
    settings: { ControlTablesSettings: ALL, ValidationSettings: { EnableValidation: true } },
    query: {
      postgres: `select table_name, string_agg(column_name, ' ' order by ordinal_position) as names ${from("public")}`,
      mariadb: `select table_name, group_concat(column_name order by ordinal_position separator ' ') as names ${from("awsdms_control")}`,
    },
    endings: [
      [true, ["FULL_LOAD_ONLY_FINISHED", ...Object.entries(columns).map(([name, all]) => `${name} ${all}`)]],
    ],
  },
  {
    path: "ErrorBehavior.DataErrorPolicy",
    settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    there: "create table t (id int primary key, v varchar(2))",
    query: `select server_name, table_owner, table_name, suspend_reason from {control}.awsdms_suspended_tables
      where task_name = '{task}'`,
    endings: [
      [
        "SUSPEND_TABLE",
        [
          "FULL_LOAD_ONLY_FINISHED",
          "t aside: load.rejected",
          "tideway {schema} t load.rejected: The target answer",
        ],
      ],
    ],
  },
];
