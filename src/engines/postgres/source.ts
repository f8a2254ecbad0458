import type pg from "pg";
import type { AuditQuestion } from "../../core/audit.ts";
import type { SourceCollation } from "../../core/collation.ts";
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
import { identifier, qualified } from "../shared/identifier.ts";
import { checkLoads } from "./assess/assess-loads.ts";
import { assessSource } from "./assess/assess-source.ts";
import { probeSource } from "./assess/probe.ts";
import { marked } from "./assess/server-mark.ts";
import { describe, listSchemas, listTables, listViews, systemSchemas } from "./catalog/catalog.ts";
import { collationsOf } from "./catalog/collations.ts";
import { lockWaits } from "./catalog/lock-waits.ts";
import { lsnCodec } from "./catalog/lsn.ts";
import { openWriters } from "./catalog/open-writers.ts";
import { readSequenceStates } from "./catalog/sequences.ts";
import { checkShapes } from "./catalog/table-shape.ts";
import { type TypeChoices, typeChoices, withChoices } from "./catalog/type-choices.ts";
import { clientPool } from "./connection/client-pool.ts";
import { dropNotes } from "./log/drop-notes.ts";
import { followLog } from "./log/follow-log.ts";
import { noteKeeping } from "./log/installed-notes.ts";
import { checkPublication } from "./log/publication.ts";
import { describeNoted } from "./log/read-notes.ts";
import { keepNotes } from "./log/schema-notes.ts";
import { createStream, currentPosition, dropStream, findStream, streamObjects } from "./log/slot.ts";
import { slotHealth } from "./log/slot-health.ts";
import { openSnapshot } from "./snapshot/snapshot.ts";

