import type { Position } from "../../../core/position.ts";
import { BINLOG_KIND, type BinlogPlace, GTID_KIND, gtidsOf, placeOf } from "./binlog-position.ts";
import { addToIntervals, formatGtids, formatIntervals, type GtidSet, type MariadbGtid } from "./gtid.ts";

const TWO_32 = 4_294_967_296;

/** A position; its text may be made only when it is asked for. */
export interface LogPoint {
  readonly position: Position;
}

/** As its parts, of which only the number differs from one transaction to the next. */
class NumberedPoint implements LogPoint {
  readonly #kind: string;
  readonly #before: string;
  readonly #number: number;
  readonly #after: string;

  constructor(kind: string, before: string, number: number, after: string) {
    this.#kind = kind;
    this.#before = before;
    this.#number = number;
    this.#after = after;
  }

  get position(): Position {
    return { kind: this.#kind, text: `${this.#before}${this.#number}${this.#after}` };
  }
}

/**
 * The transactions of a log that have been seen, as a position. It grows with each transaction that the log holds; what
 * stands around the number of the last one is kept, so that the next of the same server costs no text.
 */
export class SeenTransactions {
  #point: LogPoint;
  readonly #servers = new Map<string, number[]>();
  /** Of the domain of the last transaction, what #lastServer and #lastNumber say counts. */
  readonly #domains = new Map<number, MariadbGtid>();
  /** What stands before and behind the number that the last transaction has set, and whose that was. */
  #before = "";
  #after = "";
  #last: string | number | undefined;
  #lastServer = 0;
  #lastNumber = 0;

  /** `after`: a set of GTIDs. */
  constructor(after: Position) {
    this.#point = { position: after };
    const set = gtidsOf(after);
    if (set.flavour === "mariadb") {
      for (const [domain, gtid] of set.domains) this.#domains.set(domain, gtid);
    } else {
      for (const [uuid, intervals] of set.servers) this.#servers.set(uuid, [...intervals]);
    }
  }

  get point(): LogPoint {
    return this.#point;
  }

  /** False when the transaction was seen before. */
  addMysql(uuid: string, number: number): boolean {
    if (this.#last === uuid && number === this.#lastNumber + 1) {
      const intervals = this.#servers.get(uuid)!;
      intervals[intervals.length - 1] = number;
      this.#next(number);
      return true;
    }
    let intervals = this.#servers.get(uuid);
    if (intervals === undefined) {
      intervals = [];
      this.#servers.set(uuid, intervals);
    }
    for (let i = 0; i < intervals.length; i += 2) {
      if (number >= intervals[i]! && number <= intervals[i + 1]!) return false;
    }
    addToIntervals(intervals, number);
    this.#rewriteMysql(uuid, intervals);
    return true;
  }

  /** False when the domain has come as far, or further. */
  addMariadb(domain: number, server: number, sequence: number): boolean {
    if (this.#last === domain && this.#lastServer === server) {
      if (sequence <= this.#lastNumber) return false;
      this.#next(sequence);
      return true;
    }
    this.#keepLast();
    const known = this.#domains.get(domain);
    if (known !== undefined && sequence <= known.sequence) return false;
    this.#domains.set(domain, { server, sequence });
    this.#rewriteMariadb(domain, server, sequence);
    return true;
  }

  #next(number: number): void {
    this.#lastNumber = number;
    this.#point = new NumberedPoint(GTID_KIND, this.#before, number, this.#after);
  }

  #rewriteMysql(uuid: string, intervals: readonly number[]): void {
    const text = formatGtids(this.#set());
    this.#point = { position: { kind: GTID_KIND, text } };
    const [first, last] = [intervals.at(-2)!, intervals.at(-1)!];
    // A number alone becomes an interval with the next one.
    this.#last = first === last ? undefined : uuid;
    if (this.#last === undefined) return;
    const own = `${uuid}:${formatIntervals(intervals)}`;
    const at = text.indexOf(own) + own.length;
    this.#before = text.slice(0, at - String(last).length);
    this.#after = text.slice(at);
    this.#lastNumber = last;
  }

  #rewriteMariadb(domain: number, server: number, sequence: number): void {
    const text = formatGtids(this.#set());
    this.#point = { position: { kind: GTID_KIND, text } };
    const own = `${domain}-${server}-${sequence}`;
    const at = (text.startsWith(own) ? 0 : text.indexOf(`,${own}`) + 1) + own.length;
    this.#last = domain;
    this.#lastServer = server;
    this.#lastNumber = sequence;
    this.#before = text.slice(0, at - String(sequence).length);
    this.#after = text.slice(at);
  }

  #keepLast(): void {
    if (typeof this.#last !== "number") return;
    this.#domains.set(this.#last, { server: this.#lastServer, sequence: this.#lastNumber });
  }

  #set(): GtidSet {
    if (this.#domains.size > 0) {
      return { flavour: "mariadb", domains: new Map([...this.#domains].sort(([a], [b]) => a - b)) };
    }
    const servers = [...this.#servers].filter(([, intervals]) => intervals.length > 0);
    return { flavour: "mysql", servers: new Map(servers.sort(([a], [b]) => (a < b ? -1 : 1))) };
  }
}

/** Where a reader stands in the files of a log. */
export class LogPlace {
  #file: string;
  #byte: number;

  constructor({ file, byte }: BinlogPlace) {
    this.#file = file;
    this.#byte = byte;
  }

  get file(): string {
    return this.#file;
  }

  get byte(): number {
    return this.#byte;
  }

  get place(): BinlogPlace {
    return { file: this.#file, byte: this.#byte };
  }

  get point(): LogPoint {
    return new NumberedPoint(BINLOG_KIND, `${this.#file}:`, this.#byte, "");
  }

  /** The log goes on in another file. */
  rotate(file: string, byte: number): void {
    this.#file = file;
    this.#byte = byte;
  }

  /** An event ends there; 0 where it does not say so. Numbers in the log have 32 bits, files may be longer. */
  reach(endsAt: number): void {
    if (endsAt === 0) return;
    const byte = Math.floor(this.#byte / TWO_32) * TWO_32 + endsAt;
    this.#byte = byte < this.#byte ? byte + TWO_32 : byte;
  }
}

/** Where a position's files begin to be read; those of a set are found by the server. */
export function startPlace(after: Position): BinlogPlace {
  return after.kind === BINLOG_KIND ? placeOf(after) : { file: "", byte: 4 };
}
