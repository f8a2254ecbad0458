import type { StreamItem } from "../../../core/change-batch.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Finding } from "../../../core/finding.ts";
import type { Position } from "../../../core/position.ts";
import type { ChangeStream, ChangeStreamRequest } from "../../../core/source.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { zeroDatesText } from "../values/zero-dates.ts";
import { BinlogDecoder } from "./binlog-decoder.ts";
import { checkEvent, type Dump, HEARTBEAT_MS, openDump } from "./binlog-dump.ts";
import { logError } from "./binlog-errors.ts";
import { findPrepared } from "./binlog-look-back.ts";
import type { Pause } from "./binlog-pause.ts";
import { BINLOG_KIND, placeOf } from "./binlog-position.ts";
import type { KeptEvent } from "./binlog-prepared.ts";
import { StatementReach } from "./statement-reach.ts";
import type { NoteOptions } from "./table-notes.ts";

/** The rest of a small transaction makes one batch with its start, unless that has so many bytes already. */
const GATHERED_BYTES = 1 << 14;
/** A server that says nothing for so long while it is listened to is taken for gone. */
const SILENCE_MS = 12 * HEARTBEAT_MS;

export interface StreamOptions {
  /** Throws when the session is not at the server whose log is to be read. */
  readonly checkLog?: (client: Client) => Promise<void>;
}

/**
 * Opens the binary log after a position. The server keeps nothing for it: what is no longer in its files makes
 * `source.log_purged`.
 */
export async function openChangeStream(
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
  signal: AbortSignal,
  options: StreamOptions = {},
): Promise<ChangeStream> {
  const { taskId, after, tables } = request;
  const findsCopies = request.takes !== undefined;
  const dump = await openDump(endpoint, { taskId, after, tables, findsCopies, ...options }, signal);
  return new BinlogStream({ endpoint, dump, request, options, signal });
}

interface StreamParts {
  readonly endpoint: EndpointConfig;
  readonly dump: Dump;
  readonly request: ChangeStreamRequest;
  readonly options: StreamOptions;
  readonly signal: AbortSignal;
}

/**
 * The log as the consumer pulls it: what has arrived is decoded into batches of bounded size, and when the consumer
 * takes its time the socket is not read, so that what is not wanted yet stays in the server's files.
 */
class BinlogStream implements ChangeStream {
  readonly #endpoint: EndpointConfig;
  readonly #dump: Dump;
  readonly #request: ChangeStreamRequest;
  readonly #options: StreamOptions;
  readonly #decoder: BinlogDecoder;
  readonly #signal: AbortSignal;
  readonly #reach: StatementReach;
  /** Ends what is done beside the stream. */
  readonly #ending = new AbortController();
  readonly #watch: NodeJS.Timeout;
  /** The next bytes, while they are waited for. */
  #filling: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  /** Since when the server is listened to; undefined while it is not. */
  #listensSince: number | undefined;
  #probed = false;
  #disposed = false;
  /** The last position that was passed on. */
  #passed: Position;

