import { displayTable } from "../core/schema.ts";
import type {
  KnownTask,
  RowDifference,
  RowValues,
  TableValidation,
  TargetCheck,
} from "../server/validate.ts";
import { count, duration, percent, short, things } from "./human.ts";
import { tableLabel, textTable } from "./output.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text-width.ts";
import type { TakenOver } from "./validation-progress.ts";
import {
  hasOtherTotals,
  isDifferent,
  isEqual,
  type ValidationProgress,
  type ValidationTotals,
} from "./validation-result.ts";

function nameOf({ table, target }: TableValidation): string {
  return printable(tableLabel(table, target));
}

/** A row that differs, in one line, with its values in lines below where they were asked for. */
export function differenceText(difference: RowDifference, paint: Paint): string {
  const { table, kind, rows, key, columns, values } = difference;
  const what = { missing: "missing", extra: "extra", different: "differs" }[kind];
  const row = key === undefined ? `${things(rows, "row")} without a key` : rowText(key);
  const more = key !== undefined && rows > 1 ? `, ${count(rows)} rows` : "";
  const which = columns.length === 0 ? "" : `: ${columns.join(", ")}`;
  const line = `${paint.bad(what.padEnd(9))}  ${printable(`${displayTable(table)}  ${row}${more}${which}`)}\n`;
  if (values === undefined) return line;
  const { source, target } = values;
  const shown = columns.length === 0 ? undefined : new Set([...Object.keys(key ?? {}), ...columns]);
  return [
    line,
    ...(source === undefined ? [] : [`  source  ${printable(rowText(source, shown))}\n`]),
    ...(target === undefined ? [] : [`  target  ${printable(rowText(target, shown))}\n`]),
  ].join("");
}

function rowText(values: RowValues, shown?: ReadonlySet<string>): string {
  return Object.entries(values)
    .filter(([name]) => shown === undefined || shown.has(name))
    .map(([name, value]) => `${name}=${value === null ? "NULL" : value}`)
    .join(" ");
}

/** What one table has come to, in a line. */
export function tableText(table: TableValidation, paint: Paint): string {
  const { verdict, rows, sampled, seconds } = table;
  const name = nameOf(table);
  const part = sampled === undefined ? "" : ` (${sampled} % of the source's rows were looked for)`;
  const time = paint.faint(` in ${duration(seconds)}`);
  switch (verdict) {
    case "equal":
      return `${paint.good("equal    ")}  ${name}  ${things(rows.source, "row")}${part}${openText(table)}${time}\n`;
    case "different":
      return `${paint.bad("different")}  ${name}  ${differencesOf(table).join(", ")}${part}${openText(table)}${time}\n`;
    case "missing":
      return `${paint.bad("missing  ")}  ${name}  the target has no such table\n`;
    case "not-compared":
      return `${paint.warn("not compared")}  ${name}  ${printable(table.reason ?? "")}\n`;
    case "failed":
      return failedText(name, table, paint);
  }
}

function failedText(name: string, { error }: TableValidation, paint: Paint): string {
  const remedy = error === undefined ? "" : `${paint.faint("  remedy")}  ${printable(error.remedy)}\n`;
  return `${paint.bad("failed   ")}  ${name}  ${error?.code}: ${printable(error?.message ?? "")}\n${remedy}`;
}

function differencesOf({ missing, extra, different, missingColumns }: TableValidation): readonly string[] {
  return [
    ...(missingColumns.length === 0
      ? []
      : [
          `the target lacks the column${missingColumns.length === 1 ? "" : "s"} ${printable(missingColumns.join(", "))}`,
        ]),
    ...(missing === 0 ? [] : [`${things(missing, "row")} missing`]),
    ...(extra === 0 ? [] : [`${things(extra, "row")} extra`]),
    ...(different === 0 ? [] : [`${things(different, "row")} with other values`]),
  ];
}

/** What the comparison has left open. */
function openText({ undecided, uncompared }: TableValidation): string {
  const columns = uncompared.filter(({ isOpen }) => isOpen).length;
  return [
    undecided === 0
      ? ""
      : `; ${things(undecided, "row")} could not be decided about: written faster than read`,
    columns === 0 ? "" : `; ${things(columns, "column")} could not be compared`,
  ].join("");
}

/** What is compared less exactly than a side has it, or not at all. */
export function noteTexts(table: TableValidation, paint: Paint): readonly string[] {
  const of = displayTable(table.table);
  return [
    ...table.losses.map(({ column, note }) => `${of}.${column}: ${note}`),
    ...table.uncompared.map(({ column, note }) => `${of}.${column} is not compared: ${note}`),
  ].map((line) => `${paint.faint("note     ")}  ${printable(line)}\n`);
}

const CHECKED = {
  "without-parent": "rows of the target refer to none that is there",
  repeated: "values of the target are there several times",
  sequence: "would give out numbers that rows have",
} as const;

