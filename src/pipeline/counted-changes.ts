import type { ChangeBatch, ChangeTransaction } from "../core/change-batch.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import { countChanges, countCuts } from "./apply-modes.ts";
import type { PipelineObserver } from "./observer.ts";

/** The newest transaction of which changes have been counted, and how many of them; Infinity once it has committed. */
interface Newest {
  readonly position: Position;
  readonly changes: number;
}

/**
 * How far the changes of a task have been counted. It is kept across attempts, because an attempt is sent again what the
 * one before has taken and the target does not hold: that counts once.
 */
export class CountedChanges {
  #newest: Newest | undefined;
  /** Of the attempt's stream: changes that the transaction at hand had in earlier pieces. */
  #passed = 0;
  /** Set while the attempt may be sent what was counted before. */
  #codec: PositionCodec | undefined;

  /** Another attempt begins, with a stream of its own. */
  begin(codec: PositionCodec): void {
    this.#passed = 0;
    this.#codec = codec;
  }

  /** Tells of the changes of a batch that is taken. */
  tell(
    batch: ChangeBatch,
    modes: Uint8Array | undefined,
    observer: Pick<PipelineObserver, "taken" | "captured" | "valuesCut">,
  ): void {
    const first = this.add(batch);
    const all = countChanges(batch, modes);
    observer.taken(all);
    observer.captured(first === batch.transactions[0]?.start ? all : countChanges(batch, modes, first));
    for (const { table, count } of countCuts(batch, modes, first)) observer.valuesCut(table, count);
  }

  /** Counts the changes of a batch. Returns the first of its ops, in quads, that had not been counted before. */
  add({ transactions }: ChangeBatch): number {
    const last = transactions.at(-1);
    if (last === undefined) return 0;
    let first = transactions[0]!.start;
    for (const piece of transactions) {
      if (piece.begins) this.#passed = 0;
      if (this.#codec !== undefined) first += this.#knownOf(piece, this.#codec);
      this.#passed += piece.end - piece.start;
    }
    if (this.#codec === undefined) {
      this.#newest = { position: last.position, changes: last.commits ? Infinity : this.#passed };
    }
    return first;
  }

  /** How many changes of a piece had been counted. With the first that had not, all that is sent again has come. */
  #knownOf({ start, end, position }: ChangeTransaction, codec: PositionCodec): number {
    const counted = this.#changesUpTo(position, codec) - this.#passed;
    const known = Math.min(end - start, Math.max(0, counted));
    if (known < end - start) this.#codec = undefined;
    return known;
  }

  #changesUpTo(position: Position, codec: PositionCodec): number {
    if (this.#newest === undefined) return 0;
    const order = codec.compare(position, this.#newest.position);
    if (order === 0) return this.#newest.changes;
    return order === -1 ? Infinity : 0;
  }
}
