import type { Beginning } from "../../../core/batch-parts.ts";
import type { Position } from "../../../core/position.ts";
import { type EventCursor, unreadable } from "./binlog-bytes.ts";
import type { EventHeader } from "./binlog-event.ts";
import { type BinlogPlace, compareBinlogPlaces, GTID_KIND } from "./binlog-position.ts";
import { LogPlace, type LogPoint, SeenTransactions, startPlace } from "./binlog-seen.ts";
import { readTaggedGtid, type TaggedGtid } from "./binlog-tagged-gtid.ts";
import { uuidText } from "./gtid.ts";

/** Flags of MariaDB's GTID event. */
const STANDALONE = 1;
const GROUP_COMMIT_ID = 2;
const PREPARES = 64;
const COMPLETES = 128;
/** Further flags, behind what the others bring. */
const STARTS_ALTER = 2;
const ROLLS_ALTER_BACK = 8;

const UUID_LENGTH = 16;
/** Two numbers that say which transactions may be applied at the same time. */
const LOGICAL_CLOCK = 2;
const TIME_LENGTH = 7;

/** A transaction as its first event tells of it. */
class LogBeginning implements Beginning {
  readonly committedAtMs: number;
  readonly #point: LogPoint;
  readonly #origin: string | number;
  readonly #number: number;
  readonly #serverId: number;

  constructor(point: LogPoint, committedAtMs: number, id: TransactionId) {
    this.committedAtMs = committedAtMs;
    this.#point = point;
    this.#origin = id.origin;
    this.#number = id.number;
    this.#serverId = id.serverId;
  }

  get position(): Position {
    return this.#point.position;
  }

  get id(): string {
    const origin = this.#origin;
    return typeof origin === "number"
      ? `${origin}-${this.#serverId}-${this.#number}`
      : `${origin}:${this.#number}`;
  }
}

interface TransactionId {
  /** A server's UUID, maybe with a tag, a domain's number, or a file. */
  readonly origin: string | number;
  readonly number: number;
  readonly serverId: number;
}

export interface LogGroup {
  /** undefined for one that is not to be told, as the position to start after holds it, or it does nothing. */
  readonly beginning: Beginning | undefined;
  /** It is one statement; undefined where the next event says so. */
  readonly isSingle: boolean | undefined;
  /** Name of the transaction of two phases (XA) that it prepares, as SQL writes it. MySQL says that with a statement. */
  readonly prepares?: string | undefined;
}

/** How far a log has been read, and what begins where it goes on. */
export class LogProgress {
  /** In a log whose transactions are told apart by GTIDs. */
  #seen: SeenTransactions | undefined;
  /** Before the transaction that began last. */
  #before: LogPoint;
  readonly #place: LogPlace;
  /** By file and byte, what is read first may be the rest of the transaction that the position names. */
  #isJoining: boolean;
  #uuid = "";
  readonly #uuidBytes = Buffer.alloc(UUID_LENGTH);

  constructor(after: Position) {
    const hasGtids = after.kind === GTID_KIND;
    this.#seen = hasGtids ? new SeenTransactions(after) : undefined;
    this.#place = new LogPlace(startPlace(after));
    this.#before = this.#point;
    this.#isJoining = !hasGtids;
  }

  /** Between transactions, everything up to here has been read. */
  get position(): Position {
    return this.#point.position;
  }

