import { MigrationError } from "../../../core/error.ts";
import { EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import type { ApplyFailure } from "../../shared/apply/apply-parts.ts";
import { type ChangePlace, ChangeRing, NO_CHANGES, NO_PLACE } from "../../shared/apply/change-ring.ts";
import { readServerError, ServerError } from "../connection/server-error.ts";
import { Message, queryMessage, readTextRow, SYNC } from "../connection/wire-message.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { ApplyWriter, type CellSource, type PreparedStatement } from "./apply-writer.ts";

/** Statements that the server keeps for us; each costs it memory for a plan. */
const MAX_PREPARED = 1_000;

const ZERO = 0x30;

/** For a command without parameters. */
export const NO_CELLS: CellSource = {
  batch: NO_CHANGES,
  at: -1,
  bytes: Buffer.alloc(0),
  before: -1,
  after: -1,
};

/** What a query came to. */
export interface QueryAnswer {
  /** Rows that the last of its statements touched; NaN when it tells none. */
  readonly touched: number;
  /** The last row of values that one of its statements returned. */
  readonly row: readonly (string | null)[] | undefined;
}

interface PendingQuery {
  readonly answer: PromiseWithResolvers<QueryAnswer>;
  touched: number;
  row: readonly (string | null)[] | undefined;
  error: ServerError | undefined;
}

export interface ApplySessionListener {
  /** A command completed, which has changed so many rows; NaN when it tells none. `place` holds until it returns. */
  completed(expectation: number, rows: number, place: ChangePlace): void;
  failed(failure: ApplyFailure): void;
}

/**
 * Commands in a pipeline: they are written without waiting, and a loop of its own reads what the
 * server answers, so neither side ever waits for the other's buffers. Answers are matched to
 * commands by their order. The first error ends the session: the server skips what follows. Only in a stretch that was
 * guarded can it be used again, by retreat().
 */
export class ApplySession implements AsyncDisposable {
  readonly #wire: WireSession;
  readonly #listener: ApplySessionListener;
  readonly #writer = new ApplyWriter();
  readonly #prepared = new Set<PreparedStatement>();
  #clock = 0;
  #ring = new ChangeRing();
  #drained: PromiseWithResolvers<void> | undefined;
  /** Queries without an answer yet, in the order in which they were written. */
  readonly #queries: PendingQuery[] = [];
  #failure: ApplyFailure | undefined;
  /** So many stretches within each other are open in which a command's own error does not end the session. */
  #guards = 0;
  /** The failure is such an error. */
  #mayRetreat = false;
  /** Statements that were made known to the server or taken back from it since guard(): it may not have heard of that. */
  readonly #unsure = new Set<PreparedStatement>();

  constructor(wire: WireSession, listener: ApplySessionListener) {
    this.#wire = wire;
    this.#listener = listener;
    // Answers to commands come when the server sees fit, unless they are asked for.
    wire.expects = () => this.#drained !== undefined || (this.#queries.length > 0 && this.#writer.empty);
    void this.#read();
  }

  get failure(): ApplyFailure | undefined {
    return this.#failure;
  }

  /** True when enough was written that push() is due. */
  get full(): boolean {
    return this.#writer.full;
  }

  /** Bytes written in all. */
  get written(): number {
    return this.#writer.written;
  }

  /** Writes one command. `cells` says where its parameters lie. */
  execute(statement: PreparedStatement, cells: CellSource, expectation: number): void {
    statement.usedAt = ++this.#clock;
    if (!statement.prepared) this.#prepare(statement);
    this.#writer.bind(statement, cells);
    this.#writer.execute();
    this.#ring.push(expectation, 0, cells);
  }

  /** Writes a command that is not kept for another time. */
  executeOnce(
    { sql, params }: Pick<PreparedStatement, "sql" | "params">,
    expectation: number,
    cells: CellSource = NO_CELLS,
  ): void {
    const statement = { name: "", sql, params, prepared: true, usedAt: 0 };
    this.#writer.parse(statement);
    this.#writer.bind(statement, cells);
    this.#writer.execute();
    this.#ring.push(expectation, 0, cells);
  }

  /** Writes a command that has no parameters and counts for nothing. */
  command(statement: PreparedStatement): void {
    this.execute(statement, NO_CELLS, Expect.done - EXPECT_WIDTH);
  }

  /** Hands what was written to the socket; resolves when more may be. */
  async push(): Promise<void> {
    for (const bytes of this.#writer.take()) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#wire.send(bytes);
    }
  }

  /** Resolves when the server has carried out everything written so far. */
  async drain(): Promise<void> {
    this.#writer.flush();
    await this.push();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#ring.length === 0) return;
    this.#drained = Promise.withResolvers();
    await this.#drained.promise;
  }

  /**
   * Writes statements without parameters; they fail without ending the session. Resolves with their
   * answer, for which push() has to be called; may be rejected before anybody waits for it.
   */
  query(sql: string): Promise<QueryAnswer> {
    const answer = this.#answered();
    this.#writer.message(queryMessage(sql));
    return answer;
  }

  /** Writes statements and waits for their answer. */
  async ask(sql: string): Promise<QueryAnswer> {
    const answer = this.query(sql);
    await this.push();
    return await answer;
  }

  /**
   * From here on a command's own error is told by drain() alone, and retreat() makes the session usable again. One such
   * stretch may stand in another.
   */
  guard(): void {
    if (this.#guards++ === 0) this.#unsure.clear();
  }

  /** What was written since the last guard() has been carried out. */
  unguard(): void {
    this.#guards--;
  }

  /**
   * After an error since the last guard(): runs statements that make the transaction usable again. Throws when the session has
   * ended by something else.
   */
  async retreat(sql: string): Promise<void> {
    if (this.#mayRetreat) {
      // The server leaves out all that was written after the command, and answers none of it.
      this.#ring = new ChangeRing();
      this.#queries.length = 0;
      this.#failure = undefined;
      this.#mayRetreat = false;
    }
    void this.#answered();
    this.#writer.message(SYNC);
    for (const statement of this.#unsure) {
      this.#writer.closeStatement(statement.name);
      statement.prepared = false;
      this.#prepared.delete(statement);
    }
    this.#unsure.clear();
    this.unguard();
    await this.ask(sql);
  }

  /** Takes the rows of a COPY that query() has begun; then copyDone(). */
  get rows(): ApplyWriter {
    return this.#writer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }

  #prepare(statement: PreparedStatement): void {
    if (this.#prepared.size >= MAX_PREPARED) this.#evict();
    this.#writer.parse(statement);
    statement.prepared = true;
    this.#prepared.add(statement);
    if (this.#guards > 0) this.#unsure.add(statement);
  }

  /** Closes the tenth of the statements that were not used for longest. */
  #evict(): void {
    const oldest = [...this.#prepared].sort((a, b) => a.usedAt - b.usedAt);
    for (const statement of oldest.slice(0, MAX_PREPARED / 10)) {
      this.#writer.closeStatement(statement.name);
      statement.prepared = false;
      this.#prepared.delete(statement);
      if (this.#guards > 0) this.#unsure.add(statement);
    }
  }

  /** The answer to a message that ends with the server's being ready. */
  #answered(): Promise<QueryAnswer> {
    const answer = Promise.withResolvers<QueryAnswer>();
    answer.promise.catch(() => undefined);
    if (this.#failure !== undefined) answer.reject(this.#failure.error);
    this.#queries.push({ answer, touched: Number.NaN, row: undefined, error: undefined });
    this.#ring.push(Expect.query - EXPECT_WIDTH, 0, NO_PLACE);
    return answer.promise;
  }

  async #read(): Promise<void> {
    const { messages } = this.#wire;
    try {
      for (;;) {
        while (messages.advance()) this.#message(messages.type, messages.bytes, messages.bodyEnd);
        if (this.#ring.length === 0) this.#settle();
        await messages.fill();
      }
    } catch (error) {
      this.#fail({ error, table: -1 });
    }
  }

  #message(type: number, bytes: Buffer, end: number): void {
    if (type === Message.bindComplete || type === Message.parseComplete) return;
    const head = this.#ring.length === 0 ? Number.NaN : this.#ring.expectation;
    const isQuery = (head & (EXPECT_WIDTH - 1)) === Expect.query;
    const { bodyStart } = this.#wire.messages;
    switch (type) {
      case Message.commandComplete:
        if (isQuery) {
          this.#queries[0]!.touched = rowsTold(bytes, end);
        } else {
          this.#listener.completed(head, rowsTold(bytes, end), this.#ring.place);
          this.#ring.shift(1);
        }
        break;
      case Message.dataRow:
        this.#queries[0]!.row = readTextRow(bytes, bodyStart);
        break;
      case Message.error: {
        const error = readServerError(bytes, bodyStart, end);
        if (isQuery && error.fields.severity === "ERROR") this.#queries[0]!.error = error;
        else
          this.#fail({ error, table: Number.isNaN(head) || isQuery ? -1 : Math.floor(head / EXPECT_WIDTH) });
        break;
      }
      case Message.ready:
        if (!isQuery)
          throw new MigrationError("internal.unexpected", { message: "The target answered out of turn." });
        this.#ring.shift(1);
        this.#answer(this.#queries.shift()!);
        break;
    }
  }

  #answer({ answer, touched, row, error }: PendingQuery): void {
    if (error === undefined) answer.resolve({ touched, row });
    else answer.reject(error);
  }

  #settle(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Only the first failure tells the cause; what follows are its consequences, unless that one was to be passed over. */
  #fail(failure: ApplyFailure): void {
    const { error } = failure;
    const isCommands = error instanceof ServerError && error.fields.severity === "ERROR";
    const mayRetreat = this.#guards > 0 && isCommands;
    if (this.#failure !== undefined && (!this.#mayRetreat || mayRetreat)) return;
    this.#failure = failure;
    this.#mayRetreat = mayRetreat;
    this.#drained?.reject(error);
    this.#drained = undefined;
    for (const { answer } of this.#queries) answer.reject(error);
    if (!mayRetreat) this.#listener.failed(failure);
  }
}

/** A tag ends in the count of rows and a zero byte: "UPDATE 0", "INSERT 0 1"; NaN for one that does not: "BEGIN". */
function rowsTold(bytes: Buffer, end: number): number {
  let at = end - 2;
  let rows = 0;
  for (let unit = 1; isDigit(bytes[at]!); unit *= 10) rows += unit * (bytes[at--]! - ZERO);
  return at === end - 2 ? Number.NaN : rows;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte < ZERO + 10;
}
