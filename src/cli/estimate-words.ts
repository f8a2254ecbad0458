import type { ChangeRate, Estimate } from "../task/estimate.ts";
import { bytes, count, duration } from "./human.ts";

/** What an estimate says, in words that all reports have in common. */

export function dataWords({ tables, rows, bytes: size }: Estimate): string {
  return `${count(tables.length)} tables, about ${count(rows)} rows, ${bytes(size)} without indexes`;
}

export function loadWords({ load }: Estimate): string {
  if (load === undefined) return "not known: no rows could be read";
  const { fastestSeconds, slowestSeconds, bytesPerSecond } = load;
  return (
    `${span(fastestSeconds, slowestSeconds)} for reading, by how many tables are read at once; ` +
    `${bytes(load.bytes)} over the network, at up to ${bytes(bytesPerSecond)}/s`
  );
}

export function changeWords(changes: ChangeRate | undefined): string {
  if (changes === undefined) return "not watched";
  const { seconds, logBytesPerSecond, rowsPerSecond } = changes;
  const log =
    logBytesPerSecond === undefined ? "log that cannot be seen" : `${bytes(logBytesPerSecond)}/s of log`;
  const rows = rowsPerSecond === undefined ? "" : `, about ${count(rowsPerSecond)} rows/s`;
  return `${log}${rows} (watched for ${duration(seconds)})`;
}

function span(fastest: number, slowest: number): string {
  if (slowest < 1) return "less than a second";
  return fastest < 1 ? `up to ${duration(slowest)}` : `${duration(fastest)} to ${duration(slowest)}`;
}
