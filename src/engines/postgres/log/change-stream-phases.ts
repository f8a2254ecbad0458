import type { StreamItem } from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import type { ChangeStream } from "../../../core/source.ts";
import { lsnValue } from "../catalog/lsn.ts";
import { classify } from "../connection/errors.ts";
import type { Backlog } from "./backlog.ts";
import type { LiveStream } from "./live-stream.ts";

/** How often a backlog that has been read is looked at again, and for how long at most. */
const POLL_MS = 100;
const SETTLE_MS = 8_000;

export interface ChangeStreamParts {
  /** What has gathered is read from it first, where there is much. */
  readonly backlog: Backlog | undefined;
  readonly live: LiveStream | undefined;
  /** Opens what is sent from a position on. */
  readonly openLive: (after: Position) => Promise<LiveStream>;
  /** Lets the server discard what lies before a position while nobody reads from the slot. */
  readonly moveSlot: (to: Position) => Promise<void>;
  readonly after: Position;
  readonly lacksNotes: boolean;
  readonly signal: AbortSignal;
}

/**
 * The task's changes in up to two phases: the backlog, read in large pieces, and from where that ends what
 * the server sends as it happens.
 */
export class PostgresChangeStream implements ChangeStream {
  readonly lacksNotes: boolean;
  readonly #parts: ChangeStreamParts;
  #backlog: Backlog | undefined;
  #live: LiveStream | undefined;
  /** All transactions up to here were passed on. */
  #passed: Position;
  #confirmed: Position | undefined;
  #disposed = false;
  #failed = false;
  #call: (() => void) | undefined;

  constructor(parts: ChangeStreamParts) {
    this.#parts = parts;
    this.lacksNotes = parts.lacksNotes;
    this.#backlog = parts.backlog;
    this.#live = parts.live;
    this.#passed = parts.after;
  }

  confirm(position: Position): void {
    this.#confirmed = position;
    this.#backlog?.confirm(position);
    this.#live?.confirm(position);
  }

  probe(): void {
    this.#call?.();
    this.#live?.probe();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
    try {
      if (this.#backlog !== undefined) yield* this.#readBacklog(this.#backlog);
      if (this.#disposed) return;
      const live = await this.#goLive();
      yield* live.read();
    } catch (error) {
      if (this.#disposed) return;
      this.#failed = true;
      this.#parts.signal.throwIfAborted();
      throw classify(error, { side: "source" });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#call?.();
    const backlog = this.#backlog;
    await Promise.all([backlog?.[Symbol.asyncDispose](), this.#live?.[Symbol.asyncDispose]()]);
    // A task that is run from time to time and ends in its backlog each time would never move its slot.
    if (backlog === undefined || this.#confirmed === undefined) return;
    if (this.#failed || this.#parts.signal.aborted) return;
    await this.#parts.moveSlot(this.#confirmed).catch(() => undefined);
  }

  /**
   * A live stream decodes the log again from where the task's slot can be read, message by message. So that
   * this is little, the slot is moved on first, to where the target holds everything for good; until it
   * does, changes are read as they gather.
   */
  async *#readBacklog(backlog: Backlog): AsyncGenerator<StreamItem> {
    yield* this.#passOn(backlog);
    await backlog.noteOpenTransactions();
    const goal = await backlog.logEnd();
    for (const deadline = performance.now() + SETTLE_MS; performance.now() < deadline && !this.#disposed; ) {
      yield* this.#passOn(backlog);
      const { confirmed } = backlog;
      if (confirmed !== undefined && lsnValue(confirmed) >= lsnValue(goal)) break;
      await this.#called(POLL_MS);
    }
    await backlog.advance(0);
    this.#backlog = undefined;
    await backlog[Symbol.asyncDispose]();
  }

  async *#passOn(backlog: Backlog): AsyncGenerator<StreamItem> {
    for await (const item of backlog.read()) {
      if (item.kind === "heartbeat") this.#pass(item.position);
      else this.#pass(item.batch.transactions.findLast(({ commits }) => commits)?.position);
      yield item;
    }
  }

  /** Until a probe asks for more, or the time is over. */
  async #called(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#call = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#call = undefined;
  }

  async #goLive(): Promise<LiveStream> {
    if (this.#live !== undefined) return this.#live;
    const live = await this.#parts.openLive(this.#passed);
    this.#live = live;
    if (this.#disposed) await live[Symbol.asyncDispose]();
    else if (this.#confirmed !== undefined) live.confirm(this.#confirmed);
    return live;
  }

  #pass(position: Position | undefined): void {
    if (position !== undefined && lsnValue(position) > lsnValue(this.#passed)) this.#passed = position;
  }
}
