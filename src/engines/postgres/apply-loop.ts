import type { ChangeBatch, ChangeTransaction } from "../../core/change-batch.ts";
import type { Position } from "../../core/position.ts";
import type { Applier, ApplyRequest, DurableProgress } from "../../core/target.ts";
import type { ApplyChanges } from "./apply-changes.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import type { ApplySession } from "./apply-session.ts";
import type { PreparedStatement } from "./apply-writer.ts";
import { savePositionSql } from "./journal-sql.ts";
import { lsnCodec } from "./lsn.ts";

/** A target transaction takes no more once it has this much. */
const MAX_GROUP_OPS = 2_000;
const MAX_GROUP_BYTES = 16 << 20;
const MAX_GROUP_MS = 100;
/** Batches that may wait, by their bytes; each counts as at least MIN_BATCH. */
const MAX_QUEUED_BYTES = 4 << 20;
const MIN_BATCH = 1 << 12;
/** A transaction that comes in pieces is kept back up to this much. */
const MAX_HELD_BYTES = 4 << 20;
/** How often a position is saved while the log holds nothing for this task. */
const IDLE_SAVE_MS = 1_000;

export interface ApplyLoopParts {
  readonly session: ApplySession;
  readonly changes: ApplyChanges;
  readonly counts: ApplyCounts;
  readonly request: ApplyRequest;
  readonly applied: Position | undefined;
  /** Statements that open a transaction. */
  readonly begin: readonly string[];
  describe(error: unknown): unknown;
}

interface QueuedBatch {
  readonly batch: ChangeBatch;
  readonly modes: Uint8Array | undefined;
}

interface Piece extends QueuedBatch {
  readonly index: number;
}

/**
 * Groups source transactions into target transactions. While one commits, what arrives waits; the
 * next takes all of it up to a limit. So a lone transaction is committed at once, and under load
 * groups grow until the target keeps up.
 *
 *     begin  [ops of transaction, ...]  -- all answers --  conflicts, position, commit
 *
 * The position is saved with the rows, and what the server answered is known before the commit is
 * sent. Pieces of a transaction are kept back until its end is here, so that nobody waits for locks
 * of a transaction whose rest is still to come. Only when they get too many do they go to the target,
 * in a transaction of their own.
 */
export class ApplyLoop implements Applier {
  onDurable: ((progress: DurableProgress) => void) | undefined;
  onFailure: ((error: unknown) => void) | undefined;
  readonly #parts: ApplyLoopParts;
  readonly #begin: readonly PreparedStatement[];
  readonly #queue: QueuedBatch[] = [];
  #queuedBytes = 0;
  #space: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;
  #arrived: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #disposed = false;
  /** Transactions up to here are in the target; undefined once one beyond it has come. */
  #applied: Position | undefined;
  /** The group: whole transactions in it, whether `begin` was sent, ops so far. */
  #whole = 0;
  #begun = false;
  #ops = 0;
  #position: Position | undefined;
  #committedAtMs: number[] = [];
  #startedAt = 0;
  #startBytes = 0;
  /** Pieces of the transaction at work that were not sent yet. */
  #held: Piece[] = [];
  #heldBytes = 0;
  /** Pieces of it were sent: its end is what the group waits for. */
  #streaming = false;
  /** Ops of the source transaction at work. */
  #transactionOps = 0;
  #savedAt = 0;

