import type { Socket } from "node:net";
import { MigrationError } from "../../../core/error.ts";
import type { BulkFormat, RowChunk } from "../../../core/row-chunk.ts";
import { connectionLost, drained, SocketReader } from "../../shared/connection/socket-reader.ts";
import { CopyFrames } from "./copy-frames.ts";
import { MessageReader } from "./message-reader.ts";
import { isFatal, readServerError, type ServerError } from "./server-error.ts";
import { COPY_DONE, isAside, Message, queryMessage, readTextRow } from "./wire-message.ts";

export interface QueryResult {
  /** Text values of the last statement that returned rows. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** Command tag of the last statement, e.g. "UPDATE 3". */
  readonly tag: string;
}

/** Bytes of a COPY as the server sent them. */
export interface CopyChunk extends RowChunk {
  /** The last row goes on in the next chunk. */
  readonly cut: boolean;
}

/**
 * A session on a socket that the driver has connected, secured and authenticated, speaking the
 * protocol's messages directly: COPY in both directions without touching rows, pipelined statements,
 * and the replication stream. One operation at a time.
 */
export class WireSession implements AsyncDisposable {
  readonly messages: MessageReader;
  /** Set by an owner who reads all the time: whether the server owes something that has been asked for. */
  expects: () => boolean = () => true;
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #close: () => Promise<void>;

  readonly #mayGulp: boolean;
  #arrivedBytes = 0;

  /** `mayGulp`: the socket stops reading as soon as it is paused; see SocketReader. */
  constructor(socket: Socket, options: { readonly mayGulp: boolean; readonly close: () => Promise<void> }) {
    this.#socket = socket;
    this.#mayGulp = options.mayGulp;
    this.#reader = new SocketReader(socket);
    this.messages = new MessageReader(this.#reader);
    this.#close = options.close;
  }

  /** Reads only what is asked for from now on, or again all that comes. False where the socket cannot do so. */
  gulp(gulps: boolean): boolean {
    this.#reader.gulps = gulps && this.#mayGulp;
    return gulps && this.#mayGulp;
  }

  /** True while something that was asked for has not come and would be taken. */
  get awaits(): boolean {
    return this.#reader.waiting && this.expects();
  }

  /** See WatchedSession; of operations whose end was waited for here. */
  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  /**
   * Queues bytes that are whole messages or pieces of them. Resolves when more may be sent. Many go piece by
   * piece, so that it shows whether they get on.
   */
  async send(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    for (; rest.length > PIECE; rest = rest.subarray(PIECE)) await this.#write(rest.subarray(0, PIECE), true);
    await this.#write(rest, true);
  }

  /**
   * Like send(), but the bytes may wait for others to go out together with: until the socket's buffer is
   * full, or the next send(). The server then sleeps and wakes less often. `gone` is called when the bytes are
   * on their way.
   */
  async sendAlong(bytes: Uint8Array, gone?: () => void): Promise<void> {
    if (this.#socket.writableCorked === 0) this.#socket.cork();
    await this.#write(bytes, false, gone);
  }

  async #write(bytes: Uint8Array, goes: boolean, gone?: () => void): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) throw connectionLost();
    const takesMore =
      gone === undefined ? socket.write(bytes) : socket.write(bytes, (error) => !error && gone());
    if (goes || !takesMore) socket.uncork();
    if (takesMore) return;
    if (!socket.destroyed && socket.writableNeedDrain) await drained(socket);
    if (socket.destroyed) throw connectionLost();
  }

  /** Statements by the simple protocol. Throws ServerError; the session stays usable. */
  async query(sql: string): Promise<QueryResult> {
    await this.send(queryMessage(sql));
    return this.#end();
  }

  /** What is left of a statement's answer, up to ReadyForQuery. */
  async #end(): Promise<QueryResult> {
    const askedBytes = this.#socket.bytesWritten;
    let rows: (string | null)[][] = [];
    let tag = "";
    let error: ServerError | undefined;
    for (;;) {
      const m = this.messages;
      await m.next();
      switch (m.type) {
        case Message.rowDescription:
          rows = [];
          break;
        case Message.dataRow:
          rows.push(readTextRow(m.bytes, m.bodyStart));
          break;
        case Message.commandComplete:
          tag = m.bytes.toString("utf8", m.bodyStart, m.bodyEnd - 1);
          break;
        case Message.error:
          error = this.#error();
          break;
        case Message.ready:
          this.#arrivedBytes = askedBytes;
          if (error !== undefined) throw error;
          return { rows, tag };
      }
    }
  }

