import { HEADER_LENGTH } from "./message-reader.ts";

const COPY_DATA = 0x64;

/** A longer frame stays a message of its own: the server limits a message to 1 GB. */
const LONGEST_MERGED = 64 << 10;

/**
 * Follows a run of CopyData frames over chunks that cut them anywhere, and merges the frames of a chunk
 * into few: a server sends each row in a frame of its own, but frames and rows need not agree (protocol
 * manual, "COPY Operations"), and a server that receives them pays for each. It is done in place, by
 * moving bodies together over the headers between them; what is in them is not looked at.
 *
 * After walk(), bytes [0, length) of the chunk are what the run's bytes in it have become and may be
 * forwarded; those from `taken` on are either the first bytes of a cut header, to be put in front of the
 * next chunk, or, when `done`, the first message that is not CopyData. When that was a notice, the run
 * may go on after it.
 */
export class CopyFrames {
  length = 0;
  taken = 0;
  /** Frames of the server that ended in the last chunk. */
  ended = 0;
  done = false;
  /** The walk has come to the end of the frame that it began in, and not gone on. */
  stopped = false;
  readonly #stopsAtEnds: boolean;
  /** Bytes of the current frame's body still to come; they belong to a message whose header has been passed on. */
  #missing = 0;

  /** `stopsAtEnds`: a walk that begins inside a frame goes no further than to its end. */
  constructor({ stopsAtEnds = false } = {}) {
    this.#stopsAtEnds = stopsAtEnds;
  }

  /** Whether the last walk ended inside a frame. */
  get cut(): boolean {
    return this.#missing > 0;
  }

  walk(chunk: Buffer): void {
    const size = chunk.length;
    this.done = false;
    this.stopped = false;
    let at = Math.min(this.#missing, size);
    let ended = this.#missing > 0 && at === this.#missing ? 1 : 0;
    let missing = this.#missing - at;
    if (this.#stopsAtEnds && ended > 0 && at < size) this.stopped = true;
    // Where the next body goes, and the message that is being filled: its header, and its body's length.
    let end = at;
    let header = -1;
    let filled = 0;
    while (missing === 0 && at < size && !this.stopped) {
      if (chunk[at] !== COPY_DATA) {
        this.done = true;
        break;
      }
      if (size - at < HEADER_LENGTH) break;
      const length =
        ((chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!) - 4;
      const body = at + HEADER_LENGTH;
      const stop = Math.min(body + length, size);
      if (header >= 0 && length <= LONGEST_MERGED && filled <= LONGEST_MERGED) {
        chunk.copyWithin(end, body, stop);
        end += stop - body;
        filled += length;
      } else {
        if (header >= 0) chunk.writeInt32BE(4 + filled, header + 1);
        if (end !== at) chunk.copyWithin(end, at, stop);
        header = end;
        filled = length;
        end += stop - at;
      }
      missing = length - (stop - body);
      if (missing === 0) ended++;
      at = stop;
    }
    if (header >= 0) chunk.writeInt32BE(4 + filled, header + 1);
    this.#missing = missing;
    this.length = end;
    this.taken = at;
    this.ended = ended;
  }
}
