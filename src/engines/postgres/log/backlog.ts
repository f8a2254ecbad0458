import { failpoint } from "../../../base/failpoint.ts";
import type { StreamItem } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { literal } from "../../shared/identifier.ts";
import { lsnCodec, lsnValue } from "../catalog/lsn.ts";
import { atLeastSql } from "../connection/bulk-session.ts";
import { readServerError } from "../connection/server-error.ts";
import { Message, queryMessage } from "../connection/wire-message.ts";
import type { WireSession } from "../connection/wire-session.ts";
import type { PgoutputDecoder } from "./pgoutput.ts";

/** Messages asked for at once, and how large an answer should about be: the server keeps it until it is read. */
const FIRST_ROUND = 25_000;
const MIN_ROUND = 5_000;
const MAX_ROUND = 160_000;
const ROUND_BYTES = 12 << 20;
/** Beyond it a round would pass through a file: each message takes some more than its own bytes. */
const ROUND_MEMORY = atLeastSql("work_mem", 64);

/** So far behind what is confirmed the task's slot is moved on: a long backlog must not be kept to its end. */
const ADVANCE_BYTES = 128 << 20;

/** What comes before the first row of a binary COPY: signature, flags, length of an extension that there is not. */
const COPY_HEADER_LENGTH = 19;
/** Before a row's value: its count of columns and the value's length. */
const ROW_HEADER_LENGTH = 6;

/** Moves a slot that nobody reads on to a position, when that lies more than some bytes ahead. */
export function advanceSql(slot: string, { text }: Position, bytes: number): string {
  return `select pg_catalog.pg_replication_slot_advance(slot_name, ${literal(text)})
       from pg_catalog.pg_replication_slots
      where slot_name = ${literal(slot)} and not active
        and pg_catalog.pg_wal_lsn_diff(${literal(text)}, confirmed_flush_lsn) > ${bytes}`;
}

export interface BacklogParts {
  readonly wire: WireSession;
  readonly decoder: PgoutputDecoder;
  readonly after: Position;
  /** The task's slot, and the name of the copy of it that is read. */
  readonly slot: string;
  readonly reader: string;
  /** Options of pgoutput: names and values in turn. */
  readonly options: readonly string[];
}

/**
 * Reads the log that has gathered in rounds: the server decodes some ten thousand messages and returns
 * them as rows of one answer. A walsender sends each message by itself, and looks for an answer after
 * each: that costs it more than half of its time, in system calls. The task's own slot keeps the log as
 * always and is not touched; what is read, and so moves on with each round, is a temporary copy of it.
 */
export class Backlog implements AsyncDisposable {
  readonly #parts: BacklogParts;
  /** Messages to ask for next, and for each round on its way how many it was asked for. */
  #limit = FIRST_ROUND;
  readonly #asked: number[] = [];
  #messages = 0;
  #bytes = 0;
  #isFirstRow = true;
  #confirmed: Position | undefined;
  #advanced: Position | undefined;

  constructor(parts: BacklogParts) {
    this.#parts = parts;
  }

  /** Makes the copy. Throws ServerError, when the server has no slot to spare or does not allow it. */
  async open(): Promise<void> {
    const { wire, slot, reader } = this.#parts;
    wire.gulp(true);
    await wire.query(ROUND_MEMORY);
    await wire.query(
      `select pg_catalog.pg_copy_logical_replication_slot(${literal(slot)}, ${literal(reader)}, true)`,
    );
    failpoint("stream.backlog-copied");
  }

  /** The target holds everything up to here for good. */
  confirm(position: Position): void {
    this.#confirmed = position;
  }

  get confirmed(): Position | undefined {
    return this.#confirmed;
  }

