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
import { type RightsId, rightsKey } from "../../../core/rights.ts";
import type { TableId } from "../../../core/schema.ts";
import type { ShapedTable } from "../../../core/table-shape.ts";
import { readCheckpoint } from "../../shared/checkpoint.ts";
import { journaledTables, type StateRow } from "../../shared/journal-rows.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { type DurabilityKind, durabilityOf, waitForDisk } from "./apply-durability.ts";
import { ACCESS_DENIED } from "./apply-open.ts";
import { controlTable, ensureControlTables, SERVER_NAME } from "./control-tables.ts";
import { noteSql, saveNoteSql, savePositionSql } from "./journal-sql.ts";
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
    return new MysqlJournal({ client, endpoint, request, durability });
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

interface JournalParts {
  readonly client: Client;
  readonly endpoint: EndpointConfig;
  readonly request: JournalRequest;
  readonly durability: DurabilityKind;
}

/**
 * Every method is one transaction on the one connection, which runs them one after the other. Where the server's
 * commits do not wait for its disk, those wait for it that others than the target's tables must agree with; the rest
 * would be lost together with the rows that it speaks of.
 */
class MysqlJournal implements Journal {
  readonly #client: Client;
  readonly #turns = new Limiter(1);
  readonly #endpoint: EndpointConfig;
  readonly #request: JournalRequest;
  readonly #task: string;
  readonly #statements: JournalStatements;

  readonly #durability: DurabilityKind;

  constructor({ client, endpoint, request, durability }: JournalParts) {
    this.#client = client;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#durability = durability;
    this.#task = literal(request.taskId);
    this.#statements = new JournalStatements(request);
  }

