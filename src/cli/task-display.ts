import type { Finding } from "../core/finding.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type { TableProgress, TaskListener, TaskOutcome, TaskPhase, TaskProgress } from "../task/task.ts";
import { bytes, count, duration, percent, short } from "./human.ts";
import { LiveScreen } from "./live-screen.ts";
import { isLive, type Output, paintFor, type TextStream } from "./output.ts";
import { type Paint, plainPaint } from "./paint.ts";
import { phaseWords, progressFrame } from "./progress-frame.ts";
import { lagTexts, ProgressRates, progressTotals } from "./progress-rates.ts";
import { differText, stageOf, tallyWords, validationTally } from "./table-validation.ts";
import { printable } from "./text-width.ts";

/** Shows a running task to a person. The end of the run is told by whoever started it. */
export interface TaskDisplay extends TaskListener {
  /** A line of the program's own, between what the task reports. */
  note(text: string): void;
  /** Draws the last state and gives the terminal back. */
  close(outcome: TaskOutcome | undefined): void;
}

export interface DisplayOptions {
  readonly title: string;
  readonly hint: string;
  /** Log messages of level info too, not only warnings and errors. */
  readonly verbose: boolean;
}

/** Live on a terminal, plain lines elsewhere. */
export function taskDisplay(output: Output, options: DisplayOptions): TaskDisplay {
  return isLive(output.stdout)
    ? new LiveDisplay(output.stdout, options)
    : new PlainDisplay(output.stdout, options);
}

/** How many findings of one code are shown; with thousands of tables there may be thousands. */
const SAME_FINDINGS = 10;

/** Lets the first findings of a code through and counts the others. */
class FindingLimit {
  readonly #seen = new Map<string, number>();

