import type { JournalRequest, PlannedTable, SnapshotPlace, StateChange } from "../../../core/journal.ts";
import type { TableId } from "../../../core/schema.ts";
import type { ShapedTable } from "../../../core/table-shape.ts";
import { type ControlTableName, SERVER_NAME } from "../../shared/apply/control-tables.ts";
import type { JournalTablesSql } from "../../shared/apply/journal.ts";
import { literal } from "../catalog/identifier.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

/** Characters of suspend_reason. */
const REASON_LENGTH = 32;

/** What of a table's row is given new values; the others stay where the row is there. */
interface TableRow {
  readonly id: TableId;
  readonly created?: boolean;
  readonly keepsRows?: boolean;
  readonly state?: string;
  readonly reason?: string | null;
  readonly shape?: object | null;
}

const COLUMNS = {
  created: "created",
  keepsRows: "keeps_rows",
  state: "state",
  reason: "reason",
  shape: "shape",
} as const;

/** SQL of the journal's methods that concern many tables at once. */
export class JournalStatements implements JournalTablesSql {
  readonly #request: JournalRequest;
  readonly #task: string;

  constructor(request: JournalRequest) {
    this.#request = request;
    this.#task = literal(request.taskId);
  }

  plan(tables: readonly PlannedTable[]): string[] {
    const ids = tables.map(({ id }) => id);
    const rows = tables.map(({ id, created, keepsRows = false, state = "planned", shape }) => {
      return { id, created, keepsRows, state, reason: null, shape: shape ?? null };
    });
    const statements = [
      `delete from ${this.#table("awsdms_load_state")} where ${this.#among(ids)}`,
      this.#upsert(rows, ["created", "keepsRows", "state", "reason", "shape"]),
      ...this.setCompared(ids, false),
      this.#readmit(ids),
    ];
    const partitions = tables.flatMap((table) => this.#partitionRows(table));
    if (partitions.length > 0) {
      statements.push(`insert into ${this.#table("awsdms_load_state")} values ${partitions.join(", ")}`);
    }
    return statements;
  }

  moveSnapshot(tables: readonly TableId[], { position, upTo }: SnapshotPlace): string[] {
    return [
      `update ${this.#table("awsdms_load_state")}
      set snapshot_kind = ${optional(position?.kind)}, snapshot_position = ${optional(position?.text)},
        snapshot_up_to = ${optional(upTo?.text)}
      where ${this.#among(tables)} and done = 0`,
    ];
  }

  setStates(tables: readonly TableId[], { state, reason }: StateChange): string[] {
    const rows = tables.map((id) => ({ id, state, reason: reason ?? null }));
    return [
      this.#upsert(rows, ["state", "reason"]),
      ...(state === "suspended"
        ? [this.#suspend(tables, reason), ...this.setCompared(tables, false)]
        : [this.#readmit(tables)]),
    ];
  }

  setCompared(tables: readonly TableId[], isCompared: boolean): string[] {
    return [
      `update ${this.#table("awsdms_table_state")} set compared = ${Number(isCompared)} where ${this.#among(tables)}`,
    ];
  }

  setShapes(tables: readonly ShapedTable[]): string[] {
    const rows = tables.map(({ id, shape }) => ({ id, state: "ready", shape }));
    return [this.#upsert(rows, ["shape"])];
  }

  #table(name: ControlTableName): string {
    return controlTable(this.#request, name);
  }

  /** SQL that is true for the task's rows about some tables. */
  #among(tables: readonly TableId[]): string {
    const pairs = tables.map(({ schema, name }) => `(${literal(schema)}, ${literal(name)})`);
    return `task_name = ${this.#task} and (table_owner, table_name) in (${pairs.join(", ")})`;
  }

  #upsert(rows: readonly TableRow[], updated: readonly (keyof typeof COLUMNS)[]): string {
    const values = rows.map((row) => {
      const { id, created = false, keepsRows = false, state = "planned", reason = null, shape = null } = row;
      return `(${[
        this.#task,
        ...[id.schema, id.name].map(literal),
        ...[created, keepsRows].map(Number),
        literal(state),
        reason === null ? "null" : literal(reason),
        shape === null ? "null" : literal(JSON.stringify(shape)),
        NOW_SQL,
      ].join(", ")})`;
    });
    const set = [...updated.map((name) => COLUMNS[name]), "updated_at"].map(
      (name) => `${name} = values(${name})`,
    );
    return `insert into ${this.#table("awsdms_table_state")}
        (task_name, table_owner, table_name, created, keeps_rows, state, reason, shape, updated_at)
      values ${values.join(", ")} on duplicate key update ${set.join(", ")}`;
  }

  #partitionRows({ id, snapshot, upTo, partitions }: PlannedTable): string[] {
    return partitions.map((partition) => {
      const { columns, from, to, estimatedRows } = partition;
      return `(${[
        this.#task,
        ...[id.schema, id.name, partition.id, partition.by].map(literal),
        ...[columns, from, to].map((list) => (list === undefined ? "null" : literal(JSON.stringify(list)))),
        optional(snapshot?.kind),
        optional(snapshot?.text),
        Number.isFinite(estimatedRows) ? BigInt(Math.round(estimatedRows)) : -1,
        0,
        0,
        optional(upTo?.text),
      ].join(", ")})`;
    });
  }

  #suspend(tables: readonly TableId[], reason: string | undefined): string {
    const text = reason === undefined ? "null" : literal([...reason].slice(0, REASON_LENGTH).join(""));
    const values = tables.map(
      ({ schema, name }) =>
        `(${literal(SERVER_NAME)}, ${this.#task}, ${literal(schema)}, ${literal(name)}, ${text}, ${NOW_SQL})`,
    );
    return `insert into ${this.#table("awsdms_suspended_tables")}
        (server_name, task_name, table_owner, table_name, suspend_reason, suspend_timestamp)
      values ${values.join(", ")}
      on duplicate key update suspend_reason = ${text}, suspend_timestamp = ${NOW_SQL}`;
  }

  #readmit(tables: readonly TableId[]): string {
    return `delete from ${this.#table("awsdms_suspended_tables")}
      where server_name = ${literal(SERVER_NAME)} and ${this.#among(tables)}`;
  }
}

function optional(text: string | undefined): string {
  return text === undefined ? "null" : literal(text);
}
