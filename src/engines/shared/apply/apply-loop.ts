import { failpoint } from "../../../base/failpoint.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { RecordedException } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { RetryRequest } from "../../../core/row-retry.ts";
import type { AppliedCounts, AppliedProgress, Applier, GroupLimits } from "../../../core/target.ts";
import type { RowException } from "./apply-counts.ts";
import type { ApplyGroup } from "./apply-group.ts";
import { ApplyQueue } from "./apply-queue.ts";
import { RowsUnread, retryRows } from "./apply-retry.ts";

/** How often a position is saved while the log holds nothing for this task. */
const IDLE_SAVE_MS = 1_000;

export interface Committed {
  /** What the transaction did, by table key. */
  readonly tables: ReadonlyMap<string, AppliedCounts>;
  /** Up to where commits are durable that were not known to be before; undefined for no further. */
  readonly durable: Position | undefined;
}

/** The target's side of the loop: one transaction after the other, on a session of its own. */
export interface ApplyTransactions extends AsyncDisposable {
  /** The first part of a transaction follows. `unrecorded`: what is refused in it is neither recorded nor counted. */
  begin(unrecorded?: "unrecorded"): void;
  /** Resolves when the target has carried out the group, in the transaction at work; with what of it was passed over. */
  write(group: ApplyGroup): Promise<readonly RowException[]>;
  /** Takes back what was written since begin(). */
  rollBack(): Promise<void>;
  /** Saves the position, and what conflicts there were, with the changes, and commits all of it. */
  commit(position: Position): Promise<Committed>;
  /** Throws when rows of a table cannot be tried again as they are to be. */
  checkRetry(plan: TablePlan): void;
  /** Removes what is recorded of rows of a table, in the transaction at work. */
  forgetExceptions(plan: TablePlan, exceptions: readonly RecordedException[]): Promise<void>;
  /** Commits what was written without a position, and resolves when that is durable. */
  commitRetry(): Promise<void>;
  /**
   * Saves a position by itself. `waits`: resolves when it is durable, with all commits before it. Resolves with up to
   * where commits are durable that were not known to be before.
   */
  save(position: Position, waits: boolean): Promise<Position | undefined>;
  /** The last commit while it is not known to be durable. */
  readonly undurable: Position | undefined;
  /** Whether the target should be asked now how far that has come. */
  readonly isDue: boolean;
  /** Until isDue may be true; undefined when nothing waits for that. */
  readonly dueInMs: number | undefined;
  /** Asks the target; resolves with up to where commits are durable that were not known to be before. */
  askDurable(): Promise<Position | undefined>;
  /** What is told of an error. */
  describe(error: unknown): unknown;
}

export interface ApplyLoopOptions {
  /** Transactions up to here are in the target. */
  readonly applied: Position | undefined;
  readonly positions: PositionCodec;
  readonly groupLimits?: GroupLimits | undefined;
}

/**
 * Carries groups of source transactions to the target, one at a time. While one is applied, what arrives
 * gathers; the next takes all of it up to a limit. So a lone transaction is committed at once, and
 * under load groups grow until the target keeps up.
 *
 *     begin  [changes of the group]  -- all answers --  conflicts, position, commit
 *
 * The position is saved with the rows, and what the server answered is known before the commit is
 * sent. A part of a large transaction is applied in the same way, without the second half.
 */
export class ApplyLoop implements Applier {
  onApplied: ((progress: AppliedProgress) => void) | undefined;
  onDurable: ((position: Position) => void) | undefined;
  onFailure: ((error: unknown) => void) | undefined;
  readonly #transactions: ApplyTransactions;
  readonly #queue: ApplyQueue;
  #space: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;
  #arrived: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #disposed = false;
  /** A transaction is open on the target. */
  #begun = false;
  /** Position of transactions that changed nothing, not saved yet. */
  #idle: Position | undefined;
  #committed: Position | undefined;
  #savedAt = -Infinity;

  constructor(transactions: ApplyTransactions, { applied, positions, groupLimits }: ApplyLoopOptions) {
    this.#transactions = transactions;
    this.#queue = new ApplyQueue(applied, positions, groupLimits);
    void this.#run();
  }

  async apply(batch: ChangeBatch, modes: Uint8Array | undefined): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#queue.push(batch, modes);
    this.#arrived?.();
    if (!this.#queue.isFull) return;
    this.#space ??= Promise.withResolvers();
    await this.#space.promise;
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#flushed ??= Promise.withResolvers();
    this.#arrived?.();
    await this.#flushed.promise;
  }