  async tables(signal: AbortSignal): Promise<readonly JournaledTable[]> {
    const tables = controlTable(this.#request, "awsdms_table_state");
    const loads = controlTable(this.#request, "awsdms_load_state");
    const [states, partitions] = await this.#exclusively(signal, async () => [
      await this.#client.query<StateRow>(
        `select table_owner, table_name, if(created, 't', 'f') as created, if(keeps_rows, 't', 'f') as keeps_rows,
           state, reason, shape from ${tables} where task_name = ${this.#task} order by table_owner, table_name`,
      ),
      await this.#client.query<StateRow>(
        `select table_owner, table_name, partition_id, range_kind, range_columns, range_from, range_to, snapshot_kind,
           snapshot_position, estimated_rows, loaded_rows, if(done, 't', 'f') as done
         from ${loads} where task_name = ${this.#task}
         order by table_owner, table_name, length(partition_id), partition_id`,
      ),
    ]);
    const ofTable = Map.groupBy(partitions!, rowKey);
    return journaledTables(
      states!.flatMap((state) => {
        const parts = ofTable.get(rowKey(state)) ?? [];
        return parts.length === 0
          ? [{ ...state, partition_id: null }]
          : parts.map((part, i) => ({ ...state, ...part, shape: i === 0 ? state.shape : null }));
      }),
    );
  }

  async planTables(tables: readonly PlannedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#statements.plan(tables), signal);
  }

  async moveSnapshot(
    tables: readonly TableId[],
    snapshot: Position | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (tables.length > 0) await this.#run([this.#statements.moveSnapshot(tables, snapshot)], signal);
  }

  async setTableStates(tables: readonly TableId[], change: StateChange, signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run(this.#statements.setStates(tables, change), signal);
  }

  async setShapes(tables: readonly ShapedTable[], signal: AbortSignal): Promise<void> {
    if (tables.length > 0) await this.#run([this.#statements.setShapes(tables)], signal);
  }

  async keptObjects(signal: AbortSignal): Promise<readonly RightsId[] | undefined> {
    const text = await this.#exclusively(signal, () => this.#note("kept objects"));
    return text === undefined ? undefined : (JSON.parse(text) as RightsId[]);
  }

  async releaseObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    const released = new Set(objects.map(rightsKey));
    await this.#exclusively(signal, async () => {
      const text = await this.#note("kept objects");
      if (text === undefined) return;
      const left = (JSON.parse(text) as RightsId[]).filter((object) => !released.has(rightsKey(object)));
      await this.#client.execute(saveNoteSql(this.#request, "kept objects", JSON.stringify(left)));
    });
  }

  async keepObjects(objects: readonly RightsId[], signal: AbortSignal): Promise<void> {
    const added = objects.map(({ kind, id: { schema, name } }) => ({ kind, id: { schema, name } }));
    await this.#exclusively(signal, async () => {
      const there = JSON.parse((await this.#note("kept objects")) ?? "[]") as RightsId[];
      const all = JSON.stringify([...there, ...added]);
      await this.#client.execute(saveNoteSql(this.#request, "kept objects", all));
    });
  }

  async largeObjects(signal: AbortSignal): Promise<LargeObjectProgress> {
    const text = await this.#exclusively(signal, () => this.#note("large objects"));
    return text === undefined ? { after: "0", done: false } : (JSON.parse(text) as LargeObjectProgress);
  }

  async sourceLog(signal: AbortSignal): Promise<string | undefined> {
    return this.#exclusively(signal, () => this.#note("source log"));
  }

  async setSourceLog(log: string, signal: AbortSignal): Promise<void> {
    await this.#runDurably([saveNoteSql(this.#request, "source log", log)], signal);
    failpoint("journal.log-noted");
  }

  async appliedPosition(signal: AbortSignal): Promise<Position | undefined> {
    const [row] = await this.#exclusively(signal, () =>
      this.#client.query<{ text: string }>(
        `select CHECKPOINT as text from ${controlTable(this.#request, "awsdms_txn_state")}
          where SERVER_NAME = ${literal(SERVER_NAME)} and TASK_NAME = ${this.#task}`,
      ),
    );
    return row === undefined ? undefined : readCheckpoint(row.text);
  }

  async setAppliedPosition(position: Position, signal: AbortSignal): Promise<void> {
    await this.#runDurably([savePositionSql(this.#request, position)], signal);
    failpoint("journal.position-set");
  }

  async noteStart(startId: string, signal: AbortSignal): Promise<void> {
    await this.#runDurably([saveNoteSql(this.#request, "start", startId)], signal);
    failpoint("journal.start-noted");
  }

  async forget(signal: AbortSignal): Promise<void> {
    await this.#runDurably(this.#statements.forget(), signal);
    failpoint("journal.forgotten");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async #note(note: Parameters<typeof noteSql>[1]): Promise<string | undefined> {
    const [row] = await this.#client.query<{ text: string }>(noteSql(this.#request, note));
    return row?.text;
  }

  /** All of them or none, in one round trip. */
  async #run(statements: readonly string[], signal: AbortSignal): Promise<void> {
    const script = `start transaction; ${statements.join("; ")}; commit`;
    await this.#exclusively(signal, async () => {
      for (let left = MOST_DEADLOCKS; ; left--) {
        try {
          await this.#client.execute(script);
          return;
        } catch (error) {
          await this.#client.execute("rollback").catch(() => undefined);
          if (left === 0 || serverFields(error)?.number !== ER_LOCK_DEADLOCK) throw error;
        }
      }
    });
  }

  async #runDurably(statements: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#run(statements, signal);
    await this.#exclusively(signal, async () => {
      try {
        await waitForDisk(this.#client, this.#durability);
      } catch (error) {
        // Who may not flush cannot apply changes (see prepareApplySession), and no source is told anything.
        if (serverFields(error)?.number !== ACCESS_DENIED) throw error;
      }
    });
  }

  async #exclusively<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    try {
      return await this.#turns.run(work);
    } catch (error) {
      throw classify(error, { side: "target", endpoint: this.#endpoint });
    }
  }
}

function rowKey({ table_owner, table_name }: StateRow): string {
  return JSON.stringify([table_owner, table_name]);
}
