import {
  type HistorySlot,
  type JournalRequest,
  loadExceptionTable,
  type RecordsRequest,
  type TaskStatus,
} from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import type { TableId } from "../../../core/schema.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import { checkpoint } from "./checkpoint.ts";
import { type ControlTableName, SERVER_NAME, tablesOf } from "./control-tables.ts";
import { reportSql } from "./report-sql.ts";
import type { FailureRow } from "./validation-failures.ts";
import { validationFailuresSql } from "./validation-failures-sql.ts";

/** How an engine writes what the journal's statements are made of. */
export interface JournalDialect {
  readonly identifier: (name: string) => string;
  readonly literal: (text: string) => string;
  /** Qualified SQL name of a control table of a task. */
  readonly controlTable: (request: JournalRequest, name: ControlTableName) => string;
  /** A digest of a text, in characters that every collation tells apart. */
  readonly digest: (text: string) => string;
  /** The time in DMS's columns. */
  readonly now: string;
  /** The end of an insert, by which a row that has the key already gets the new values of columns. All as SQL. */
  readonly overwrite: (key: readonly string[], columns: readonly string[]) => string;
  /** The schema of the table as whose partition a note stands. */
  readonly noteSchema: string;
}

/**
 * Texts that stand in the journal as a table's only partition: which start rows may come of, the log that positions are
 * of, what keeps its owner, how far large objects have been left out, and that the task only compares.
 */
export type JournalNote = "start" | "source log" | "kept objects" | "large objects" | "only compares";

/** How a table of the source is called since the target's was made to follow it, and what it was then. */
export interface ShapeRecord {
  readonly from: TableId;
  readonly to: TableId;
  readonly shape: TableShape;
}

/** Statements of the journal that all engines have. Lists belong into one transaction. */
export interface JournalSql {
  /** SQL that is true for a task's rows about a table. */
  isAbout(request: JournalRequest, id: TableId): string;
  /** Removes all that is known of a table. */
  forgetTableSql(request: JournalRequest, id: TableId): string[];
  recordShapeSql(request: JournalRequest, record: ShapeRecord): string[];
  /** Answers with one row, whose `text` is the note; with none when there is no such note. */
  noteSql(request: JournalRequest, note: JournalNote): string;
  saveNoteSql(request: JournalRequest, note: JournalNote, text: string): string;
  /** Answers with one row, whose `text` is the checkpoint; with none when nothing was applied yet. */
  positionSql(request: JournalRequest): string;
  /** Records that everything up to a position has been applied. Touches no index, so it costs little per commit. */
  savePositionSql(request: JournalRequest, position: Position): string;
  /** The same for a checkpoint that is given as SQL: a parameter. */
  saveCheckpointSql(request: JournalRequest, text: string): string;
  /** Removes what is recorded of rows of target tables that were passed over, or that differ. */
  clearRowRecordsSql(request: JournalRequest, tables: readonly TableId[]): string[];
  /**
   * Answers with a row for each target table that has exceptions: schema, name, conflicts, refused rows, and how many
   * of those are a full load's.
   */
  recordedErrorsSql(request: JournalRequest): string;
  /** Answers with a row for each id that is wanted: the id, the beginning of the statement, conflicts, refused rows. */
  exceptionsSql(request: JournalRequest, wanted: RecordsRequest): string;
  /** Removes records by their ids. */
  forgetExceptionsSql(request: JournalRequest, table: TableId, ids: readonly string[]): string[];
  /** Answers with a row for each error code of each target table: schema, name, code, how many. */
  recordedCodesSql(request: JournalRequest): string;
  saveStatusSql(request: JournalRequest, status: TaskStatus): string;
  saveHistorySql(request: JournalRequest, slot: HistorySlot): string;
  /** Records rows that differ, in place of what is recorded of rows with the same keys. */
  saveFailuresSql(request: JournalRequest, rows: readonly FailureRow[]): string[];
  /** Removes what is recorded of rows of a target's table by what stands in KEY; undefined: of all of them. */
  removeFailuresSql(request: JournalRequest, table: TableId, keys: readonly string[] | undefined): string[];
  /** Answers with a row for each target table that has rows that differ: schema, name, how many. */
  countFailuresSql(request: JournalRequest): string;
  /** Answers with a row for each id that is wanted: the id, what stands in KEY, how many records. */
  differencesSql(request: JournalRequest, wanted: RecordsRequest): string;
  /** Answers with a row for each kind of each target table: schema, name, kind, 1 where KEY names a row, how many. */
  differenceKindsSql(request: JournalRequest): string;
  /** Answers with a row for each table of a task: schema and name on the source, state, when it was last told of. */
  tablesSql(request: JournalRequest): string;
  /** Removes everything about a task. */
  forgetSql(request: JournalRequest): string[];
}

