import type { Duplex } from "node:stream";
import { MigrationError } from "../../core/error.ts";

/** Bytes that may wait unread before the socket is paused. */
const HIGH_WATER = 1 << 20;

/** Pulls the chunks of a socket one after another; pauses it while nobody reads. */
export class SocketReader {
  readonly #socket: Duplex;
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
    socket.resume();
  }

  /** True when something has arrived that was not read yet, or the connection has ended. */
  get ready(): boolean {
    return this.#queued > 0 || this.#closed;
  }

  /** The next chunk as it came. Throws `connect.lost` when the connection has ended. */
  async next(): Promise<Buffer> {
    while (this.#chunks.length === 0) {
      if (this.#closed) {
        throw new MigrationError("connect.lost", {
          message: "The connection to the server was lost.",
          cause: this.#error,
        });
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift()!;
    this.#queued -= chunk.length;
    if (this.#queued < HIGH_WATER / 2 && this.#socket.isPaused()) this.#socket.resume();
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
