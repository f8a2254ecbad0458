import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import { Limiter } from "../../../base/limiter.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type {
  Journal,
  JournaledTable,
  JournalRequest,
  PlannedTable,
  StateChange,
} from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import type { RightsId } from "../../../core/rights.ts";
import type { TableId } from "../../../core/schema.ts";
import type { ShapedTable } from "../../../core/table-shape.ts";
import { literal } from "../../shared/identifier.ts";
import { journaledTables, type StateRow } from "../../shared/journal-rows.ts";
import { DURABLE_COMMITS, settingsSql } from "../connection/bulk-session.ts";
import { connect } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import { controlTable, ensureControlTables, NOW_SQL, SERVER_NAME } from "./control-tables.ts";
import {
  checkpointPosition,
  keepObjectsSql,
  keptObjectsSql,
  largeObjectProgressSql,
  noteSql,
  releaseObjectsSql,
  saveNoteSql,
  savePositionSql,
} from "./journal-sql.ts";

/** Opens a task's journal on a target; makes the control tables when they are missing. */
export async function openJournal(
  endpoint: EndpointConfig,
  request: JournalRequest,
  signal: AbortSignal,
): Promise<Journal> {
  const client = await connect(endpoint, { side: "target", purpose: "tideway journal" }, signal);
  try {
    await client.query(settingsSql("target"));
    await client.query(DURABLE_COMMITS);
    await ensureControlTables(client, request);
    signal.throwIfAborted();
    return new PostgresJournal(client, endpoint, request);
  } catch (error) {
    await client.end();
    throw signal.aborted ? signal.reason : classify(error, { side: "target", endpoint });
  }
}

/**
 * Every method is one round trip of statements in one implicit transaction: atomic, and safe to call
 * concurrently on the one connection, which runs them one after the other.
 */
class PostgresJournal implements Journal {
  readonly #client: pg.Client;
  /** The driver wants one query after the other. */
  readonly #turns = new Limiter(1);
  readonly #endpoint: EndpointConfig;
  readonly #request: JournalRequest;
  readonly #task: string;
  readonly #tables: string;
  readonly #loads: string;
  readonly #suspended: string;
  readonly #positions: string;
  readonly #exceptions: string;

