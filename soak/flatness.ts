/**
 * Whether a measure stays where it is. The first third of the samples is warm-up. Of the others, the last
 * third's median, and its 95th percentile, may be at most 1.2 times the middle third's and `slack` above that:
 * the median shows what always grows, the percentile what grows at its peaks.
 */

const GROWTH = 1.2;
/** With fewer samples in a third, what happens to fall into it decides. */
const FEWEST_IN_A_THIRD = 60;

export interface Measure {
  readonly name: string;
  /** As it stands behind a number: " MB". */
  readonly unit: string;
  /** In the measure's unit. */
  readonly slack: number;
}

export interface Flatness {
  readonly measure: Measure;
  readonly verdict: "flat" | "grows" | "too few samples";
  readonly middle: Level;
  readonly last: Level;
  /** Of all samples. */
  readonly peak: number;
}

/** NaN where there are no samples. */
export interface Level {
  readonly median: number;
  readonly high: number;
}

export function flatness(measure: Measure, samples: readonly number[]): Flatness {
  const third = Math.floor(samples.length / 3);
  const middle = levelOf(samples.slice(third, 2 * third));
  const last = levelOf(samples.slice(2 * third));
  const fits = (later: number, earlier: number): boolean => later <= earlier * GROWTH + measure.slack;
  const isFlat = fits(last.median, middle.median) && fits(last.high, middle.high);
  const verdict = third < FEWEST_IN_A_THIRD ? "too few samples" : isFlat ? "flat" : "grows";
  return { measure, verdict, middle, last, peak: samples.reduce((a, b) => Math.max(a, b), 0) };
}

/** worker memory: 131 (95%: 170), then 133 (95%: 172), peak 180 MB: flat */
export function describeFlatness({ measure, verdict, middle, last, peak }: Flatness): string {
  const level = ({ median, high }: Level): string => `${Math.round(median)} (95%: ${Math.round(high)})`;
  const change = Number.isNaN(middle.median) ? "" : `${level(middle)}, then ${level(last)}, `;
  return `${measure.name}: ${change}peak ${Math.round(peak)}${measure.unit}: ${verdict}`;
}

function levelOf(samples: readonly number[]): Level {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { median: at(0.5), high: at(0.95) };
}
