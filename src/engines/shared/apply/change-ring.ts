import type { ChangeBatch } from "../../../core/change-batch.ts";

/** Which change of a batch a command is for: where it stands in `ops`; -1 for none. Reused from change to change. */
export interface ChangePlace {
  batch: ChangeBatch;
  at: number;
}

/** Numbers that are kept for each command. */
const WIDTH = 3;

export const NO_CHANGES: ChangeBatch = {
  bytes: new Uint8Array(0),
  cells: new Int32Array(0),
  encoding: "text",
  tables: [],
  ops: new Int32Array(0),
  transactions: [],
};

export const NO_PLACE: ChangePlace = { batch: NO_CHANGES, at: -1 };

/** Commands that the target has not answered yet, in their order, with what their answers mean. */
export class ChangeRing {
  /** A power of two commands: expectation, rows that must be touched, place in the batch. */
  #numbers = new Int32Array(WIDTH << 12);
  #batches: ChangeBatch[] = Array.from({ length: 1 << 12 }, () => NO_CHANGES);
  #first = 0;
  #count = 0;
  readonly #place: ChangePlace = { ...NO_PLACE };

  get length(): number {
    return this.#count;
  }

  /** What the answer to the first command means; see Expect. */
  get expectation(): number {
    return this.#numbers[this.#first * WIDTH]!;
  }

  get rows(): number {
    return this.#numbers[this.#first * WIDTH + 1]!;
  }

  /** The first command's change. Holds until the next call. */
  get place(): ChangePlace {
    this.#place.batch = this.#batches[this.#first]!;
    this.#place.at = this.#numbers[this.#first * WIDTH + 2]!;
    return this.#place;
  }

  push(expectation: number, rows: number, place: ChangePlace): void {
    if (this.#count === this.#batches.length) this.#grow();
    const index = (this.#first + this.#count++) & (this.#batches.length - 1);
    this.#numbers[index * WIDTH] = expectation;
    this.#numbers[index * WIDTH + 1] = rows;
    this.#numbers[index * WIDTH + 2] = place.at;
    this.#batches[index] = place.batch;
  }

  /** The first commands are answered, and their batches are held no longer. */
  shift(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#batches[this.#first] = NO_CHANGES;
      this.#first = (this.#first + 1) & (this.#batches.length - 1);
    }
    this.#count -= count;
  }

  #grow(): void {
    const length = this.#batches.length;
    const numbers = new Int32Array(2 * WIDTH * length);
    numbers.set(this.#numbers.subarray(this.#first * WIDTH));
    numbers.set(this.#numbers.subarray(0, this.#first * WIDTH), (length - this.#first) * WIDTH);
    this.#numbers = numbers;
    this.#batches = [
      ...this.#batches.slice(this.#first),
      ...this.#batches.slice(0, this.#first),
      ...Array.from({ length }, () => NO_CHANGES),
    ];
    this.#first = 0;
  }
}
