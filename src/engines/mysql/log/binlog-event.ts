import { EventCursor, malformed, uint32At, Words } from "./binlog-bytes.ts";
import { Checksum } from "./binlog-checksum.ts";

/** Kinds of event (MySQL's "Binlog Event" reference; MariaDB's knowledge base, "Replication Protocol"). */
export const EventKind = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  slave: 7,
  appendBlock: 9,
  deleteFile: 11,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRows0: 20,
  updateRows0: 21,
  deleteRows0: 22,
  writeRows1: 23,
  updateRows1: 24,
  deleteRows1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows2: 30,
  updateRows2: 31,
  deleteRows2: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeat2: 41,
  gtidTagged: 42,
  annotateRows: 160,
  binlogCheckpoint: 161,
  mariadbGtid: 162,
  mariadbGtidList: 163,
  startEncryption: 164,
  queryCompressed: 165,
  writeRows1Compressed: 166,
  updateRows1Compressed: 167,
  deleteRows1Compressed: 168,
  writeRows2Compressed: 169,
  updateRows2Compressed: 170,
  deleteRows2Compressed: 171,
} as const;

export const HEADER_LENGTH = 19;
const CHECKSUM_LENGTH = 4;
/** Flag at the start of a file that is still written to. */
const IN_USE = 1;
/** Flag of an event that a reader who does not know it may pass over. */
const IGNORABLE = 0x80;
/** Flag of an event that the server made up for this reader: it does not lie in the file. */
const ARTIFICIAL = 0x20;
const CHECKSUM_NONE = 0;
const CHECKSUM_CRC32 = 1;
const VERSION_LENGTH = 50;
/** MySQL 5.6.1 and MariaDB 5.3 write how events are checked behind the lengths of their fixed parts. */
const CHECKSUM_SINCE = 5 * 65_536 + 6 * 256 + 1;
const MARIADB_CHECKSUM_SINCE = 5 * 65_536 + 3 * 256;

/** The common header, and where the body lies: up to the checksum. */
export interface EventHeader {
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly kind: number;
  readonly serverId: number;
  /**
   * Where the event ends in its file, or the one that it lay inside; 0 inside MariaDB's transactions and in what was
   * made up.
   */
  readonly endsAt: number;
  readonly isIgnorable: boolean;
  readonly isArtificial: boolean;
  readonly start: number;
  readonly end: number;
}