/** A PostgreSQL database as source: gives each call a connection. */
export class PostgresSource implements Source {
  readonly positions = lsnCodec;
  readonly systemSchemas = systemSchemas;
  readonly failsAtCuts: boolean;
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool<pg.Client>;
  readonly #choices: TypeChoices;

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.failsAtCuts = endpoint.settings["FailTasksOnLobTruncation"] === true;
    this.#choices = typeChoices(endpoint);
    this.#clients = clientPool(endpoint, { side: "source", purpose: "tideway source" });
  }

  /** Throws what stands in the way of connecting. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#clients.use(signal, (client) => client.query("select"));
  }

  listSchemas(signal: AbortSignal): Promise<readonly string[]> {
    return this.#clients.use(signal, listSchemas);
  }

  listTables(signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, listTables);
  }

  listViews(signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, listViews);
  }

  async describe({ tables, ...options }: DescribeRequest, signal: AbortSignal): Promise<Catalog> {
    const catalog = await this.#clients.use(signal, (client) => describe(client, tables, options));
    return { ...catalog, tables: catalog.tables.map((table) => withChoices(table, this.#choices)) };
  }

  assess(request: SourceAssessment, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#clients.use(signal, (client) =>
      assessSource(client, request, { stream: streamObjects(this.#endpoint, request.taskId) }),
    );
  }

  collations(tables: readonly TableSchema[], signal: AbortSignal): Promise<readonly SourceCollation[]> {
    return this.#clients.use(signal, (client) => collationsOf(client, tables));
  }

  async lockWaits(signal: AbortSignal): Promise<readonly LockWait[]> {
    return await lockWaits(this.#endpoint, signal);
  }

  probe(signal: AbortSignal): Promise<SourceProbe> {
    return this.#clients.use(signal, (client) => probeSource(client, this.#endpoint));
  }

  marked<Result>(work: (mark: ServerMark) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return this.#clients.use(signal, (client) => marked(client, work));
  }

  openSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot> {
    return openSnapshot(this.#endpoint, request, signal);
  }

  sequenceStates(sequences: readonly TableId[], signal: AbortSignal): Promise<readonly SequenceState[]> {
    return this.#clients.use(signal, (client) => readSequenceStates(client, sequences));
  }

  async audit(question: AuditQuestion, signal: AbortSignal): Promise<bigint | undefined> {
    const sql = auditSql(question, { identifier, qualified });
    const answer = await this.#clients.use(signal, async (client) => {
      const { rows } = await client.query<{ answer: string | number | null }>(sql);
      return rows[0]?.answer;
    });
    return answer == null ? undefined : BigInt(answer);
  }

  openWriters(signal: AbortSignal): Promise<readonly OpenWriter[]> {
    return this.#clients.use(signal, (client) => openWriters(client));
  }

  followLog(request: LogRequest, signal: AbortSignal): Promise<string> {
    return followLog(this.#endpoint, request, signal);
  }

  createStream(request: StreamRequest, signal: AbortSignal): Promise<Position> {
    return createStream(this.#endpoint, request, signal);
  }

  checkLoads({ taskId }: StreamRequest, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => checkLoads(client, taskId));
  }

  findStream(request: StreamRequest, signal: AbortSignal): Promise<Position | undefined> {
    return this.#clients.use(signal, (client) => findStream(client, this.#endpoint, request));
  }

  dropStream(request: StreamRequest, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => dropStream(client, request, signal));
  }

  noteKeeping(signal: AbortSignal): Promise<NoteKeeping> {
    return this.#clients.use(signal, (client) => noteKeeping(client, this.#endpoint));
  }

  keepNotes({ makes }: { readonly makes: boolean }, signal: AbortSignal): Promise<KeptNotes> {
    return this.#clients.use(signal, (client) => keepNotes(client, this.#endpoint, makes));
  }

  dropNotes({ taskId }: StreamRequest, signal: AbortSignal): Promise<void> {
    const { name } = streamObjects(this.#endpoint, taskId);
    return this.#clients.use(signal, (client) => dropNotes(client, name));
  }

  async describeNoted(notes: readonly SchemaNote[], signal: AbortSignal): Promise<readonly TableSchema[]> {
    const tables = await this.#clients.use(signal, (client) => describeNoted(client, notes));
    return tables.map((table) => withChoices(table, this.#choices));
  }

  checkStream(request: StreamRequest, signal: AbortSignal): Promise<void> {
    const objects = streamObjects(this.#endpoint, request.taskId);
    return this.#clients.use(signal, (client) => checkPublication(client, objects, request.tables));
  }

  checkTables(tables: readonly TableSchema[], signal: AbortSignal): Promise<readonly ShapedTable[]> {
    return this.#clients.use(signal, (client) => checkShapes(client, tables));
  }

  streamHealth({ taskId }: StreamRequest, signal: AbortSignal): Promise<StreamHealth | undefined> {
    const { name } = streamObjects(this.#endpoint, taskId);
    return this.#clients.use(signal, (client) => slotHealth(client, name));
  }

  async openChangeStream(request: ChangeStreamRequest, signal: AbortSignal): Promise<ChangeStream> {
    // Loaded for tasks that capture changes alone.
    const { openChangeStream } = await import("./log/change-stream.ts");
    return await this.#clients.use(signal, (client) =>
      openChangeStream(client, this.#endpoint, request, signal),
    );
  }

  /** There is one kind. */
  async stopPosition(position: Position): Promise<StopPosition> {
    return { position, compares: true };
  }

  async resolvePosition(position: Position): Promise<Position> {
    return position;
  }

  /** Commit times stand in the log, but nothing finds a place by them, and no slot goes back. */
  async positionAtTime({ timeMs }: TimeRequest): Promise<Position> {
    const time = new Date(timeMs).toISOString().slice(0, 19);
    throw new MigrationError("source.position_unavailable", {
      message: `PostgreSQL's log cannot be searched for a time such as ${time}.`,
      subject: time,
      remedy: "Give a position of the log (LSN) and the slot that has kept it (SlotName).",
    });
  }

  currentPosition(signal: AbortSignal): Promise<Position> {
    return this.#clients.use(signal, currentPosition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clients[Symbol.asyncDispose]();
  }
}
