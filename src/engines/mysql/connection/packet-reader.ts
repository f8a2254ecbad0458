import type { SocketReader } from "../../shared/connection/socket-reader.ts";

/** Bytes before a packet: three of its length, one of its number. */
export const PACKET_HEADER = 4;
/** A packet of this length goes on in the next one. */
export const MAX_PACKET = 0xffffff;

/**
 * Walks the packets of a connection. `next()` steps to the next payload that has arrived whole and answers false
 * when there is none; `fill()` then waits for more. So a loop over many small packets awaits nothing in between:
 *
 *     for (;;) { while (reader.next()) ...; await reader.fill(); }
 *
 * A payload lies in `bytes` from `start` to `end`; the bytes are not written to afterwards, so that ranges of them
 * may be kept. One that came in several packets (16 MB and more) is put together.
 */
export class PacketReader {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Number of the last packet, from which the number of an answer follows. */
  sequence = 0;
  readonly #socket: SocketReader;
  /** What has arrived and where its unread rest begins. */
  #arrived: Buffer = NOTHING;
  #at = 0;
  /** What has arrived behind that: a packet that two chunks share is put together alone, not with all that follows. */
  #behind: Buffer = NOTHING;
  #parts: Buffer[] = [];

  constructor(socket: SocketReader) {
    this.#socket = socket;
  }

  next(): boolean {
    for (;;) {
      const bytes = this.#arrived;
      const at = this.#at;
      if (bytes.length - at < PACKET_HEADER) {
        if (at < bytes.length || this.#behind.length === 0) return false;
        this.putBack(this.#behind);
        continue;
      }
      const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      const start = at + PACKET_HEADER;
      const end = start + length;
      if (end > bytes.length) return false;
      this.sequence = bytes[at + 3]!;
      this.#at = end;
      if (length < MAX_PACKET && this.#parts.length === 0) {
        this.bytes = bytes;
        this.start = start;
        this.end = end;
        return true;
      }
      this.#parts.push(bytes.subarray(start, end));
      if (length === MAX_PACKET) continue;
      this.bytes = Buffer.concat(this.#parts);
      this.#parts = [];
      this.start = 0;
      this.end = this.bytes.length;
      return true;
    }
  }

  /** Waits until next() can say true, or a packet that belongs to a longer one is there. Throws `connect.lost`. */
  async fill(): Promise<void> {
    // Nothing lies behind what next() has left.
    const rest = this.#arrived.subarray(this.#at);
    const chunks = rest.length === 0 ? [] : [rest];
    let length = rest.length;
    let wanted = wantedOf(rest);
    while (length < wanted) {
      const chunk = await this.#socket.next();
      chunks.push(chunk);
      length += chunk.length;
      if (wanted === PACKET_HEADER && length >= PACKET_HEADER) wanted = wantedOf(head(chunks));
    }
    this.#at = 0;
    const last = chunks.pop()!;
    if (chunks.length === 0) {
      this.#arrived = last;
      return;
    }
    const end = last.length - (length - wanted);
    this.#arrived = Buffer.concat([...chunks, last.subarray(0, end)], wanted);
    this.#behind = last.subarray(end);
  }

  /** The next payload, awaited. */
  async read(): Promise<void> {
    while (!this.next()) await this.fill();
  }

  /** What has arrived and was not walked: whoever takes it walks on by himself, with more(), and puts back the rest. */
  takeRest(): Buffer {
    const rest = this.#arrived.subarray(this.#at);
    const behind = this.#behind;
    this.#at = this.#arrived.length;
    this.#behind = NOTHING;
    return behind.length === 0 ? rest : Buffer.concat([rest, behind]);
  }

  /** The next bytes as they came, to go on behind takeRest(). Throws `connect.lost`. */
  more(): Promise<Buffer> {
    return this.#socket.next();
  }

  putBack(rest: Buffer): void {
    this.#arrived = rest;
    this.#at = 0;
    this.#behind = NOTHING;
  }

  /** True while somebody waits for more to arrive. */
  get waiting(): boolean {
    return this.#socket.waiting;
  }

  /** True when something has arrived that was not walked yet, or the connection has ended. */
  get pending(): boolean {
    return this.#arrived.length > this.#at || this.#behind.length > 0 || this.#socket.ready;
  }
}

const NOTHING = Buffer.alloc(0);

/** Bytes that the first packet takes with its header; the header's alone while that is not there. */
function wantedOf(bytes: Buffer): number {
  if (bytes.length < PACKET_HEADER) return PACKET_HEADER;
  return PACKET_HEADER + (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16));
}

function head(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && first.length >= PACKET_HEADER ? first : Buffer.concat(chunks);
}