/** Reads events' headers and holds events against their checksums. Which they have, each file says at its start. */
export class EventReader {
  #hasChecksum: boolean;
  readonly #words = new Words();
  readonly #checksum = new Checksum(this.#words);
  readonly #header = {
    ...{ timestamp: 0, kind: 0, serverId: 0, endsAt: 0, start: 0, end: 0 },
    ...{ isIgnorable: false, isArtificial: false },
  };

  /** `hasChecksum`: whether what comes before the first file's own words has one. */
  constructor(hasChecksum: boolean) {
    this.#hasChecksum = hasChecksum;
  }

  /** The event that is [start, end) of `bytes`. The answer is good until the next call. */
  read(bytes: Buffer, start: number, end: number): EventHeader {
    if (end - start < HEADER_LENGTH) throw malformed("an event without its header");
    const view = this.#words.of(bytes);
    const kind = bytes[start + 4]!;
    if (view.getInt32(start + 9, true) !== end - start) throw malformed("an event of another length");
    if (kind === EventKind.formatDescription) this.#hasChecksum = describesChecksum(bytes, start, end);
    let bodyEnd = end;
    if (this.#hasChecksum) {
      bodyEnd = end - CHECKSUM_LENGTH;
      if (bodyEnd < start + HEADER_LENGTH) throw malformed("an event without its checksum");
      this.#check(bytes, start, bodyEnd);
    }
    return this.#fill(view, start, bodyEnd);
  }

  /** An event without a checksum that lay inside another, which ends at `endsAt`. */
  readInner(bytes: Buffer, start: number, endsAt: number): EventHeader {
    if (start + HEADER_LENGTH > bytes.length) throw malformed("an event without its header");
    const end = start + uint32At(bytes, start + 9);
    if (end > bytes.length || end < start + HEADER_LENGTH) throw malformed("an event of another length");
    this.#fill(this.#words.of(bytes), start, end);
    this.#header.endsAt = endsAt;
    return this.#header;
  }

  #fill(view: DataView, start: number, end: number): EventHeader {
    const header = this.#header;
    const flags = view.getUint8(start + 17);
    header.timestamp = view.getUint32(start, true);
    header.kind = view.getUint8(start + 4);
    header.serverId = view.getUint32(start + 5, true);
    header.endsAt = view.getUint32(start + 13, true);
    header.isIgnorable = (flags & IGNORABLE) !== 0;
    header.isArtificial = (flags & ARTIFICIAL) !== 0;
    header.start = start + HEADER_LENGTH;
    header.end = end;
    return header;
  }

  #check(bytes: Buffer, start: number, end: number): void {
    const flags = bytes[start + 17]!;
    const isOpenFile = (flags & IN_USE) !== 0 && bytes[start + 4] === EventKind.formatDescription;
    // The flag was set in the file after the checksum had been computed.
    if (isOpenFile) bytes[start + 17] = flags & ~IN_USE;
    const sum = this.#checksum.of(bytes, start, end);
    if (isOpenFile) bytes[start + 17] = flags;
    if (sum !== this.#words.of(bytes).getInt32(end, true))
      throw malformed("an event's checksum does not fit");
  }
}

function describesChecksum(bytes: Buffer, start: number, end: number): boolean {
  const cursor = new EventCursor();
  cursor.reset(bytes, start + HEADER_LENGTH, end);
  if (cursor.uint16() !== 4) throw malformed("a binary log of another version than 4");
  const version = cursor.text(VERSION_LENGTH).replace(/\0.*$/s, "");
  const [major = 0, minor = 0, patch = 0] = (version.match(/\d+/g) ?? []).map(Number);
  const since = /mariadb/i.test(version) ? MARIADB_CHECKSUM_SINCE : CHECKSUM_SINCE;
  if (major * 65_536 + minor * 256 + patch < since) return false;
  const algorithm = bytes[end - CHECKSUM_LENGTH - 1]!;
  if (algorithm === CHECKSUM_NONE) return false;
  if (algorithm === CHECKSUM_CRC32) return true;
  throw malformed("checksums of an unknown kind");
}

/** Whether an event holds rows in a form that is known. */
export function isRows(kind: number): boolean {
  return (
    (kind >= EventKind.writeRows1 && kind <= EventKind.deleteRows1) ||
    (kind >= EventKind.writeRows2 && kind <= EventKind.deleteRows2) ||
    kind === EventKind.partialUpdateRows ||
    (kind >= EventKind.writeRows1Compressed && kind <= EventKind.deleteRows2Compressed)
  );
}

/** Whether an event says nothing about rows and transactions. */
export function saysNothing(kind: number): boolean {
  return NOTHING.has(kind);
}

/** MariaDB decrypts what it sends, so that its mark of encryption has no meaning here. */
const NOTHING: ReadonlySet<number> = new Set([
  EventKind.stop,
  EventKind.intvar,
  EventKind.slave,
  EventKind.appendBlock,
  EventKind.deleteFile,
  EventKind.rand,
  EventKind.userVar,
  EventKind.beginLoadQuery,
  EventKind.ignorable,
  EventKind.rowsQuery,
  EventKind.previousGtids,
  EventKind.transactionContext,
  EventKind.viewChange,
  EventKind.annotateRows,
  EventKind.binlogCheckpoint,
  EventKind.mariadbGtidList,
  EventKind.startEncryption,
]);
