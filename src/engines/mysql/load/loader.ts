import { CopyFrames } from "../../../core/copy-frames.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import { displayTable } from "../../../core/schema.ts";
import type { Loader, LoadRequest } from "../../../core/target.ts";
import { markPartitionDoneSql } from "../apply/journal-sql.ts";
import type { Client } from "../connection/client.ts";
import { classify } from "../connection/errors.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import type { LoadColumns } from "./load-columns.ts";
import type { LentSession } from "./load-sessions.ts";
import type { RowWriter } from "./row-writer.ts";

export interface OpenLoad {
  readonly session: LentSession;
  readonly request: LoadRequest;
  readonly columns: LoadColumns;
  readonly writer: RowWriter;
  /** Gives back the lock by which the session is found. */
  readonly unlock: string;
  /** Of values that have come as others. */
  readonly counts: ValueCounts;
  readonly endpoint: EndpointConfig;
  readonly signal: AbortSignal;
}

/** One transaction: the rows, then the partition's completion in the journal. */
export class MysqlLoader implements Loader {
  readonly #load: OpenLoad;
  readonly #client: Client;
  readonly #frames = new CopyFrames();
  /** Rows that were given to the server. */
  #rows = 0;

  constructor(load: OpenLoad) {
    this.#load = load;
    this.#client = load.session.client;
  }

  async write(chunk: RowChunk): Promise<void> {
    const { writer } = this.#load;
    try {
      writer.begin(chunk.bytes.length);
      this.#frames.walk(chunk.bytes, writer);
      chunk.release?.();
      this.#rows += chunk.rows;
      await writer.send(this.#rows);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async finish(): Promise<{ readonly rows: number }> {
    const { session, writer, request, unlock, counts } = this.#load;
    try {
      await writer.finish(this.#rows);
      const { affectedRows } = await this.#client.execute(markPartitionDoneSql(request, this.#rows));
      if (affectedRows !== 1) throw taken(request);
      await this.#client.execute(`commit; ${unlock}`);
      session.giveBack();
      counts.add(request.plan.source.id, writer.replaced);
      return { rows: this.#rows };
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load.session.discard();
  }

  #failed(error: unknown): unknown {
    const { session, signal, endpoint, request } = this.#load;
    session.discard();
    return signal.aborted ? signal.reason : loadError(error, endpoint, request);
  }
}

export function loadError(error: unknown, endpoint: EndpointConfig, request: LoadRequest): MigrationError {
  return classify(error, { side: "target", endpoint, table: request.plan.source.id, phase: "load" });
}

/** The journal has no such partition that waits to be loaded. */
export function taken(request: LoadRequest): MigrationError {
  const { id } = request.plan.source;
  return new MigrationError("load.partition_taken", {
    message: `Partition ${request.partition.id} of ${displayTable(id)} is not waiting to be loaded any more.`,
    subject: displayTable(id),
    table: id,
  });
}
