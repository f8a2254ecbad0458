import type { Socket } from "node:net";
import { MigrationError } from "../../../core/error.ts";

/** Bytes that may wait unread before the socket is paused. */
const HIGH_WATER = 1 << 20;

/** Pulls the chunks of a socket one after another; takes some in advance, and then lets the server wait. */
export class SocketReader {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #queued = 0;
  #closed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (socket.destroyed) this.#closed = true;
    else socket.resume();
  }

  /** True when something has arrived that was not read yet, or the connection has ended. */
  get ready(): boolean {
    return this.#queued > 0 || this.#closed;
  }

  /** The next chunk as it came. Throws `connect.lost` when the connection has ended. */
  async next(): Promise<Buffer> {
    while (this.#chunks.length === 0) {
      if (this.#closed) throw lost(this.#error);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift()!;
    this.#queued -= chunk.length;
    if (this.#queued < HIGH_WATER / 2 && this.#socket.isPaused()) this.#socket.resume();
    return chunk;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= HIGH_WATER) this.#socket.pause();
    this.#notify();
  };

  readonly #onError = (error: Error): void => {
    this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#closed = true;
    this.#notify();
  };

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

export function lost(cause?: Error): MigrationError {
  return new MigrationError("connect.lost", { message: "The connection to the server was lost.", cause });
}
