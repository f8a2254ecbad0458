import { MigrationError } from "../../../core/error.ts";
import type { JournalRequest, OptionalControlTable } from "../../../core/journal.ts";

/** What tells Tideway's control tables from those that AWS DMS has made. */
export const CONTROL_COMMENT = "Tideway's records of its tasks";

/** The server's name in DMS's tables; each of Tideway's tasks has a name of its own. */
export const SERVER_NAME = "tideway";

export interface ControlTable {
  readonly columns: readonly (readonly [name: string, type: string])[];
  /** Columns that name a row; none for a table that is a list. */
  readonly key: readonly string[];
  /** Name of the unique index over the key; a primary key where DMS has no table of that name. */
  readonly keyIndex?: string;
  /** A column of texts of any length by whose values rows are looked for. */
  readonly soughtBy?: string;
}

export type ControlTableName =
  | OptionalControlTable
  | "awsdms_txn_state"
  | "awsdms_apply_exceptions"
  | "awsdms_suspended_tables"
  | "awsdms_table_state"
  | "awsdms_load_state";

/** An engine's types for what stands in the control tables. */
export interface ControlTypes {
  /** A time of day in UTC. */
  readonly time: string;
  readonly flag: string;
  /** A text of any length. */
  readonly text: string;
  /** A position in a source's log, in DMS's form. */
  readonly checkpoint: string;
  readonly position: string;
  /** Columns of keys: a task, a schema or a table, a partition. */
  readonly task: string;
  readonly name: string;
  readonly partition: string;
  /** A word of Tideway's own. */
  readonly word: string;
}

/**
 * All that Tideway adds to a target. All but awsdms_table_state and awsdms_load_state are DMS's own, column for column,
 * mixed case included; where a value is wider than DMS's it has room.
 */
export function controlTables(types: ControlTypes): Readonly<Record<ControlTableName, ControlTable>> {
  const { time, flag, text, position, word } = types;
  const name128 = "varchar(128) not null";
  const table = [
    ["task_name", `${types.task} not null`],
    ["table_owner", `${types.name} not null`],
    ["table_name", `${types.name} not null`],
  ] as const;
  const exceptions: ControlTable = {
    columns: [
      ["TASK_NAME", name128],
      ["TABLE_OWNER", name128],
      ["TABLE_NAME", name128],
      ["ERROR_TIME", `${time} not null`],
      ["STATEMENT", `${text} not null`],
      ["ERROR", `${text} not null`],
    ],
    key: [],
  };
  return {
    awsdms_txn_state: {
      columns: [
        ["SERVER_NAME", name128],
        ["TASK_NAME", name128],
        ["STATE_TIME", `${time} not null`],
        ["CHECKPOINT", `${types.checkpoint} not null`],
      ],
      key: ["SERVER_NAME", "TASK_NAME"],
      keyIndex: "awsdms_txn_state_task_recovery_index",
    },
    awsdms_apply_exceptions: exceptions,
    awsdms_full_load_exceptions: exceptions,
    awsdms_history: {
      columns: [
        ["server_name", name128],
        ["task_name", name128],
        ["timeslot_type", "varchar(32) not null"],
        ["timeslot", `${time} not null`],
        ["timeslot_duration", "bigint"],
        ["timeslot_latency", "bigint"],
        ["timeslot_records", "bigint"],
        ["timeslot_volume", "bigint"],
      ],
      key: ["server_name", "task_name", "timeslot_type", "timeslot"],
      keyIndex: "awsdms_history_task_history_index",
    },
    awsdms_status: {
      columns: [
        ["server_name", name128],
        ["task_name", name128],
        ["task_status", "varchar(32)"],
        ["status_time", time],
        ["pending_changes", "bigint"],
        ["disk_swap_size", "bigint"],
        ["task_memory", "bigint"],
        ["source_current_position", types.checkpoint],
        ["source_current_timestamp", time],
        ["source_tail_position", types.checkpoint],
        ["source_tail_timestamp", time],
        ["source_timestamp_applied", time],
      ],
      key: ["server_name", "task_name"],
      keyIndex: "awsdms_status_task_status_index",
    },
    awsdms_validation_failures_v1: {
      columns: [
        ["TASK_NAME", name128],
        ["TABLE_OWNER", name128],
        ["TABLE_NAME", name128],
        ["FAILURE_TIME", `${time} not null`],
        ["KEY_TYPE", name128],
        ["KEY", `${text} not null`],
        ["FAILURE_TYPE", name128],
        ["DETAILS", `${text} not null`],
      ],
      key: [],
      soughtBy: "KEY",
    },
    awsdms_suspended_tables: {
      columns: [
        ["server_name", name128],
        ["task_name", name128],
        ["table_owner", name128],
        ["table_name", name128],
        ["suspend_reason", "varchar(32)"],
        ["suspend_timestamp", time],
      ],
      key: ["server_name", "task_name", "table_owner", "table_name"],
      keyIndex: "awsdms_suspended_tables_task_suspended_tables_index",
    },
    awsdms_table_state: {
      columns: [
        ...table,
        ["created", `${flag} not null`],
        ["keeps_rows", `${flag} not null`],
        ["state", `${word} not null`],
        ["reason", text],
        ["shape", text],
        ["updated_at", `${time} not null`],
        ["compared", flag],
      ],
      key: ["task_name", "table_owner", "table_name"],
    },
    awsdms_load_state: {
      columns: [
        ...table,
        ["partition_id", `${types.partition} not null`],
        ["range_kind", `${word} not null`],
        ["range_columns", text],
        ["range_from", text],
        ["range_to", text],
        ["snapshot_kind", word],
        ["snapshot_position", position],
        ["estimated_rows", "bigint not null"],
        ["loaded_rows", "bigint not null"],
        ["done", `${flag} not null`],
        ["snapshot_up_to", position],
      ],
      key: ["task_name", "table_owner", "table_name", "partition_id"],
    },
  };
}

