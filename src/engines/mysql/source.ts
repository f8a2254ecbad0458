import type { AuditQuestion } from "../../core/audit.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import type { LockWait } from "../../core/lock-wait.ts";
import type { Position } from "../../core/position.ts";
import type { Catalog, SequenceState, TableId, TableSchema } from "../../core/schema.ts";
import type { KeptNotes, NoteKeeping, SchemaNote } from "../../core/schema-note.ts";
import type { ServerMark } from "../../core/server-mark.ts";
import type { SourceProbe } from "../../core/server-probe.ts";
import type {
  ChangeStream,
  ChangeStreamRequest,
  DescribeRequest,
  FindStream,
  LogRequest,
  OpenWriter,
  Snapshot,
  SnapshotRequest,
  Source,
  SourceAssessment,
  StopPosition,
  StreamHealth,
  StreamRequest,
  TimeRequest,
} from "../../core/source.ts";
import type { ShapedTable } from "../../core/table-shape.ts";
import { auditSql } from "../shared/catalog/audit-sql.ts";
import type { ClientPool } from "../shared/connection/client-pool.ts";
import { checkFormat } from "./assess/assess-log.ts";
import { assessSource } from "./assess/assess-source.ts";
import { probeSource } from "./assess/probe.ts";
import { marked } from "./assess/server-mark.ts";
import {
  checkTables,
  describe,
  listSchemas,
  listTables,
  listViews,
  systemSchemas,
} from "./catalog/catalog.ts";
import { readSequenceStates } from "./catalog/catalog-sequences.ts";
import { identifier, qualified } from "./catalog/identifier.ts";
import { type TypeChoices, typeChoices } from "./catalog/type-map.ts";
import { errorAddress } from "./connection/address.ts";
import type { Client } from "./connection/client.ts";
import { clientPool } from "./connection/client-pool.ts";
import { isPassing } from "./ddl/passing-names.ts";
import { positionCodec } from "./log/binlog-position.ts";
import { ConfirmedPositions } from "./log/confirmed-positions.ts";
import { checkLog, followLog } from "./log/follow-log.ts";
import { resolvePosition, stopPosition } from "./log/given-position.ts";
import { isKept } from "./log/log-place.ts";
import { currentPosition } from "./log/log-state.ts";
import { notedTables } from "./log/note-text.ts";
import { positionAtTime } from "./log/position-at-time.ts";
import { streamHealth } from "./log/stream-health.ts";
import { openWriters } from "./snapshot/open-writers.ts";
import { readWaits } from "./snapshot/read-waits.ts";
import { openSnapshot } from "./snapshot/snapshot.ts";

/**
 * A MySQL or MariaDB server as source: gives each call a connection. The server keeps its log for nobody in particular,
 * so a task's stream is nothing but a position in it, and nothing is made on the server.
 */
