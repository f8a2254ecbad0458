import assert from "node:assert/strict";
import { ArrivedRows } from "../../src/engines/mysql/snapshot/arrived-rows.ts";
import type { RowTranscoder } from "../../src/engines/mysql/snapshot/row-transcoder.ts";

const MAX_PACKET = 0xffffff;

/** The payload of a row in MySQL's text protocol. */
export function resultRow(values: readonly (Buffer | string | null)[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      if (value === null) return [Buffer.from([0xfb])];
      const bytes = Buffer.from(value as string);
      return [lengthOf(bytes.length), bytes];
    }),
  );
}

/** A payload in packets: one, or several when it is long. */
export function packetsOf(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, sequence = 0; ; at += MAX_PACKET, sequence++) {
    const piece = payload.subarray(at, at + MAX_PACKET);
    const header = Buffer.alloc(4);
    header.writeUIntLE(piece.length, 0, 3);
    header[3] = sequence & 0xff;
    parts.push(header, piece);
    if (piece.length < MAX_PACKET) return Buffer.concat(parts);
  }
}

export interface Transcoded {
  /** What the frames hold, together; and as text, where it is some. */
  readonly bytes: Buffer;
  readonly text: string;
  readonly rows: number;
  /** Bytes of the largest chunk. */
  readonly largest: number;
}

/** Transcodes pieces of a stream that ends in a packet that is no row. */
export function transcode(transcoder: RowTranscoder, pieces: readonly Buffer[]): Transcoded {
  const bodies: Buffer[] = [];
  let rows = 0;
  let largest = 0;
  const forward = (): void => {
    const chunk = transcoder.take();
    if (chunk === undefined) return;
    const bytes = chunk.bytes as Buffer;
    assert.equal(bytes[0], 0x64);
    assert.equal(bytes.readUInt32BE(1), bytes.length - 1);
    bodies.push(bytes.subarray(5));
    rows += chunk.rows;
    largest = Math.max(largest, bytes.length);
  };
  const arrived = new ArrivedRows();
  for (const piece of pieces) {
    arrived.add(piece);
    do {
      arrived.walk(transcoder);
      if (transcoder.full) forward();
      else break;
    } while (!transcoder.ended);
  }
  assert(transcoder.ended, "the stream has ended before its rows");
  forward();
  const bytes = Buffer.concat(bodies);
  return { bytes, text: bytes.toString("utf8"), rows, largest };
}

function lengthOf(length: number): Buffer {
  if (length < 0xfb) return Buffer.from([length]);
  const bytes = Buffer.alloc(9);
  if (length < 1 << 16) {
    bytes[0] = 0xfc;
    bytes.writeUInt16LE(length, 1);
    return bytes.subarray(0, 3);
  }
  if (length < 1 << 24) {
    bytes[0] = 0xfd;
    bytes.writeUIntLE(length, 1, 3);
    return bytes.subarray(0, 4);
  }
  bytes[0] = 0xfe;
  bytes.writeBigUInt64LE(BigInt(length), 1);
  return bytes;
}
