import { createZstdDecompress } from "node:zlib";
import { type EventCursor, malformed, unreadable } from "./binlog-bytes.ts";
import { HEADER_LENGTH } from "./binlog-event.ts";

/** Fields of a payload's head (MySQL's "Transaction_payload_event"). */
const Field = { end: 0, size: 1, compression: 2, uncompressedSize: 3 } as const;
const ZSTD = 0;
const NO_COMPRESSION = 255;

/** What a server takes at most as one event: max_allowed_packet's own limit. */
const MAX_EVENT_BYTES = 1 << 30;
/** So much is uncompressed at once. */
const CHUNK_BYTES = 1 << 20;

/**
 * The events of a transaction that MySQL 8 has compressed as a whole; they have no checksums of their own. What is
 * uncompressed is one event and a few pieces of what follows, however large the transaction is:
 *
 *     for (;;) { while (events.next()) ...; if (events.hasEnded) break; await events.fill(); }
 */
export class PayloadEvents {
  /** The event that next() has found begins there. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  /** Where the payload ends in its file, and with it every event that it holds: these say nothing of that themselves. */
  readonly endsAt: number;
  readonly #pieces: AsyncIterator<Buffer>;
  /** Bytes that the head says there are; undefined where it does not. */
  readonly #size: number | undefined;
  #arrived: Buffer = Buffer.alloc(0);
  #at = 0;
  #taken = 0;
  #hasEnded = false;

  /** `cursor`: the event's body. Throws `source.log_unreadable` for a compression that is not known. */
  constructor(cursor: EventCursor, endsAt: number) {
    this.endsAt = endsAt;
    let compression = NO_COMPRESSION;
    let size = 0;
    let uncompressed = 0;
    for (let field = cursor.packed(); field !== Field.end; field = cursor.packed()) {
      const length = cursor.packed();
      const next = cursor.at + length;
      if (field === Field.size) size = cursor.packed();
      else if (field === Field.compression) compression = cursor.packed();
      else if (field === Field.uncompressedSize) uncompressed = cursor.packed();
      cursor.at = next;
    }
    const payload = cursor.slice(size === 0 ? cursor.left : size);
    this.#size = uncompressed === 0 ? undefined : uncompressed;
    this.#pieces = piecesOf(payload, compression);
  }

  /** True once next() has found all. */
  get hasEnded(): boolean {
    return this.#hasEnded && this.#at === this.#arrived.length;
  }

  /** Steps to the next event that is there whole; false when there is none. */
  next(): boolean {
    const rest = this.#arrived.subarray(this.#at);
    const length = wantedOf(rest);
    if (rest.length < length) return false;
    this.bytes = this.#arrived;
    this.start = this.#at;
    this.#at += length;
    return true;
  }

  /** Waits until next() can say true, or there is nothing more. Throws `source.protocol` for what is no such payload. */
  async fill(): Promise<void> {
    const rest = this.#arrived.subarray(this.#at);
    const chunks = [rest];
    let { length } = rest;
    let wanted = wantedOf(rest);
    while (length < wanted) {
      const { value, done } = await this.#pieces.next().catch(cannotBeRead);
      if (done === true) {
        this.#end(length);
        break;
      }
      this.#taken += value.length;
      if (this.#taken > (this.#size ?? Number.POSITIVE_INFINITY)) throw malformed(OTHER_LENGTH);
      chunks.push(value);
      length += value.length;
      if (wanted === HEADER_LENGTH && length >= HEADER_LENGTH) wanted = wantedOf(Buffer.concat(chunks));
    }
    this.#arrived = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    this.#at = 0;
  }

  #end(left: number): void {
    if (left > 0) throw malformed("compressed events that are cut short");
    if (this.#size !== undefined && this.#taken !== this.#size) throw malformed(OTHER_LENGTH);
    this.#hasEnded = true;
  }
}

/** Bytes of the event that begins there; of its header as long as that is not there. */
function wantedOf(bytes: Buffer): number {
  if (bytes.length < HEADER_LENGTH) return HEADER_LENGTH;
  const length = bytes.readUInt32LE(9);
  // Before room is made for them.
  if (length < HEADER_LENGTH || length > MAX_EVENT_BYTES) throw malformed("an event of another length");
  return length;
}

const OTHER_LENGTH = "compressed data of another length";

function cannotBeRead(): never {
  throw malformed("compressed data that cannot be read");
}

function piecesOf(payload: Buffer, compression: number): AsyncIterator<Buffer> {
  if (compression === NO_COMPRESSION) return onePiece(payload);
  if (compression === ZSTD) {
    const stream = createZstdDecompress({ chunkSize: CHUNK_BYTES });
    // Whoever asks for the next piece is told.
    stream.on("error", () => undefined);
    stream.end(payload);
    return stream[Symbol.asyncIterator]();
  }
  throw unreadable(
    "a transaction in a compression that Tideway does not know",
    "Set binlog_transaction_compression = OFF on the source and start the task again with reload-target.",
  );
}

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer, undefined> {
  yield bytes;
  return undefined;
}
