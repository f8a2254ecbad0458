import type { Duplex } from "node:stream";
import { MigrationError } from "../../../core/error.ts";

/** Bytes that may wait unread before the socket is paused. */
const HIGH_WATER = 1 << 20;

/**
 * Pulls the chunks of a socket one after another. While nobody reads, an eager reader takes up to a limit
 * in advance, and then lets the server wait; while it gulps, it leaves the bytes where they are, so that a server
 * that sends every few of them by itself is not woken for each, and the next chunk holds all that has gathered.
 */
export class SocketReader {
  readonly #socket: Duplex;
  #gulps = false;
  readonly #chunks: Buffer[] = [];
  #queued = 0;
  #closed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (socket.destroyed) this.#closed = true;
    else socket.resume();
  }

  /** Whether to leave what arrives where it is until it is asked for. */
  set gulps(gulps: boolean) {
    if (gulps === this.#gulps) return;
    this.#gulps = gulps;
    if (!gulps && this.#queued < HIGH_WATER) this.#socket.resume();
  }

  /** True when something has arrived that was not read yet, or the connection has ended. */
  get ready(): boolean {
    return this.#queued > 0 || this.#closed;
  }

  /** True while somebody waits for the next chunk. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  /** The next chunk as it came. Throws `connect.lost` when the connection has ended. */
  async next(): Promise<Buffer> {
    while (this.#chunks.length === 0) {
      if (this.#closed)
        throw this.#error instanceof MigrationError ? this.#error : connectionLost(this.#error);
      if (this.#gulps) this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift()!;
    this.#queued -= chunk.length;
    if (!this.#gulps && this.#queued < HIGH_WATER / 2 && this.#socket.isPaused()) this.#socket.resume();
    return chunk;
  }

  /** Puts back what was read too far, to come first again. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#queued += chunk.length;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#gulps || this.#queued >= HIGH_WATER) this.#socket.pause();
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

/** The connection's end as those see it who read from it and write to it, and do not know where it leads. */
export function connectionLost(cause?: Error): MigrationError {
  return new MigrationError("connect.lost", { message: "The connection to the server was lost.", cause });
}

/** Resolves when the socket takes bytes again, or has closed. */
export function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}
