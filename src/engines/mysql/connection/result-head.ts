import type { PacketReader } from "./packet-reader.ts";
import { readServerError } from "./server-error.ts";

/** A column as a result describes it (protocol manual, "Column Definition"). */
export interface ResultColumn {
  readonly name: string;
  /** Number of its collation; 63 for bytes and for numbers and times. */
  readonly collation: number;
  /** Largest length in bytes. */
  readonly length: number;
  /** MYSQL_TYPE_*: 3 LONG, 253 VAR_STRING, ... */
  readonly type: number;
  readonly flags: number;
  readonly decimals: number;
}

/** What an OK packet says. */
export interface Ok {
  readonly affectedRows: number;
  /** SERVER_STATUS_* and SERVER_MORE_RESULTS_EXISTS (8). */
  readonly status: number;
  readonly warnings: number;
  readonly info: string;
}

const ERR = 0xff;
const EOF = 0xfe;
const NULL_VALUE = 0xfb;
/** In an OK or EOF packet's status: another result follows. */
export const MORE_RESULTS = 8;

/** Throws what an ERR packet says, when the reader's payload is one. */
export function throwIfError({ bytes, start, end }: PacketReader): void {
  if (bytes[start] === ERR) throw readServerError(bytes, start, end);
}

/** Whether the reader's payload ends a list of columns or rows. A row's first value may begin with the same byte. */
export function isEof({ bytes, start, end }: PacketReader): boolean {
  return bytes[start] === EOF && end - start < 9;
}

export function eofStatus({ bytes, start }: PacketReader): number {
  return bytes.readUInt16LE(start + 3);
}

/** Reads an OK packet's payload that begins with 0. */
export function readOk({ bytes, start, end }: PacketReader): Ok {
  const affected = readLength(bytes, start + 1);
  const inserted = readLength(bytes, affected.next);
  const at = inserted.next;
  return {
    affectedRows: affected.value,
    status: bytes.readUInt16LE(at),
    warnings: bytes.readUInt16LE(at + 2),
    info: bytes.toString("utf8", at + 4, end),
  };
}

/**
 * Reads the beginning of a COM_QUERY's answer: the columns of what follows, an OK when no rows do, or the name of
 * the file that LOAD DATA LOCAL asks for. Throws ServerError.
 */
export async function readResultHead(
  packets: PacketReader,
  extendedMetadata: boolean,
): Promise<readonly ResultColumn[] | Ok | "infile"> {
  await packets.read();
  throwIfError(packets);
  const first = packets.bytes[packets.start]!;
  if (first === 0) return readOk(packets);
  if (first === NULL_VALUE) return "infile";
  const count = readLength(packets.bytes, packets.start).value;
  const columns: ResultColumn[] = [];
  for (let index = 0; index < count; index++) {
    await packets.read();
    columns.push(readColumn(packets, extendedMetadata));
  }
  await packets.read();
  return columns;
}

function readColumn({ bytes, start }: PacketReader, extendedMetadata: boolean): ResultColumn {
  let at = start;
  let name = "";
  // Catalog, database, table, the table's own name, name, the column's own name; MariaDB: what else it is.
  for (let field = 0; field < (extendedMetadata ? 7 : 6); field++) {
    const { value, next } = readLength(bytes, at);
    if (field === 4) name = bytes.toString("utf8", next, next + value);
    at = next + value;
  }
  at++;
  return {
    name,
    collation: bytes.readUInt16LE(at),
    length: bytes.readUInt32LE(at + 2),
    type: bytes[at + 6]!,
    flags: bytes.readUInt16LE(at + 7),
    decimals: bytes[at + 9]!,
  };
}

/** Values of a text row; the reader's payload is one. */
export function readTextRow({ bytes, start, end }: PacketReader): (string | null)[] {
  const row: (string | null)[] = [];
  let at = start;
  while (at < end) {
    if (bytes[at] === NULL_VALUE) {
      row.push(null);
      at++;
      continue;
    }
    const { value, next } = readLength(bytes, at);
    row.push(bytes.toString("utf8", next, next + value));
    at = next + value;
  }
  return row;
}

/** A length-encoded integer (protocol manual) and where what follows it begins. */
export function readLength(bytes: Buffer, at: number): { readonly value: number; readonly next: number } {
  const first = bytes[at]!;
  switch (first) {
    case 0xfc:
      return { value: bytes.readUInt16LE(at + 1), next: at + 3 };
    case 0xfd:
      return { value: bytes.readUIntLE(at + 1, 3), next: at + 4 };
    case 0xfe:
      return { value: bytes.readUInt32LE(at + 1) + bytes.readUInt32LE(at + 5) * 2 ** 32, next: at + 9 };
    default:
      return { value: first, next: at + 1 };
  }
}