  constructor(parts: ApplyLoopParts) {
    this.#parts = parts;
    this.#applied = parts.applied;
    this.#begin = parts.begin.map((sql, i) => ({
      name: `begin_${i}`,
      sql,
      params: new Int32Array(0),
      prepared: false,
      usedAt: 0,
    }));
    void this.#run();
  }

  async apply(batch: ChangeBatch, modes: Uint8Array | undefined): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#queue.push({ batch, modes });
    this.#queuedBytes += Math.max(MIN_BATCH, batch.bytes.length);
    this.#arrived?.();
    if (this.#queuedBytes <= MAX_QUEUED_BYTES) return;
    this.#space ??= Promise.withResolvers();
    await this.#space.promise;
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#flushed ??= Promise.withResolvers();
    this.#arrived?.();
    await this.#flushed.promise;
  }

  /** Ends the applier; the first error is the one that is told. */
  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#disposed) return;
    this.#failure = { error };
    for (const waiting of [this.#space, this.#flushed]) {
      waiting?.promise.catch(() => undefined);
      waiting?.reject(error);
    }
    this.#arrived?.();
    this.onFailure?.(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Error("The applier was disposed.");
    this.#failure ??= { error: ended };
    this.#disposed = true;
    for (const waiting of [this.#space, this.#flushed]) {
      waiting?.promise.catch(() => undefined);
      waiting?.reject(ended);
    }
    this.#arrived?.();
    await this.#parts.session[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    try {
      while (this.#failure === undefined) {
        const item = this.#queue.shift();
        if (item !== undefined) {
          this.#queuedBytes -= Math.max(MIN_BATCH, item.batch.bytes.length);
          if (this.#queuedBytes <= MAX_QUEUED_BYTES / 2) {
            this.#space?.resolve();
            this.#space = undefined;
          }
          await this.#take(item);
        } else if (this.#whole > 0 && this.#isDue()) {
          await this.#commit();
        } else {
          if (this.#whole === 0) this.#tellFlushed();
          await this.#wait();
        }
      }
    } catch (error) {
      this.fail(this.#parts.describe(error));
    }
  }

  /** A group without changes may wait a little for one with some. */
  #isDue(): boolean {
    return this.#begun || this.#flushed !== undefined || Date.now() - this.#savedAt >= IDLE_SAVE_MS;
  }

  /** Until something has arrived, or an idle group is due. */
  async #wait(): Promise<void> {
    if (this.#failure !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      if (this.#whole > 0) timer = setTimeout(resolve, IDLE_SAVE_MS);
    });
    clearTimeout(timer);
    this.#arrived = undefined;
  }

  #tellFlushed(): void {
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  async #take(item: QueuedBatch): Promise<void> {
    const { transactions } = item.batch;
    for (let index = 0; index < transactions.length; index++) {
      if (this.#failure !== undefined) return;
      const transaction = transactions[index]!;
      if (this.#isApplied(transaction.position)) continue;
      if (transaction.begins) this.#transactionOps = 0;
      this.#transactionOps += transaction.end - transaction.start;
      this.#held.push({ ...item, index });
      if (transaction.commits) {
        await this.#writeHeld();
        await this.#endTransaction(transaction);
        continue;
      }
      this.#heldBytes += item.batch.bytes.length;
      if (this.#streaming || this.#heldBytes > MAX_HELD_BYTES) {
        if (this.#whole > 0) await this.#commit();
        await this.#writeHeld();
        this.#streaming = true;
      }
    }
    await this.#parts.session.push();
  }

  async #writeHeld(): Promise<void> {
    for (const { batch, modes, index } of this.#held) {
      const transaction = batch.transactions[index]!;
      if (transaction.end === transaction.start) continue;
      this.#open();
      const offset = index * batch.tables.length;
      this.#ops += await this.#parts.changes.write(batch, transaction, { modes, offset });
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  async #endTransaction(transaction: ChangeTransaction): Promise<void> {
    this.#streaming = false;
    this.#whole++;
    this.#position = transaction.position;
    if (this.#transactionOps > 0) this.#committedAtMs.push(transaction.committedAtMs);
    const { written } = this.#parts.session;
    const isFull =
      this.#ops >= MAX_GROUP_OPS ||
      written - this.#startBytes >= MAX_GROUP_BYTES ||
      (this.#begun && Date.now() - this.#startedAt >= MAX_GROUP_MS);
    if (isFull) await this.#commit();
  }

  /** True while the stream repeats what the journal has. */
  #isApplied(position: Position): boolean {
    if (this.#applied === undefined) return false;
    const order = lsnCodec.compare(position, this.#applied);
    if (order === -1 || order === 0) return true;
    this.#applied = undefined;
    return false;
  }

  /** Begins the target transaction, when the first change comes. */
  #open(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#startedAt = Date.now();
    this.#startBytes = this.#parts.session.written;
    for (const statement of this.#begin) this.#parts.session.command(statement);
  }

  async #commit(): Promise<void> {
    const { session, counts, request } = this.#parts;
    const position = this.#position!;
    if (this.#begun) {
      await session.drain();
      // What the last answers told may be that this must not be committed.
      if (this.#failure !== undefined) return;
      const statements = [...counts.conflictSql(request), savePositionSql(request, position.text), "commit"];
      await session.query(statements.join("; "));
    } else {
      await session.query(savePositionSql(request, position.text));
    }
    const progress = { position, committedAtMs: this.#committedAtMs, tables: counts.take() };
    this.#whole = 0;
    this.#begun = false;
    this.#ops = 0;
    this.#committedAtMs = [];
    this.#savedAt = Date.now();
    this.onDurable?.(progress);
  }
}
