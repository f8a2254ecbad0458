import { MigrationError } from "../../../core/error.ts";
import { EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import type { ApplyFailure } from "../../shared/apply/apply-parts.ts";
import { type ChangePlace, ChangeRing, NO_PLACE } from "../../shared/apply/change-ring.ts";
import { MORE_RESULTS } from "../connection/result-head.ts";
import { readServerError } from "../connection/server-error.ts";
import { atLeast } from "../connection/server-facts.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { SqlText } from "../values/sql-text.ts";
import { RowsAnswer, readStatementAnswer, StatementAnswer } from "./apply-answer.ts";
import { changedValue, StatementFailure, tooLarge } from "./apply-failure.ts";

/** What a statement of a set must have done, beside Expect: as many rows as were named with it. */
export const SetExpect = {
  /** Inserted or deleted. */
  rows: 9,
  /** Found by an update. */
  matched: 10,
  /** Found by an insert that overwrites: none may be new. */
  overwritten: 11,
} as const;

const COM_QUERY = 3;
const SEMICOLON = 0x3b;
const ERR = 0xff;

/** A message is sent once it has this much: then the server works on it while the next is written. */
const MESSAGE_BYTES = 1 << 18;
const MAX_SPARE = 1 << 20;
/** No more statements than this in one message, because each has an answer. */
const MESSAGE_STATEMENTS = 2_000;

export interface ApplySessionListener {
  /**
   * A statement completed, which has found (an update of one row) or changed so many rows. `place` holds until this
   * returns.
   */
  completed(expectation: number, rows: number, place: ChangePlace): void;
  /** The session has ended by itself. */
  lost(error: unknown): void;
}

/**
 * Statements in messages of many, written without waiting; a loop of its own reads what the server answers, so that
 * neither side waits for the other's buffers. Answers are matched to statements by their order. After an error the
 * server leaves out the rest of that message, but not the messages that follow: what they did is taken back with the
 * transaction, which nothing commits before drain() has resolved. The session has autocommit off, so that this holds
 * also when the server has ended the transaction by itself, as after a deadlock.
 */
export class ApplySession implements AsyncDisposable {
  readonly #wire: WireSession;
  readonly #listener: ApplySessionListener;
  #out = new SqlText();
  /** Where the last statement begins, and how many are in the message at work. */
  #began = 0;
  #statements = 0;
  /** Messages not sent yet. */
  #sealed: Uint8Array[] = [];
  /** Statements that are not answered yet, message by message, and the buffers that they were written into. */
  readonly #unanswered: number[] = [];
  readonly #buffers: Buffer[] = [];
  #spare: Buffer | undefined;
  readonly #ring = new ChangeRing();
  readonly #answer = new StatementAnswer();
  /** What the one statement under way answers with, when that is rows. */
  #asked: RowsAnswer | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  #failure: ApplyFailure | undefined;
  #mismatched = new Set<number>();
  #lost: { readonly error: unknown } | undefined;

  constructor(wire: WireSession, listener: ApplySessionListener) {
    this.#wire = wire;
    this.#listener = listener;
    wire.awaits = () => this.#ring.length > 0;
    void this.#read();
  }

  /** Bytes of the largest message that the server takes. */
  get limit(): number {
    return this.#wire.facts.maxAllowedPacket;
  }

  /** True when enough was written that push() is due. */
  get full(): boolean {
    return this.#sealed.length > 0;
  }

  /** Where the next statement is to be written; end() follows. */
  begin(): SqlText {
    const out = this.#out;
    this.#began = out.length;
    out.reserve(1);
    out.bytes[out.length++] = this.#statements === 0 ? COM_QUERY : SEMICOLON;
    return out;
  }

  /** Where begin() has begun a statement. */
  get text(): SqlText {
    return this.#out;
  }

  /** Bytes of the statements that wait to be sent together. */
  get length(): number {
    return this.#out.length;
  }

  /**
   * The statement is complete. `rows`: see SetExpect; `place`: the change that it is for. Throws when it is larger than
   * the server takes.
   */
  end(expectation: number, rows = 0, place: ChangePlace = NO_PLACE): void {
    if (this.#out.length >= this.limit) this.#moveApart(Math.floor(expectation / EXPECT_WIDTH));
    this.#statements++;
    this.#ring.push(expectation, rows, place);
    const { length } = this.#out;
    if (length >= MESSAGE_BYTES || this.#statements >= MESSAGE_STATEMENTS) this.#seal();
  }

  /** Writes statements that count for nothing, in one message: none of them is run when one before it fails. */
  statements(...sql: readonly string[]): void {
    for (const one of sql) {
      this.begin().append(Buffer.from(one));
      this.#statements++;
      this.#ring.push(Expect.done - EXPECT_WIDTH, 0, NO_PLACE);
    }
  }

  /** Sends what makes whole messages; resolves when more may be written. */
  async push(): Promise<void> {
    const sealed = this.#sealed;
    this.#sealed = [];
    for (const payload of sealed) {
      if (this.#lost !== undefined) throw this.#lost.error;
      await this.#wire.command(payload);
    }
    if (this.#failure !== undefined) await this.drain();
  }

  /**
   * Resolves when the server has answered everything written so far. Throws the first error, after which the
   * session can be used again; the transaction is then as the server has left it.
   */
  async drain(): Promise<void> {
    this.#seal();
    const sealed = this.#sealed;
    this.#sealed = [];
    for (const payload of sealed) {
      if (this.#lost !== undefined) throw this.#lost.error;
      await this.#wire.command(payload);
    }
    if (this.#lost !== undefined) throw this.#lost.error;
    if (this.#ring.length > 0) {
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw new StatementFailure(failure);
  }

  /** A statement that returns rows: the text values. Everything written before is answered first. */
  async ask(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    await this.drain();
    const asked = new RowsAnswer();
    this.#asked = asked;
    this.statements(sql);
    await this.drain();
    return asked.rows;
  }

  /** Tables with statements that touched other rows than they should, since the last call. */
  takeMismatched(): ReadonlySet<number> {
    const mismatched = this.#mismatched;
    this.#mismatched = new Set();
    return mismatched;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }

  /** Sends what came before the last statement first, so that this is a message of its own. */
  #moveApart(table: number): void {
    const out = this.#out;
    const length = out.length - this.#began;
    const { bytes } = out;
    out.length = this.#began;
    if (length >= this.limit) throw tooLarge(table, length);
    this.#seal();
    this.begin().append(bytes.subarray(out.length + 1, out.length + length));
  }

  #seal(): void {
    if (this.#statements === 0) return;
    const { bytes, length } = this.#out;
    this.#sealed.push(bytes.subarray(0, length));
    this.#unanswered.push(this.#statements);
    this.#buffers.push(bytes);
    this.#statements = 0;
    this.#out = new SqlText(this.#spare);
    this.#spare = undefined;
  }

  async #read(): Promise<void> {
    const { packets } = this.#wire;
    try {
      for (;;) {
        while (packets.next()) this.#packet(packets.bytes, packets.start, packets.end);
        if (this.#ring.length === 0) this.#settle();
        await packets.fill();
      }
    } catch (error) {
      this.#lost = { error };
      this.#drained?.reject(error);
      this.#listener.lost(error);
    }
  }

  #packet(bytes: Buffer, start: number, end: number): void {
    const left = this.#unanswered[0];
    if (left === undefined) {
      throw bytes[start] === ERR ? readServerError(bytes, start, end) : outOfTurn();
    }
    const asked = this.#asked;
    if (bytes[start] === ERR) this.#asked = undefined;
    else if (asked !== undefined) {
      if (!asked.take(this.#wire.packets)) return;
      this.#asked = undefined;
      this.#ring.shift(1);
      this.#messageAnswered();
      return;
    }
    const { expectation } = this.#ring;
    if (bytes[start] === ERR) {
      this.#failure ??= {
        error: readServerError(bytes, start, end),
        table: Math.floor(expectation / EXPECT_WIDTH),
      };
      this.#ring.shift(left);
      this.#messageAnswered();
      return;
    }
    readStatementAnswer(this.#answer, bytes, start, end);
    const hasMore = (this.#answer.status & MORE_RESULTS) !== 0;
    if (hasMore !== left > 1) throw outOfTurn();
    if (this.#failure === undefined) this.#completed(expectation, this.#ring.rows);
    this.#ring.shift(1);
    if (hasMore) this.#unanswered[0] = left - 1;
    else this.#messageAnswered();
  }

  /** A buffer that the server has read whole is written into again, unless a large value has made it large. */
  #messageAnswered(): void {
    this.#unanswered.shift();
    const buffer = this.#buffers.shift()!;
    if (buffer.length <= MAX_SPARE) this.#spare = buffer;
  }

  #completed(expectation: number, rows: number): void {
    const { affected, first, second, warnings } = this.#answer;
    const kind = expectation & (EXPECT_WIDTH - 1);
    if (warnings > 0 && expectation >= 0 && !this.#warns(kind)) {
      this.#failure = { error: changedValue(), table: Math.floor(expectation / EXPECT_WIDTH) };
      return;
    }
    switch (kind) {
      case SetExpect.rows:
        if (affected !== rows) this.#mismatch(expectation);
        break;
      case SetExpect.matched:
        if (first !== rows) this.#mismatch(expectation);
        break;
      case SetExpect.overwritten:
        // A row that was there counts two when it changes and none when it does not, a new one counts one.
        if ((Number.isNaN(second) ? affected & 1 : affected - 2 * second) !== 0) this.#mismatch(expectation);
        break;
      case Expect.update:
      case Expect.updateAny:
      case Expect.updateMust:
        this.#listener.completed(expectation, Number.isNaN(first) ? affected : first, this.#ring.place);
        break;
      default:
        this.#listener.completed(expectation, affected, this.#ring.place);
    }
  }

  /** MySQL warns of VALUES() from 8.0.20 on. */
  #warns(kind: number): boolean {
    const { facts } = this.#wire;
    const overwrites =
      kind === SetExpect.overwritten || kind === Expect.insertAny || kind === Expect.updateAny;
    return overwrites && facts.flavour === "mysql" && atLeast(facts, 8, 0, 20);
  }

  #mismatch(expectation: number): void {
    this.#mismatched.add(Math.floor(expectation / EXPECT_WIDTH));
  }

  #settle(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}

function outOfTurn(): MigrationError {
  return new MigrationError("internal.unexpected", { message: "The target answered out of turn." });
}
