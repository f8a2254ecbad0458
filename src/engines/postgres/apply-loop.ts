import { failpoint } from "../../base/failpoint.ts";
import type { ChangeBatch } from "../../core/change-batch.ts";
import type { Position } from "../../core/position.ts";
import type { AppliedProgress, Applier, ApplyRequest } from "../../core/target.ts";
import type { ApplyGroup } from "../shared/apply-group.ts";
import { ApplyQueue } from "../shared/apply-queue.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import { ApplyDurability, LOG_STATE_SQL } from "./apply-durability.ts";
import type { GroupWriter } from "./apply-group-writer.ts";
import type { ApplySession } from "./apply-session.ts";
import type { PreparedStatement } from "./apply-writer.ts";
import { executePositionSql } from "./journal-sql.ts";
import { lsnCodec } from "./lsn.ts";

/** How often a position is saved while the log holds nothing for this task. */
const IDLE_SAVE_MS = 1_000;

export interface ApplyLoopParts {
  readonly session: ApplySession;
  readonly writer: GroupWriter;
  readonly counts: ApplyCounts;
  readonly request: ApplyRequest;
  readonly applied: Position | undefined;
  /** Statements that open a transaction. */
  readonly begin: readonly string[];
  /** The statement that makes the transaction at work wait for the disk; undefined: every one does. */
  readonly waitForDisk: string | undefined;
  describe(error: unknown): unknown;
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
  readonly #parts: ApplyLoopParts;
  readonly #begin: readonly PreparedStatement[];
  readonly #queue: ApplyQueue;
  readonly #durability = new ApplyDurability();
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

  constructor(parts: ApplyLoopParts) {
    this.#parts = parts;
    this.#queue = new ApplyQueue(parts.applied, parts.request.positions ?? lsnCodec);
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

  /** Ends the applier; the first error is the one that is told. */
  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#disposed) return;
    this.#end(error);
    this.onFailure?.(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#end(new Error("The applier was disposed."));
    await this.#parts.session[Symbol.asyncDispose]();
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
        else if (group.pieces.length > 0 || this.#begun) await this.#write(group);
        else this.#idle = group.position;
      }
    } catch (error) {
      this.fail(this.#parts.describe(error));
    }
  }

  #offerSpace(): void {
    if (this.#queue.isFull) return;
    this.#space?.resolve();
    this.#space = undefined;
  }

  /** Nothing is there to apply: what is due beside that, or the next thing to arrive. */
  async #rest(): Promise<void> {
    const wanted = this.#flushed !== undefined;
    if (!this.#begun && (this.#isIdleDue() || (wanted && this.#durability.newest !== undefined))) {
      await this.#saveDurably(this.#idle ?? this.#committed!);
    } else if (this.#durability.isDue) {
      this.#tellDurable(this.#durability.told(await this.#parts.session.ask(LOG_STATE_SQL)));
    } else if (wanted && this.#durability.newest === undefined) {
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
    const dueInMs = this.#durability.dueInMs ?? (this.#idle === undefined ? undefined : IDLE_SAVE_MS);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      if (dueInMs !== undefined) timer = setTimeout(resolve, dueInMs);
    });
    clearTimeout(timer);
    this.#arrived = undefined;
  }

  async #write(group: ApplyGroup): Promise<void> {
    const { session, writer } = this.#parts;
    if (!this.#begun) for (const statement of this.#begin) session.command(statement);
    this.#begun = true;
    await writer.write(group);
    failpoint("apply.changes-written");
    if (group.position !== undefined) await this.#commit(group, group.position);
  }

  async #commit(group: ApplyGroup, position: Position): Promise<void> {
    const { session, writer, counts, request, waitForDisk } = this.#parts;
    // What the last answers told may be that this must not be committed.
    if (this.#failure !== undefined) return;
    const asks = waitForDisk !== undefined && this.#durability.isDue;
    const answer = await session.ask(
      [
        ...counts.conflictSql(request),
        executePositionSql(position.text),
        "commit",
        ...(asks ? [LOG_STATE_SQL] : []),
      ].join("; "),
    );
    this.#begun = false;
    writer.ended();
    this.#saved(position);
    this.onApplied?.({ position, committedAtMs: group.committedAtMs, tables: counts.take() });
    if (waitForDisk === undefined) return this.onDurable?.(position);
    this.#durability.committed(position);
    if (asks) this.#tellDurable(this.#durability.told(answer));
  }

  /** Saves a position in a transaction that waits for the disk: all commits before it are durable then. */
  async #saveDurably(position: Position): Promise<void> {
    const { session, waitForDisk } = this.#parts;
    const save = executePositionSql(position.text);
    await session.ask(waitForDisk === undefined ? save : `begin; ${waitForDisk}; ${save}; commit`);
    failpoint("apply.position-saved");
    this.#durability.settled();
    const changedNothing = this.#idle === position;
    this.#saved(position);
    if (changedNothing) this.onApplied?.({ position, committedAtMs: [], tables: new Map() });
    this.onDurable?.(position);
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