  get #point(): LogPoint {
    return this.#seen?.point ?? this.#place.point;
  }

  /** Where in the log's files: the end of the event that was read last outside of transactions, or began one. */
  get place(): BinlogPlace {
    return this.#place.place;
  }

  /** Where that lies to another place. Before all others until the server has said where it begins, by GTIDs. */
  compareTo(other: BinlogPlace): -1 | 0 | 1 {
    return this.#place.file === "" ? -1 : compareBinlogPlaces(this.place, other);
  }

  /** The position before the transaction that began last. */
  get before(): Position {
    return this.#before.position;
  }

  /** What comes before the first beginning of a transaction belongs to one that is held already. */
  get isJoining(): boolean {
    return this.#isJoining;
  }

  /** The transaction that began last did not come to its end, and counts as not seen. */
  takeBack(): void {
    if (this.#seen !== undefined) this.#seen = new SeenTransactions(this.#before.position);
  }

  rotate(file: string, byte: number): void {
    this.#place.rotate(file, byte);
  }

  reach({ endsAt, isArtificial }: Pick<EventHeader, "endsAt" | "isArtificial">): void {
    if (!isArtificial) this.#place.reach(endsAt);
  }

  /** The server has come so far in a file and has nothing to send. By file and byte only what was sent counts. */
  heard(file: string, { endsAt }: EventHeader): void {
    if (this.#seen === undefined || file !== this.#place.file || endsAt <= this.#place.byte) return;
    this.#place.reach(endsAt);
  }

  /** MySQL's: flags, UUID, number; from 5.7 on a logical clock, from 8.0 on the time of the commit. */
  mysqlGtid(cursor: EventCursor, header: EventHeader): LogGroup {
    cursor.advance(1);
    const uuid = this.#readUuid(cursor);
    const number = cursor.uint64();
    return this.#numbered({ source: uuid, number, committedAtMs: readCommitTime(cursor) }, header);
  }

  /** MySQL's with a tag. */
  taggedGtid(cursor: EventCursor, header: EventHeader): LogGroup {
    return this.#numbered(readTaggedGtid(cursor), header);
  }

  #numbered({ source, number, committedAtMs }: TaggedGtid, header: EventHeader): LogGroup {
    if (this.#seen !== undefined) this.#before = this.#seen.point;
    const isNew = this.#seen?.addMysql(source, number) !== false;
    const id = { origin: source, number, serverId: 0 };
    const beginning = this.#beginning(header, committedAtMs ?? header.timestamp * 1000, id);
    return { beginning: isNew ? beginning : undefined, isSingle: undefined };
  }

  /** The same without a number, where the server gives none. */
  anonymous(cursor: EventCursor, header: EventHeader): LogGroup {
    if (this.#seen !== undefined) {
      throw unreadable(
        "a transaction without a GTID",
        "Leave gtid_mode = ON while the task runs, and start the task again with reload-target.",
      );
    }
    cursor.advance(1 + UUID_LENGTH + 8);
    const committedAtMs = readCommitTime(cursor) ?? header.timestamp * 1000;
    const id = { origin: this.#place.file, number: this.#place.byte, serverId: 0 };
    return { beginning: this.#beginning(header, committedAtMs, id), isSingle: undefined };
  }

  /** MariaDB's: number, domain, flags; the server stands in the header. */
  mariadbGtid(cursor: EventCursor, header: EventHeader): LogGroup {
    const number = cursor.uint64();
    const domain = cursor.uint32();
    const flags = cursor.byte();
    if ((flags & GROUP_COMMIT_ID) !== 0) cursor.advance(Math.min(8, cursor.left));
    if (this.#seen !== undefined) this.#before = this.#seen.point;
    if (this.#seen?.addMariadb(domain, header.serverId, number) === false) {
      throw unreadable(
        `transactions of domain ${domain} that are not in the order of their numbers`,
        "Set gtid_strict_mode = ON on every server that writes to it, give each writer a gtid_domain_id of its own, and start the task again with reload-target.",
      );
    }
    const id = { origin: domain, number, serverId: header.serverId };
    const beginning = this.#beginning(header, header.timestamp * 1000, id);
    const xid = (flags & (PREPARES | COMPLETES)) === 0 ? undefined : readXid(cursor);
    const prepares = (flags & PREPARES) === 0 ? undefined : xid;
    // With binlog_alter_two_phase the log has a statement twice: it counts where it commits.
    const further = cursor.left === 0 ? 0 : cursor.byte();
    const counts = (further & (STARTS_ALTER | ROLLS_ALTER_BACK)) === 0;
    return { beginning: counts ? beginning : undefined, isSingle: (flags & STANDALONE) !== 0, prepares };
  }

  /** By file and byte, a transaction's position is where its first event ends. */
  #beginning(header: EventHeader, committedAtMs: number, id: TransactionId): Beginning {
    this.#isJoining = false;
    if (this.#seen === undefined) this.#before = this.#place.point;
    this.reach(header);
    return new LogBeginning(this.#point, committedAtMs, id);
  }

  #readUuid(cursor: EventCursor): string {
    cursor.need(UUID_LENGTH);
    const { bytes, at } = cursor;
    cursor.advance(UUID_LENGTH);
    if (this.#uuid !== "" && this.#uuidBytes.compare(bytes, at, at + UUID_LENGTH) === 0) return this.#uuid;
    bytes.copy(this.#uuidBytes, 0, at, at + UUID_LENGTH);
    this.#uuid = uuidText(this.#uuidBytes);
    return this.#uuid;
  }
}

/** A format's number, lengths of two parts, and the parts. */
function readXid(cursor: EventCursor): string {
  const format = cursor.uint32();
  const [global, branch] = [cursor.byte(), cursor.byte()];
  const part = (length: number): string => `x'${cursor.slice(length).toString("hex")}'`;
  return [part(global), part(branch), format].join(",");
}

/** Microseconds since 1970 in seven bytes, of which the highest bit means something else. */
function readCommitTime(cursor: EventCursor): number | undefined {
  if (cursor.left < 1 + 16 + TIME_LENGTH || cursor.byte() !== LOGICAL_CLOCK) return undefined;
  cursor.advance(16);
  const low = cursor.uint48();
  return Math.floor(((cursor.byte() & 0x7f) * 2 ** 48 + low) / 1000);
}
