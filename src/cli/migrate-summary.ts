import { type ErrorRecord, MigrationError } from "../core/error.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type { RetryProgress, TaskOutcome, TaskSpec } from "../task/task.ts";
import { count, latency, short } from "./human.ts";
import { errorLines } from "./output.ts";
import { lagTexts, progressTotals } from "./progress-rates.ts";
import { retryText } from "./retry-text.ts";
import { printable } from "./text-width.ts";
import { validationLines } from "./validation-summary.ts";

export interface SummaryInput {
  readonly spec: TaskSpec;
  readonly outcome: TaskOutcome;
  readonly stopped: boolean;
}

/** The last words of `tideway migrate`: for stdout what was done and how to go on, for stderr what failed. */
export function migrateSummary(input: SummaryInput): { readonly text: string; readonly errors: string } {
  const { progress } = input.outcome;
  const lines = [loadLine(input), changesLine(input), ...validationLines(progress), ...endingLines(input)];
  const text = lines
    .filter((line) => line !== undefined)
    .map((line) => `${line}\n`)
    .join("");
  return { text: text === "" ? "" : `\n${text}`, errors: errorText(input.outcome) };
}

function loadLine({ outcome }: SummaryInput): string | undefined {
  const { progress } = outcome;
  if (progress.fullLoadStartMs === undefined) return undefined;
  const totals = progressTotals(progress);
  const milliseconds = Math.max(1, (progress.fullLoadEndMs ?? Date.now()) - progress.fullLoadStartMs);
  const tables = `${count(totals.completed)} of ${count(progress.tables.length)} tables`;
  const speed = `${count(totals.rows)} rows in ${latency(milliseconds)} (${short((totals.rows * 1000) / milliseconds)} rows/s)`;
  return `Full load: ${tables}, ${speed}.`;
}

function changesLine({ outcome }: SummaryInput): string | undefined {
  const { lag } = outcome.progress;
  if (lag === undefined) return undefined;
  const totals = progressTotals(outcome.progress);
  const conflicts = totals.conflicts === 0 ? "" : `, ${count(totals.conflicts)} conflicts`;
  const { p50, p99 } = lagTexts(lag);
  return `Changes: ${count(totals.changes)} applied in ${count(lag.transactions)} transactions${conflicts}; lag p50 ${p50}, p99 ${p99}.`;
}

function endingLines({ spec, outcome, stopped }: SummaryInput): string[] {
  const lines: string[] = [];
  if (outcome.state === "stopped") lines.push(endingWord(spec, outcome, stopped));
  const { failed, leftOut, cutValues } = progressTotals(outcome.progress);
  if (leftOut > 0) {
    const what = leftOut === 1 ? "row was" : "rows were";
    lines.push(
      `${count(leftOut)} ${what} left out: the target refuses them and keeps their keys and errors. Once that is mended, --retry-errors brings them.`,
    );
  }
  lines.push(...retryLines(outcome.progress.retry));
  if (cutValues > 0) {
    const what = cutValues === 1 ? "value was" : "values were";
    lines.push(`${count(cutValues)} ${what} cut off, where large objects are limited in size.`);
  }
  const suspended = outcome.suspendedTables.length;
  if (suspended > 0)
    lines.push(
      `${count(suspended)} ${suspended === 1 ? "table was" : "tables were"} set aside; see the errors.`,
    );
  const lacking = failed - suspended;
  if (lacking > 0)
    lines.push(
      `${count(lacking)} ${lacking === 1 ? "table lacks" : "tables lack"} an index or a constraint; see the errors.`,
    );
  const over = spec.type === "full-load" && outcome.stopReason === "FULL_LOAD_ONLY_FINISHED";
  const touched = outcome.progress.phase !== "starting" && outcome.progress.phase !== "assessing";
  if (!over && touched) {
    lines.push("To go on from here, run the same command again.");
    if (spec.type !== "full-load") {
      lines.push(
        `Until then a PostgreSQL source keeps its log for replication slot tideway_${spec.id}, which takes disk space there.`,
        "When you are done with it, run the same command with --end: it removes what the task keeps in both databases.",
      );
    }
  }
  return lines;
}

/** What has become of rows that were tried again. */
function retryLines(retry: RetryProgress | undefined): string[] {
  if (retry === undefined) return [];
  if (retry.error !== undefined) return [`Rows were not tried again: ${printable(retry.error.message)}`];
  if (retry.state !== "done")
    return ["Not all rows were tried again yet: run the same command with --retry-errors again."];
  const text = retryText(
    retry.tables.map(({ id, recorded, settled, left, untried, reason, codes }) => ({
      ...{ SchemaName: id.schema, TableName: id.name },
      ...{ Recorded: recorded, Settled: settled, Left: left, Untried: untried },
      ...(reason === undefined ? {} : { Reason: reason }),
      Codes: Object.entries(codes).map(([Code, Count]) => ({ Code, Count })),
    })),
  );
  return text.trimEnd().split("\n");
}

function endingWord(spec: TaskSpec, outcome: TaskOutcome, stopped: boolean): string {
  if (stopped) return "Stopped on request.";
  if (outcome.stopReason.startsWith("STOPPED_AT_")) return "Stopped at the given position.";
  return spec.untilCaughtUp ? "Done: the target has every change." : "Done.";
}

function errorText(outcome: TaskOutcome): string {
  const parts = outcome.error === undefined ? [] : [outcome.error];
  const progress = new Map(outcome.progress.tables.map((table) => [tableKey(table.id), table]));
  let text = parts.map((error) => errorLines(MigrationError.fromJSON(error))).join("");
  for (const id of outcome.suspendedTables) {
    const table = progress.get(tableKey(id));
    const name = printable(displayTable(id));
    text += `table ${name} was set aside:\n`;
    text += table?.error === undefined ? `  ${printable(table?.activity ?? "")}\n` : indented(table.error);
  }
  return text;
}

function indented(error: ErrorRecord): string {
  return errorLines(MigrationError.fromJSON(error)).replaceAll(/^(?=.)/gm, "  ");
}