  /**
   * What has gathered up to now, in commit order; ends with a heartbeat when there is no more of it. While
   * one round is read, the server decodes the next.
   */
  async *read(): AsyncGenerator<StreamItem> {
    const asked = this.#asked;
    let isFull = false;
    do {
      if (asked.length === 0) await this.#ask();
      if (isFull && !this.#isAdvanceDue()) await this.#ask();
      const position = yield* this.#round();
      isFull = this.#messages >= asked.shift()!;
      if (asked.length === 0) await this.#advanceIfDue();
      if (!isFull && asked.length === 0) yield { kind: "heartbeat", position };
    } while (isFull || asked.length > 0);
  }

  /** All that is committed before the call lies before it. */
  async logEnd(): Promise<Position> {
    const { rows } = await this.#parts.wire.query("select pg_catalog.pg_current_wal_flush_lsn()");
    return lsnCodec.parse(rows[0]![0]!);
  }

  /**
   * Asks the server to note in its log which transactions are open: only from such a note on can a
   * slot be read. It does so by itself every 15 seconds; on request from version 16 on, where the role may ask.
   */
  async noteOpenTransactions(): Promise<void> {
    const { wire } = this.#parts;
    // Asked first: an error would end the copy of the slot, as of every temporary slot of the session.
    const { rows } = await wire.query(
      `select pg_catalog.has_function_privilege(oid, 'execute') from pg_catalog.pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and proname = 'pg_log_standby_snapshot'`,
    );
    if (rows[0]?.[0] === "t") await wire.query("select pg_catalog.pg_log_standby_snapshot()");
  }

  /** Lets the server discard what is confirmed, when that is more than some bytes. */
  async advance(bytes: number): Promise<void> {
    const { wire, slot } = this.#parts;
    const confirmed = this.#confirmed;
    if (confirmed === undefined || confirmed === this.#advanced) return;
    this.#advanced = confirmed;
    await wire.query(advanceSql(slot, confirmed, bytes));
    failpoint("stream.backlog-advanced");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.wire[Symbol.asyncDispose]();
  }

  /** Sends for a round. The statement before it tells how far it will come at least. */
  async #ask(): Promise<void> {
    const { wire, reader, options } = this.#parts;
    const list = options.map(literal).join(", ");
    await wire.send(
      queryMessage(
        `select pg_catalog.pg_current_wal_flush_lsn();
         copy (select data from pg_catalog.pg_logical_slot_get_binary_changes(
           ${literal(reader)}, null, ${this.#limit}, ${list})) to stdout (format binary)`,
      ),
    );
    this.#asked.push(this.#limit);
  }

  /** Reads the round that was sent for first; returns how far the log had come before it. */
  async *#round(): AsyncGenerator<StreamItem, Position> {
    const { wire, decoder } = this.#parts;
    const { messages } = wire;
    this.#messages = 0;
    this.#bytes = 0;
    this.#isFirstRow = true;
    const told = await wire.copyOutOpens();
    for (let isDone = false; !isDone; ) {
      while (!isDone && messages.advance()) isDone = this.#message();
      const batch = decoder.take(messages.bytes);
      if (batch !== undefined) yield { kind: "changes", batch };
      if (!isDone) await messages.fill();
    }
    await wire.copyOutEnd();
    failpoint("stream.backlog-read");
    if (this.#messages > 0) {
      const wanted = ROUND_BYTES / (this.#bytes / this.#messages);
      this.#limit = Math.round(Math.min(MAX_ROUND, Math.max(MIN_ROUND, wanted)));
    }
    return lsnCodec.parse(told[0]![0]!);
  }

  /** True at the end of the rows. */
  #message(): boolean {
    const { messages } = this.#parts.wire;
    const { bytes, bodyStart, bodyEnd } = messages;
    switch (messages.type) {
      case Message.copyData:
        this.#row(bytes, bodyStart, bodyEnd);
        return false;
      case Message.error:
        throw readServerError(bytes, bodyStart, bodyEnd);
      default:
        return messages.type === Message.copyDone;
    }
  }

  #row(bytes: Buffer, start: number, end: number): void {
    const at = this.#isFirstRow ? start + COPY_HEADER_LENGTH : start;
    this.#isFirstRow = false;
    // The header may come alone; a count of -1 ends the rows.
    if (at === end || bytes.readInt16BE(at) < 0) return;
    if (end - at < ROW_HEADER_LENGTH) {
      throw new MigrationError("source.protocol", { message: "The decoded log is malformed: a short row." });
    }
    this.#messages++;
    this.#bytes += end - at;
    this.#parts.decoder.decode(bytes, at + ROW_HEADER_LENGTH, end);
  }

  /** The slot is moved on between two rounds, not beside one. */
  async #advanceIfDue(): Promise<void> {
    if (this.#isAdvanceDue()) await this.advance(ADVANCE_BYTES);
  }

  #isAdvanceDue(): boolean {
    const confirmed = this.#confirmed;
    if (confirmed === undefined || confirmed === this.#advanced) return false;
    const from = this.#advanced ?? this.#parts.after;
    return lsnValue(confirmed) - lsnValue(from) > BigInt(ADVANCE_BYTES);
  }
}
