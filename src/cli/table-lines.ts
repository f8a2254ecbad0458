import { displayTable } from "../core/schema.ts";
import type { TableProgress, TaskProgress } from "../task/task.ts";
import { count, percent, short, shortDuration } from "./human.ts";
import type { Paint } from "./paint.ts";
import type { ProgressRates } from "./progress-rates.ts";
import { stageOf, validationWord } from "./table-validation.ts";
import { displayWidth, fit, printable, truncate, truncateMiddle } from "./text-width.ts";

/** The part of the live display that has a line for each table. */

export interface TableLinesOptions {
  /** Rows loaded, or changes applied: the columns differ. */
  readonly view: "load" | "changes";
  readonly width: number;
  /** Lines at hand, the heading and the summary of the rest included. */
  readonly height: number;
  readonly paint: Paint;
  readonly rates: ProgressRates;
}

interface Field {
  readonly title: string;
  readonly width: number;
  readonly text: (table: TableProgress, rates: ProgressRates) => string;
}

const STATE_WIDTH = 9;
const GAP = 2;
const SHORTEST_NAME = 12;
const BAR_WIDTH = 12;

const loadFields: readonly Field[] = [
  { title: "ROWS", width: 11, text: (table) => rowsText(table) },
  { title: "ROWS/S", width: 6, text: (table, rates) => shortOrBlank(rates.ofTable(table)) },
  { title: "DONE", width: 5, text: (table) => doneText(table) },
  { title: "LEFT", width: 7, text: (table, rates) => leftText(table, rates) },
];

const changeFields: readonly Field[] = [
  { title: "ROWS LOADED", width: 11, text: (table) => rowsText(table) },
  { title: "INSERTS", width: 9, text: (table) => count(table.appliedInserts) },
  { title: "UPDATES", width: 9, text: (table) => count(table.appliedUpdates) },
  { title: "DELETES", width: 9, text: (table) => count(table.appliedDeletes) },
];

const validationField: Field = {
  title: "VALIDATION",
  width: 13,
  text: ({ validation }) => (validation === undefined ? "" : validationWord(validation)),
};

/** A heading, a line for each table that fits, and a summary of the others. Empty when there is no room. */
export function tableLines(progress: TaskProgress, options: TableLinesOptions): string[] {
  const room = options.height - 1;
  if (room < 1 || progress.tables.length === 0) return [];
  const all = progress.tables.length <= room;
  const shown = all ? progress.tables : mostTelling(progress.tables, room - 1);
  const layout = layoutFor(shown, options);
  const lines = [heading(layout, options), ...shown.map((table) => tableLine(table, layout, options))];
  if (!all) lines.push(options.paint.faint(fit(restText(progress.tables, shown), options.width).trimEnd()));
  return lines;
}

interface Layout {
  readonly nameWidth: number;
  readonly fields: readonly Field[];
  readonly bar: boolean;
}

/** Columns from the right give way before names do. */
function layoutFor(shown: readonly TableProgress[], options: TableLinesOptions): Layout {
  const isValidated = shown.some(({ validation }) => validation && stageOf(validation) !== "waiting");
  const fields = [
    ...(isValidated ? [validationField] : []),
    ...(options.view === "load" ? loadFields : changeFields),
  ];
  const fixed = (): number =>
    STATE_WIDTH + GAP + fields.reduce((width, field) => width + field.width + GAP, 0);
  while (fields.length > 0 && options.width - fixed() < SHORTEST_NAME) fields.pop();
  const room = Math.max(1, options.width - fixed());
  const longest = shown.reduce((width, table) => Math.max(width, displayWidth(nameOf(table))), 5);
  const nameWidth = Math.min(room, longest, Math.max(24, Math.floor(options.width * 0.45)));
  const bar = options.view === "load" && room - nameWidth >= BAR_WIDTH + GAP;
  return { nameWidth, fields, bar };
}

function heading(layout: Layout, options: TableLinesOptions): string {
  const titles = layout.fields.map((field) => fit(field.title, field.width, "right"));
  const cells = [fit("TABLE", layout.nameWidth), fit("STATE", STATE_WIDTH), ...titles];
  return options.paint.faint(fit(cells.join("  "), options.width).trimEnd());
}

function tableLine(table: TableProgress, layout: Layout, options: TableLinesOptions): string {
  const { paint } = options;
  const start = `${fit(truncateMiddle(nameOf(table), layout.nameWidth), layout.nameWidth)}  `;
  const state = paintState(table, fit(stateText(table), STATE_WIDTH), paint);
  const left = options.width - displayWidth(start) - STATE_WIDTH - GAP;
  if (left < 1) return fit(start, options.width).trimEnd();
  if (table.state === "Table error") {
    const error = truncate(errorText(table), left);
    return `${start}${state}  ${paint.bad(error)}`.trimEnd();
  }
  const cells = layout.fields.map((field) => fit(field.text(table, options.rates), field.width, "right"));
  if (table.activity !== undefined && options.view === "load" && cells.length > 1) {
    // In place of what follows the rows: how fast they come.
    const kept = layout.fields.findIndex(({ title }) => title === "ROWS") + 1;
    const taken = layout.fields.slice(0, kept).reduce((width, field) => width + field.width + GAP, 0);
    const activity = fit(printable(table.activity), left - taken).trimEnd();
    return `${start}${state}  ${cells.slice(0, kept).join("  ")}  ${paint.active(activity)}`;
  }
  const bar = layout.bar ? `  ${paint.active(progressBar(doneShare(table), BAR_WIDTH))}` : "";
  return `${start}${state}  ${cells.join("  ")}${bar}`.trimEnd();
}