  /**
   * Runs COPY ... TO STDOUT and yields its CopyData frames, merged into few; returns what the statements
   * after it came to. The consumer must read to the end or dispose the session. `stopsAtRows`: a chunk that
   * begins inside a row ends with that row.
   */
  async *copyOut(
    sql: string,
    format: BulkFormat,
    { stopsAtRows = false } = {},
  ): AsyncGenerator<CopyChunk, QueryResult> {
    await this.#begin(sql, Message.copyOut);
    // In binary the trailer has a frame of its own and the header shares the first row's: one frame
    // more than rows. In text each row is one frame.
    let uncounted = format === "pg-copy-binary" ? 1 : 0;
    const frames = new CopyFrames({ stopsAtEnds: stopsAtRows });
    let chunk = this.messages.takeRest();
    for (;;) {
      frames.walk(chunk);
      const counted = Math.min(frames.ended, uncounted);
      uncounted -= counted;
      if (frames.length > 0) {
        yield { bytes: chunk.subarray(0, frames.length), rows: frames.ended - counted, cut: frames.cut };
      }
      const rest = chunk.subarray(frames.taken);
      if (frames.stopped) {
        chunk = rest;
        continue;
      }
      if (frames.done) {
        this.messages.putBack(rest);
        if (!isAside(rest[0]!)) break;
        // Rows go on after it (protocol manual, "Asynchronous Operations").
        await this.messages.next();
        chunk = this.messages.takeRest();
        continue;
      }
      const next = await this.#reader.next();
      chunk = rest.length === 0 ? next : Buffer.concat([rest, next]);
    }
    return await this.#end();
  }

  /**
   * Waits for a COPY ... TO STDOUT that was sent for to start; then `messages` yields CopyData up to CopyDone,
   * and copyOutEnd() ends it. Resolves with the rows of the statements before it.
   */
  async copyOutOpens(): Promise<QueryResult["rows"]> {
    return await this.#opened(Message.copyOut);
  }

  async copyOutEnd(): Promise<void> {
    await this.#end();
  }

  /**
   * Starts COPY ... FROM STDIN, the last of the statements; then send() takes CopyData frames, and
   * copyInEnd() ends it.
   */
  async copyIn(sql: string): Promise<void> {
    await this.#begin(sql, Message.copyIn);
  }

  /** Throws what the server has said against a COPY in progress, if it has. Costs nothing otherwise. */
  async checkCopyIn(): Promise<void> {
    const m = this.messages;
    while (m.pending) {
      await m.next();
      if (m.type !== Message.error) continue;
      const error = this.#error();
      await this.#end();
      throw error;
    }
  }

  /** Resolves with the command tag, e.g. "COPY 1000". */
  async copyInEnd(): Promise<string> {
    await this.send(COPY_DONE);
    return (await this.#end()).tag;
  }

  /** Starts the replication stream; then `messages` yields CopyData and send() takes status updates. */
  async copyBoth(sql: string): Promise<void> {
    await this.#begin(sql, Message.copyBoth);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /** The current message as an error; throws it when it ends the session, because nothing follows then. */
  #error(): ServerError {
    const { bytes, bodyStart, bodyEnd } = this.messages;
    const error = readServerError(bytes, bodyStart, bodyEnd);
    if (isFatal(error)) throw error;
    return error;
  }

  /** Sends a statement and waits for the message that opens its COPY. */
  async #begin(sql: string, opening: number): Promise<void> {
    await this.send(queryMessage(sql));
    await this.#opened(opening);
  }

  /** Waits for the message that opens a COPY; resolves with the rows of what comes before it. */
  async #opened(opening: number): Promise<QueryResult["rows"]> {
    const rows: (string | null)[][] = [];
    let error: ServerError | undefined;
    for (;;) {
      const m = this.messages;
      await m.next();
      if (m.type === opening) return rows;
      if (m.type === Message.dataRow) rows.push(readTextRow(m.bytes, m.bodyStart));
      if (m.type === Message.error) error = this.#error();
      if (m.type === Message.ready) {
        throw error ?? new MigrationError("source.protocol", { message: "COPY did not start." });
      }
    }
  }
}

/** Bytes that are handed to the socket at once: so many may wait without showing whether they get on. */
const PIECE = 1 << 18;
