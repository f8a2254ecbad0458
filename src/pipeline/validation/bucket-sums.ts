import type { TextDigest } from "../../comparison/text-digest.ts";
import type { BucketDigest } from "../../core/row-digest.ts";

/** How many rows each bucket of a table has on one side, and the sum of their digests modulo 2 to the 64th. */
export class BucketSums {
  readonly rows: Float64Array;
  readonly #sums: BigUint64Array;
  total = 0;

  constructor(buckets: number) {
    this.rows = new Float64Array(buckets);
    this.#sums = new BigUint64Array(buckets);
  }

  add(digests: readonly BucketDigest[]): void {
    for (const { bucket, rows, sum } of digests) {
      this.rows[bucket]! += rows;
      this.#sums[bucket]! += BigInt.asUintN(64, sum);
      this.total += rows;
    }
  }

  addRow(row: TextDigest): void {
    const bucket = row.bucket(this.rows.length);
    this.rows[bucket]!++;
    this.#sums[bucket]! += row.digest;
    this.total++;
  }

  /** The buckets in which another side has other rows. */
  differing(other: BucketSums): readonly number[] {
    const found: number[] = [];
    for (let bucket = 0; bucket < this.rows.length; bucket++) {
      const isSame = this.rows[bucket] === other.rows[bucket] && this.#sums[bucket] === other.#sums[bucket];
      if (!isSame) found.push(bucket);
    }
    return found;
  }
}

/** Rows that a bucket holds, more or less: when it differs they are read, and the server answers with so many buckets. */
const ROWS_IN_BUCKET = 512;
const MOST_BUCKETS = 1 << 16;

export function bucketsFor(estimatedRows: number): number {
  return Math.max(1, Math.min(MOST_BUCKETS, Math.ceil(estimatedRows / ROWS_IN_BUCKET)));
}