/** How long after its last news a table still counts as moving. */
const MOVING_MS = 2_000;

/**
 * When not all fit: errors, though they may take a third of the room at most, then what is moving,
 * what is under way but still, what was finished last, what is to come.
 */
function mostTelling(tables: readonly TableProgress[], room: number): TableProgress[] {
  const errors: TableProgress[] = [];
  const moving: TableProgress[] = [];
  const still: TableProgress[] = [];
  const finished: TableProgress[] = [];
  const waiting: TableProgress[] = [];
  const newestMs = tables.reduce((newest, table) => Math.max(newest, table.lastUpdateMs), 0);
  for (const table of tables) {
    if (table.state === "Table error" || isFoundDifferent(table)) errors.push(table);
    else if (table.state === "Before load") waiting.push(table);
    else if (table.activity !== undefined) moving.push(table);
    else if (table.state === "Table completed") finished.push(table);
    else (newestMs - table.lastUpdateMs < MOVING_MS ? moving : still).push(table);
  }
  finished.sort((a, b) => b.lastUpdateMs - a.lastUpdateMs);
  const few = errors.splice(0, Math.max(1, Math.floor(room / 3)));
  return [...few, ...moving, ...still, ...errors, ...finished, ...waiting].slice(0, Math.max(0, room));
}

function isFoundDifferent({ validation }: TableProgress): boolean {
  return validation !== undefined && (validation.failed > 0 || stageOf(validation) === "failed");
}

function restText(tables: readonly TableProgress[], shown: readonly TableProgress[]): string {
  const visible = new Set(shown);
  const counts = new Map<string, number>();
  for (const table of tables) {
    if (visible.has(table)) continue;
    const state = stateText(table);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const parts = [...counts].map(([state, tables]) => `${count(tables)} ${state}`);
  return `… and ${count(tables.length - shown.length)} more: ${parts.join(", ")}`;
}

function nameOf(table: TableProgress): string {
  return printable(displayTable(table.id));
}

const stateWords = {
  "Before load": "waiting",
  "Full load": "loading",
  "Table completed": "loaded",
  "Table error": "error",
  "Table is being reloaded": "reloading",
} as const satisfies Record<TableProgress["state"], string>;

export function stateText(table: TableProgress): string {
  return stateWords[table.state];
}

function paintState(table: TableProgress, text: string, paint: Paint): string {
  switch (table.state) {
    case "Before load":
      return paint.faint(text);
    case "Table completed":
      return paint.good(text);
    case "Table error":
      return paint.bad(text);
    default:
      return paint.active(text);
  }
}

function errorText(table: TableProgress): string {
  if (table.error === undefined) return printable(table.activity ?? "");
  return printable(`${table.error.code}: ${table.error.message}`);
}

function rowsText(table: TableProgress): string {
  return table.state === "Before load" && table.fullLoadRows === 0 ? "-" : count(table.fullLoadRows);
}

function shortOrBlank(value: number | undefined): string {
  return value === undefined ? "" : short(value);
}

/** 0 to 100; undefined while the source has no estimate. An estimate may be too low: never 100 before the end. */
export function doneShare(table: TableProgress): number | undefined {
  if (table.state === "Table completed") return 100;
  if (table.state === "Before load") return 0;
  if (table.estimatedRows < 0) return undefined;
  if (table.estimatedRows === 0) return 0;
  return Math.min(99, (table.fullLoadRows / table.estimatedRows) * 100);
}

function doneText(table: TableProgress): string {
  const share = doneShare(table);
  if (share === undefined) return "?";
  return table.state === "Before load" ? "" : percent(share);
}

function leftText(table: TableProgress, rates: ProgressRates): string {
  if (table.state !== "Full load" && table.state !== "Table is being reloaded") return "";
  const rate = rates.ofTable(table);
  const rows = table.estimatedRows - table.fullLoadRows;
  return rate === undefined || rate <= 0 || rows <= 0 ? "" : shortDuration(rows / rate);
}

/** A line of which the done part is heavy; half columns make a short one move visibly. */
export function progressBar(share: number | undefined, width: number): string {
  const halves = Math.floor(((share ?? 0) / 100) * width * 2);
  const done = "━".repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? "╸" : "");
  return done + "─".repeat(width - done.length);
}
