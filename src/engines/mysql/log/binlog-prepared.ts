import { type TableSchema, tableKey } from "../../../core/schema.ts";
import { type EventCursor, malformed, unreadable } from "./binlog-bytes.ts";
import { EventKind } from "./binlog-event.ts";
import { NO_TABLE, readTableName, UNNAMED_TABLE } from "./binlog-table-map.ts";

export interface KeptEvent {
  readonly kind: number;
  readonly body: Buffer;
}

/** So many bytes of prepared transactions are kept in memory. */
const MAX_BYTES = 256 << 20;

export interface PreparedOptions {
  /** Of changes of other tables nothing is kept. */
  readonly tables: readonly TableSchema[];
  readonly foldsNames: boolean;
  /** The only transaction that is kept; all, if none is named. */
  readonly only?: string | undefined;
  readonly maxBytes?: number | undefined;
}

/**
 * Transactions of two phases (XA): what they have changed counts once they commit, which may be much later. Of those that
 * are more than can be kept together, the oldest are forgotten: they are as ones that were prepared before the stream began.
 */
export class PreparedTransactions {
  readonly #tables: ReadonlySet<string>;
  readonly #foldsNames: boolean;
  readonly #only: string | undefined;
  readonly #maxBytes: number;
  readonly #kept = new Map<string, PreparedTransaction>();
  /** The one that is being collected. */
  #open: PreparedTransaction | undefined;
  #xid = "";
  #bytes = 0;

  constructor({ tables, foldsNames, only, maxBytes = MAX_BYTES }: PreparedOptions) {
    this.#foldsNames = foldsNames;
    this.#tables = new Set(tables.map(({ id }) => this.#keyOf(id.schema, id.name)));
    this.#only = only;
    this.#maxBytes = maxBytes;
  }

  get isCollecting(): boolean {
    return this.#open !== undefined;
  }

  begin(xid: string): void {
    if (this.#only !== undefined && xid !== this.#only) return;
    this.#open = new PreparedTransaction(this.#maxBytes);
    this.#xid = xid;
  }

  /** What is being collected is not prepared after all. */
  giveUp(): void {
    this.#bytes -= this.#open?.bytes ?? 0;
    this.#open = undefined;
  }

  /** A TABLE_MAP, or rows. */
  add(kind: number, cursor: EventCursor): void {
    const open = this.#open!;
    const before = open.bytes;
    open.add(kind, cursor, (schema, name) => this.#tables.has(this.#keyOf(schema, name)));
    this.#bytes += open.bytes - before;
    for (const xid of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.take(xid);
    }
  }

  /** The transaction is prepared. Returns what it has changed when it commits with that. */
  end(isOnePhase: boolean): readonly KeptEvent[] | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    if (isOnePhase) {
      this.giveUp();
      return open.events;
    }
    this.#open = undefined;
    this.#kept.set(this.#xid, open);
    return undefined;
  }

  /** It ends: undefined for one that is not kept. */
  take(xid: string): PreparedTransaction | undefined {
    const prepared = this.#kept.get(xid);
    this.#bytes -= prepared?.bytes ?? 0;
    this.#kept.delete(xid);
    return prepared;
  }

  #keyOf(schema: string, name: string): string {
    const id = { schema, name };
    return tableKey(this.#foldsNames ? { schema: schema.toLowerCase(), name: name.toLowerCase() } : id);
  }
}

/** What one transaction has changed, as far as it matters. */
class PreparedTransaction {
  bytes = 0;
  #events: KeptEvent[] = [];
  #isTooLarge = false;
  /** By the tables' numbers: whether their rows are kept. */
  readonly #numbers = new Map<number, boolean>();
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws `source.log_unreadable` when that is more than can be kept. */
  get events(): readonly KeptEvent[] {
    if (!this.#isTooLarge) return this.#events;
    throw unreadable(
      `a transaction of two phases (XA) that has changed more than ${this.#maxBytes >> 20} MB of the task's tables`,
      "Start the task again with reload-target. Let transactions of this size commit in one phase, or be smaller.",
    );
  }

  add(kind: number, cursor: EventCursor, isWanted: (schema: string, name: string) => boolean): void {
    const { bytes, at, end } = cursor;
    const number = cursor.uint48();
    if (kind === EventKind.tableMap) this.#numbers.set(number, isWanted(...readTableName(cursor)));
    const isKept = this.#numbers.get(number);
    if (isKept === undefined && number !== NO_TABLE) throw malformed(UNNAMED_TABLE);
    if (isKept !== true || this.#isTooLarge) return;
    this.bytes += end - at;
    this.#events.push({ kind, body: Buffer.from(bytes.subarray(at, end)) });
    if (this.bytes <= this.#maxBytes) return;
    this.#isTooLarge = true;
    this.#events = [];
    this.bytes = 0;
  }
}
