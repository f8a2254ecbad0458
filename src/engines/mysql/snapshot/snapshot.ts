import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError, type TableOutcome } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import type { LargeObject } from "../../../core/large-object.ts";
import type { Position } from "../../../core/position.ts";
import type { BulkFormat, RowChunk } from "../../../core/row-chunk.ts";
import type { BucketDigest, DigestForm, DigestRequest, RowHash } from "../../../core/row-digest.ts";
import type { RowTotals, TotalsRequest } from "../../../core/row-totals.ts";
import { type Column, displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type {
  Partition,
  PartitionSize,
  ReadRequest,
  Snapshot,
  SnapshotRequest,
} from "../../../core/source.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { namedRows } from "../connection/named-rows.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { bucketsSql, chosenSql, ROW_HASHES, readBuckets, writesForm } from "../digest/digest-sql.ts";
import { ValueCounts } from "../values/value-counts.ts";
import { ZeroDateRule, type ZeroDates, zeroDatesOf, zeroDatesText } from "../values/zero-dates.ts";
import { BinaryForm, hasBinaryForm } from "./binary-form.ts";
import { CharacterCheck } from "./character-check.ts";
import type { Ask } from "./cut-ranges.ts";
import { seesRows } from "./filled-tables.ts";
import { filterCondition } from "./filter-condition.ts";
import { partitionTable } from "./partition.ts";
import { partsByRule } from "./parts-by-rule.ts";
import { rangeCondition } from "./range-condition.ts";
import { rangeKey } from "./range-key.ts";
import { readColumns } from "./read-columns.ts";
import { RELEASE, RowRead } from "./row-read.ts";
import { SnapshotSessions } from "./snapshot-sessions.ts";
import { type StartedSnapshot, startSnapshot } from "./snapshot-start.ts";
import { TextForm } from "./text-form.ts";
import { readTotals, totalsSql } from "./totals-sql.ts";

const TEXT_ONLY: readonly BulkFormat[] = ["pg-copy-text"];
const BINARY_FIRST: readonly BulkFormat[] = ["pg-copy-binary", "pg-copy-text"];

/** Opens a consistent view of a source: several sessions that show the same moment, or moments within bounds. */
export async function openSnapshot(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<Snapshot> {
  return new MysqlSnapshot(endpoint, await startSnapshot(endpoint, request, signal));
}

class MysqlSnapshot implements Snapshot {
  readonly position: Position | undefined;
  readonly upTo: Position | undefined;
  readonly #endpoint: EndpointConfig;
  readonly #sessions: SnapshotSessions;
  readonly #zeroDates: ZeroDates;
  /** See StartedSnapshot. */
  readonly #filled: ReadonlySet<string>;
  readonly #zeroDateCounts = new ValueCounts();

  constructor(endpoint: EndpointConfig, { sessions, position, upTo, filled }: StartedSnapshot) {
    this.position = position;
    this.upTo = upTo;
    this.#endpoint = endpoint;
    this.#sessions = new SnapshotSessions(endpoint, sessions);
    this.#filled = filled;
    this.#zeroDates = zeroDatesOf(endpoint);
  }

  async partition(
    tables: readonly TableSchema[],
    size: PartitionSize,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly Partition[]>[]> {
    const outcomes: TableOutcome<readonly Partition[]>[] = [];
    for (const table of tables) {
      try {
        outcomes.push(await this.#cut(table, size, signal));
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const classified = this.#classify(error, table.id);
        if (classified.scope !== "table") throw classified;
        outcomes.push(classified);
      }
    }
    return outcomes;
  }

  bulkFormats(table: TableSchema, columns?: readonly number[]): readonly BulkFormat[] {
    return columns?.length !== 0 && hasBinaryForm(readColumns(table, columns)) ? BINARY_FIRST : TEXT_ONLY;
  }

  async digests(request: DigestRequest, signal: AbortSignal): Promise<readonly BucketDigest[]> {
    const found = await this.#gathered(request, (rows) => bucketsSql(request, rows), signal);
    return readBuckets(found, request.table.id);
  }

  digestsAs(column: Column, form: DigestForm): boolean {
    return writesForm(column, form);
  }

  async rowHashes(): Promise<readonly RowHash[]> {
    return ROW_HASHES;
  }

  async totals(request: TotalsRequest, signal: AbortSignal): Promise<RowTotals> {
    const zeroDates = this.#zeroDates;
    const found = await this.#gathered(request, (rows) => totalsSql(request, rows, zeroDates), signal);
    return readTotals(found[0]!, request.columns);
  }

  async *read(request: ReadRequest, signal: AbortSignal): AsyncGenerator<RowChunk> {
    const { id } = request.table;
    const columns = readColumns(request.table, request.columns);
    const list = columns.map(({ expression }) => expression).join(", ");
    const sql = `select ${list} from ${rowsSql(request, this.#zeroDates)}`;
    const wire = await this.#sessions.lend(signal);
    const cut = (): void => wire.destroy();
    signal.addEventListener("abort", cut, { once: true });
    const zeroDates = new ZeroDateRule(id, columns, this.#zeroDates);
    const isBinary = request.format === "pg-copy-binary";
    const plain = isBinary ? new BinaryForm(columns, zeroDates) : new TextForm(columns, zeroDates);
    const check = columns.some(({ isChecked }) => isChecked)
      ? new CharacterCheck(plain, id, columns)
      : undefined;
    let rows: RowRead | undefined;
    let isDone = false;
    try {
      rows = await RowRead.start(wire, sql, check ?? plain);
      for (;;) {
        const chunk = await rows.next();
        const error = zeroDates.error ?? check?.error;
        if (error !== undefined) throw error;
        if (chunk === undefined) break;
        yield chunk;
      }
      const isTruncated = await this.#isTruncated(wire, id);
      isDone = true;
      if (isTruncated) throw truncated(id);
    } catch (error) {
      // After an error of the server the session is as good as before.
      isDone ||= isOfServer(error);
      throw signal.aborted ? signal.reason : this.#classify(error, id);
    } finally {
      signal.removeEventListener("abort", cut);
      this.#zeroDateCounts.add(id, zeroDates.count);
      if (isDone) this.#sessions.giveBack(wire);
      else if (rows === undefined || signal.aborted) this.#sessions.discard(wire);
      else this.#sessions.stop(wire, rows);
    }
  }

  findings(): readonly Finding[] {
    return this.#zeroDateCounts.findings("source.zero_date", zeroDatesText(this.#zeroDates));
  }

  /** The server has none. */
  async largeObjects(): Promise<readonly LargeObject[]> {
    return [];
  }

  readLargeObject(): AsyncIterable<Uint8Array> {
    return ReadableStream.from<Uint8Array>([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  /** A session is lent when the first question comes, and gives the table free after the last. */
  async #cut(table: TableSchema, size: PartitionSize, signal: AbortSignal): Promise<readonly Partition[]> {
    let wire: WireSession | undefined;
    let isUsable = true;
    const ask: Ask = async (sql) => {
      wire ??= await this.#sessions.lend(signal);
      try {
        return await namedRows(wire, sql);
      } catch (error) {
        isUsable = isOfServer(error);
        throw error;
      }
    };
    try {
      const load = size.parallelLoads?.get(tableKey(table.id));
      return load === undefined
        ? await partitionTable(ask, table, size)
        : await partsByRule(ask, table, load);
    } finally {
      if (wire !== undefined) await this.#release(wire, isUsable);
    }
  }

  /** What a query finds about the rows of a partition, in which the server gathers numbers of all of them. */
  async #gathered(
    request: WantedRows,
    sql: (rows: string) => string,
    signal: AbortSignal,
  ): ReturnType<typeof namedRows> {
    const { table, partition } = request;
    if (partition.by === "share") throw new RangeError("a share has no rows of its own");
    try {
      return await this.#answer(sql(rowsSql(request, this.#zeroDates)), table.id, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#classify(error, table.id);
    }
  }

  /** Rows of a query that takes its time, about one table: the server ends it when nobody wants them any more. */
  async #answer(sql: string, id: TableId, signal: AbortSignal): ReturnType<typeof namedRows> {
    const wire = await this.#sessions.lend(signal);
    const cut = (): void => wire.destroy();
    signal.addEventListener("abort", cut, { once: true });
    let isUsable = false;
    try {
      const rows = await namedRows(wire, sql);
      const isTruncated = await this.#isTruncated(wire, id);
      isUsable = true;
      if (isTruncated) throw truncated(id);
      return rows;
    } catch (error) {
      isUsable ||= isOfServer(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", cut);
      await this.#release(wire, isUsable);
    }
  }

  async #isTruncated(wire: WireSession, id: TableId): Promise<boolean> {
    return this.#filled.has(tableKey(id)) && !(await seesRows(wire, id));
  }

  async #release(wire: WireSession, isUsable: boolean): Promise<void> {
    try {
      if (!isUsable) throw new Error("not usable");
      await wire.query(RELEASE);
      this.#sessions.giveBack(wire);
    } catch {
      this.#sessions.discard(wire);
    }
  }

  #classify(error: unknown, table: TableId): MigrationError {
    return classify(error, { side: "source", endpoint: this.#endpoint, table });
  }
}

type WantedRows = Pick<ReadRequest, "table" | "partition" | "filter" | "digested">;

function rowsSql({ table, partition, filter, digested }: WantedRows, zeroDates: ZeroDates): string {
  const range = rangeCondition(table, partition);
  const conditions = [
    ...(range === undefined ? [] : [range]),
    ...(filter === undefined ? [] : [filterCondition(filter, table, zeroDates)]),
    ...(digested === undefined ? [] : [chosenSql(table, digested)]),
  ];
  const stored =
    partition.by === "stored" ? ` partition (${partition.from!.map(identifier).join(", ")})` : "";
  const name = `${qualified(table.id)}${stored}`;
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  if (range === undefined) return `${name}${where}`;
  // A range is read by its index, whatever statistics make of a scan of all.
  const key = rangeKey(table);
  const isCutBy = key?.columns[0]?.name === partition.columns?.[0];
  const hint = key !== undefined && isCutBy ? ` force index (${identifier(key.index)})` : "";
  return `${name}${hint}${where}`;
}

function truncated(id: TableId): MigrationError {
  return new MigrationError("source.table_rewritten", {
    message: "The table was truncated while it was read.",
    subject: displayTable(id),
    table: id,
  });
}

function isOfServer(error: unknown): boolean {
  return serverFields(error) !== undefined;
}
