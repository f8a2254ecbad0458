import { type ChangeBatch, type ChangeTransaction, OP_WIDTH } from "../../../core/change-batch.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { GroupLimits } from "../../../core/target.ts";
import { ApplyGroup } from "./apply-group.ts";

/** A group takes no more once it has this much. */
const MAX_GROUP_OPS = 50_000;
const MAX_GROUP_BYTES = 16 << 20;
/** A transaction that comes in pieces is kept back up to this much. */
const MAX_HELD_BYTES = 4 << 20;
/** Batches that may wait. */
const MAX_WAITING_BYTES = 16 << 20;

interface WaitingBatch {
  readonly batch: ChangeBatch;
  readonly modes: Uint8Array | undefined;
  /** Memory it takes, about. */
  readonly bytes: number;
}

/**
 * Changes on their way to the target: batches go in, groups of whole transactions come out, as large as
 * what has gathered. A transaction that comes in pieces is kept back until its end is here, so that
 * nobody waits for locks of a transaction whose rest is still to come. Only when it gets too large for
 * that does it come out in parts, in groups of its own, and in one that takes them back if the source has.
 */
export class ApplyQueue {
  readonly #waiting: WaitingBatch[] = [];
  #waitingBytes = 0;
  /** The next transaction of the first batch. */
  #next = 0;
  /** Pieces of the transaction at work that did not come out yet. */
  #held: { readonly waiting: WaitingBatch; readonly index: number }[] = [];
  #heldBytes = 0;
  /** A part of the transaction at work has come out. */
  #parted = false;
  /** Changes of the transaction at work. */
  #transactionOps = 0;
  /** Transactions up to here are in the target; undefined once one beyond it has come. */
  #applied: Position | undefined;
  readonly #positions: PositionCodec;
  readonly #groupOps: number;
  readonly #groupBytes: number;

  constructor(applied: Position | undefined, positions: PositionCodec, limits: GroupLimits = {}) {
    this.#applied = applied;
    this.#positions = positions;
    this.#groupOps = Math.min(MAX_GROUP_OPS, limits.changes ?? MAX_GROUP_OPS);
    this.#groupBytes = Math.min(MAX_GROUP_BYTES, limits.bytes ?? MAX_GROUP_BYTES);
  }

  get isFull(): boolean {
    return this.#waitingBytes > MAX_WAITING_BYTES;
  }

  push(batch: ChangeBatch, modes: Uint8Array | undefined): void {
    const bytes =
      batch.bytes.length + batch.cells.byteLength + batch.ops.byteLength + 64 * batch.transactions.length;
    this.#waiting.push({ batch, modes, bytes });
    this.#waitingBytes += bytes;
  }

  /** All that has gathered, up to a limit; undefined when that is nothing, or only the start of a transaction. */
  take(): ApplyGroup | undefined {
    const group = new ApplyGroup();
    while (group.ops < this.#groupOps && group.bytes < this.#groupBytes) {
      const first = this.#waiting[0];
      if (first === undefined) break;
      const transaction = first.batch.transactions[this.#next];
      if (transaction === undefined) {
        this.#waiting.shift();
        this.#waitingBytes -= first.bytes;
        this.#next = 0;
        continue;
      }
      if (this.#isApplied(transaction)) {
        this.#next++;
        continue;
      }
      if (transaction.begins && transaction.commits) {
        group.add(first.batch, first.modes, this.#next++);
        const ops = transaction.end - transaction.start;
        group.bytes += share(first, ops);
        group.end(transaction, ops);
        continue;
      }
      if (transaction.takenBack === true) {
        this.#next++;
        this.#held = [];
        this.#heldBytes = 0;
        if (!this.#parted) continue;
        this.#parted = false;
        group.takesBack = true;
        return group;
      }
      const parts = this.#parted || this.#heldBytes > MAX_HELD_BYTES;
      // What is whole is committed before a part of another is sent.
      if (parts && group.position !== undefined) break;
      this.#hold(first, transaction);
      if (transaction.commits) {
        this.#release(group);
        group.end(transaction, this.#transactionOps);
        if (this.#parted) {
          this.#parted = false;
          break;
        }
      } else if (parts) {
        this.#parted = true;
        this.#release(group);
      }
    }
    return group.position === undefined && group.pieces.length === 0 ? undefined : group;
  }

  #hold(waiting: WaitingBatch, transaction: ChangeTransaction): void {
    if (transaction.begins) this.#transactionOps = 0;
    const ops = transaction.end - transaction.start;
    this.#transactionOps += ops;
    this.#held.push({ waiting, index: this.#next++ });
    this.#heldBytes += share(waiting, ops);
  }

  #release(group: ApplyGroup): void {
    for (const { waiting, index } of this.#held) group.add(waiting.batch, waiting.modes, index);
    group.bytes += this.#heldBytes;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** True while the stream repeats what the journal has. */
  #isApplied(transaction: ChangeTransaction): boolean {
    if (this.#applied === undefined) return false;
    const order = this.#positions.compare(transaction.position, this.#applied);
    if (order === -1 || order === 0) return true;
    this.#applied = undefined;
    return false;
  }
}

/** A batch's memory, shared among its transactions by their changes. */
function share({ batch, bytes }: WaitingBatch, ops: number): number {
  return (bytes * (ops + 1)) / (batch.ops.length / OP_WIDTH + batch.transactions.length);
}
