import type { Partition, Snapshot } from "../../core/source.ts";
import type { BucketSums } from "./bucket-sums.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide } from "./compared-side.ts";
import { readCells } from "./read-cells.ts";

/** Digests rows of a side whose server cannot. */
export class ClientDigests {
  readonly #side: ComparedSide;
  readonly #sums: BucketSums;
  readonly #canonical: CanonicalRows;

  constructor(side: ComparedSide, sums: BucketSums) {
    this.#side = side;
    this.#sums = sums;
    this.#canonical = new CanonicalRows(side);
  }

  /** Reads a partition; yields how many rows have been added. */
  async *read(snapshot: Snapshot, partition: Partition, signal: AbortSignal): AsyncGenerator<number> {
    const { width } = this.#side;
    for await (const rows of readCells(this.#side.read(snapshot, { partition }, signal), width)) {
      for (let row = 0; row < rows.rows; row++) this.#sums.addRow(this.#canonical.digested(rows, row));
      yield rows.rows;
    }
  }
}
