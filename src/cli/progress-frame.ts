import type { TaskPhase, TaskProgress } from "../task/task.ts";
import { bytes, clock, count, duration, percent, short } from "./human.ts";
import type { Paint } from "./paint.ts";
import { lagTexts, type ProgressRates, type ProgressTotals, progressTotals } from "./progress-rates.ts";
import { progressBar, tableLines } from "./table-lines.ts";
import { tallyWords, validationTally } from "./table-validation.ts";
import { displayWidth, fit, truncate } from "./text-width.ts";

/** What the live display shows for one moment. */
export interface FrameInput {
  /** What runs, made printable: "shop@host:5432 → shop@other:5432". */
  readonly title: string;
  readonly progress: TaskProgress;
  readonly rates: ProgressRates;
  readonly nowMs: number;
  /** A line below everything: what keys do. */
  readonly hint: string;
}

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

export const phaseWords = {
  starting: "starting",
  assessing: "checking both databases",
  preparing: "preparing the target",
  "full-load": "full load",
  building: "building indexes and keys",
  validating: "comparing both sides",
  "catching-up": "catching up",
  replicating: "replicating",
  stopping: "stopping",
} as const satisfies Record<TaskPhase, string>;

const BAR_WIDTH = 20;

/** Lines, each narrower than the terminal, together one less than its rows: the cursor needs the last. */
export function progressFrame(input: FrameInput, size: FrameSize): string[] {
  const { progress } = input;
  const width = Math.max(1, size.columns - 1);
  const height = Math.max(1, size.rows - 1);
  const totals = progressTotals(progress);
  const below = totalLines(input, totals, { width, paint: size.paint });
  const spacious = height >= below.length + 8;
  const blank = spacious ? [""] : [];
  const hint = spacious && input.hint !== "" ? ["", size.paint.faint(truncate(input.hint, width))] : [];
  const used = 1 + below.length + 2 * blank.length + hint.length;
  const tables = tableLines(progress, {
    view: showsChanges(progress) ? "changes" : "load",
    width,
    height: height - used,
    paint: size.paint,
    rates: input.rates,
  });
  const middle = tables.length === 0 ? [] : [...blank, ...tables];
  return [headLine(input, width, size.paint), ...middle, ...blank, ...below, ...hint].slice(0, height);
}

/** The load is over, so the table lines say what replication does. */
function showsChanges(progress: TaskProgress): boolean {
  if (progress.phase === "catching-up" || progress.phase === "replicating") return true;
  return progress.phase === "stopping" && progress.lag !== undefined;
}

function headLine(input: FrameInput, width: number, paint: Paint): string {
  const elapsed = clock((input.nowMs - input.progress.startedMs) / 1000);
  const right = truncate(`${phaseWords[input.progress.phase]}  ${elapsed}`, width);
  const room = width - displayWidth(right) - 2;
  if (room < 8) return paint.strong(right);
  return `${paint.strong(fit(input.title, room))}  ${paint.active(right)}`;
}

interface LineStyle {
  readonly width: number;
  readonly paint: Paint;
}

function totalLines(input: FrameInput, totals: ProgressTotals, style: LineStyle): string[] {
  const lines: string[] = [];
  const { progress } = input;
  if (progress.tables.length > 0 && !showsChanges(progress)) lines.push(loadLine(input, totals, style));
  const { log } = progress;
  if (log !== undefined && !showsChanges(progress)) {
    lines.push(labelled("log", [`the source keeps ${bytes(log.keptBytes)} for the task`], style));
  }
  if (progress.lag !== undefined) {
    lines.push(changesLine(input, totals, style));
    lines.push(lagLine(input, style));
  } else if (showsChanges(progress)) {
    lines.push(labelled("changes", ["none yet"], style));
  }
  const validation = validationTally(progress.tables);
  if (validation?.hasBegun) lines.push(labelled("validated", tallyWords(validation), style));
  return lines;
}

function loadLine(input: FrameInput, totals: ProgressTotals, style: LineStyle): string {
  const { progress, rates } = input;
  const loading = progress.phase === "full-load";
  const tables = `${count(totals.completed)} of ${count(progress.tables.length)} tables`;
  const parts = [percent(progress.fullLoadPercent), rowsOfRows(totals)];
  if (loading) {
    if (rates.rowsPerSecond !== undefined) parts.push(`${short(rates.rowsPerSecond)} rows/s`);
    if (progress.fullLoadSecondsLeft !== undefined)
      parts.push(`${duration(progress.fullLoadSecondsLeft)} left`);
    if (rates.bytesPerSecond !== undefined) parts.push(`${bytes(rates.bytesPerSecond)}/s`);
  } else if (progress.fullLoadStartMs !== undefined && progress.fullLoadEndMs !== undefined) {
    parts.push(`in ${duration((progress.fullLoadEndMs - progress.fullLoadStartMs) / 1000)}`);
  }
  parts.push(tables);
  if (totals.failed > 0) parts.push(`${count(totals.failed)} with errors`);
  const bar =
    style.width >= 100 ? style.paint.active(progressBar(progress.fullLoadPercent, BAR_WIDTH)) : undefined;
  return labelled("full load", parts, { ...style, bar });
}

function rowsOfRows(totals: ProgressTotals): string {
  if (totals.estimatedRows === undefined || totals.estimatedRows <= totals.rows)
    return `${count(totals.rows)} rows`;
  return `${count(totals.rows)} of about ${count(totals.estimatedRows)} rows`;
}

function changesLine(input: FrameInput, totals: ProgressTotals, style: LineStyle): string {
  const parts = [`${count(totals.changes)} applied`];
  const rate = input.rates.changesPerSecond;
  if (rate !== undefined) parts.push(`${short(rate)} changes/s`);
  parts.push(`${count(input.progress.lag?.transactions ?? 0)} transactions`);
  if (totals.conflicts > 0) parts.push(`${count(totals.conflicts)} conflicts`);
  if (totals.failed > 0) parts.push(`${count(totals.failed)} tables with errors`);
  return labelled("changes", parts, style);
}

function lagLine(input: FrameInput, style: LineStyle): string {
  const { lag, log } = input.progress;
  if (lag === undefined) return "";
  const { current, p50, p99, max } = lagTexts(lag);
  const parts = [
    current,
    ...(log === undefined ? [] : [`${bytes(log.behindBytes)} of log`]),
    `p50 ${p50}`,
    `p99 ${p99}`,
    `max ${max}`,
  ];
  return labelled("lag", parts, style);
}

const LABEL_WIDTH = 9;

/** A label, perhaps a bar, and as many of the parts as fit. */
function labelled(
  label: string,
  parts: readonly string[],
  style: LineStyle & { readonly bar?: string | undefined },
): string {
  const { width, paint, bar } = style;
  if (width < LABEL_WIDTH + 8) return truncate(parts[0] ?? "", width);
  const start = `${paint.strong(fit(label, LABEL_WIDTH))}  ${bar === undefined ? "" : `${bar}  `}`;
  const room = width - LABEL_WIDTH - 2 - (bar === undefined ? 0 : BAR_WIDTH + 2);
  let text = truncate(parts[0] ?? "", room);
  for (const part of parts.slice(1)) {
    const next = `${text}   ${part}`;
    if (displayWidth(next) > room) break;
    text = next;
  }
  return start + text;
}
