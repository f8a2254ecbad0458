const COPY_DATA = 0x64;
const HEADER_LENGTH = 5;

/** Receives the bodies of frames, piece by piece. */
export interface BodyReader {
  /** `bytes` [start, end) come next. */
  read(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Follows a run of CopyData frames (protocol manual of PostgreSQL, "Message Formats") over chunks that cut them
 * anywhere, and hands on what is in them. Throws a RangeError for anything else, which only a defect can bring.
 */
export class CopyFrames {
  /** Bytes of the current frame's body still to come. */
  #left = 0;
  /** Bytes of a header that a chunk has cut, and the length in it so far. */
  #headerBytes = 0;
  #length = 0;

  /** Whether the last chunk ended where a frame ends. */
  get whole(): boolean {
    return this.#left === 0 && this.#headerBytes === 0;
  }

  walk(chunk: Uint8Array, reader: BodyReader): void {
    const size = chunk.length;
    let at = 0;
    while (at < size) {
      if (this.#left === 0) {
        at = this.#header(chunk, at);
        continue;
      }
      const end = Math.min(size, at + this.#left);
      reader.read(chunk, at, end);
      this.#left -= end - at;
      at = end;
    }
  }

  #header(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerBytes < HEADER_LENGTH) {
      const byte = chunk[at++]!;
      if (this.#headerBytes++ > 0) this.#length = this.#length * 256 + byte;
      else if (byte !== COPY_DATA) throw new RangeError("Rows come in frames of CopyData alone.");
    }
    if (this.#headerBytes === HEADER_LENGTH) {
      this.#left = this.#length - 4;
      this.#headerBytes = 0;
      this.#length = 0;
    }
    return at;
  }
}
