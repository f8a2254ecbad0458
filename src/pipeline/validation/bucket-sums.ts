import type { TextDigest } from "../../comparison/text-digest.ts";
import type { BucketDigest } from "../../core/row-digest.ts";

const WORD_BITS = 32;

/** How many rows each bucket of a table has on one side, and the sum of their digests modulo 2 to the 64th. */
export class BucketSums {
  readonly rows: Float64Array;
  /** The sums' halves, which are added to for each row without an object. */
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  total = 0;

  constructor(buckets: number) {
    this.rows = new Float64Array(buckets);
    this.#high = new Uint32Array(buckets);
    this.#low = new Uint32Array(buckets);
  }

  add(digests: readonly BucketDigest[]): void {
    for (const { bucket, rows, sum } of digests) {
      this.#add(
        bucket,
        Number(BigInt.asUintN(WORD_BITS, sum >> BigInt(WORD_BITS))),
        Number(BigInt.asUintN(WORD_BITS, sum)),
      );
      this.rows[bucket]! += rows;
      this.total += rows;
    }
  }

  addRow(row: TextDigest): void {
    const bucket = row.bucket(this.rows.length);
    this.#add(bucket, row.high, row.low);
    this.rows[bucket]!++;
    this.total++;
  }

  #add(bucket: number, high: number, low: number): void {
    const sum = this.#low[bucket]! + low;
    this.#low[bucket] = sum;
    this.#high[bucket]! += high + (sum < 2 ** WORD_BITS ? 0 : 1);
  }

  /** The buckets in which another side has other rows. */
  differing(other: BucketSums): readonly number[] {
    const found: number[] = [];
    for (let bucket = 0; bucket < this.rows.length; bucket++) {
      const isSame =
        this.rows[bucket] === other.rows[bucket] &&
        this.#high[bucket] === other.#high[bucket] &&
        this.#low[bucket] === other.#low[bucket];
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
