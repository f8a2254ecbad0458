import { displayTable, tableKey } from "../core/schema.ts";
import { type Content, type Html, html } from "../report/html.ts";
import { reportPage } from "../report/page.ts";
import { badge, cards, folded, section, type Tone, table } from "../report/parts.ts";
import type {
  RowDifference,
  RowValues,
  TableValidation,
  TableVerdict,
  TargetCheck,
} from "../server/validate.ts";
import { count, duration, things } from "./human.ts";
import { tableLabel } from "./output.ts";
import type { TakenOver } from "./validation-progress.ts";
import { isDifferent, isEqual, type ValidationTotals } from "./validation-result.ts";
import { moment, wordOf } from "./validation-text.ts";
import { totalsTable } from "./validation-totals.ts";

export interface ValidationPage {
  readonly title: string;
  readonly startedAt: Date;
  readonly totals: ValidationTotals;
  /** Those that are shown, by the key of their table. */
  readonly differences: ReadonlyMap<string, readonly RowDifference[]>;
}

const TONES: Readonly<Record<TableVerdict, Tone>> = {
  equal: "good",
  different: "bad",
  missing: "bad",
  failed: "bad",
  "not-compared": "warn",
};

const FAULTS: Readonly<Record<TargetCheck["kind"], string>> = {
  "without-parent": "rows without a parent",
  repeated: "repeated values",
  sequence: "behind its column",
};

/** What a validation has come to, as a page for people. */
export function validationHtml({ title, startedAt, totals, differences }: ValidationPage): string {
  const { results, checks, seconds, takenOver, isEqual: allEqual } = totals;
  const sum = (of: (table: TableValidation) => number): number =>
    results.reduce((total, one) => total + of(one), 0);
  const equal = results.filter(isEqual).length;
  const found = sum(({ missing, extra, different }) => missing + extra + different);
  return reportPage({
    title: `The databases are ${allEqual ? "" : isDifferent(totals) ? "not " : "not shown to be "}equal`,
    about: title,
    body: [
      cards([
        {
          name: "Tables",
          value: count(results.length),
          about: `${count(equal)} equal`,
          tone: equal === results.length ? "good" : "bad",
        },
        { name: "Rows of the source", value: count(sum(({ rows }) => rows.source)) },
        { name: "Rows of the target", value: count(sum(({ rows }) => rows.target)) },
        { name: "Differences", value: count(found), tone: found === 0 ? "good" : "bad" },
        { name: "Time", value: duration(seconds) },
      ]),
      ...findingsOf(totals),
      section("Tables", tablesTable(results)),
      ...(checks.length === 0 ? [] : [section("The target by itself", checksTable(checks))]),
      ...results.flatMap((one) => detailsOf(one, differences.get(tableKey(one.table)) ?? [])),
    ],
    footer: `Compared by tideway validate on ${moment(startedAt.toISOString())}.${takenText(takenOver)}`,
  });
}

function takenText(takenOver: TakenOver | undefined): string {
  if (takenOver === undefined) return "";
  const { tables, startedAt } = takenOver;
  return ` ${things(tables, "table")} had been compared since ${moment(startedAt)} by starts that did not come to their end.`;
}

/** What has kept parts of the databases from being compared, or has made it harder. */
function findingsOf({ findings, tasksUnread }: ValidationTotals): readonly Html[] {
  const told = findings.map(({ severity, subject, message, code }) => [
    badge(severity === "error" ? "bad" : "warn", severity),
    subject,
    `${message} (${code})`,
  ]);
  if (tasksUnread !== undefined) {
    const { code, message } = tasksUnread;
    told.push([badge("warn", "warning"), "records of tasks on the target", `${message} (${code})`]);
  }
  if (told.length === 0) return [];
  return [
    section(
      "Findings",
      table(
        ["Severity", "Of what", "Finding"].map((title) => ({ title })),
        told,
      ),
    ),
  ];
}

