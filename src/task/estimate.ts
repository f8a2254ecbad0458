import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { LogKept, SourceProbe } from "../core/server-probe.ts";
import type { TableSample } from "./sample-load.ts";

export interface TableEstimate {
  readonly id: TableId;
  /** -1 when the source has no statistics. */
  readonly rows: number;
  /** As the source keeps them, with indexes left out; -1 likewise. */
  readonly bytes: number;
}

/** What a migration is going to take, as far as that can be told without doing it. */
export interface Estimate {
  readonly tables: readonly TableEstimate[];
  readonly rows: number;
  readonly bytes: number;
  readonly samples: readonly TableSample[];
  /** Undefined where nothing could be sampled: no rows, or none that may be read. */
  readonly load: LoadEstimate | undefined;
  /** Undefined where nobody watched. */
  readonly changes: ChangeRate | undefined;
  readonly instanceClass: string;
}

export interface LoadEstimate {
  /** What is sent over the network, to and from the replication instance each. */
  readonly bytes: number;
  /** With as many lanes as the task may have, each as fast as the sample's one: what no target can be better than. */
  readonly fastestSeconds: number;
  /** With one lane. */
  readonly slowestSeconds: number;
  /** Bytes a second that the fastest one takes of the network. */
  readonly bytesPerSecond: number;
}

export interface ChangeRate {
  readonly seconds: number;
  /** Undefined where the user may not see the log's size. */
  readonly logBytesPerSecond: number | undefined;
  readonly rowsPerSecond: number | undefined;
}

export interface EstimateFacts {
  readonly tables: readonly TableSchema[];
  readonly samples: readonly TableSample[];
  /** Tables loaded at once, at most. */
  readonly lanes: number;
  readonly changes: ChangeRate | undefined;
}

export function estimate({ tables, samples, lanes, changes }: EstimateFacts): Estimate {
  const counted = tables.map(({ id, estimatedRows, estimatedBytes }) => ({
    ...{ id, rows: estimatedRows, bytes: estimatedBytes },
  }));
  const load = loadEstimate(counted, samples, lanes);
  return {
    tables: counted.toSorted((a, b) => b.bytes - a.bytes),
    rows: sum(counted.map(({ rows }) => rows)),
    bytes: sum(counted.map(({ bytes }) => bytes)),
    ...{ samples, load, changes },
    instanceClass: classFor(load, changes),
  };
}

/** Unknown ones, which are below 0, count as none. */
function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + Math.max(0, value), 0);
}

/** What was not sampled is taken to be like what was, by its rows; where these are not known it counts as none. */
function loadEstimate(
  tables: readonly TableEstimate[],
  samples: readonly TableSample[],
  lanes: number,
): LoadEstimate | undefined {
  const read = sum(samples.map(({ bytes }) => bytes));
  const seconds = sum(samples.map((sample) => sample.seconds));
  const rowsRead = sum(samples.map(({ rows }) => rows));
  if (rowsRead === 0 || seconds === 0) return undefined;
  const byTable = new Map(samples.map((sample) => [tableKey(sample.id), sample]));
  const bytes = sum(
    tables.map(({ id, rows }) => {
      const sample = byTable.get(tableKey(id));
      const bytesPerRow =
        sample === undefined || sample.rows === 0 ? read / rowsRead : sample.bytes / sample.rows;
      // Statistics may lag behind what was seen.
      return Math.max(rows, sample?.rows ?? 0) * bytesPerRow;
    }),
  );
  const slowestSeconds = bytes / (read / seconds);
  const fastestSeconds = slowestSeconds / lanes;
  return { bytes, fastestSeconds, slowestSeconds, bytesPerSecond: (read / seconds) * lanes };
}

/** How the source has changed between two looks at it. */
export function changeRate(before: SourceProbe, after: SourceProbe): ChangeRate {
  const seconds = (after.atMs - before.atMs) / 1000;
  const rate = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined || to < from ? undefined : (to - from) / seconds;
  return {
    seconds,
    logBytesPerSecond: rate(before.logBytes, after.logBytes),
    rowsPerSecond: rate(before.changedRows, after.changedRows),
  };
}

/**
 * Seconds after which the source would discard log that a load of that rate of changes still needs; undefined when it keeps
 * it for as long as it takes.
 */
export function logLasts(kept: LogKept, changes: ChangeRate | undefined): number | undefined {
  const rate = changes?.logBytesPerSecond ?? 0;
  const bySize = kept.bytes === undefined || rate === 0 ? Infinity : kept.bytes / rate;
  const shortest = Math.min(bySize, kept.seconds ?? Infinity);
  return shortest === Infinity ? undefined : shortest;
}

const MB = 1e6;
const GB = 1e9;
/**
 * By what has to be moved and what has to be followed: the smallest of these that has room for both. What a class comes to
 * here is bounds of a process (docs/assessment.md); two vcpus move some 100 MB and follow some 50,000 changes a second.
 */
const CLASSES: readonly {
  readonly name: string;
  readonly loadBytes: number;
  readonly logBytesPerSecond: number;
}[] = [
  { name: "dms.t3.medium", loadBytes: 50 * GB, logBytesPerSecond: MB },
  { name: "dms.c5.large", loadBytes: 500 * GB, logBytesPerSecond: 5 * MB },
  { name: "dms.c5.xlarge", loadBytes: 2_000 * GB, logBytesPerSecond: 20 * MB },
  { name: "dms.c5.2xlarge", loadBytes: 10_000 * GB, logBytesPerSecond: 50 * MB },
  { name: "dms.c5.4xlarge", loadBytes: Infinity, logBytesPerSecond: Infinity },
];

function classFor(load: LoadEstimate | undefined, changes: ChangeRate | undefined): string {
  return CLASSES.find(
    ({ loadBytes, logBytesPerSecond }) =>
      (load?.bytes ?? 0) <= loadBytes && (changes?.logBytesPerSecond ?? 0) <= logBytesPerSecond,
  )!.name;
}
