import { HEADER_LENGTH } from "./message-reader.ts";

const COPY_DATA = 0x64;

/**
 * Follows a run of CopyData frames over chunks that cut them anywhere, without touching what is in
 * them. After walk(), bytes [0, length) of the chunk belong to the run and may be forwarded as they
 * are; the rest is either the first bytes of a cut header, to be put in front of the next chunk, or,
 * when `done`, the first message that is not CopyData. When that was a notice, the run may go on after it.
 */
export class CopyFrames {
  length = 0;
  /** Frames that ended in the last chunk. */
  ended = 0;
  done = false;
  /** Bytes of the current frame's body still to come. */
  #missing = 0;

  walk(chunk: Buffer): void {
    this.done = false;
    let at = 0;
    let ended = 0;
    for (;;) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, chunk.length - at);
        at += step;
        this.#missing -= step;
        if (this.#missing > 0) break;
        ended++;
      }
      if (at < chunk.length && chunk[at] !== COPY_DATA) {
        this.done = true;
        break;
      }
      if (chunk.length - at < HEADER_LENGTH) break;
      this.#missing = chunk.readInt32BE(at + 1) - 4;
      at += HEADER_LENGTH;
      if (this.#missing === 0) ended++;
    }
    this.length = at;
    this.ended = ended;
  }
}
