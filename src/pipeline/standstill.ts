import type { ChangeBatch, StreamItem } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { cutBatch, restOfBatch, type TableRules } from "./apply-modes.ts";

/** Keeps a stream's changes from being taken beyond a position for as long as something is done there. */
export class Standstill {
  readonly #reaches: TableRules["reaches"];
  #position: Position | undefined;
  /** What came of the stream and lies beyond. */
  #rest: ChangeBatch | undefined;

  constructor(rules: TableRules) {
    this.#reaches = (position, goal) => rules.reaches(position, goal);
  }

  /** Nothing beyond the position has been taken. */
  begin(position: Position): void {
    this.#position = position;
  }

  end(): void {
    this.#position = undefined;
  }

  /** What has come of the stream before; it is cut again where that is due. */
  next(): StreamItem | undefined {
    if (this.#rest === undefined) return undefined;
    const batch = this.#rest;
    this.#rest = undefined;
    return { kind: "changes", batch };
  }

  /**
   * What of a batch may be taken, and the position when that is all there is up to it. A transaction that goes on has begun
   * before.
   */
  cut(batch: ChangeBatch): { readonly taken: ChangeBatch; readonly reached: Position | undefined } {
    const position = this.#position;
    if (position === undefined) return { taken: batch, reached: undefined };
    const taken = cutBatch(batch, (one) => one.begins && !this.#reaches(position, one.position));
    if (taken === undefined) return { taken: batch, reached: undefined };
    this.#rest = restOfBatch(batch, taken.transactions.length);
    return { taken, reached: position };
  }
}
