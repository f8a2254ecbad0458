import {
  type ChangeBatch,
  type Misfit,
  OP_WIDTH,
  Op,
  type StreamItem,
  UNCHANGED_CELL,
} from "../../src/core/change-batch.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Position } from "../../src/core/position.ts";
import { type TableSchema, tableKey } from "../../src/core/schema.ts";
import type { ChangeStream } from "../../src/core/source.ts";
import { describe, listTables } from "../../src/engines/mysql/catalog/catalog.ts";
import type { Client } from "../../src/engines/mysql/connection/client.ts";
import { connect } from "../../src/engines/mysql/connection/connection.ts";
import { positionCodec } from "../../src/engines/mysql/log/binlog-position.ts";
import { openChangeStream } from "../../src/engines/mysql/log/change-stream.ts";
import { currentPosition } from "../../src/engines/mysql/log/log-state.ts";
import type { MysqlServer } from "./mysql-server.ts";
import { never } from "./replication.ts";

/** A database of its own whose log is read. */
export class BinlogSource implements AsyncDisposable {
  readonly server: MysqlServer;
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly client: Client;
  tables: readonly TableSchema[] = [];

  private constructor(server: MysqlServer, endpoint: EndpointConfig, client: Client) {
    this.server = server;
    this.database = endpoint.database;
    this.endpoint = endpoint;
    this.client = client;
  }

  static async make(
    server: MysqlServer,
    schema: string,
    settings: EndpointConfig["settings"] = {},
  ): Promise<BinlogSource> {
    const endpoint = server.endpoint(await server.createDatabase("log"), settings);
    await server.query(schema, endpoint.database);
    const client = await connect(endpoint, { side: "source", purpose: "test" }, never);
    const source = new BinlogSource(server, endpoint, client);
    await source.describe();
    return source;
  }

  async describe(): Promise<void> {
    const ids = await listTables(this.client, this.endpoint);
    this.tables = (await describe(this.client, ids, { booleans: false, timesOfDay: false })).tables;
  }

  query(sql: string): ReturnType<MysqlServer["query"]> {
    return this.server.query(sql, this.database);
  }

  queryAndLeave(sql: string): Promise<void> {
    return this.server.queryAndLeave(sql, this.database);
  }

  position(): Promise<Position> {
    return currentPosition(this.client);
  }

  open(after: Position, tables = this.tables): Promise<ChangeStream> {
    return openChangeStream(this.endpoint, { taskId: this.database, tables, after }, never);
  }

  /** Everything that the log holds between a position and its end now. */
  async read(after: Position, tables = this.tables): Promise<ReadLog> {
    const goal = await this.position();
    await using stream = await this.open(after, tables);
    const log = new ReadLog();
    await log.read(stream, goal);
    return log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
  }
}

export type CellText = string | null | undefined;

export interface ReadTransaction {
  readonly id: string;
  readonly position: Position;
  readonly committedAtMs: number;
  readonly ops: ReadOp[];
}

export interface ReadOp {
  readonly kind: Op;
  readonly table: TableSchema;
  /** Texts; null for NULL, undefined for what was not sent. */
  readonly before: readonly CellText[] | undefined;
  readonly after: readonly CellText[] | undefined;
}

/** What a stream has told, with the pieces of transactions put together. */
export class ReadLog {
  readonly transactions: ReadTransaction[] = [];
  /** Those whose pieces were told before the source took them back. */
  readonly takenBack: ReadTransaction[] = [];
  readonly misfits: Misfit[] = [];
  readonly heartbeats: Position[] = [];
  pieces = 0;
  #isOpen = false;
  #items: AsyncIterator<StreamItem> | undefined;

  /** Reads until everything up to `goal` has come; called again, it reads on. */
  async read(stream: ChangeStream, goal: Position): Promise<void> {
    this.#items ??= stream[Symbol.asyncIterator]();
    const probe = setInterval(() => stream.probe(), 20);
    try {
      for (;;) {
        const { value: item, done } = await this.#items.next();
        if (done === true) break;
        let position: Position | undefined;
        if (item.kind === "heartbeat") {
          this.heartbeats.push(item.position);
          position = item.position;
        } else {
          this.#add(item.batch);
          position = item.batch.transactions.findLast(({ commits }) => commits)?.position;
        }
        if (position !== undefined && (positionCodec.compare(position, goal) ?? -1) >= 0) return;
      }
    } finally {
      clearInterval(probe);
    }
    throw new Error(`the stream ended before ${goal.text}`);
  }

  get ops(): readonly ReadOp[] {
    return this.transactions.flatMap(({ ops }) => ops);
  }

  #add(batch: ChangeBatch): void {
    this.misfits.push(...(batch.misfits ?? []));
    for (const transaction of batch.transactions) {
      const { start, end, begins, commits, takenBack, position, id, committedAtMs } = transaction;
      this.pieces++;
      if (begins === this.#isOpen) throw new Error("a transaction begins inside another");
      if (begins) this.transactions.push({ id, position, committedAtMs, ops: [] });
      const last = this.transactions.at(-1)!;
      if (last.position.text !== position.text) throw new Error("a piece of another transaction");
      for (let op = start; op < end; op++) last.ops.push(readOp(batch, op));
      if (takenBack === true) this.takenBack.push(this.transactions.pop()!);
      this.#isOpen = !commits && takenBack !== true;
    }
  }
}

function readOp(batch: ChangeBatch, op: number): ReadOp {
  const [kind, index, before, after] = batch.ops.subarray(op * OP_WIDTH, (op + 1) * OP_WIDTH);
  const table = batch.tables[index!]!;
  const row = (at: number): readonly CellText[] | undefined =>
    at < 0 ? undefined : table.columns.map((_, i) => cellText(batch, at + 2 * i));
  return { kind: kind as Op, table, before: row(before!), after: row(after!) };
}

function cellText({ bytes, cells }: ChangeBatch, cell: number): CellText {
  const start = cells[cell]!;
  if (start === UNCHANGED_CELL) return undefined;
  return start < 0 ? null : Buffer.from(bytes.subarray(start, cells[cell + 1]!)).toString();
}

/** Rows of tables with a key as the changes leave them. Throws where a change does not fit what came before. */
export class LogRows {
  readonly #tables = new Map<string, Map<string, readonly CellText[]>>();

  rows(table: TableSchema): ReadonlyMap<string, readonly CellText[]> {
    return this.#of(table);
  }

  apply(ops: readonly ReadOp[]): void {
    for (const { kind, table, before, after } of ops) {
      const rows = this.#of(table);
      const keyOf = (row: readonly CellText[]): string =>
        JSON.stringify(table.key.map((ordinal) => row[ordinal]));
      if (kind === Op.truncate) rows.clear();
      if (kind === Op.insert) {
        if (rows.has(keyOf(after!))) throw new Error(`inserted twice: ${keyOf(after!)}`);
        rows.set(keyOf(after!), after!);
      }
      if (kind === Op.update || kind === Op.delete) {
        const key = keyOf(before ?? after!);
        const old = rows.get(key);
        if (old === undefined) throw new Error(`changed and not there: ${key}`);
        rows.delete(key);
        if (kind === Op.update) {
          const row = after!.map((cell, i) => (cell === undefined ? old[i] : cell));
          rows.set(keyOf(row), row);
        }
      }
    }
  }

  #of({ id }: TableSchema): Map<string, readonly CellText[]> {
    let rows = this.#tables.get(tableKey(id));
    if (rows === undefined) {
      rows = new Map();
      this.#tables.set(tableKey(id), rows);
    }
    return rows;
  }
}
