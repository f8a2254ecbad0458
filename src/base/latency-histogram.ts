/** Buckets a factor of 2^(1/8) apart: percentiles are exact to 9 %. */
const PER_OCTAVE = 8;
const BUCKETS = 40 * PER_OCTAVE;

/** Durations counted in logarithmic buckets: constant memory for any number of them. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #max = 0;

  get count(): number {
    return this.#total;
  }

  get maxMs(): number {
    return this.#max;
  }

  /** Clocks of two machines may disagree: a negative duration counts as zero. */
  record(milliseconds: number): void {
    const value = Math.max(0, milliseconds);
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(value + 1) * PER_OCTAVE));
    this.#counts[bucket]!++;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  /** The duration that `share` (0 to 1) of all stay below or at; 0 when there are none. */
  percentile(share: number): number {
    if (this.#total === 0) return 0;
    const wanted = Math.ceil(this.#total * share);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return Math.min(this.#max, 2 ** ((bucket + 1) / PER_OCTAVE) - 1);
    }
    return this.#max;
  }
}
