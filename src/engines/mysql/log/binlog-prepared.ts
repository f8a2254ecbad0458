import { type EventCursor, unreadable } from "./binlog-bytes.ts";

export interface KeptEvent {
  readonly kind: number;
  readonly body: Buffer;
}

/** So many bytes of prepared transactions are kept in memory. */
const MAX_BYTES = 256 << 20;

/** Transactions of two phases (XA): what they have changed counts once they commit, which may be much later. */
export class PreparedTransactions {
  readonly #kept = new Map<string, readonly KeptEvent[]>();
  #events: KeptEvent[] | undefined;
  #xid = "";
  #bytes = 0;

  get isCollecting(): boolean {
    return this.#events !== undefined;
  }

  begin(xid: string): void {
    this.#events = [];
    this.#xid = xid;
  }

  /** What is being collected is not prepared after all. */
  giveUp(): void {
    this.#forget(this.#events ?? []);
    this.#events = undefined;
  }

  add(kind: number, { bytes, at, end }: EventCursor): void {
    this.#bytes += end - at;
    if (this.#bytes > MAX_BYTES) {
      throw unreadable(
        `prepared transactions (XA) of more than ${MAX_BYTES >> 20} MB`,
        "Commit or roll back the transactions that XA RECOVER shows, and start the task again with reload-target.",
      );
    }
    this.#events!.push({ kind, body: Buffer.from(bytes.subarray(at, end)) });
  }

  /** The transaction is prepared. Returns what it has changed when it commits with that. */
  end(isOnePhase: boolean): readonly KeptEvent[] | undefined {
    const events = this.#events;
    this.#events = undefined;
    if (events === undefined) return undefined;
    if (isOnePhase) {
      this.#forget(events);
      return events;
    }
    this.#kept.set(this.#xid, events);
    return undefined;
  }

  /** It ends: what it has changed; undefined for one that was prepared before the stream began. */
  take(xid: string): readonly KeptEvent[] | undefined {
    const events = this.#kept.get(xid);
    if (events === undefined) return undefined;
    this.#kept.delete(xid);
    this.#forget(events);
    return events;
  }

  #forget(events: readonly KeptEvent[]): void {
    for (const { body } of events) this.#bytes -= body.length;
  }
}