  async retry(request: RetryRequest): Promise<void> {
    this.#transactions.checkRetry(request.plan);
    await this.flush();
    try {
      await retryRows(this.#transactions, request, () => {
        if (this.#failure !== undefined) throw this.#failure.error;
      });
    } catch (error) {
      if (error instanceof RowsUnread) throw error.cause;
      const failure = this.#failure?.error ?? this.#transactions.describe(error);
      this.#end(failure);
      throw failure;
    }
  }

  /** Ends the applier; the first error is the one that is told. */
  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#disposed) return;
    this.#end(error);
    this.onFailure?.(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#end(new Error("The applier was disposed."));
    await this.#transactions[Symbol.asyncDispose]();
  }

  #end(error: unknown): void {
    this.#failure ??= { error };
    for (const waiting of [this.#space, this.#flushed]) {
      waiting?.promise.catch(() => undefined);
      waiting?.reject(error);
    }
    this.#arrived?.();
  }

  async #run(): Promise<void> {
    try {
      while (this.#failure === undefined) {
        const group = this.#queue.take();
        this.#offerSpace();
        if (group === undefined) await this.#rest();
        else if (group.takesBack) await this.#takeBack();
        else if (group.pieces.length > 0 || this.#begun) await this.#write(group);
        else this.#passIdle(group.position);
      }
    } catch (error) {
      this.fail(this.#transactions.describe(error));
    }
  }

  #offerSpace(): void {
    if (this.#queue.isFull) return;
    this.#space?.resolve();
    this.#space = undefined;
  }

  /** Nothing is there to apply: what is due beside that, or the next thing to arrive. */
  async #rest(): Promise<void> {
    const { undurable, isDue } = this.#transactions;
    const wanted = this.#flushed !== undefined;
    if (!this.#begun && (this.#isIdleDue() || (wanted && undurable !== undefined))) {
      await this.#save(this.#idle ?? this.#committed!, wanted);
    } else if (isDue) {
      this.#tellDurable(await this.#transactions.askDurable());
    } else if (wanted && undurable === undefined) {
      this.#flushed?.resolve();
      this.#flushed = undefined;
    } else {
      await this.#wait();
    }
  }

  /** A position without changes may wait a little for one with some. */
  #isIdleDue(): boolean {
    if (this.#idle === undefined) return false;
    return this.#flushed !== undefined || performance.now() - this.#savedAt >= IDLE_SAVE_MS;
  }

  /** Until something has arrived or is due. */
  async #wait(): Promise<void> {
    if (this.#failure !== undefined) return;
    const dueInMs = this.#transactions.dueInMs ?? (this.#idle === undefined ? undefined : IDLE_SAVE_MS);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      if (dueInMs !== undefined) timer = setTimeout(resolve, dueInMs);
    });
    clearTimeout(timer);
    this.#arrived = undefined;
  }

  async #write(group: ApplyGroup): Promise<void> {
    if (!this.#begun) await this.#begin(group);
    await this.#transactions.write(group);
    failpoint("apply.changes-written");
    if (group.position !== undefined) await this.#commit(group, group.position);
  }

  /** While a part of a transaction is open the target may not be made to write its log, and a flush would wait for that. */
  async #begin({ position }: ApplyGroup): Promise<void> {
    const isPart = position === undefined;
    if (isPart && this.#transactions.undurable !== undefined) {
      await this.#save(this.#idle ?? this.#committed!, true);
    }
    this.#transactions.begin();
    this.#begun = true;
  }

  async #takeBack(): Promise<void> {
    await this.#transactions.rollBack();
    this.#begun = false;
  }

  async #commit(group: ApplyGroup, position: Position): Promise<void> {
    // What the last answers told may be that this must not be committed.
    if (this.#failure !== undefined) return;
    const { tables, durable } = await this.#transactions.commit(position);
    this.#begun = false;
    this.#saved(position);
    this.onApplied?.({ position, committedAtMs: group.committedAtMs, tables });
    this.#tellDurable(durable);
  }

  async #save(position: Position, waits: boolean): Promise<void> {
    const durable = await this.#transactions.save(position, waits);
    failpoint("apply.position-saved");
    this.#saved(position);
    this.#tellDurable(durable);
  }

  /** Transactions that change nothing: the target shows all up to their end, which may be saved later. */
  #passIdle(position: Position | undefined): void {
    this.#idle = position;
    if (position !== undefined) this.onApplied?.({ position, committedAtMs: [], tables: new Map() });
  }

  #saved(position: Position): void {
    this.#idle = undefined;
    this.#committed = position;
    this.#savedAt = performance.now();
  }

  #tellDurable(position: Position | undefined): void {
    if (position !== undefined) this.onDurable?.(position);
  }
}