  constructor({ endpoint, dump, request, options, signal }: StreamParts) {
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#dump = dump;
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
    this.#reach = new StatementReach(() => this.#openClient(), request.tables);
    this.#passed = request.after;
    this.#decoder = new BinlogDecoder({
      tables: request.tables,
      after: request.after,
      facts: dump.facts,
      notes: noteOptions(dump, request),
      hasChecksum: dump.hasChecksum,
      until: request.until === undefined ? undefined : placeOf(request.until),
    });
    this.#watch = setInterval(() => this.#checkSilence(), HEARTBEAT_MS);
    this.#watch.unref();
  }

  /** The server's files go when it has settled, whoever still reads them. */
  confirm(): void {}

  probe(): void {
    this.#probed = true;
    this.#wake?.();
  }

  findings(): readonly Finding[] {
    const { zeroDates, zeroDateCounts } = this.#dump.facts;
    return zeroDateCounts.findings("source.zero_date", zeroDatesText(zeroDates, " of changed rows"));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
    try {
      yield* this.#read();
    } catch (error) {
      if (this.#disposed) return;
      this.#signal.throwIfAborted();
      throw logError(error, this.#endpoint, this.#passed);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    clearInterval(this.#watch);
    this.#ending.abort();
    // The server sends on until it notices: there is nothing to say goodbye to.
    this.#dump.wire.destroy();
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<StreamItem> {
    const decoder = this.#decoder;
    const { packets } = this.#dump.wire;
    let gathered = 0;
    while (!this.#disposed) {
      while (packets.next()) {
        gathered += packets.end - packets.start;
        this.#packet();
        while (decoder.pause !== undefined || decoder.isFull) {
          if (decoder.pause !== undefined) {
            yield* this.#goOn(decoder.pause);
            continue;
          }
          yield* this.#batch();
          gathered = 0;
          decoder.resume();
        }
      }
      const isWhole = !decoder.inTransaction || gathered >= GATHERED_BYTES;
      // A probe is answered although the rest of a packet is on its way.
      const mayWait = packets.pending && gathered < GATHERED_BYTES && !this.#probed;
      if (isWhole && !mayWait) {
        yield* this.#batch();
        gathered = 0;
        const isAtPlace = decoder.passedPlace();
        const position = isAtPlace ? decoder.position : this.#heartbeat();
        if (position !== undefined) yield { kind: "heartbeat", position, isAtPlace };
      }
      if (this.#disposed) return;
      await this.#listen();
    }
  }

  *#batch(): Generator<StreamItem> {
    const batch = this.#decoder.take();
    if (batch === undefined) return;
    const last = batch.transactions.findLast(({ commits }) => commits);
    if (last !== undefined) this.#passed = last.position;
    yield { kind: "changes", batch };
  }

  /**
   * Where the log has come to, when somebody has asked, the server says that there is no more, or it lies behind
   * what the last batch has told.
   */
  #heartbeat(): Position | undefined {
    const decoder = this.#decoder;
    if (decoder.inTransaction) return undefined;
    const { position } = decoder;
    const heard = decoder.heard();
    const isBehind = position.kind === BINLOG_KIND && position.text !== this.#passed.text;
    if (!this.#probed && !heard && !isBehind) return undefined;
    this.#probed = false;
    this.#passed = position;
    return position;
  }

  /** Until more has arrived, or a probe wants an answer. */
  async #listen(): Promise<void> {
    this.#filling ??= this.#dump.wire.packets.fill();
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    if (this.#probed && !this.#decoder.inTransaction) woken.resolve();
    this.#listensSince ??= performance.now();
    const filled = this.#filling.then(() => {
      this.#filling = undefined;
      this.#listensSince = undefined;
    });
    // When a probe comes first, the error is the next call's.
    filled.catch(() => undefined);
    await Promise.race([filled, woken.promise]);
    this.#wake = undefined;
  }

  #packet(): void {
    const { packets } = this.#dump.wire;
    checkEvent(packets, this.#endpoint);
    this.#decoder.decode(packets.bytes, packets.start + 1, packets.end);
  }

  async #openClient(): Promise<Client> {
    const client = await connect(this.#endpoint, { side: "source", purpose: "tideway source" }, this.#signal);
    try {
      await this.#options.checkLog?.(client);
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  }

  /** Does what the decoder waits for, and lets it go on. */
  async *#goOn(pause: Pause): AsyncGenerator<StreamItem> {
    const { taskId, tables } = this.#request;
    const { checkLog } = this.#options;
    let prepared: readonly KeptEvent[] | undefined;
    if (pause.kind === "payload") await pause.fill();
    if (pause.kind === "prepared") {
      prepared = await findPrepared(this.#endpoint, { taskId, tables, ...pause, checkLog }, this.#signal);
    }
    if (pause.kind === "statement") {
      await this.#reach.check(pause.statement, pause.definitions);
    }
    if (pause.kind === "place") {
      yield* this.#batch();
      yield { kind: "heartbeat", position: pause.position, isAtPlace: true };
    }
    this.#decoder.resume(prepared);
  }

  #checkSilence(): void {
    if (this.#listensSince === undefined || performance.now() - this.#listensSince < SILENCE_MS) return;
    this.#dump.wire.destroy();
  }
}

/** How statements are followed that alter tables, where the consumer takes notes of them. */
function noteOptions(
  { definitions, copies }: Dump,
  { takes }: Pick<ChangeStreamRequest, "takes">,
): NoteOptions | undefined {
  return takes === undefined ? undefined : { definitions, copies, takes };
}
