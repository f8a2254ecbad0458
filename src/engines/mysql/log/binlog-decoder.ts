import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import { EventCursor, malformed, unreadable } from "./binlog-bytes.ts";
import { LogChanges } from "./binlog-changes.ts";
import { unreadableEvent } from "./binlog-errors.ts";
import { type EventHeader, EventKind, EventReader, isRows, saysNothing } from "./binlog-event.ts";
import type { BinlogOptions } from "./binlog-options.ts";
import type { Pause } from "./binlog-pause.ts";
import { PayloadEvents } from "./binlog-payload.ts";
import type { BinlogPlace } from "./binlog-position.ts";
import { type KeptEvent, PreparedTransactions } from "./binlog-prepared.ts";
import { type LogGroup, LogProgress } from "./binlog-progress.ts";
import { QueryReader } from "./binlog-query.ts";
import type { Statement } from "./binlog-statement.ts";

/**
 * Reads the binary log of MySQL and MariaDB, event by event, as whole transactions in the order of their commits:
 *     MySQL     gtid  BEGIN  ( TABLE_MAP+ rows+ )*  XID | COMMIT        or  gtid  statement
 *     MariaDB   gtid         ( TABLE_MAP+ rows+ )*  XID | COMMIT        or  gtid with a flag  statement
 *
 * A prepared transaction (XA) is kept until it commits. Cells are in the text form of their logical types.
 */
export class BinlogDecoder {
  readonly #changes: LogChanges;
  readonly #progress: LogProgress;
  readonly #events: EventReader;
  readonly #queries: QueryReader;
  readonly #prepared: PreparedTransactions;
  readonly #in = new EventCursor();
  /** In a transaction, from its first event on. */
  #isOpen = false;
  /** The transaction in progress is not told. */
  #isSkipped = false;
  /** What it is shows the next event: undefined; else whether it is one statement. */
  #isSingle: boolean | undefined;
  /** Events of a transaction that came compressed as one. */
  #payload: PayloadEvents | undefined;
  #pause: Pause | undefined;
  /** Where the event ends that it was made in. */
  #pausedAt = 0;
  /** How many statements have come that may have changed what the catalog says. */
  #definitions = 0;
  #until: BinlogPlace | undefined;
  /** What begins behind that place. */
  #beyond: LogGroup | undefined;
  #heard = false;

