import { MigrationError } from "../../../core/error.ts";
import { EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import type { ApplyFailure } from "../../shared/apply/apply-parts.ts";
import { readServerError, type ServerError } from "../connection/server-error.ts";
import { Message, queryMessage, readTextRow } from "../connection/wire-message.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { ApplyWriter, type CellSource, type PreparedStatement } from "./apply-writer.ts";

/** Statements that the server keeps for us; each costs it memory for a plan. */
const MAX_PREPARED = 1_000;

const ZERO = 0x30;

/** For a command without parameters. */
export const NO_CELLS: CellSource = {
  batch: {
    bytes: new Uint8Array(0),
    cells: new Int32Array(0),
    encoding: "text",
    tables: [],
    ops: new Int32Array(0),
    transactions: [],
  },
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
  /** A command completed, which has changed so many rows; NaN when it tells none. */
  completed(expectation: number, rows: number): void;
  failed(failure: ApplyFailure): void;
}

/**
 * Commands in a pipeline: they are written without waiting, and a loop of its own reads what the
 * server answers, so neither side ever waits for the other's buffers. Answers are matched to
 * commands by their order. The first error ends the session: the server skips what follows.
 */
export class ApplySession implements AsyncDisposable {
  readonly #wire: WireSession;
  readonly #listener: ApplySessionListener;
  readonly #writer = new ApplyWriter();
  readonly #prepared = new Set<PreparedStatement>();
  #clock = 0;
  /** Ring of expectations, a power of two long. */
  #ring = new Int32Array(1 << 12);
  #first = 0;
  #count = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** Queries without an answer yet, in the order in which they were written. */
  readonly #queries: PendingQuery[] = [];
  #failure: ApplyFailure | undefined;

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
    this.#expect(expectation);
  }

  /** Writes a command that has no parameters and is not kept for another time. */
  executeOnce(sql: string, expectation: number): void {
    const statement = { name: "", sql, params: NO_CELLS.batch.ops, prepared: true, usedAt: 0 };
    this.#writer.parse(statement);
    this.#writer.bind(statement, NO_CELLS);
    this.#writer.execute();
    this.#expect(expectation);
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
    if (this.#count === 0) return;
    this.#drained = Promise.withResolvers();
    await this.#drained.promise;
  }

  /**
   * Writes statements without parameters; they fail without ending the session. Resolves with their
   * answer, for which push() has to be called; may be rejected before anybody waits for it.
   */
  query(sql: string): Promise<QueryAnswer> {
    const answer = Promise.withResolvers<QueryAnswer>();
    answer.promise.catch(() => undefined);
    if (this.#failure !== undefined) answer.reject(this.#failure.error);
    this.#queries.push({ answer, touched: Number.NaN, row: undefined, error: undefined });
    this.#expect(Expect.query - EXPECT_WIDTH);
    this.#writer.message(queryMessage(sql));
    return answer.promise;
  }

  /** Writes statements and waits for their answer. */
  async ask(sql: string): Promise<QueryAnswer> {
    const answer = this.query(sql);
    await this.push();
    return await answer;
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
  }

  /** Closes the tenth of the statements that were not used for longest. */
  #evict(): void {
    const oldest = [...this.#prepared].sort((a, b) => a.usedAt - b.usedAt);
    for (const statement of oldest.slice(0, MAX_PREPARED / 10)) {
      this.#writer.closeStatement(statement.name);
      statement.prepared = false;
      this.#prepared.delete(statement);
    }
  }

  #expect(expectation: number): void {
    const length = this.#ring.length;
    if (this.#count === length) {
      const larger = new Int32Array(2 * length);
      for (let i = 0; i < length; i++) larger[i] = this.#ring[(this.#first + i) & (length - 1)]!;
      this.#ring = larger;
      this.#first = 0;
    }
    this.#ring[(this.#first + this.#count) & (this.#ring.length - 1)] = expectation;
    this.#count++;
  }

  async #read(): Promise<void> {
    const { messages } = this.#wire;
    try {
      for (;;) {
        while (messages.advance()) this.#message(messages.type, messages.bytes, messages.bodyEnd);
        if (this.#count === 0) this.#settle();
        await messages.fill();
      }
    } catch (error) {
      this.#fail({ error, table: -1 });
    }
  }

  #message(type: number, bytes: Buffer, end: number): void {
    if (type === Message.bindComplete || type === Message.parseComplete) return;
    const head = this.#count === 0 ? Number.NaN : this.#ring[this.#first]!;
    const isQuery = (head & (EXPECT_WIDTH - 1)) === Expect.query;
    const { bodyStart } = this.#wire.messages;
    switch (type) {
      case Message.commandComplete:
        if (isQuery) {
          this.#queries[0]!.touched = rowsTold(bytes, end);
        } else {
          this.#shift();
          this.#listener.completed(head, rowsTold(bytes, end));
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
        this.#shift();
        this.#answer(this.#queries.shift()!);
        break;
    }
  }

  #answer({ answer, touched, row, error }: PendingQuery): void {
    if (error === undefined) answer.resolve({ touched, row });
    else answer.reject(error);
  }

  #shift(): void {
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#count--;
  }

  #settle(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Only the first failure tells the cause; what follows are its consequences. */
  #fail(failure: ApplyFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#drained?.reject(failure.error);
    for (const { answer } of this.#queries) answer.reject(failure.error);
    this.#listener.failed(failure);
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