/** Columns that a table which an earlier version has made may lack, and gets. */
const LATER: Readonly<Partial<Record<ControlTableName, readonly string[]>>> = {
  awsdms_load_state: ["snapshot_up_to"],
  awsdms_table_state: ["shape", "compared"],
};

/** The columns, with their types, that a table is to get; throws where it was never a control table. */
export function lackingColumns(
  schema: string,
  { name, columns }: Pick<ControlTable, "columns"> & { readonly name: ControlTableName },
  present: ReadonlySet<string>,
): ControlTable["columns"] {
  const lacking = columns.filter(([column]) => !present.has(column));
  const never = lacking.find(([column]) => LATER[name]?.includes(column) !== true);
  if (never !== undefined) throw unfitControlTable(schema, name, `without the column ${never[0]}`);
  return lacking;
}

/** Whether the columns are those of the control table; undefined: there is no such table. */
export function isWhole({ columns }: ControlTable, present: ReadonlySet<string> | undefined): boolean {
  return present !== undefined && columns.every(([name]) => present.has(name));
}

/** Those that a task has only when it is asked for them. */
export const OPTIONAL_TABLES: readonly OptionalControlTable[] = [
  "awsdms_full_load_exceptions",
  "awsdms_history",
  "awsdms_status",
  "awsdms_validation_failures_v1",
];

/** Those of all control tables that a task has. */
export function tablesOf({ optionalTables = [] }: JournalRequest): (name: ControlTableName) => boolean {
  const wanted: ReadonlySet<string> = new Set(optionalTables);
  const optional: ReadonlySet<string> = new Set(OPTIONAL_TABLES);
  return (name) => !optional.has(name) || wanted.has(name);
}

/** `target.control_table`: a table has a control table's name and is no such table; `how` is the end of a sentence. */
export function unfitControlTable(schema: string, name: string, how: string): MigrationError {
  const subject = `${schema}.${name}`;
  return new MigrationError("target.control_table", {
    message: `The table ${subject} is there ${how}.`,
    subject,
  });
}
