import type { PacketReader } from "../connection/packet-reader.ts";
import { isEof, readTextRow } from "../connection/result-head.ts";

const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;

/** What an OK packet says, reused from packet to packet. */
export class StatementAnswer {
  affected = 0;
  status = 0;
  warnings = 0;
  /**
   * The first two numbers of the server's remark: of an update the rows that it found and those that it changed, of
   * an insert of several rows those and how many were there. NaN where there is no remark.
   */
  first = Number.NaN;
  second = Number.NaN;
}

/** Gathers the packets of a result with rows: the count of columns, these and an EOF, then rows up to another EOF. */
export class RowsAnswer {
  readonly rows: (string | null)[][] = [];
  /** Packets that come before the rows; undefined until the first one has told. */
  #heading: number | undefined;

  /** Takes the reader's packet; true when it was the last one. */
  take(packets: PacketReader): boolean {
    if (this.#heading === undefined) {
      this.#heading = packets.bytes[packets.start]! + 1;
      return false;
    }
    if (this.#heading > 0) {
      this.#heading--;
      return false;
    }
    if (isEof(packets)) return true;
    this.rows.push(readTextRow(packets));
    return false;
  }
}

/** Reads an OK packet (protocol manual, "OK_Packet"): affected rows, insert id, status, warnings, remark. */
export function readStatementAnswer(
  answer: StatementAnswer,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  answer.affected = lengthAt(bytes, start + 1);
  let at = start + 1 + lengthSize(bytes[start + 1]!);
  at += lengthSize(bytes[at]!);
  answer.status = bytes[at]! | (bytes[at + 1]! << 8);
  answer.warnings = bytes[at + 2]! | (bytes[at + 3]! << 8);
  answer.first = Number.NaN;
  answer.second = Number.NaN;
  // "Rows matched: 1  Changed: 1  Warnings: 0", "Records: 3  Duplicates: 2  Warnings: 0"
  at = numberAfterColon(bytes, at + 4, end);
  if (at === end) return;
  answer.first = digitsAt(bytes, at, end);
  at = numberAfterColon(bytes, at, end);
  if (at < end) answer.second = digitsAt(bytes, at, end);
}

/** Where the digits after the next colon start; `end` for none. */
function numberAfterColon(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== COLON) at++;
  while (at < end && (bytes[at]! < ZERO || bytes[at]! > NINE)) at++;
  return at;
}

function digitsAt(bytes: Buffer, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE; at++) {
    value = 10 * value + bytes[at]! - ZERO;
  }
  return value;
}

/** A length-encoded integer: its value, and the bytes that it takes by its first one. */
function lengthAt(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0xfc:
      return bytes.readUInt16LE(at + 1);
    case 0xfd:
      return bytes.readUIntLE(at + 1, 3);
    case 0xfe:
      return Number(bytes.readBigUInt64LE(at + 1));
    default:
      return bytes[at]!;
  }
}

function lengthSize(first: number): number {
  if (first < 0xfb) return 1;
  return first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
}
