import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import type {
  DoneRepair,
  FoundRepair,
  KnownTask,
  RowDifference,
  TableValidation,
  TargetCheck,
} from "../server/validate.ts";
import type { ExitCode } from "./exit-code.ts";
import { clock, count } from "./human.ts";
import { LiveScreen } from "./live-screen.ts";
import { isLive, type Output, paintFor, type TextStream } from "./output.ts";
import type { Paint } from "./paint.ts";
import { findingText } from "./task-display.ts";
import { displayWidth, fit, printable, truncate } from "./text-width.ts";
import { ValidationJson } from "./validation-json.ts";
import type { TakenOver } from "./validation-progress.ts";
import { doneRepairText, foundRepairText } from "./validation-repair.ts";
import type { ValidationHearer, ValidationProgress, ValidationTotals } from "./validation-result.ts";
import {
  checkText,
  differenceText,
  noteTexts,
  progressParts,
  resumedText,
  summaryText,
  tableText,
  taskText,
} from "./validation-text.ts";
import { totalsTexts } from "./validation-totals.ts";

/** Shows a validation that goes on. */
export interface ValidationDisplay extends ValidationHearer {
  /** Gives the terminal back. What comes after it is written below. */
  close(): void;
  end(totals: ValidationTotals, code: ExitCode): void;
}

export interface ValidationTitle {
  readonly title: string;
  /** The target is going to be repaired. */
  readonly changes: boolean;
}

/** Live on a terminal, plain lines elsewhere; one event a line for programs. */
export function validationDisplay(
  output: Output,
  { title, json, changes }: ValidationTitle & { readonly json: boolean },
): ValidationDisplay {
  if (json) return new ValidationJson(output.stdout, title);
  const lines = isLive(output.stdout)
    ? new LiveLines(output.stdout, { title, changes })
    : new PlainLines(output.stdout, title);
  return new TextDisplay(output.stdout, lines);
}

/** Where lines go, and where it is shown how far the validation has come. */
interface Lines {
  print(text: string): void;
  progress(current: () => ValidationProgress): void;
  close(): void;
}

/** Differences of one table that are shown on a screen. */
const MOST_SHOWN = 20;

class TextDisplay implements ValidationDisplay {
  readonly #stream: TextStream;
  readonly #lines: Lines;
  readonly #paint: Paint;
  readonly #shown = new Map<string, number>();

  constructor(stream: TextStream, lines: Lines) {
    this.#stream = stream;
    this.#lines = lines;
    this.#paint = paintFor(stream);
  }

  planned(): void {}

  resumed(takenOver: TakenOver): void {
    this.#lines.print(`${resumedText(takenOver)}\n`);
  }

  progress(current: () => ValidationProgress): void {
    this.#lines.progress(current);
  }

  finding(finding: Finding): void {
    this.#lines.print(findingText(finding, this.#paint));
  }

  task(task: KnownTask): void {
    this.#lines.print(`${printable(taskText(task))}\n`);
  }

  tasksUnread(error: MigrationError): void {
    const { code, message } = error;
    const what = "The target's records of tasks cannot be read, so differences are given time alone";
    this.#lines.print(`${this.#paint.warn("warning")}  ${what}: ${code}: ${printable(message)}\n`);
  }

  difference(difference: RowDifference): void {
    const key = tableKey(difference.table);
    const shown = (this.#shown.get(key) ?? 0) + 1;
    this.#shown.set(key, shown);
    if (shown <= MOST_SHOWN) this.#lines.print(differenceText(difference, this.#paint));
  }

  validated(table: TableValidation): void {
    const key = tableKey(table.table);
    const hidden = (this.#shown.get(key) ?? 0) - MOST_SHOWN;
    this.#shown.delete(key);
    if (hidden > 0) {
      const name = printable(displayTable(table.table));
      this.#lines.print(`...        ${name}  ${count(hidden)} more; --report and --json have all of them\n`);
    }
    for (const note of noteTexts(table, this.#paint)) this.#lines.print(note);
    for (const line of totalsTexts(table, this.#paint)) this.#lines.print(line);
    this.#lines.print(tableText(table, this.#paint));
  }

  checked(check: TargetCheck): void {
    const text = checkText(check, this.#paint);
    if (text !== undefined) this.#lines.print(text);
  }

  repairFound(tables: readonly FoundRepair[]): void {
    for (const table of tables) this.#lines.print(foundRepairText(table, this.#paint));
  }

  repaired(table: DoneRepair): void {
    this.#lines.print(doneRepairText(table, this.#paint));
  }

  comparesAgain(): void {}

  close(): void {
    this.#lines.close();
  }

  end(totals: ValidationTotals): void {
    this.#stream.write(summaryText(totals, this.#paint));
  }
}

const REDRAW_MS = 200;
const HINT = "Ctrl-C stops.";
const CHANGES_NOTHING = "Nothing is changed on either side.";

class LiveLines implements Lines {
  readonly #title: string;
  readonly #screen: LiveScreen;
  readonly #paint: Paint;
  readonly #clock: NodeJS.Timeout;
  #current: (() => ValidationProgress) | undefined;
  readonly #startedMs = performance.now();

  readonly #hint: string;

  constructor(stream: TextStream, { title, changes }: ValidationTitle) {
    this.#title = title;
    this.#hint = changes ? HINT : `${HINT} ${CHANGES_NOTHING}`;
    this.#screen = new LiveScreen(stream);
    this.#paint = paintFor(stream);
    this.#clock = setInterval(() => this.#draw(), REDRAW_MS);
    this.#clock.unref();
    this.#draw();
  }

  print(text: string): void {
    this.#screen.print(text);
  }

  progress(current: () => ValidationProgress): void {
    this.#current = current;
  }

  close(): void {
    clearInterval(this.#clock);
    this.#screen.draw([]);
    this.#screen.close();
  }

  #draw(): void {
    const width = Math.max(20, this.#screen.columns - 1);
    const time = clock((performance.now() - this.#startedMs) / 1000);
    const right = `${this.#current === undefined ? "connecting" : "comparing"}  ${time}`;
    const title = fit(this.#title, Math.max(1, width - right.length - 2));
    const parts = this.#current === undefined ? [] : progressParts(this.#current());
    this.#screen.draw([
      "",
      `${this.#paint.strong(title)}  ${this.#paint.active(right)}`,
      fitting(parts, width),
      this.#paint.faint(truncate(this.#hint, width)),
    ]);
  }
}

/** As many of the parts as have room beside each other. */
function fitting(parts: readonly string[], width: number): string {
  let line = truncate(parts[0] ?? "", width);
  for (const part of parts.slice(1)) {
    if (displayWidth(line) + 3 + displayWidth(part) > width) break;
    line += `   ${part}`;
  }
  return line;
}

const PLAIN_INTERVAL_MS = 5_000;

class PlainLines implements Lines {
  readonly #stream: TextStream;
  #toldMs = performance.now();

  constructor(stream: TextStream, title: string) {
    this.#stream = stream;
    stream.write(`${title}\n`);
  }

  print(text: string): void {
    this.#stream.write(text);
  }

  progress(current: () => ValidationProgress): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PLAIN_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#stream.write(`${progressParts(current()).join(", ")}\n`);
  }

  close(): void {}
}
