import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError, TableOutcome } from "../../../core/error.ts";
import type { LargeObject } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import type { BulkFormat, RowChunk } from "../../../core/row-chunk.ts";
import type { BucketDigest, DigestForm, DigestRequest, RowHash } from "../../../core/row-digest.ts";
import type { RowTotals, TotalsRequest } from "../../../core/row-totals.ts";
import { type Column, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type {
  Partition,
  PartitionSize,
  ReadRequest,
  Snapshot,
  SnapshotRequest,
} from "../../../core/source.ts";
import { literal } from "../../shared/identifier.ts";
import { togetherOrAlone } from "../../shared/table-outcomes.ts";
import { openBulkSession } from "../connection/bulk-session.ts";
import { classify } from "../connection/errors.ts";
import { SessionPool } from "../connection/session-pool.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { bucketsSql, readBuckets, writesForm } from "../digest/digest-sql.ts";
import { type Digesting, readDigesting } from "../digest/digesting.ts";
import { sourceFormats } from "./bulk-format.ts";
import { copyOutSql, readColumns, rowConditions } from "./copy-out.ts";
import { readLargeObjects, readRest } from "./large-object-reader.ts";
import { partitionTables } from "./partition.ts";
import { rangeCondition, rangeSettings } from "./range-condition.ts";
import { SharedRows } from "./shared-rows.ts";
import { BEGIN_SNAPSHOT, giveUpStream, type Holder, isOfSnapshot, openHolder } from "./snapshot-holder.ts";
import {
  changedWhileRead,
  checkUnchanged,
  layoutQuery,
  readSourceTables,
  type SourceTable,
} from "./source-tables.ts";
import { TableCopy } from "./table-copy.ts";
import { readTotals, totalsSql } from "./totals-sql.ts";

/**
 * Opens a consistent view of a source. One connection, the holder, keeps it alive and does nothing
 * else until the snapshot is disposed; readers import it at the start of each of their transactions.
 * A stream that was created for a snapshot that then could not be opened is dropped again.
 */
export async function openSnapshot(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<Snapshot> {
  const holder = await openHolder(endpoint, request, signal);
  try {
    signal.throwIfAborted();
    const snapshot = new PostgresSnapshot(endpoint, holder);
    await snapshot.learn(request.tables, signal);
    return snapshot;
  } catch (error) {
    await holder.wire[Symbol.asyncDispose]();
    if (request.anchor === "new-stream") await giveUpStream(endpoint, request);
    throw signal.aborted ? signal.reason : error;
  }
}

class PostgresSnapshot implements Snapshot {
  readonly position: Position | undefined;
  readonly #holder: Holder;
  readonly #endpoint: EndpointConfig;
  readonly #sessions: SessionPool;
  #tables: ReadonlyMap<string, SourceTable> = new Map();
  readonly #shared = new Map<string, SharedRows>();
  /** Undefined until it matters. */
  #digesting: Digesting | undefined;

  constructor(endpoint: EndpointConfig, holder: Holder) {
    this.position = holder.position;
    this.#holder = holder;
    this.#endpoint = endpoint;
    this.#sessions = new SessionPool((signal) => openBulkSession(endpoint, "source", signal));
  }

  /** Notes what the tables are like in this snapshot. */
  async learn(tables: readonly TableSchema[], signal: AbortSignal): Promise<void> {
    await this.#transaction({ signal }, async (wire) => {
      this.#tables = await readSourceTables(wire, tables);
    });
  }

  async partition(
    tables: readonly TableSchema[],
    size: PartitionSize,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly Partition[]>[]> {
    const cut = (
      some: readonly TableSchema[],
      table?: TableId,
    ): Promise<TableOutcome<readonly Partition[]>[]> =>
      this.#transaction({ table, signal }, (wire) => partitionTables(wire, some, size));
    const outcomes = await togetherOrAlone(
      tables,
      (some) => cut(some),
      async (one) => (await cut([one], one.id))[0]!,
    );
    return outcomes;
  }

  bulkFormats(table: TableSchema, columns?: readonly number[]): readonly BulkFormat[] {
    const known = this.#tables.get(tableKey(table.id));
    const isTextual = ({ name }: Column): boolean => known?.textual.has(name) !== false;
    return sourceFormats(!readColumns(table, columns).some(isTextual));
  }

  async digests(request: DigestRequest, signal: AbortSignal): Promise<readonly BucketDigest[]> {
    const rows = await this.#answer(request, (where) => bucketsSql({ ...request, ...where }), signal);
    return readBuckets(rows, request.table.id);
  }

  digestsAs(column: Column, form: DigestForm): boolean {
    return writesForm(column, form);
  }

  async rowHashes(signal: AbortSignal): Promise<readonly RowHash[]> {
    this.#digesting ??= await this.#use({ signal }, readDigesting);
    return this.#digesting.hashes;
  }

  async totals(request: TotalsRequest, signal: AbortSignal): Promise<RowTotals> {
    const rows = await this.#answer(request, ({ conditions }) => totalsSql(request, conditions), signal);
    return readTotals(rows[0]!, request.columns);
  }

  async *read(request: ReadRequest, signal: AbortSignal): AsyncGenerator<RowChunk> {
    const { id } = request.table;
    const rows =
      request.partition.by === "share" ? this.#share(request, signal) : this.#readAlone(request, signal);
    let started = false;
    try {
      for await (const chunk of rows) {
        started = true;
        yield chunk;
      }
    } catch (error) {
      throw signal.aborted
        ? signal.reason
        : this.#classify(error, started || !isOfSnapshot(error) ? id : undefined);
    }
  }

  async *#readAlone(request: ReadRequest, signal: AbortSignal): AsyncGenerator<RowChunk> {
    const copy = await this.#copy(request, { stopsAtRows: false, signal });
    try {
      for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) yield chunk;
    } finally {
      copy.discard();
    }
  }

  /** The first share that is read starts the scan for all shares of its table. */
  #share(request: ReadRequest, signal: AbortSignal): AsyncGenerator<RowChunk> {
    const key = tableKey(request.table.id);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = new SharedRows(request.format, () => this.#copy(request, { stopsAtRows: true, signal }));
      this.#shared.set(key, shared);
    }
    return shared.read();
  }

  /**
   * Each COPY is a transaction of its own, so that no table stays locked longer than it is read. All of
   * it is one round trip: small tables take little else.
   */
  async #copy(
    request: ReadRequest,
    { stopsAtRows, signal }: { readonly stopsAtRows: boolean; readonly signal: AbortSignal },
  ): Promise<TableCopy> {
    const { id } = request.table;
    const before = this.#known(id);
    const session = await this.#lend(signal);
    try {
      const { wire } = session;
      const { range, conditions } = await this.#where(wire, request);
      const statements = [
        this.#beginSql(),
        ...rangeSettings(range),
        copyOutSql(request, conditions),
        "commit",
        layoutQuery(id, before),
      ];
      const rows = wire.copyOut(statements.join("; "), request.format, { stopsAtRows });
      return new TableCopy(session, rows, (shape) => checkUnchanged(id, before, shape));
    } catch (error) {
      session.discard();
      throw error;
    }
  }

  /** What a query finds about the rows of a partition, in which the server gathers numbers of all of them. */
  async #answer(
    request: WantedRows,
    sql: (where: Where) => string,
    signal: AbortSignal,
  ): Promise<readonly (readonly (string | null)[])[]> {
    const { table, partition } = request;
    if (partition.by === "share") throw new RangeError("a share has no rows of its own");
    const { id } = table;
    const before = this.#known(id);
    const { rows } = await this.#transaction({ table: id, signal }, async (wire) => {
      const where = await this.#where(wire, request);
      return await wire.query([...rangeSettings(where.range), CHEAP_GATHERING, sql(where)].join("; "));
    });
    const now = await this.#use({ table: id, signal }, (wire) => wire.query(layoutQuery(id, before)));
    checkUnchanged(id, before, now);
    return rows;
  }

  #known(id: TableId): SourceTable {
    const known = this.#tables.get(tableKey(id));
    if (known === undefined) throw changedWhileRead(id);
    return known;
  }

  async #where(wire: WireSession, request: WantedRows): Promise<Where> {
    const range = await rangeCondition(wire, request.table, request.partition);
    this.#digesting ??= await readDigesting(wire);
    const { isUtf8 } = this.#digesting;
    return { range, isUtf8, conditions: rowConditions(request, { range, isUtf8 }) };
  }

  largeObjects(after: string, signal: AbortSignal): Promise<readonly LargeObject[]> {
    return this.#transaction({ signal }, (wire) => readLargeObjects(wire, after));
  }

  async *readLargeObject(id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const session = await this.#lend(signal);
    try {
      await this.#begin(session.wire);
      yield* readRest(session.wire, id);
      await session.wire.query("commit");
      await session.giveBack();
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#classify(error, undefined);
    } finally {
      // Whoever reads may have stopped halfway.
      session.discard();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
    await this.#holder.wire[Symbol.asyncDispose]();
  }

  #transaction<Result>(context: Use, work: (wire: WireSession) => Promise<Result>): Promise<Result> {
    return this.#use(context, async (wire) => {
      await this.#begin(wire);
      const result = await work(wire);
      await wire.query("commit");
      return result;
    });
  }

  async #use<Result>({ table, signal }: Use, work: (wire: WireSession) => Promise<Result>): Promise<Result> {
    const session = await this.#lend(signal);
    try {
      const result = await work(session.wire);
      await session.giveBack();
      return result;
    } catch (error) {
      session.discard();
      throw signal.aborted ? signal.reason : this.#classify(error, table);
    }
  }

  async #lend(signal: AbortSignal): ReturnType<SessionPool["lend"]> {
    try {
      return await this.#sessions.lend(signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#classify(error, undefined);
    }
  }

  #beginSql(): string {
    return `${BEGIN_SNAPSHOT}; set transaction snapshot ${literal(this.#holder.name)}`;
  }

  /** The server forgets an exported snapshot as soon as the connection is gone that exported it. */
  async #begin(wire: WireSession): Promise<void> {
    try {
      await wire.query(this.#beginSql());
    } catch (error) {
      throw this.#classify(error, undefined);
    }
  }

  #classify(error: unknown, table: TableId | undefined): MigrationError {
    const context = { side: "source", endpoint: this.#endpoint } as const;
    return classify(error, table === undefined ? context : { ...context, table });
  }
}

/** What a session of a snapshot is lent for. */
interface Use {
  readonly table?: TableId | undefined;
  readonly signal: AbortSignal;
}

type WantedRows = Pick<ReadRequest, "table" | "partition" | "filter" | "digested">;

interface Where {
  /** The condition of the partition. */
  readonly range: string | undefined;
  readonly isUtf8: boolean;
  /** That and all others. */
  readonly conditions: readonly string[];
}

/** Numbers pass from several workers to one; by default the planner thinks of rows, and has one do all the work. */
const CHEAP_GATHERING = "set local parallel_tuple_cost = 0";
