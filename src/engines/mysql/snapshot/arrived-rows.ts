import { PACKET_HEADER } from "../connection/packet-reader.ts";
import type { RowTranscoder } from "./row-transcoder.ts";

/**
 * Rows as they come from a socket, whose chunks end anywhere. Of a row that two chunks share only that row is put
 * together, in a seam; the rest of the second chunk is walked where it lies.
 */
export class ArrivedRows {
  /** A chunk, or a seam. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The chunk behind the seam, and where the seam has left off; undefined while there is none. */
  #behind: Buffer | undefined;
  #behindAt = 0;

  /** What has come next, to be given when walk() needs more. */
  add(chunk: Buffer): void {
    const rest = this.rest();
    const wanted = rest.length < PACKET_HEADER ? chunk.length : packetLength(rest) - rest.length;
    const isSeam = rest.length > 0 && wanted < chunk.length;
    this.#behind = isSeam ? chunk : undefined;
    this.#behindAt = wanted;
    this.#bytes =
      rest.length === 0 ? chunk : Buffer.concat([rest, isSeam ? chunk.subarray(0, wanted) : chunk]);
    this.#at = 0;
  }

  /** Goes on until the transcoder's chunk is full, or the rows have ended, or more must come. */
  walk(transcoder: RowTranscoder): void {
    this.#at = transcoder.walk(this.#bytes, this.#at);
    if (this.#behind === undefined || this.#at < this.#bytes.length) return;
    this.#bytes = this.#behind;
    this.#at = transcoder.walk(this.#bytes, this.#behindAt);
    this.#behind = undefined;
  }

  /** What has come and was not walked. */
  rest(): Buffer {
    const rest = this.#bytes.subarray(this.#at);
    return this.#behind === undefined ? rest : Buffer.concat([rest, this.#behind.subarray(this.#behindAt)]);
  }
}

function packetLength(bytes: Buffer): number {
  return PACKET_HEADER + (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16));
}
