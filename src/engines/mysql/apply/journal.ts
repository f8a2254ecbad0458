import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Journal, JournalRequest, OptionalControlTable } from "../../../core/journal.ts";
import type { LargeObjectProgress } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import { readCheckpoint } from "../../shared/apply/checkpoint.ts";
import { type JournalSession, TargetJournal } from "../../shared/apply/journal.ts";
import type { StateRow } from "../../shared/apply/journal-rows.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { type DurabilityKind, durabilityOf, waitForDisk } from "./apply-durability.ts";
import { ACCESS_DENIED } from "./apply-open.ts";
import { controlTable, ensureControlTables, presentOptionalTables } from "./control-tables.ts";
import { mysqlJournalSql, noteSql } from "./journal-sql.ts";
import { JournalStatements } from "./journal-statements.ts";
import { endLoads } from "./load-lock.ts";
import { lockName } from "./task-lock.ts";

/** Opens a task's journal on a target; makes the control tables when they are missing. */
export async function openJournal(
  endpoint: EndpointConfig,
  request: JournalRequest,
  signal: AbortSignal,
): Promise<Journal> {
  const client = await connect(endpoint, { side: "target", purpose: "tideway journal" }, signal);
  try {
    await ensureControlTables(client, request);
    await useReadCommitted(client);
    // For nobody's sake to wait: it shows that somebody works on the task.
    await client.query(`select get_lock(${literal(lockName(request.taskId))}, 0) as taken`);
    await endLoads(client, request);
    const durability = await durabilityOf(client);
    signal.throwIfAborted();
    return new TargetJournal(request, new MysqlJournalSession({ client, endpoint, request, durability }));
  } catch (error) {
    await client.end();
    throw signal.aborted ? signal.reason : classify(error, { side: "target", endpoint });
  }
}

/**
 * Without it two tasks that delete and insert beside each other's rows would lock the gaps between them. A server that
 * logs statements does not allow it, and then repeats what deadlocks.
 */
async function useReadCommitted(client: Client): Promise<void> {
  // Later servers have no such variable any more.
  const [row] = await client.query<{ Value: string }>("show session variables like 'binlog_format'");
  if (row?.Value !== "STATEMENT") {
    await client.execute("set session transaction isolation level read committed");
  }
}

const ER_LOCK_DEADLOCK = 1213;
const MOST_DEADLOCKS = 20;

interface SessionParts {
  readonly client: Client;
  readonly endpoint: EndpointConfig;
  readonly request: JournalRequest;
  readonly durability: DurabilityKind;
}

class MysqlJournalSession implements JournalSession {
  readonly sql = mysqlJournalSql;
  readonly tablesSql: JournalStatements;
  readonly #client: Client;
  readonly #endpoint: EndpointConfig;
  readonly #request: JournalRequest;
  readonly #durability: DurabilityKind;

  constructor({ client, endpoint, request, durability }: SessionParts) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#durability = durability;
    this.tablesSql = new JournalStatements(request);
  }

  /** In two queries: MySQL 5.7 cannot say of a joined row whether it is its table's first. */
  async tables(): Promise<readonly StateRow[]> {
    const task = literal(this.#request.taskId);
    const states = await this.#client.query<StateRow>(
      `select table_owner, table_name, if(created, 't', 'f') as created, if(keeps_rows, 't', 'f') as keeps_rows, if(compared, 't', 'f') as compared,
         state, reason, shape from ${controlTable(this.#request, "awsdms_table_state")}
       where task_name = ${task} order by table_owner, table_name`,
    );
    const partitions = await this.#client.query<StateRow>(
      `select table_owner, table_name, partition_id, range_kind, range_columns, range_from, range_to, snapshot_kind,
         snapshot_position, snapshot_up_to, estimated_rows, loaded_rows, if(done, 't', 'f') as done
       from ${controlTable(this.#request, "awsdms_load_state")} where task_name = ${task}
       order by table_owner, table_name, length(partition_id), partition_id`,
    );
    const ofTable = Map.groupBy(partitions, rowKey);
    return states.flatMap((state) => {
      const parts = ofTable.get(rowKey(state)) ?? [];
      return parts.length === 0
        ? [{ ...state, partition_id: null }]
        : parts.map((part, i) => ({ ...state, ...part, shape: i === 0 ? state.shape : null }));
    });
  }

  async largeObjects(): Promise<LargeObjectProgress> {
    const text = await this.text(noteSql(this.#request, "large objects"));
    return text === undefined ? { after: "0", done: false } : (JSON.parse(text) as LargeObjectProgress);
  }

  optionalTables(): Promise<readonly OptionalControlTable[]> {
    return presentOptionalTables(this.#client, this.#request);
  }

  async rows(sql: string): Promise<readonly (readonly string[])[]> {
    const rows = await this.#client.query<Record<string, string>>(sql);
    return rows.map((row) => Object.values(row));
  }

  async text(sql: string): Promise<string | undefined> {
    const [row] = await this.#client.query<{ text: string }>(sql);
    return row?.text;
  }

  async run(statements: readonly string[]): Promise<void> {
    const script = `start transaction; ${statements.join("; ")}; commit`;
    for (let left = MOST_DEADLOCKS; ; left--) {
      try {
        await this.#client.execute(script);
        return;
      } catch (error) {
        await this.#client.execute("rollback").catch(() => undefined);
        if (left === 0 || serverFields(error)?.number !== ER_LOCK_DEADLOCK) throw error;
      }
    }
  }

  async becomesDurable(): Promise<void> {
    try {
      await waitForDisk(this.#client, this.#durability);
    } catch (error) {
      // Who may not flush cannot apply changes (see prepareApplySession), and no source is told anything.
      if (serverFields(error)?.number !== ACCESS_DENIED) throw error;
    }
  }

  positionOf(text: string): Position | undefined {
    return readCheckpoint(text);
  }

  classify(error: unknown): MigrationError {
    return classify(error, { side: "target", endpoint: this.#endpoint });
  }

  end(): Promise<void> {
    return this.#client.end();
  }
}

function rowKey({ table_owner, table_name }: StateRow): string {
  return JSON.stringify([table_owner, table_name]);
}
