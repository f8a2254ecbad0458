import { failpoint } from "../../../base/failpoint.ts";
import type { StreamItem } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { lsnOfHalves, lsnValue } from "../catalog/lsn.ts";
import { readServerError } from "../connection/server-error.ts";
import { Message } from "../connection/wire-message.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { type PgoutputDecoder, SERVER_EPOCH_MS } from "./pgoutput.ts";
import { ReadPace } from "./read-pace.ts";

/** Messages inside CopyData (protocol manual, "Streaming Replication Protocol"). */
const XLOG_DATA = 0x77;
const XLOG_DATA_HEADER = 25;
const KEEPALIVE = 0x6b;
const KEEPALIVE_LENGTH = 18;
const STATUS_UPDATE = 0x72;
const STATUS_LENGTH = 34;

/** A confirmation travels at once unless one did within this time; the server then writes its slot. */
const CONFIRM_INTERVAL_MS = 200;

/** A server that has said nothing for so long is asked to, so that silence means something; see SessionWatch. */
const QUIET_MS = 10_000;

/** A transaction that has gathered so much is passed on before its end has come. */
const GATHERED_BYTES = 1 << 14;

const UNDEFINED_OBJECT = "42704";

export interface LiveStreamParts {
  /** In CopyBoth mode. */
  readonly wire: WireSession;
  readonly decoder: PgoutputDecoder;
  readonly statusIntervalMs: number;
  /** Everything up to here was passed on before. */
  readonly after: Position;
}

/**
 * The replication stream as the consumer pulls it. Everything that lies in one buffer from the socket
 * becomes one batch; the next buffer is taken when the consumer asks for more, so unread log stays
 * with the server. Status updates are sent on a timer of their own: a consumer that takes its time
 * does not make the server give up.
 */
export class LiveStream implements AsyncDisposable {
  readonly #parts: LiveStreamParts;
  readonly #timer: NodeJS.Timeout;
  readonly #pace = new ReadPace();
  #confirmed = 0n;
  #sentAt = -Infinity;
  #heardAt = performance.now();
  #disposed = false;
  /** End of log of the last keepalive, until it has been passed on. */
  #walEnd: bigint | undefined;
  /** The last position that was passed on; heartbeats never go behind it. */
  #passed: bigint;
  #replyWanted = false;

  constructor(parts: LiveStreamParts) {
    this.#parts = parts;
    this.#passed = lsnValue(parts.after);
    this.#timer = setInterval(() => {
      this.#sendStatus(performance.now() - this.#heardAt >= QUIET_MS);
    }, parts.statusIntervalMs);
    this.#timer.unref();
  }

  confirm(position: Position): void {
    const value = lsnValue(position);
    if (value <= this.#confirmed) return;
    this.#confirmed = value;
    if (performance.now() - this.#sentAt >= CONFIRM_INTERVAL_MS) this.#sendStatus(false);
  }

  probe(): void {
    this.#sendStatus(true);
  }

  async *read(): AsyncGenerator<StreamItem> {
    const { decoder, wire } = this.#parts;
    const { messages } = wire;
    while (!this.#disposed) {
      while (messages.advance()) this.#message();
      if (this.#replyWanted) this.#sendStatus(false);
      // Each message may come by itself: the rest of a small transaction makes one batch with its start.
      if (decoder.inTransaction && messages.bytes.length < GATHERED_BYTES) {
        await messages.extend();
        this.#heardAt = performance.now();
        continue;
      }
      const batch = decoder.take(messages.bytes);
      if (batch !== undefined) {
        const last = batch.transactions.at(-1)!;
        if (last.commits) this.#passed = lsnValue(last.position);
        yield { kind: "changes", batch };
      }
      const position = this.#heartbeat();
      if (position !== undefined) yield { kind: "heartbeat", position };
      if (wire.gulp(this.#pace.busy)) await this.#pace.rest();
      this.#pace.took(messages.bytes.length);
      await messages.fill();
      this.#heardAt = performance.now();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    // What is durable is worth one more message: the next reader starts there.
    this.#sendStatus(false);
    this.#disposed = true;
    clearInterval(this.#timer);
    await this.#parts.wire[Symbol.asyncDispose]();
  }

  #message(): void {
    const { messages } = this.#parts.wire;
    const { bytes, bodyStart, bodyEnd } = messages;
    switch (messages.type) {
      case Message.copyData:
        this.#copyData(bytes, bodyStart, bodyEnd);
        break;
      case Message.error: {
        const error = readServerError(bytes, bodyStart, bodyEnd);
        if (error.fields.code !== UNDEFINED_OBJECT) throw error;
        // Nothing else than the publication is looked up by name while the stream runs.
        throw new MigrationError("source.publication_missing", {
          message: "The task's publication did not exist when these changes were made.",
          nativeCode: UNDEFINED_OBJECT,
          cause: error,
        });
      }
      case Message.copyDone:
      case Message.commandComplete:
        throw new MigrationError("connect.lost", { message: "The source ended the change stream." });
    }
  }

  #copyData(bytes: Buffer, start: number, end: number): void {
    const kind = start < end ? bytes[start] : undefined;
    if (kind === XLOG_DATA && end - start > XLOG_DATA_HEADER) {
      this.#parts.decoder.decode(bytes, start + XLOG_DATA_HEADER, end);
    } else if (kind === KEEPALIVE && end - start >= KEEPALIVE_LENGTH) {
      this.#walEnd = bytes.readBigUInt64BE(start + 1);
      if (bytes[start + 17] === 1) this.#replyWanted = true;
    } else {
      throw new MigrationError("source.protocol", {
        message: "The change stream is malformed: unknown frame.",
      });
    }
  }

  /**
   * The end of log that the server has told, when all before it has been passed on. Inside a
   * transaction there is none; a position that was passed already is worth repeating, because it
   * answers a probe.
   */
  #heartbeat(): Position | undefined {
    const walEnd = this.#walEnd;
    if (walEnd === undefined || this.#parts.decoder.inTransaction) return undefined;
    this.#walEnd = undefined;
    if (walEnd < this.#passed) return undefined;
    this.#passed = walEnd;
    return lsnOfHalves(Number(walEnd >> 32n), Number(walEnd & 0xffffffffn));
  }

  /** Standby status update: written, flushed and applied are all what was confirmed, never more. */
  #sendStatus(replyRequested: boolean): void {
    if (this.#disposed) return;
    this.#replyWanted = false;
    this.#sentAt = performance.now();
    const message = Buffer.alloc(5 + STATUS_LENGTH);
    message[0] = Message.copyData;
    message.writeInt32BE(4 + STATUS_LENGTH, 1);
    message[5] = STATUS_UPDATE;
    for (const at of [6, 14, 22]) message.writeBigUInt64BE(this.#confirmed, at);
    message.writeBigInt64BE(BigInt(Date.now() - SERVER_EPOCH_MS) * 1000n, 30);
    message[38] = replyRequested ? 1 : 0;
    // A broken connection shows itself to the reader.
    this.#parts.wire.send(message).catch(() => undefined);
    if (this.#confirmed > 0n) failpoint("stream.confirmed");
  }
}
