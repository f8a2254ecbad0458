import type { Socket } from "node:net";
import { connectionLost, drained, SocketReader } from "../../shared/connection/socket-reader.ts";
import { MAX_PACKET, PACKET_HEADER, PacketReader } from "./packet-reader.ts";
import {
  eofStatus,
  isEof,
  MORE_RESULTS,
  type Ok,
  type ResultColumn,
  readOk,
  readResultHead,
  readTextRow,
  throwIfError,
} from "./result-head.ts";
import type { ServerFacts } from "./server-facts.ts";

/** How long the last message may take to go out, and a server to hang up, before the connection is cut. */
const GOODBYE_MS = 2_000;
const COM_QUIT = 1;
const COM_QUERY = 3;

export type TextRows = readonly (readonly (string | null)[])[];

export interface WireOptions {
  /** The server's number of the connection, for KILL. */
  readonly threadId: number;
  readonly facts: ServerFacts;
  /** Whether column definitions carry MariaDB's additional field. */
  readonly extendedMetadata: boolean;
  /** Called when the session is closed in order, or cut. */
  readonly closed: () => void;
  /** Makes the server stop what it runs for a session that was cut, which it does not notice by itself. */
  readonly kill: () => void;
}

/**
 * A session on a socket that the driver has connected, secured and authenticated, speaking the protocol's packets
 * directly: rows of a query without a value made of them, the binary log, the data of LOAD DATA LOCAL. One
 * operation at a time. What the server says against something is thrown as ServerError; the session stays usable.
 */
export class WireSession implements AsyncDisposable {
  readonly packets: PacketReader;
  readonly threadId: number;
  readonly facts: ServerFacts;
  /** Whether something was asked of the server that has not come. Set by whoever reads without having asked. */
  awaits: () => boolean;
  readonly #socket: Socket;
  readonly #extendedMetadata: boolean;
  readonly #closed: () => void;
  readonly #kill: () => void;
  /** Number of the next packet that is sent. */
  #sequence = 0;

  constructor(socket: Socket, options: WireOptions) {
    this.#socket = socket;
    this.packets = new PacketReader(new SocketReader(socket));
    this.awaits = () => this.packets.waiting;
    this.threadId = options.threadId;
    this.facts = options.facts;
    this.#extendedMetadata = options.extendedMetadata;
    this.#closed = options.closed;
    this.#kill = options.kill;
  }

  /** Sends a command: its first byte says which. The answer is read from `packets`. */
  async command(payload: Uint8Array): Promise<void> {
    this.#sequence = 0;
    await this.#send(payload);
  }

  /** A statement whose answer's packets are to be read: by head(), then from `packets`. */
  async ask(sql: string): Promise<void> {
    const payload = Buffer.allocUnsafe(1 + Buffer.byteLength(sql));
    payload[0] = COM_QUERY;
    payload.write(sql, 1, "utf8");
    await this.command(payload);
  }

  /** What the answer to ask() begins with; rows, if it is columns, follow in `packets` up to an EOF packet. */
  async head(): Promise<readonly ResultColumn[] | Ok | "infile"> {
    const head = await readResultHead(this.packets, this.#extendedMetadata);
    if (head === "infile") this.#sequence = (this.packets.sequence + 1) & 0xff;
    return head;
  }

  /** A short statement, or several: the text values of the last that returned rows. */
  async query(sql: string): Promise<TextRows> {
    return (await this.queryAll(sql)).at(-1) ?? [];
  }

  /** Several short statements: the text values of each that returned rows. */
  async queryAll(sql: string): Promise<readonly TextRows[]> {
    await this.ask(sql);
    const answers: TextRows[] = [];
    for (;;) {
      const head = await this.head();
      let status: number;
      if (head === "infile") {
        await this.answer(EMPTY);
        status = (await this.ok()).status;
      } else if ("status" in head) {
        status = head.status;
      } else {
        answers.push(await this.#rows());
        status = eofStatus(this.packets);
      }
      if ((status & MORE_RESULTS) === 0) return answers;
    }
  }

  /** A piece, below 16 MB, of the file that LOAD DATA LOCAL asks for when head() says so; an empty one ends it. */
  async answer(piece: Uint8Array): Promise<void> {
    await this.#send(piece);
  }

  /** Waits for an OK packet. */
  async ok(): Promise<Ok> {
    await this.packets.read();
    throwIfError(this.packets);
    return readOk(this.packets);
  }

  /** Says goodbye and resolves when the connection is closed; what is still under way is not read. */
  async close(): Promise<void> {
    this.#closed();
    const socket = this.#socket;
    if (socket.destroyed) return;
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.removeAllListeners("data");
    socket.end(Buffer.from([1, 0, 0, 0, COM_QUIT]));
    socket.resume();
    await closed;
    clearTimeout(timer);
  }

  /** Cuts the connection and has the server stop what it runs; whoever reads gets `connect.lost`. */
  destroy(): void {
    this.#closed();
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    this.#kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #rows(): Promise<(string | null)[][]> {
    const rows: (string | null)[][] = [];
    for (;;) {
      await this.packets.read();
      throwIfError(this.packets);
      if (isEof(this.packets)) return rows;
      rows.push(readTextRow(this.packets));
    }
  }

  /** Sends a payload as one packet, or as several when it is long. Resolves when more may be sent. */
  async #send(payload: Uint8Array): Promise<void> {
    for (let at = 0; ; at += MAX_PACKET) {
      const piece = payload.subarray(at, at + MAX_PACKET);
      const header = Buffer.allocUnsafe(PACKET_HEADER);
      header.writeUIntLE(piece.length, 0, 3);
      header[3] = this.#sequence;
      this.#sequence = (this.#sequence + 1) & 0xff;
      await this.#write(header, piece);
      if (piece.length < MAX_PACKET) return;
    }
  }

  async #write(header: Uint8Array, piece: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) throw connectionLost();
    socket.cork();
    socket.write(header);
    const takesMore = socket.write(piece);
    socket.uncork();
    if (takesMore) return;
    if (!socket.destroyed && socket.writableNeedDrain) await drained(socket);
    if (socket.destroyed) throw connectionLost();
  }
}

const EMPTY = new Uint8Array(0);
