import { inflateSync } from "node:zlib";
import { EventCursor, malformed } from "./binlog-bytes.ts";

/** Bytes of a query's fixed part: session, time, length of the database, error, length of the variables. */
const QUERY_FIXED = 13;
const ZLIB = 0;

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

function decompressed(inflate: () => Buffer): Buffer {
  try {
    return inflate();
  } catch {
    throw malformed("compressed data that cannot be read");
  }
}
