const INITIAL_LENGTH = 1 << 16;

/** Up to here a loop is quicker than a call. */
const SHORT = 32;

/**
 * SQL that is being written, as bytes in UTF-8. What writes into it makes room first, then puts bytes and
 * moves `length` itself: a cell costs no call and no object.
 */
export class SqlText {
  bytes: Buffer;
  length = 0;

  /** Over a buffer that is of no use to others any more, or over a new one. */
  constructor(bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_LENGTH)) {
    this.bytes = bytes;
  }

  /** Makes room for `size` more bytes. `bytes` may be another buffer after this. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Appends SQL that was made before. */
  append(sql: Uint8Array): void {
    const { length } = sql;
    this.reserve(length);
    const { bytes } = this;
    let at = this.length;
    if (length <= SHORT) for (let i = 0; i < length; i++) bytes[at++] = sql[i]!;
    else bytes.set(sql, at);
    this.length += length;
  }
}