/** A check of the target that is not good; of one that is, nothing is to be told. */
export function checkText(check: TargetCheck, paint: Paint): string | undefined {
  const { table, kind, what, found, isGood, isUnderWay, error } = check;
  if (isGood) return undefined;
  if (error !== undefined) {
    const failed = `${displayTable(table)}  ${what}: ${error.code}: ${error.message}`;
    return `${paint.bad("failed   ")}  ${printable(failed)}\n`;
  }
  const word = isUnderWay === true ? paint.faint("note     ") : paint.bad("wrong    ");
  const later = isUnderWay === true ? "; it is set when the task is drained" : "";
  const number = kind === "sequence" ? what : `${what}: ${count(found)}`;
  const text = `${displayTable(table)}  ${number} ${CHECKED[kind]}${later}`;
  return `${word}  ${printable(text)}\n`;
}

export function taskText({ id, inUse, tables }: KnownTask): string {
  return inUse
    ? `Task ${id} brings changes of ${things(tables, "table")}: differences count once it has passed them.`
    : `Task ${id} is stopped: what it has not applied yet differs.`;
}

/** What a start takes over from earlier ones. */
export function resumedText({ startedAt, tables, left }: TakenOver): string {
  const rest =
    left === 0 ? "None is left to compare" : `${count(left)} ${left === 1 ? "is" : "are"} left to compare`;
  return `Goes on from a comparison that was begun on ${moment(startedAt)}: ${things(tables, "table")} taken over as found then. ${rest}.`;
}

export function moment(iso: string): string {
  return `${iso.slice(0, 19).replace("T", " ")} UTC`;
}

/** What is known of a validation that goes on, the most telling first. */
export function progressParts(progress: ValidationProgress): readonly string[] {
  const { rows, estimatedRows, rowsPerSecond, secondsLeft, tables, done, differences, settling } = progress;
  const parts: string[] = [];
  const isEstimated = estimatedRows !== undefined && estimatedRows > rows;
  if (isEstimated) parts.push(percent((100 * rows) / estimatedRows));
  parts.push(isEstimated ? `${count(rows)} of about ${count(estimatedRows)} rows` : `${count(rows)} rows`);
  if (rowsPerSecond !== undefined) parts.push(`${short(rowsPerSecond)} rows/s`);
  if (isEstimated && secondsLeft !== undefined) parts.push(`${duration(secondsLeft)} left`);
  parts.push(`${count(done)} of ${things(tables, "table")}`);
  if (settling > 0) parts.push(`${things(settling, "row")} looked at again`);
  if (differences > 0) parts.push(things(differences, "difference"));
  return parts;
}

/** Tables up to which all are listed in the end; with more only those that are not equal. */
const MOST_LISTED = 40;

/** The end of a validation: tables, and a sentence about all of them. */
export function summaryText(totals: ValidationTotals, paint: Paint): string {
  const { results } = totals;
  const others = results.filter((table) => !isEqual(table));
  const listed = results.length <= MOST_LISTED ? results : others;
  const numbers = ["SOURCE ROWS", "TARGET ROWS", "MISSING", "EXTRA", "OTHER VALUES"];
  const columns = [
    { title: "TABLE" },
    ...numbers.map((title) => ({ title, align: "right" as const })),
    { title: "RESULT" },
  ];
  const cells = listed.map((table) => {
    const { rows, missing, extra, different, verdict } = table;
    const isRead = verdict === "equal" || verdict === "different";
    const counted = [rows.source, rows.target, missing, extra, different];
    return [nameOf(table), ...counted.map((n) => (isRead ? count(n) : "")), wordOf(table)];
  });
  const [head, ...lines] = listed.length === 0 ? [""] : textTable(columns, cells).trimEnd().split("\n");
  const painted = lines.map((line, i) => (isEqual(listed[i]!) ? line : paint.bad(line)));
  const table = listed.length === 0 ? "" : `${[paint.faint(head!), ...painted].join("\n")}\n\n`;
  return `\n${table}${verdictText(totals, others)}\n`;
}

export function wordOf(table: TableValidation): string {
  const { verdict, undecided } = table;
  if (verdict === "equal" && hasOtherTotals(table)) return "totals differ";
  if (verdict === "equal" && !isEqual(table)) return undecided > 0 ? "undecided" : "equal in part";
  return verdict === "not-compared" ? "not compared" : verdict;
}

function verdictText(totals: ValidationTotals, others: readonly TableValidation[]): string {
  const { results, checks, findings, seconds } = totals;
  const rows = results.reduce((total, table) => total + table.rows.source, 0);
  const sampled = results.some((table) => table.sampled !== undefined);
  const what = `${things(results.length, "table")}, ${things(rows, "row")} of the source in ${duration(seconds)}.`;
  const wrong = checks.filter(({ isGood, isUnderWay }) => !isGood && isUnderWay !== true).length;
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const more = [
    ...(wrong === 0 ? [] : [` ${things(wrong, "check")} of the target failed.`]),
    ...(errors === 0 ? [] : [` Not all was compared: ${things(errors, "error")}.`]),
  ].join("");
  if (others.length > 0) {
    const word = isDifferent(totals) ? "Not equal" : "Not shown to be equal";
    return `${word}: ${count(others.length)} of ${what}${more}`;
  }
  const word = totals.isEqual ? "Equal" : "Equal rows";
  return `${word}${sampled ? " as far as rows were looked for" : ""}: ${what}${more}`;
}