export class MysqlSource implements Source {
  readonly positions = positionCodec;
  readonly systemSchemas = systemSchemas;
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool<Client>;
  readonly #choices: TypeChoices;
  readonly #confirmed = new ConfirmedPositions();

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.#clients = clientPool(endpoint, { side: "source", purpose: "tideway source" });
    this.#choices = typeChoices(endpoint);
  }

  /** Throws what stands in the way of connecting. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#clients.use(signal, (client) => client.query("select 1"));
  }

  listSchemas(signal: AbortSignal): Promise<readonly string[]> {
    return this.#clients.use(signal, (client) => listSchemas(client, this.#endpoint));
  }

  listTables(signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => listTables(client, this.#endpoint));
  }

  isPassing(table: TableId, tables: readonly TableId[]): boolean {
    return isPassing(table, tables);
  }

  listViews(signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => listViews(client, this.#endpoint));
  }

  describe({ tables, views = [] }: DescribeRequest, signal: AbortSignal): Promise<Catalog> {
    return this.#clients.use(signal, (client) => describe(client, tables, { ...this.#choices, views }));
  }

  assess(request: SourceAssessment, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#clients.use(signal, (client) => assessSource(client, request, this.#choices));
  }

  lockWaits(signal: AbortSignal): Promise<readonly LockWait[]> {
    return this.#clients.use(signal, readWaits);
  }

  probe(signal: AbortSignal): Promise<SourceProbe> {
    return this.#clients.use(signal, probeSource);
  }

  marked<Result>(work: (mark: ServerMark) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return this.#clients.use(signal, (client) => marked(client, work));
  }

  async openSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot> {
    const snapshot = await openSnapshot(this.#endpoint, request, signal);
    if (request.anchor === "new-stream" && snapshot.position !== undefined) {
      this.#confirmed.set(request.taskId, snapshot.position);
    }
    return snapshot;
  }

  sequenceStates(sequences: readonly TableId[], signal: AbortSignal): Promise<readonly SequenceState[]> {
    return this.#clients.use(signal, (client) => readSequenceStates(client, sequences));
  }

  async audit(question: AuditQuestion, signal: AbortSignal): Promise<bigint | undefined> {
    const sql = auditSql(question, { identifier, qualified });
    const answer = await this.#clients.use(signal, async (client) => {
      const [row] = await client.query<{ answer: string | number | null }>(sql);
      return row?.answer;
    });
    return answer == null ? undefined : BigInt(answer);
  }

  openWriters(signal: AbortSignal): Promise<readonly OpenWriter[]> {
    return this.#clients.use(signal, (client) => openWriters(client));
  }

  followLog(request: LogRequest, signal: AbortSignal): Promise<string> {
    return this.#clients.use(signal, (client) => followLog(client, request, errorAddress(this.#endpoint)));
  }

  async createStream({ taskId }: StreamRequest, signal: AbortSignal): Promise<Position> {
    const position = await this.currentPosition(signal);
    this.#confirmed.set(taskId, position);
    return position;
  }

  /** Nothing is marked as loaded here, and no task sends only what was written on its source. */
  async checkLoads(): Promise<void> {}

  /** Throws `source.log_purged` when the log does not reach back to where the target stands. */
  async findStream({ taskId, applied }: FindStream, signal: AbortSignal): Promise<Position | undefined> {
    if (applied === undefined) return undefined;
    if (!(await this.#clients.use(signal, (client) => isKept(client, applied)))) {
      throw new MigrationError("source.log_purged", {
        message: `The source has no log any more from ${applied.text} on, where the target stands.`,
        subject: errorAddress(this.#endpoint),
      });
    }
    this.#confirmed.set(taskId, applied);
    return applied;
  }

  async dropStream({ taskId }: StreamRequest): Promise<void> {
    this.#confirmed.forget(taskId);
  }

  async noteKeeping(signal: AbortSignal): Promise<NoteKeeping> {
    return { since: "always", now: await this.currentPosition(signal) };
  }

  /** The log itself holds every statement that changes a table. */
  async keepNotes(): Promise<KeptNotes> {
    return { kept: true, refused: false, findings: [] };
  }

  /** Nothing was made for notes. */
  async dropNotes(): Promise<void> {}

  async describeNoted(notes: readonly SchemaNote[]): Promise<readonly TableSchema[]> {
    return notedTables(notes);
  }

  checkStream(_request: StreamRequest, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, checkFormat);
  }

  checkTables(tables: readonly TableSchema[], signal: AbortSignal): Promise<readonly ShapedTable[]> {
    return this.#clients.use(signal, (client) => checkTables(client, tables, this.#choices));
  }

  async streamHealth({ taskId }: StreamRequest, signal: AbortSignal): Promise<StreamHealth | undefined> {
    const confirmed = this.#confirmed.get(taskId);
    if (confirmed === undefined) return undefined;
    return await this.#clients.use(signal, (client) => streamHealth(client, confirmed));
  }

  async openChangeStream(request: ChangeStreamRequest, signal: AbortSignal): Promise<ChangeStream> {
    // Loaded for tasks that capture changes alone.
    const { openChangeStream } = await import("./log/change-stream.ts");
    const { taskId, after, log } = request;
    const address = errorAddress(this.#endpoint);
    const stream = await openChangeStream(this.#endpoint, request, signal, {
      checkLog: (client) => checkLog(client, log, address),
    });
    this.#confirmed.set(taskId, after);
    return this.#confirmed.follow(taskId, stream);
  }

  resolvePosition(position: Position, signal: AbortSignal): Promise<Position> {
    return this.#clients.use(signal, (client) =>
      resolvePosition(client, position, errorAddress(this.#endpoint)),
    );
  }

  stopPosition(position: Position, signal: AbortSignal): Promise<StopPosition> {
    return this.#clients.use(signal, (client) =>
      stopPosition(client, position, errorAddress(this.#endpoint)),
    );
  }

  positionAtTime(request: TimeRequest, signal: AbortSignal): Promise<Position> {
    return positionAtTime(this.#endpoint, request, signal);
  }

  currentPosition(signal: AbortSignal): Promise<Position> {
    return this.#clients.use(signal, currentPosition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients[Symbol.asyncDispose]();
  }
}
