import { MigrationError } from "../../../core/error.ts";

const TWO_32 = 4_294_967_296;

/* Little-endian numbers, not held against any end. Buffer's own methods check on each call what one check can say. */

export function uint16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function uint24At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

export function int32At(bytes: Uint8Array, at: number): number {
  return uint24At(bytes, at) | (bytes[at + 3]! << 24);
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) >>> 0;
}

export function uint48At(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at + 4) * TWO_32 + uint32At(bytes, at);
}

/**
 * Numbers of more than a byte in whichever buffer was asked for last. A DataView reads them in one instruction, and to
 * make one takes as long as to read an event, so it is kept until another buffer comes.
 */
export class Words {
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer, 0, 0);

  of(bytes: Buffer): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}

/**
 * Whether the bytes of `view` from `start` to `end` are those of `known`: a loop, four bytes a step, as a call into the
 * runtime costs more than ranges that are mostly shorter than 100 bytes.
 */
export function isSame(view: DataView, start: number, end: number, known: DataView): boolean {
  const length = known.byteLength;
  if (length !== end - start) return false;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    if (known.getInt32(i, true) !== view.getInt32(start + i, true)) return false;
  }
  for (; i < length; i++) if (known.getUint8(i) !== view.getUint8(start + i)) return false;
  return true;
}

/** Reads one event's little-endian fields; every read is held against the end and throws `source.protocol` beyond it. */
export class EventCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;

  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  need(count: number): void {
    if (count < 0 || count > this.end - this.at) throw malformed("cut short");
  }

  advance(count: number): void {
    this.need(count);
    this.at += count;
  }

  byte(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  uint16(): number {
    this.need(2);
    this.at += 2;
    return uint16At(this.bytes, this.at - 2);
  }

  uint24(): number {
    this.need(3);
    this.at += 3;
    return uint24At(this.bytes, this.at - 3);
  }

  uint32(): number {
    this.need(4);
    this.at += 4;
    return uint32At(this.bytes, this.at - 4);
  }

  uint48(): number {
    this.need(6);
    this.at += 6;
    return uint48At(this.bytes, this.at - 6);
  }

  /** Throws beyond 2^53: a position or a transaction's number that large cannot be told from others. */
  uint64(): number {
    this.need(8);
    this.at += 8;
    const high = uint32At(this.bytes, this.at - 4);
    if (high >= 1 << 21) throw malformed("a number beyond 2^53");
    return high * TWO_32 + uint32At(this.bytes, this.at - 8);
  }

  /** A length-encoded integer. */
  packed(): number {
    const first = this.byte();
    if (first < 251) return first;
    if (first === 252) return this.uint16();
    if (first === 253) return this.uint24();
    if (first === 254) return this.uint64();
    throw malformed("a length that is none");
  }

  text(length: number): string {
    this.need(length);
    this.at += length;
    return this.bytes.toString("utf8", this.at - length, this.at);
  }

  slice(length: number): Buffer {
    this.need(length);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

export function malformed(what: string): MigrationError {
  return new MigrationError("source.protocol", { message: `The binary log is malformed: ${what}.` });
}

/** `what` follows "The source's binary log holds". */
export function unreadable(what: string, remedy: string): MigrationError {
  return new MigrationError("source.log_unreadable", {
    message: `The source's binary log holds ${what}.`,
    remedy,
  });
}
