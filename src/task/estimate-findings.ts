import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { TableSchema } from "../core/schema.ts";
import type { ServerProbe, SourceProbe } from "../core/server-probe.ts";
import { type Estimate, logLasts } from "./estimate.ts";

/** Beyond these somebody is told. */
const CLOCK_DIFFERENCE_MS = 2_000;
const NEAR_MS = 10;
const FAR_MS = 100;

/** What the clocks and the distance of the servers mean for a task. */
export function probeFindings(side: "source" | "target", probe: ServerProbe): readonly Finding[] {
  const findings: Finding[] = [];
  const seconds = Math.round(Math.abs(probe.clockSkewMs) / 1000);
  if (Math.abs(probe.clockSkewMs) > CLOCK_DIFFERENCE_MS) {
    const way = probe.clockSkewMs > 0 ? "ahead of" : "behind";
    const message = `The clock of the ${side} is ${seconds} seconds ${way} that of this machine.`;
    findings.push(told("connect.clock_differs", "warning", { subject: side, message }));
  }
  if (probe.roundTripMs > NEAR_MS) {
    const severity = probe.roundTripMs > FAR_MS ? "warning" : "info";
    const message = `A statement takes ${Math.round(probe.roundTripMs)} ms to the ${side} and back.`;
    findings.push(told("connect.slow_round_trip", severity, { subject: side, message }));
  }
  return findings;
}

/** Whether the source keeps its log for as long as the load may take. */
export function logFindings(source: SourceProbe, { load, changes }: Estimate): readonly Finding[] {
  const lasts = logLasts(source.logKept, changes);
  if (load === undefined || lasts === undefined || lasts > load.slowestSeconds) return [];
  const isOfSize = source.logKept.bytes !== undefined;
  const code = isOfSize ? "source.log_limit" : "source.binary_log_expires";
  const subject = isOfSize ? "max_slot_wal_keep_size" : "binlog_expire_logs_seconds";
  const message = `The source keeps its log for about ${hours(lasts)}, and the full load may take up to ${hours(load.slowestSeconds)}.`;
  return [told(code, "warning", { subject, message })];
}

/** Whether what comes has room on the target, as far as the source's statistics tell how much that is. */
export function spaceFindings(
  tables: readonly TableSchema[],
  freeBytes: number | undefined,
): readonly Finding[] {
  const needed = tables.reduce((sum, { estimatedBytes }) => sum + Math.max(0, estimatedBytes), 0);
  if (freeBytes === undefined || needed <= freeBytes) return [];
  const message = `The tables take ${gigabytes(needed)} on the source, without their indexes, and the target has ${gigabytes(freeBytes)} left.`;
  return [told("target.space_short", "warning", { subject: "target", message })];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function hours(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} seconds`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

function told(
  code: Finding["code"],
  severity: Finding["severity"],
  words: Pick<Finding, "subject" | "message">,
): Finding {
  return { code, severity, ...words, remedy: errorTable[code].remedy };
}