  passes(finding: Finding): boolean {
    const seen = (this.#seen.get(finding.code) ?? 0) + 1;
    this.#seen.set(finding.code, seen);
    return seen <= SAME_FINDINGS || finding.severity === "error";
  }

  /** Lines about those that were held back since the last call. */
  held(): string[] {
    const lines = [...this.#seen]
      .filter(([, seen]) => seen > SAME_FINDINGS)
      .map(([code, seen]) => `... and ${count(seen - SAME_FINDINGS)} more ${code}`);
    this.#seen.clear();
    return lines;
  }
}

const REDRAW_MS = 500;

class LiveDisplay implements TaskDisplay {
  readonly #options: DisplayOptions;
  readonly #screen: LiveScreen;
  readonly #paint: Paint;
  readonly #rates = new ProgressRates();
  readonly #clock: NodeJS.Timeout;
  readonly #findings = new FindingLimit();
  #progress: TaskProgress | undefined;
  #closed = false;

  constructor(stream: TextStream, options: DisplayOptions) {
    this.#options = options;
    this.#screen = new LiveScreen(stream);
    this.#paint = paintFor(stream);
    // Times go on and terminals change size while the task has nothing to report.
    this.#clock = setInterval(() => this.#draw(), REDRAW_MS);
    this.#clock.unref();
  }

  progress(progress: TaskProgress): void {
    if (progress.phase !== this.#progress?.phase) for (const line of this.#findings.held()) this.note(line);
    this.#progress = progress;
    this.#rates.record(progress, performance.now());
    this.#draw();
  }

  finding(finding: Finding): void {
    if (this.#findings.passes(finding)) this.#screen.print(findingText(finding, this.#paint));
  }

  log(level: LogLevel, message: string, fields: LogFields): void {
    if (worthShowing(level, message, this.#options))
      this.#screen.print(logText(level, message, fields, this.#paint));
  }

  note(text: string): void {
    this.#screen.print(`${printable(text)}\n`);
  }

  close(outcome: TaskOutcome | undefined): void {
    if (this.#closed) return;
    clearInterval(this.#clock);
    if (outcome !== undefined) this.#progress = outcome.progress;
    this.#draw("");
    this.#closed = true;
    this.#screen.close();
  }

  #draw(hint = this.#options.hint): void {
    if (this.#progress === undefined || this.#closed) return;
    const input = { ...this.#options, hint, progress: this.#progress, rates: this.#rates, nowMs: Date.now() };
    const { columns, rows } = this.#screen;
    this.#screen.draw(progressFrame(input, { columns, rows, paint: this.#paint }));
  }
}

const PLAIN_INTERVAL_MS = 5_000;

/** A line at each change, and one every few seconds between. */
class PlainDisplay implements TaskDisplay {
  readonly #stream: TextStream;
  readonly #options: DisplayOptions;
  readonly #rates = new ProgressRates();
  readonly #states = new Map<string, TableProgress["state"]>();
  /** What was told of each table's rows last. */
  readonly #compared = new Map<string, string>();
  readonly #findings = new FindingLimit();
  #phase: TaskPhase | undefined;
  #lastMs = 0;

  constructor(stream: TextStream, options: DisplayOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  progress(progress: TaskProgress): void {
    const nowMs = performance.now();
    this.#rates.record(progress, nowMs);
    for (const table of progress.tables) this.#noteChange(table);
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#lastMs = nowMs;
      for (const line of this.#findings.held()) this.#line(line);
      this.#line(phaseWords[progress.phase]);
    } else if (nowMs - this.#lastMs >= PLAIN_INTERVAL_MS) {
      this.#lastMs = nowMs;
      this.#line(plainSummary(progress, this.#rates));
    }
  }

  finding(finding: Finding): void {
    if (this.#findings.passes(finding)) this.#line(findingText(finding, plainPaint).trimEnd());
  }

  log(level: LogLevel, message: string, fields: LogFields): void {
    if (worthShowing(level, message, this.#options))
      this.#line(logText(level, message, fields, plainPaint).trimEnd());
  }

  note(text: string): void {
    this.#line(printable(text));
  }

  close(outcome: TaskOutcome | undefined): void {
    if (outcome !== undefined) for (const table of outcome.progress.tables) this.#noteChange(table);
  }

  #noteChange(table: TableProgress): void {
    this.#noteValidation(table);
    const key = tableKey(table.id);
    const before = this.#states.get(key);
    if (before === table.state) return;
    this.#states.set(key, table.state);
    const name = printable(displayTable(table.id));
    if (table.state === "Table completed" && before !== undefined) {
      const rate = this.#rates.ofTable(table);
      const speed = rate === undefined ? "" : ` (${short(rate)} rows/s)`;
      this.#line(`${name}: ${count(table.fullLoadRows)} rows loaded${speed}`);
    } else if (table.state === "Table error") {
      const { error } = table;
      this.#line(
        error === undefined ? `${name}: error` : `${name}: error ${error.code}: ${printable(error.message)}`,
      );
    } else if (table.state === "Table is being reloaded") {
      this.#line(`${name}: loading again`);
    }
  }

  /** What is found of rows that change is told when that is something else. */
  #noteValidation({ id, validation }: TableProgress): void {
    if (validation === undefined || validation.state === "Pending records") return;
    const stage = stageOf(validation);
    if (stage === "waiting") return;
    const key = tableKey(id);
    const before = this.#compared.get(key);
    const now = stage === "comparing" ? (before ?? stage) : validation.state;
    if (before === now) return;
    this.#compared.set(key, now);
    const name = printable(displayTable(id));
    if (now === "comparing") this.#line(`${name}: comparing`);
    else if (now === "Validated") this.#line(`${name}: all rows are equal`);
    else if (now === "Mismatched records") this.#line(`${name}: ${differText(validation.failed)}`);
  }

  #line(text: string): void {
    this.#stream.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
  }
}

function plainSummary(progress: TaskProgress, rates: ProgressRates): string {
  const totals = progressTotals(progress);
  const parts: string[] = [];
  if (progress.phase === "full-load" || progress.phase === "building") {
    parts.push(percent(progress.fullLoadPercent), `${count(totals.rows)} rows`);
    if (rates.rowsPerSecond !== undefined) parts.push(`${short(rates.rowsPerSecond)} rows/s`);
    if (progress.fullLoadSecondsLeft !== undefined)
      parts.push(`${duration(progress.fullLoadSecondsLeft)} left`);
    parts.push(`${count(totals.completed)} of ${count(progress.tables.length)} tables`);
  }
  if (progress.lag !== undefined) {
    const { current, p50, p99 } = lagTexts(progress.lag);
    parts.push(`${count(totals.changes)} changes applied`, `lag ${current}`, `p50 ${p50}`, `p99 ${p99}`);
  }
  const validation = validationTally(progress.tables);
  if (validation?.hasBegun) parts.push(...tallyWords(validation));
  if (progress.log !== undefined) parts.push(`source keeps ${bytes(progress.log.keptBytes)} of log`);
  if (totals.failed > 0) parts.push(`${count(totals.failed)} tables with errors`);
  return `${phaseWords[progress.phase]}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

type LogLevel = Parameters<TaskListener["log"]>[0];
type LogFields = Parameters<TaskListener["log"]>[2];

/** What the tables' lines and the command's last words say better. */
const toldElsewhere: ReadonlySet<string> = new Set(["task failed", "table failed", "rows differ"]);

function worthShowing(level: LogLevel, message: string, options: DisplayOptions): boolean {
  if (options.verbose) return level !== "debug";
  return (level === "warn" || level === "error") && !toldElsewhere.has(message);
}

export function findingText(finding: Finding, paint: Paint): string {
  const word = { error: paint.bad("error"), warning: paint.warn("warning"), info: "note" }[finding.severity];
  const named = finding.subject === "" || finding.message.includes(finding.subject);
  const subject = named ? "" : `${printable(finding.subject)}: `;
  const remedy = finding.severity === "info" ? "" : `\n  remedy: ${printable(finding.remedy)}`;
  return `${word} ${finding.code}: ${subject}${printable(finding.message)}${remedy}\n`;
}

function logText(level: LogLevel, message: string, fields: LogFields, paint: Paint): string {
  const word = { error: paint.bad("error"), warn: paint.warn("warning"), info: "info", debug: "debug" }[
    level
  ];
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
  return `${word}: ${printable(message)}${paint.faint(printable(details))}\n`;
}
