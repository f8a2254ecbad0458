import type { SocketReader } from "../../shared/connection/socket-reader.ts";

const EMPTY = Buffer.alloc(0);

/** Bytes of a message's type and length (protocol manual, "Message Formats"). */
export const HEADER_LENGTH = 5;

/**
 * Walks the server's messages without copying them: `bytes` is the chunk that came off the socket,
 * and a message is the range [bodyStart, bodyEnd) of it. Only a message that is split over chunks is
 * put together, once, in a buffer of its exact size.
 */
export class MessageReader {
  bytes: Buffer = EMPTY;
  type = 0;
  bodyStart = 0;
  bodyEnd = 0;
  readonly #socket: SocketReader;
  /** Where the next message starts. */
  #next = 0;

  constructor(socket: SocketReader) {
    this.#socket = socket;
  }

  /** Moves to the next message if all of it is here. Valid until the next call of fill(). */
  advance(): boolean {
    const at = this.#next;
    const bytes = this.bytes;
    if (bytes.length - at < HEADER_LENGTH) return false;
    const end = at + 1 + bytes.readInt32BE(at + 1);
    if (bytes.length < end) return false;
    this.type = bytes[at]!;
    this.bodyStart = at + HEADER_LENGTH;
    this.bodyEnd = end;
    this.#next = end;
    return true;
  }

  /** Waits for more bytes, so that advance() may succeed. */
  async fill(): Promise<void> {
    const chunk = await this.#socket.next();
    const rest = this.bytes.subarray(this.#next);
    this.#next = 0;
    if (rest.length === 0) {
      this.bytes = chunk;
      return;
    }
    if (rest.length < HEADER_LENGTH) {
      this.bytes = Buffer.concat([rest, chunk]);
      return;
    }
    this.bytes = await this.#assemble(rest, chunk, 1 + rest.readInt32BE(1));
  }

  /** Waits for more bytes like fill(), and keeps those of the messages before: ranges of `bytes` stay what they are. */
  async extend(): Promise<void> {
    this.bytes = Buffer.concat([this.bytes, await this.#socket.next()]);
  }

  /** One message of known length from its first bytes on, with whatever followed in its last chunk. */
  async #assemble(rest: Buffer, first: Buffer, length: number): Promise<Buffer> {
    let have = rest.length + first.length;
    if (have >= length) return Buffer.concat([rest, first]);
    const whole = Buffer.allocUnsafeSlow(length);
    rest.copy(whole, 0);
    first.copy(whole, rest.length);
    for (;;) {
      const chunk = await this.#socket.next();
      const missing = length - have;
      if (chunk.length <= missing) {
        chunk.copy(whole, have);
        have += chunk.length;
        if (have === length) return whole;
        continue;
      }
      chunk.copy(whole, have, 0, missing);
      this.#socket.unread(chunk.subarray(missing));
      return whole;
    }
  }

  async next(): Promise<void> {
    while (!this.advance()) await this.fill();
  }

  /** Bytes that came after the current message and were not looked at yet; they count as read. */
  takeRest(): Buffer {
    const rest = this.bytes.subarray(this.#next);
    this.bytes = EMPTY;
    this.#next = 0;
    return rest;
  }

  /** Puts back bytes that takeRest() or the socket gave, to be read as messages. */
  putBack(bytes: Buffer): void {
    this.bytes = bytes;
    this.#next = 0;
  }

  /** True when the server has sent something that was not read. */
  get pending(): boolean {
    return this.#next < this.bytes.length || this.#socket.ready;
  }
}