  constructor(options: BinlogOptions) {
    this.#changes = new LogChanges(options.tables, options.facts, options.notes);
    this.#progress = new LogProgress(options.after);
    this.#events = new EventReader(options.hasChecksum);
    this.#queries = new QueryReader(options.tables, options.facts);
    this.#until = options.until;
    const { facts, lookFor } = options;
    this.#prepared = new PreparedTransactions({
      tables: lookFor?.tables ?? [...options.tables, ...facts.outside],
      foldsNames: facts.foldsNames,
      only: lookFor?.xid,
      maxBytes: options.maxPreparedBytes,
    });
  }

  /** See Pause; nothing is decoded before resume(). */
  get pause(): Pause | undefined {
    return this.#pause;
  }

  /** See LogProgress.place. */
  get place(): BinlogPlace {
    return this.#progress.place;
  }

  get inTransaction(): boolean {
    return this.#isOpen;
  }

  /** Outside of transactions: everything up to here has been read. */
  get position(): Position {
    return this.#progress.position;
  }

  get isFull(): boolean {
    return this.#changes.isFull;
  }

  /** Whether the server has said that there is nothing more; once for each time. */
  heard(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }

  take(): ChangeBatch | undefined {
    return this.#changes.take();
  }

  /** Whether the log has come to the place that was asked for; once. */
  passedPlace(): boolean {
    if (this.#until === undefined || this.#isOpen || this.#progress.compareTo(this.#until) < 0) return false;
    this.#until = undefined;
    return true;
  }

  /** What a transaction (XA) that is prepared has changed so far; undefined for one that is not. */
  prepared(xid: string): readonly KeptEvent[] | undefined {
    return this.#prepared.take(xid)?.events;
  }

  /**
   * Reads the event that is [start, end) of `bytes`. Where that makes the batch full, or a pause is to be made,
   * resume() goes on in it.
   */
  decode(bytes: Buffer, start: number, end: number): void {
    const header = this.#events.read(bytes, start, end);
    this.#in.reset(bytes, header.start, header.end);
    this.#event(header);
    this.#readPayload();
  }

  /** Goes on when what it paused for is done, or the batch was taken. `prepared`: what was looked for. */
  resume(prepared: readonly KeptEvent[] = []): void {
    const pause = this.#pause;
    this.#pause = undefined;
    if (pause?.kind === "prepared") {
      this.#changes.replay(prepared);
      this.#commit();
    } else if (pause?.kind === "statement") {
      this.#endStatement();
    } else if (pause?.kind === "place") {
      this.#until = undefined;
      this.#begin(this.#beyond!);
    }
    if (!this.#isOpen) this.#progress.reach({ endsAt: this.#pausedAt, isArtificial: false });
    this.#pausedAt = 0;
    this.#readPayload();
  }

  #readPayload(): void {
    const events = this.#payload;
    if (events === undefined) return;
    while (!this.isFull && this.#pause === undefined) {
      if (!events.next()) {
        if (events.hasEnded) this.#payload = undefined;
        else this.#pause = { kind: "payload", fill: () => events.fill() };
        return;
      }
      const header = this.#events.readInner(events.bytes, events.start, events.endsAt);
      this.#in.reset(events.bytes, header.start, header.end);
      this.#event(header);
    }
  }

  #event(header: EventHeader): void {
    const { kind } = header;
    const isInside = this.#isOpen;
    switch (kind) {
      case EventKind.gtid:
        this.#begin(this.#progress.mysqlGtid(this.#in, header));
        return;
      case EventKind.gtidTagged:
        this.#begin(this.#progress.taggedGtid(this.#in, header));
        return;
      case EventKind.anonymousGtid:
        this.#begin(this.#progress.anonymous(this.#in, header));
        return;
      case EventKind.mariadbGtid:
        this.#begin(this.#progress.mariadbGtid(this.#in, header));
        return;
      case EventKind.rotate: {
        const byte = this.#in.uint64();
        this.#progress.rotate(this.#in.text(this.#in.left), byte);
        return;
      }
      case EventKind.formatDescription:
        if (isInside) this.#dropUnfinished();
        break;
      case EventKind.heartbeat:
        if (!isInside) this.#progress.heard(this.#in.text(this.#in.left), header);
        this.#heard = true;
        return;
      case EventKind.heartbeat2:
        this.#heard = true;
        return;
      default:
        if (!isInside && this.#progress.isJoining) return;
        this.#inTransaction(kind, header);
    }
    // Inside of a transaction no other may start.
    if (!this.#isOpen) this.#progress.reach(header);
    else if (this.#pause !== undefined) this.#pausedAt = header.endsAt;
  }

  #inTransaction(kind: number, header: EventHeader): void {
    switch (kind) {
      case EventKind.tableMap:
        if (this.#prepared.isCollecting) this.#prepared.add(kind, this.#in);
        else if (!this.#isSkipped) this.#changes.tableMap(this.#in);
        break;
      case EventKind.query:
      case EventKind.queryCompressed:
      case EventKind.executeLoadQuery:
        this.#statement(this.#queries.read(kind, this.#in));
        break;
      case EventKind.xid:
        this.#commit();
        break;
      case EventKind.xaPrepare:
        this.#prepare();
        break;
      case EventKind.transactionPayload:
        this.#payload = new PayloadEvents(this.#in, header.endsAt);
        break;
      default:
        this.#rowsOrOther(kind, header);
    }
  }

  #rowsOrOther(kind: number, header: EventHeader): void {
    if (this.#prepared.isCollecting && isRows(kind)) {
      this.#prepared.add(kind, this.#in);
      return;
    }
    if (this.#isSkipped && isRows(kind)) return;
    if (this.#changes.rows(kind, this.#in)) return;
    if (saysNothing(kind) || header.isIgnorable) return;
    throw unreadableEvent(kind);
  }

  #begin(group: LogGroup): void {
    const { beginning, isSingle, prepares } = group;
    if (this.#isOpen) throw malformed("a transaction begins inside another");
    if (this.#until !== undefined && this.#progress.compareTo(this.#until) > 0) {
      this.#beyond = group;
      this.#pause = { kind: "place", position: this.#progress.before };
      return;
    }
    this.#isOpen = true;
    this.#isSingle = isSingle;
    this.#isSkipped = beginning === undefined;
    if (beginning === undefined) return;
    this.#changes.begin(beginning);
    if (prepares !== undefined) this.#prepared.begin(prepares);
  }

  /** A file that ends within a transaction is of a server that went down: it has rolled that back. */
  #dropUnfinished(): void {
    if (!this.#isSkipped) {
      this.#changes.drop();
      this.#progress.takeBack();
      this.#prepared.giveUp();
    }
    this.#isOpen = false;
    this.#isSkipped = false;
  }

  #commit(): void {
    if (!this.#isOpen) throw malformed("a commit without a transaction");
    this.#isOpen = false;
    if (!this.#isSkipped) this.#changes.commit();
    this.#isSkipped = false;
  }

  #statement(statement: Statement): void {
    if (!this.#isOpen) throw malformed("a statement outside a transaction");
    switch (statement.kind) {
      case "begin":
        this.#isSingle = false;
        return;
      case "xa":
        this.#xa(statement.verb, statement.xid);
        return;
      case "commit":
        this.#commit();
        return;
      case "rollback":
      case "rollback-to":
        this.#rolledBack(statement.kind === "rollback");
        return;
      default:
        if (!this.#isSkipped) this.#changes.statement(statement);
        if (statement.kind !== "rows") this.#definitions++;
        else if (!this.#isSkipped && this.#changes.hasTables) {
          this.#pause = { kind: "statement", statement, definitions: this.#definitions };
          return;
        }
        this.#endStatement();
    }
  }

  #endStatement(): void {
    if (this.#isSingle !== false) this.#commit();
  }

  /** XA START begins what XA PREPARE ends; XA COMMIT stands alone, and says that it counts. */
  #xa(verb: string, xid: string): void {
    if (verb === "START" || verb === "BEGIN") {
      this.#isSingle = false;
      if (!this.#isSkipped) this.#prepared.begin(xid);
    } else if (verb === "COMMIT" || verb === "ROLLBACK") {
      const prepared = this.#prepared.take(xid);
      if (verb === "COMMIT" && !this.#isSkipped) {
        if (prepared === undefined) {
          this.#pause = { kind: "prepared", xid, before: this.#progress.place };
          return;
        }
        this.#changes.replay(prepared.events);
      }
      this.#commit();
    }
  }

  /** Committed in one go when its first byte says so. */
  #prepare(): void {
    const isOnePhase = this.#in.byte() !== 0;
    const events = this.#prepared.end(isOnePhase);
    if (!this.#isSkipped && events !== undefined) this.#changes.replay(events);
    this.#commit();
  }

  /**
   * What a transaction took back stands in the log only where it has also changed tables without transactions: which of
   * its changes count cannot be told then.
   */
  #rolledBack(isEnd: boolean): void {
    if (!this.#isSkipped && this.#changes.hasChanges) {
      throw unreadable(
        "a transaction that was rolled back in part, as it had changed a table without transactions",
        "Start the task again with reload-target; keep tables of MyISAM, Aria or MEMORY out of transactions.",
      );
    }
    if (isEnd) this.#commit();
  }
}