  constructor(client: pg.Client, endpoint: EndpointConfig, request: JournalRequest) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#task = literal(request.taskId);
    this.#tables = controlTable(request, "awsdms_table_state");
    this.#loads = controlTable(request, "awsdms_load_state");
    this.#suspended = controlTable(request, "awsdms_suspended_tables");
    this.#positions = controlTable(request, "awsdms_txn_state");
    this.#exceptions = controlTable(request, "awsdms_apply_exceptions");
  }

  async tables(signal: AbortSignal): Promise<readonly JournaledTable[]> {
    const rows = await this.#run<StateRow>(
      [
        // A large table has thousands of partitions, and one shape.
        `select t.table_owner, t.table_name, t.created, t.keeps_rows, t.state, t.reason, l.partition_id,
              case when row_number() over (partition by t.table_owner, t.table_name
                order by length(l.partition_id), l.partition_id) = 1 then t.shape end as shape,
              l.range_kind, l.range_columns, l.range_from, l.range_to, l.snapshot_kind, l.snapshot_position,
              l.estimated_rows, l.loaded_rows, l.done
         from ${this.#tables} t
         left join ${this.#loads} l using (task_name, table_owner, table_name)
        where t.task_name = ${this.#task}
        order by t.table_owner, t.table_name, length(l.partition_id), l.partition_id`,
      ],
      signal,
    );
    return journaledTables(rows);
  }

  async planTables(tables: readonly PlannedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#planStatements(tables), signal);
  }

  async moveSnapshot(
    tables: readonly TableId[],
    snapshot: Position | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (tables.length === 0) return;
    await this.#run(
      [
        `update ${this.#loads} l set (snapshot_kind, snapshot_position) = row(${position(snapshot)})
           from ${named(tables)} where ${this.#matches("l")} and not l.done`,
      ],
      signal,
    );
  }

  async setTableStates(tables: readonly TableId[], change: StateChange, signal: AbortSignal): Promise<void> {
    const { state, reason } = change;
    const text = reason === undefined ? "null" : literal(reason.replaceAll("\0", ""));
    if (tables.length === 0) return;
    const statements = [
      this.#upsertTables(`false, false, ${literal(state)}, ${text}, null`, named(tables), [
        "state",
        "reason",
      ]),
      state === "suspended" ? this.#suspend(tables, text) : this.#readmit(tables),
    ];
    await this.#run(statements, signal);
  }

  async setShapes(tables: readonly ShapedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length === 0) return;
    const shapes = tables.map(({ id, shape }) => ({ ...nameOf(id), shape }));
    const wanted = `json_to_recordset(${literal(JSON.stringify(shapes))}) as w(schema text, name text, shape json)`;
    await this.#run(
      [this.#upsertTables("false, false, 'ready', null, w.shape::text", wanted, ["shape"])],
      signal,
    );
  }

  async keptObjects(signal: AbortSignal): Promise<readonly RightsId[] | undefined> {
    const [row] = await this.#run<{ range_to: string }>([keptObjectsSql(this.#request)], signal);
    return row === undefined ? undefined : (JSON.parse(row.range_to) as RightsId[]);
  }

  async releaseObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    await this.#run([releaseObjectsSql(this.#request, objects)], signal);
  }

  async keepObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    await this.#run([keepObjectsSql(this.#request, objects)], signal);
  }

  async largeObjects(signal: AbortSignal): Promise<LargeObjectProgress> {
    const [row] = await this.#run<{ range_to: string; done: string }>(
      [largeObjectProgressSql(this.#request)],
      signal,
    );
    if (row === undefined) return { after: "0", done: false };
    return { after: (JSON.parse(row.range_to) as [string])[0], done: row.done === "t" };
  }

  async sourceLog(signal: AbortSignal): Promise<string | undefined> {
    const [row] = await this.#run<{ range_to: string }>([noteSql(this.#request, "source log")], signal);
    return row?.range_to;
  }

  async setSourceLog(log: string, signal: AbortSignal): Promise<void> {
    await this.#run([saveNoteSql(this.#request, "source log", log)], signal);
    failpoint("journal.log-noted");
  }

  async appliedPosition(signal: AbortSignal): Promise<Position | undefined> {
    const rows = await this.#run<{ CHECKPOINT: string }>(
      [
        `select "CHECKPOINT" from ${this.#positions}
        where "SERVER_NAME" = ${literal(SERVER_NAME)} and "TASK_NAME" = ${this.#task}`,
      ],
      signal,
    );
    return rows[0] === undefined ? undefined : checkpointPosition(rows[0].CHECKPOINT);
  }

  async setAppliedPosition(applied: Position, signal: AbortSignal): Promise<void> {
    await this.#run([savePositionSql(this.#request, applied)], signal);
    failpoint("journal.position-set");
  }

  async noteStart(startId: string, signal: AbortSignal): Promise<void> {
    await this.#run([saveNoteSql(this.#request, "start", startId)], signal);
    failpoint("journal.start-noted");
  }

  async forget(signal: AbortSignal): Promise<void> {
    const own = `task_name = ${this.#task}`;
    const statements = [
      `delete from ${this.#loads} where ${own}`,
      `delete from ${this.#tables} where ${own}`,
      `delete from ${this.#suspended} where server_name = ${literal(SERVER_NAME)} and ${own}`,
      `delete from ${this.#positions} where "SERVER_NAME" = ${literal(SERVER_NAME)} and "TASK_NAME" = ${this.#task}`,
      `delete from ${this.#exceptions} where "TASK_NAME" = ${this.#task}`,
    ];
    await this.#run(statements, signal);
    failpoint("journal.forgotten");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  #planStatements(tables: readonly PlannedTable[]): string[] {
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
      this.#readmit(tables.map(({ id }) => id)),
    ];
    const partitions = tables.flatMap(({ id, snapshot, partitions }) => {
      return partitions.map((partition) => ({ ...partition, ...nameOf(id), ...snapshot }));
    });
    if (partitions.length > 0) {
      statements.push(
        `insert into ${this.#loads}
         select ${this.#task}, p.schema, p.name, p.id, p."by", p.columns::text, p."from"::text, p."to"::text,
                p.kind, p.text, coalesce(p."estimatedRows", -1)::bigint, 0, false
           from json_to_recordset(${literal(JSON.stringify(partitions))})
             as p(schema text, name text, id text, "by" text, columns json, "from" json, "to" json,
                  kind text, text text, "estimatedRows" numeric)`,
      );
    }
    return statements;
  }

  /** Rows of the last statement. The simple protocol makes several statements one transaction. */
  async #run<Row extends pg.QueryResultRow>(
    statements: readonly string[],
    signal: AbortSignal,
  ): Promise<Row[]> {
    signal.throwIfAborted();
    if (statements.length === 0) return [];
    try {
      const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await this.#turns.run(() =>
        this.#client.query<Row>(statements.join("; ")),
      );
      return (Array.isArray(result) ? result.at(-1)! : result).rows;
    } catch (error) {
      throw classify(error, { side: "target", endpoint: this.#endpoint });
    }
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

function position(snapshot: Position | undefined): string {
  return snapshot === undefined ? "null, null" : `${literal(snapshot.kind)}, ${literal(snapshot.text)}`;
}
