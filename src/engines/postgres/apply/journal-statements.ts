import type { JournalRequest, PlannedTable, SnapshotPlace, StateChange } from "../../../core/journal.ts";
import type { TableId } from "../../../core/schema.ts";
import type { ShapedTable } from "../../../core/table-shape.ts";
import { SERVER_NAME } from "../../shared/apply/control-tables.ts";
import type { JournalTablesSql } from "../../shared/apply/journal.ts";
import { literal } from "../../shared/identifier.ts";
import { controlTable, NOW_SQL } from "./control-tables.ts";

/** SQL of the journal's methods that concern many tables at once. */
export class JournalStatements implements JournalTablesSql {
  readonly #task: string;
  readonly #tables: string;
  readonly #loads: string;
  readonly #suspended: string;

  constructor(request: JournalRequest) {
    this.#task = literal(request.taskId);
    this.#tables = controlTable(request, "awsdms_table_state");
    this.#loads = controlTable(request, "awsdms_load_state");
    this.#suspended = controlTable(request, "awsdms_suspended_tables");
  }

  plan(tables: readonly PlannedTable[]): string[] {
    const states = tables.map(({ id, created, keepsRows = false, state = "planned", shape }) => {
      return { ...nameOf(id), created, keeps: keepsRows, state, shape };
    });
    const statements = [
      `delete from ${this.#loads} l using ${named(tables.map(({ id }) => id))} where ${this.#matches("l")}`,
      this.#upsertTables(
        "w.created, w.keeps, w.state, null, w.shape::text",
        `json_to_recordset(${literal(JSON.stringify(states))})
           as w(schema text, name text, created boolean, keeps boolean, state text, shape json)`,
        ["created", "keeps_rows", "state", "reason", "shape"],
      ),
      ...this.setCompared(
        tables.map(({ id }) => id),
        false,
      ),
      this.#readmit(tables.map(({ id }) => id)),
    ];
    const partitions = tables.flatMap(({ id, snapshot, upTo, partitions }) => {
      return partitions.map((partition) => ({ ...partition, ...nameOf(id), ...snapshot, upTo: upTo?.text }));
    });
    if (partitions.length > 0) {
      statements.push(
        `insert into ${this.#loads}
         select ${this.#task}, p.schema, p.name, p.id, p."by", p.columns::text, p."from"::text, p."to"::text,
                p.kind, p.text, coalesce(p."estimatedRows", -1)::bigint, 0, false, p."upTo"
           from json_to_recordset(${literal(JSON.stringify(partitions))})
             as p(schema text, name text, id text, "by" text, columns json, "from" json, "to" json,
                  kind text, text text, "upTo" text, "estimatedRows" numeric)`,
      );
    }
    return statements;
  }

  moveSnapshot(tables: readonly TableId[], { position, upTo }: SnapshotPlace): string[] {
    const place = [position?.kind, position?.text, upTo?.text].map((text) =>
      text === undefined ? "null" : literal(text),
    );
    return [
      `update ${this.#loads} l
          set (snapshot_kind, snapshot_position, snapshot_up_to) = row(${place.join(", ")})
         from ${named(tables)} where ${this.#matches("l")} and not l.done`,
    ];
  }

  setStates(tables: readonly TableId[], { state, reason }: StateChange): string[] {
    const text = reason === undefined ? "null" : literal(reason.replaceAll("\0", ""));
    return [
      this.#upsertTables(`false, false, ${literal(state)}, ${text}, null`, named(tables), [
        "state",
        "reason",
      ]),
      ...(state === "suspended"
        ? [this.#suspend(tables, text), ...this.setCompared(tables, false)]
        : [this.#readmit(tables)]),
    ];
  }

  setCompared(tables: readonly TableId[], isCompared: boolean): string[] {
    return [
      `update ${this.#tables} t set compared = ${isCompared} from ${named(tables)} where ${this.#matches("t")}`,
    ];
  }

  setShapes(tables: readonly ShapedTable[]): string[] {
    const shapes = tables.map(({ id, shape }) => ({ ...nameOf(id), shape }));
    const wanted = `json_to_recordset(${literal(JSON.stringify(shapes))}) as w(schema text, name text, shape json)`;
    return [this.#upsertTables("false, false, 'ready', null, w.shape::text", wanted, ["shape"])];
  }

  /** SQL that is true where an alias's row is about this task and a table of named(). */
  #matches(alias: string): string {
    return `(${alias}.task_name, ${alias}.table_owner, ${alias}.table_name) = (${this.#task}, w.schema, w.name)`;
  }

  /** `values`: created, keeps_rows, state, reason and shape of a row `w` that `tables` gives for each table. */
  #upsertTables(values: string, tables: string, updated: readonly string[]): string {
    return `insert into ${this.#tables}
        (task_name, table_owner, table_name, created, keeps_rows, state, reason, shape, updated_at)
      select ${this.#task}, w.schema, w.name, ${values}, ${NOW_SQL} from ${tables}
      on conflict (task_name, table_owner, table_name) do update
        set ${[...updated, "updated_at"].map((column) => `${column} = excluded.${column}`).join(", ")}`;
  }

  #suspend(tables: readonly TableId[], reason: string): string {
    return `insert into ${this.#suspended}
        (server_name, task_name, table_owner, table_name, suspend_reason, suspend_timestamp)
      select ${literal(SERVER_NAME)}, ${this.#task}, w.schema, w.name, left(${reason}, 32), ${NOW_SQL}
        from ${named(tables)}
      on conflict (server_name, task_name, table_owner, table_name)
        do update set suspend_reason = excluded.suspend_reason, suspend_timestamp = excluded.suspend_timestamp`;
  }

  #readmit(tables: readonly TableId[]): string {
    return `delete from ${this.#suspended} s using ${named(tables)}
      where s.server_name = ${literal(SERVER_NAME)} and ${this.#matches("s")}`;
  }
}

/** SQL for a list of tables by their names, as `w`. */
function named(tables: readonly TableId[]): string {
  return `json_to_recordset(${literal(JSON.stringify(tables.map(nameOf)))}) as w(schema text, name text)`;
}

function nameOf({ schema, name }: TableId): TableId {
  return { schema, name };
}
