import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Journal, JournalRequest, OptionalControlTable } from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import { type JournalSession, TargetJournal } from "../../shared/apply/journal.ts";
import type { StateRow } from "../../shared/apply/journal-rows.ts";
import { literal } from "../../shared/identifier.ts";
import { DURABLE_COMMITS, settingsSql } from "../connection/bulk-session.ts";
import { connect } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import { controlTable, ensureControlTables, presentOptionalTables } from "./control-tables.ts";
import { checkpointPosition, largeObjectProgressSql, postgresJournalSql } from "./journal-sql.ts";
import { JournalStatements } from "./journal-statements.ts";
import { taskLockKey } from "./task-lock.ts";

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
    // Shared, for nobody's sake to wait: it shows that somebody works on the task.
    await client.query(`select pg_catalog.pg_advisory_lock_shared(${taskLockKey(literal(request.taskId))})`);
    signal.throwIfAborted();
    return new TargetJournal(request, new PostgresJournalSession(client, endpoint, request));
  } catch (error) {
    await client.end();
    throw signal.aborted ? signal.reason : classify(error, { side: "target", endpoint });
  }
}

/** Its commits wait for the disk. The simple protocol makes several statements one transaction. */
class PostgresJournalSession implements JournalSession {
  readonly sql = postgresJournalSql;
  readonly tablesSql: JournalStatements;
  readonly #client: pg.Client;
  readonly #endpoint: EndpointConfig;
  readonly #request: JournalRequest;

  constructor(client: pg.Client, endpoint: EndpointConfig, request: JournalRequest) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#request = request;
    this.tablesSql = new JournalStatements(request);
  }

  async tables(): Promise<readonly StateRow[]> {
    const { rows } = await this.#client.query<StateRow>(
      // A large table has thousands of partitions, and one shape.
      `select t.table_owner, t.table_name, t.created, t.keeps_rows, t.state, t.reason, t.compared, l.partition_id,
              case when row_number() over (partition by t.table_owner, t.table_name
                order by length(l.partition_id), l.partition_id) = 1 then t.shape end as shape,
              l.range_kind, l.range_columns, l.range_from, l.range_to, l.snapshot_kind, l.snapshot_position, l.snapshot_up_to,
              l.estimated_rows, l.loaded_rows, l.done
         from ${controlTable(this.#request, "awsdms_table_state")} t
         left join ${controlTable(this.#request, "awsdms_load_state")} l using (task_name, table_owner, table_name)
        where t.task_name = ${literal(this.#request.taskId)}
        order by t.table_owner, t.table_name, length(l.partition_id), l.partition_id`,
    );
    return rows;
  }

  async largeObjects(): Promise<LargeObjectProgress> {
    const { rows } = await this.#client.query<{ range_to: string; done: string }>(
      largeObjectProgressSql(this.#request),
    );
    const [row] = rows;
    if (row === undefined) return { after: "0", done: false };
    return { after: (JSON.parse(row.range_to) as [string])[0], done: row.done === "t" };
  }

  optionalTables(): Promise<readonly OptionalControlTable[]> {
    return presentOptionalTables(this.#client, this.#request);
  }

  async rows(sql: string): Promise<readonly (readonly string[])[]> {
    const { rows } = await this.#client.query<string[]>({ text: sql, rowMode: "array" });
    return rows;
  }

  async text(sql: string): Promise<string | undefined> {
    const { rows } = await this.#client.query<{ text: string }>(sql);
    return rows[0]?.text;
  }

  async run(statements: readonly string[]): Promise<void> {
    await this.#client.query(statements.join("; "));
  }

  async becomesDurable(): Promise<void> {}

  positionOf(text: string): Position {
    return checkpointPosition(text);
  }

  classify(error: unknown): MigrationError {
    return classify(error, { side: "target", endpoint: this.#endpoint });
  }

  end(): Promise<void> {
    return this.#client.end();
  }
}
