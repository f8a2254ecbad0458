/** Room that cells are written into; what is taken out of it stays as it is. */
const CHUNK = 1 << 19;
/** With less than this the next batch might have to move to a larger buffer when it is nearly full. */
const LEAST = (1 << 18) + (1 << 16);

/**
 * Bytes of one batch's cells. They are appended to a buffer that grows, so a cell is named by where it begins behind
 * `start`, not by its place in `bytes`, which another call of need() may replace.
 */
export class CellBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK);
  /** Where the batch begins. */
  start = 0;
  /** Where the next byte goes. */
  at = 0;

  get length(): number {
    return this.at - this.start;
  }

  /** Makes room for so many bytes behind `at`. */
  need(count: number): void {
    if (count > this.bytes.length - this.at) this.#grow(count);
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.need(length);
    const { bytes, at } = this;
    // A call into the runtime costs as much as some dozen bytes.
    if (length > 48) bytes.set(from.subarray(start, end), at);
    else for (let i = 0; i < length; i++) bytes[at + i] = from[start + i]!;
    this.at = at + length;
  }

  ascii(text: string): void {
    this.need(text.length);
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) bytes[this.at++] = text.charCodeAt(i);
  }

  byte(value: number): void {
    this.need(1);
    this.bytes[this.at++] = value;
  }

  /** The batch's bytes; what follows is another's. */
  take(): Buffer {
    const taken = this.bytes.subarray(this.start, this.at);
    this.start = this.at;
    if (this.bytes.length > CHUNK || this.bytes.length - this.at < LEAST) {
      this.bytes = Buffer.allocUnsafeSlow(CHUNK);
      this.start = 0;
      this.at = 0;
    }
    return taken;
  }

  #grow(count: number): void {
    const used = this.at - this.start;
    const larger = Buffer.allocUnsafeSlow(Math.max(CHUNK, 2 * used, used + count));
    this.bytes.copy(larger, 0, this.start, this.at);
    this.bytes = larger;
    this.start = 0;
    this.at = used;
  }
}