/** The table that records rows which differ, if the task has it. */
function failureTables({ optionalTables = [] }: JournalRequest): readonly "awsdms_validation_failures_v1"[] {
  return optionalTables.filter((name) => name === "awsdms_validation_failures_v1");
}

/** Tables that record rows which were passed over. */
function exceptionTables(request: JournalRequest): readonly ControlTableName[] {
  return [...new Set(["awsdms_apply_exceptions" as const, loadExceptionTable(request)])];
}

/** Characters of a statement in which its keys stand: no server has an index whose values are longer. */
const KEY_LENGTH = 32_768;

export function journalSql(dialect: JournalDialect): JournalSql {
  const { identifier, literal, controlTable, digest, now, overwrite, noteSchema } = dialect;
  const noteTable = (note: JournalNote): TableId => ({ schema: noteSchema, name: note });
  const [server, task, time, text] = ["SERVER_NAME", "TASK_NAME", "STATE_TIME", "CHECKPOINT"].map(identifier);
  const [owner, name, statement, error] = ["TABLE_OWNER", "TABLE_NAME", "STATEMENT", "ERROR"].map(identifier);

  // The last member of a change's object is the text of its position, which a row of a load has not; see ExceptionRow.
  const isOfLoad = `right(${statement}, 2) in ('}}', '{}')`;
  const isConflict = `left(${error}, 10) = 'apply.row_' and not ${isOfLoad}`;
  const isOfTable = ({ taskId }: JournalRequest, { schema, name: table }: TableId): string =>
    `${task} = ${literal(taskId)} and ${owner} = ${literal(schema)} and ${name} = ${literal(table)}`;

  const sql: JournalSql = {
    isAbout({ taskId }, { schema, name }) {
      return `task_name = ${literal(taskId)} and table_owner = ${literal(schema)} and table_name = ${literal(name)}`;
    },

    forgetTableSql(request, id) {
      return (["awsdms_load_state", "awsdms_suspended_tables", "awsdms_table_state"] as const).map(
        (name) => `delete from ${controlTable(request, name)} where ${sql.isAbout(request, id)}`,
      );
    },

    recordShapeSql(request, { from, to, shape }) {
      const set = `table_owner = ${literal(to.schema)}, table_name = ${literal(to.name)}`;
      const isRenamed = from.schema !== to.schema || from.name !== to.name;
      const where = sql.isAbout(request, from);
      return [
        ...(isRenamed
          ? [
              ...sql.forgetTableSql(request, to),
              `update ${controlTable(request, "awsdms_load_state")} set ${set} where ${where}`,
            ]
          : []),
        `update ${controlTable(request, "awsdms_table_state")}
          set ${set}, shape = ${literal(JSON.stringify(shape))}, updated_at = ${now} where ${where}`,
      ];
    },

    noteSql(request, note) {
      return `select range_to as text from ${controlTable(request, "awsdms_load_state")}
        where ${sql.isAbout(request, noteTable(note))}`;
    },

    saveNoteSql(request, note, value) {
      const { schema, name } = noteTable(note);
      const values = [request.taskId, schema, name, "1", "note", value].map(literal);
      const key = ["task_name", "table_owner", "table_name", "partition_id"];
      return `insert into ${controlTable(request, "awsdms_load_state")}
          (${key.join(", ")}, range_kind, range_to, estimated_rows, loaded_rows, done)
        values (${values.join(", ")}, -1, 0, true) ${overwrite(key, ["range_to"])}`;
    },

    positionSql(request) {
      return `select ${text} as text from ${controlTable(request, "awsdms_txn_state")}
        where ${server} = ${literal(SERVER_NAME)} and ${task} = ${literal(request.taskId)}`;
    },

    savePositionSql(request, position) {
      return sql.saveCheckpointSql(request, literal(checkpoint(position)));
    },

    saveCheckpointSql(request, value) {
      const own = [SERVER_NAME, request.taskId].map(literal).join(", ");
      return `insert into ${controlTable(request, "awsdms_txn_state")} (${server}, ${task}, ${time}, ${text})
        values (${own}, ${now}, ${value}) ${overwrite([server!, task!], [time!, text!])}`;
    },

    clearRowRecordsSql(request, tables) {
      if (tables.length === 0) return [];
      const ids = tables.map((id) => `(${literal(id.schema)}, ${literal(id.name)})`).join(", ");
      return [...exceptionTables(request), ...failureTables(request)].map(
        (table) => `delete from ${controlTable(request, table)}
          where ${task} = ${literal(request.taskId)} and (${owner}, ${name}) in (${ids})`,
      );
    },

    exceptionsSql(request, { table: id, after, limit }) {
      const rows = exceptionTables(request).map(
        (table) => `select ${digest(statement!)} as id, left(${statement}, ${KEY_LENGTH}) as beginning,
            case when ${isConflict} then 1 else 0 end as conflict
          from ${controlTable(request, table)} where ${isOfTable(request, id)}`,
      );
      return `select id, min(beginning), sum(conflict), sum(1 - conflict) from (${rows.join(" union all ")}) as recorded
        ${after === undefined ? "" : `where id > ${literal(after)}`} group by id order by id limit ${limit}`;
    },

    forgetExceptionsSql(request, id, ids) {
      return exceptionTables(request).map(
        (table) => `delete from ${controlTable(request, table)}
          where ${isOfTable(request, id)} and ${digest(statement!)} in (${ids.map(literal).join(", ")})`,
      );
    },

    recordedCodesSql(request) {
      const rows = exceptionTables(request).map(
        (table) => `select ${owner}, ${name}, left(${error}, position(':' in ${error}) - 1) as code
          from ${controlTable(request, table)} where ${task} = ${literal(request.taskId)}`,
      );
      return `select ${owner}, ${name}, code, count(*)
        from (${rows.join(" union all ")}) as recorded group by ${owner}, ${name}, code`;
    },

    recordedErrorsSql(request) {
      const rows = exceptionTables(request).map(
        (table) => `select ${owner}, ${name}, case when ${isConflict} then 1 else 0 end as conflicts,
            case when ${isOfLoad} then 1 else 0 end as loaded
          from ${controlTable(request, table)} where ${task} = ${literal(request.taskId)}`,
      );
      return `select ${owner}, ${name}, sum(conflicts), sum(1 - conflicts), sum(loaded)
        from (${rows.join(" union all ")}) as recorded group by ${owner}, ${name}`;
    },

    ...reportSql(dialect),
    ...validationFailuresSql(dialect),

    tablesSql(request) {
      return `select table_owner, table_name, state, updated_at from ${controlTable(request, "awsdms_table_state")}
        where task_name = ${literal(request.taskId)}`;
    },

    forgetSql(request) {
      const isOwn = `task_name = ${literal(request.taskId)}`;
      const isOwnOfDms = `${task} = ${literal(request.taskId)}`;
      const isOfServer = `server_name = ${literal(SERVER_NAME)} and ${isOwn}`;
      const optional = (["awsdms_history", "awsdms_status"] as const).filter(tablesOf(request));
      const rows = [
        ...optional.map((table) => [table, isOfServer] as const),
        ["awsdms_load_state", isOwn],
        ["awsdms_table_state", isOwn],
        ["awsdms_suspended_tables", isOfServer],
        ...[...exceptionTables(request), ...failureTables(request)].map(
          (table) => [table, isOwnOfDms] as const,
        ),
        ["awsdms_txn_state", `${server} = ${literal(SERVER_NAME)} and ${isOwnOfDms}`],
      ] as const;
      return rows.map(([name, isMeant]) => `delete from ${controlTable(request, name)} where ${isMeant}`);
    },
  };
  return sql;
}