function tablesTable(results: readonly TableValidation[]): Html {
  const numbers = ["Source rows", "Target rows", "Missing", "Extra", "Other values"];
  return table(
    [
      { title: "Table" },
      { title: "Result" },
      ...numbers.map((title) => ({ title, align: "right" as const })),
      { title: "Time", align: "right" },
    ],
    results.map((one) => [
      nameOf(one),
      badge(one.verdict === "equal" && !isEqual(one) ? "warn" : TONES[one.verdict], wordOf(one)),
      ...[one.rows.source, one.rows.target, one.missing, one.extra, one.different].map(count),
      duration(one.seconds),
    ]),
  );
}

function checksTable(checks: readonly TargetCheck[]): Html {
  const toneOf = ({ isGood, isUnderWay }: TargetCheck): Tone =>
    isGood ? "good" : isUnderWay === true ? "warn" : "bad";
  return table(
    [
      { title: "Table" },
      { title: "What was looked at" },
      { title: "Result" },
      { title: "Found", align: "right" },
    ],
    checks.map((check) => [
      displayTable(check.table),
      check.what,
      badge(toneOf(check), resultOf(check)),
      count(check.found),
    ]),
  );
}

function resultOf({ kind, isGood, error }: TargetCheck): string {
  if (isGood) return "good";
  return error === undefined ? FAULTS[kind] : `failed: ${error.code}`;
}

function nameOf({ table: source, target }: TableValidation): string {
  return tableLabel(source, target);
}

/** What there is to say of a table beside its numbers. */
function detailsOf(one: TableValidation, differences: readonly RowDifference[]): readonly Html[] {
  const { losses, uncompared, missingColumns, reason, error, undecided, sampled, totals } = one;
  const said: Content[] = [
    ...missingColumns.map((column) => `The target lacks the column ${column}.`),
    ...(reason === undefined ? [] : [reason]),
    ...(error === undefined ? [] : [`${error.code}: ${error.message} Remedy: ${error.remedy}`]),
    ...(undecided === 0
      ? []
      : [`${things(undecided, "row")} could not be decided about: written faster than read.`]),
    ...(sampled === undefined ? [] : [`${sampled} % of the source's rows were looked for.`]),
    ...losses.map(({ column, note }) => `${column}: ${note}`),
    ...uncompared.map(({ column, note }) => `${column} is not compared: ${note}`),
    ...(totals?.leftOut ?? []).map(({ column, note }) => `${column} has no total: ${note}`),
  ];
  const summed = totals === undefined ? undefined : folded("Totals", totalsTable(totals), !totals.isSame);
  if (said.length + differences.length === 0 && summed === undefined) return [];
  const lines = html`<ul>${said.map((line) => html`<li>${line}</li>`)}</ul>`;
  const all = one.missing + one.extra + one.different;
  const shown = differences.reduce((total, { rows }) => total + rows, 0);
  const rest = all > shown ? html`<p>${count(all - shown)} more are in the JSON report.</p>` : undefined;
  const rows =
    differences.length === 0
      ? undefined
      : folded(things(all, "difference"), [differencesTable(differences), rest], true);
  return [section(nameOf(one), said.length === 0 ? undefined : lines, rows, summed)];
}

function differencesTable(differences: readonly RowDifference[]): Html {
  const hasValues = differences.some(({ values }) => values !== undefined);
  return table(
    [
      { title: "Kind" },
      { title: "Row" },
      { title: "Rows", align: "right" },
      { title: "Columns" },
      ...(hasValues ? [{ title: "Source" }, { title: "Target" }] : []),
    ],
    differences.map(({ kind, key, rows, columns, values }) => [
      kind,
      key === undefined ? "without a key" : valuesText(key),
      count(rows),
      columns.join(", "),
      ...(hasValues ? [valuesText(values?.source, columns), valuesText(values?.target, columns)] : []),
    ]),
  );
}

function valuesText(values: RowValues | undefined, columns: readonly string[] = []): string {
  if (values === undefined) return "";
  return Object.entries(values)
    .filter(([name]) => columns.length === 0 || columns.includes(name))
    .map(([name, value]) => `${name}=${value ?? "NULL"}`)
    .join(" ");
}
