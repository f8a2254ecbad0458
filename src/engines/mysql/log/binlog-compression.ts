import { inflateSync, zstdDecompressSync } from "node:zlib";
import { EventCursor, malformed, unreadable } from "./binlog-bytes.ts";

/** Bytes of a query's fixed part: session, time, length of the database, error, length of the variables. */
const QUERY_FIXED = 13;
const ZLIB = 0;

/** Fields of a payload's head (MySQL's "Transaction_payload_event"). */
const Field = { end: 0, size: 1, compression: 2, uncompressedSize: 3 } as const;
const ZSTD = 0;
const NO_COMPRESSION = 255;

/** The body of MariaDB's compressed query as that of an ordinary one; up to the statement nothing is compressed. */
export function inflateQuery(cursor: EventCursor): Buffer {
  cursor.need(QUERY_FIXED);
  const { bytes, at } = cursor;
  const head = QUERY_FIXED + bytes.readUInt16LE(at + 11) + bytes[at + 8]! + 1;
  return inflateBehind(cursor, head);
}

/** The rest of MariaDB's compressed rows: how wide they are and what they hold is not compressed. `images`: 1 or 2. */
export function inflateRows(cursor: EventCursor, images: number): Buffer {
  const width = new EventCursor();
  width.reset(cursor.bytes, cursor.at, cursor.end);
  const columns = width.packed();
  return inflateBehind(cursor, width.at - cursor.at + images * ((columns + 7) >> 3));
}

/** A bit that is always set, three bits of the algorithm, and how many bytes of the length follow, highest first. */
function inflateBehind(cursor: EventCursor, head: number): Buffer {
  cursor.need(head + 1);
  const { bytes, at, end } = cursor;
  const mark = bytes[at + head]!;
  const lengthBytes = mark & 7;
  if ((mark & 0x80) === 0 || ((mark >> 4) & 7) !== ZLIB || lengthBytes < 1 || lengthBytes > 4) {
    throw malformed("a compression that is not known");
  }
  const from = at + head + 1 + lengthBytes;
  if (from > end) throw malformed("cut short");
  const length = bytes.readUIntBE(at + head + 1, lengthBytes);
  const whole = Buffer.allocUnsafe(head + length);
  bytes.copy(whole, 0, at, at + head);
  const inflated = decompressed(() =>
    inflateSync(bytes.subarray(from, end), { maxOutputLength: length + 1 }),
  );
  if (inflated.length !== length) throw malformed("compressed data of another length");
  inflated.copy(whole, head);
  return whole;
}

/** The events of a transaction that MySQL 8 has compressed as a whole; they have no checksums of their own. */
export function readPayload(cursor: EventCursor): Buffer {
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
  if (compression === NO_COMPRESSION) return Buffer.from(payload);
  if (compression !== ZSTD) {
    throw unreadable(
      "a transaction in a compression that Tideway does not know",
      "Set binlog_transaction_compression = OFF on the source and start the task again with reload-target.",
    );
  }
  const limit = uncompressed === 0 ? {} : { maxOutputLength: uncompressed + 1 };
  return decompressed(() => zstdDecompressSync(payload, limit));
}

function decompressed(inflate: () => Buffer): Buffer {
  try {
    return inflate();
  } catch {
    throw malformed("compressed data that cannot be read");
  }
}
