import type { Finding } from "../core/finding.ts";
import { readTable, type TablePlan } from "../core/plan.ts";
import type { CheckedMappings } from "../server/check-mappings.ts";
import { count, things } from "./human.ts";
import { type ColumnWords, columnWords, filterWords, keyWords, loadWords } from "./mapping-words.ts";
import { tableLabel, textTable } from "./output.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text-width.ts";

export interface ReportOptions {
  readonly paint: Paint;
  /** Also those that come as they are. */
  readonly everyColumn: boolean;
}

/** What a document does, for people. */
export function mappingsText({ rules, checked }: CheckedMappings, options: ReportOptions): string {
  if (checked === undefined)
    return `${rulesText(rules)} The document can be used. Add --source to see what it does.\n`;
  const { plan, tables, findings } = checked;
  const shown = plan.tables.map((table) => tableText(table, options)).join("");
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const selected = `${count(plan.tables.length)} of ${count(tables)} tables are selected.`;
  const end =
    errors === 0
      ? "The document can be used."
      : `${things(errors, "error")}: it cannot be carried out as it is.`;
  return [
    shown,
    shown === "" || shown.endsWith("\n\n") ? "" : "\n",
    findings.length === 0
      ? ""
      : `${findings.map((finding) => findingText(finding, options.paint)).join("")}\n`,
    `${rulesText(rules)} ${selected} ${end}\n`,
  ].join("");
}

function rulesText(rules: number): string {
  return `${things(rules, "rule")}.`;
}

/** The table's line, and a table of its columns behind it where there is something to say of them. */
function tableText(plan: TablePlan, { paint, everyColumn }: ReportOptions): string {
  const { source, target, loadOrder, rows } = plan;
  const all = columnWords(plan);
  const key = keyWords(plan, all);
  const load = loadWords(plan.parallelLoad);
  const shown = everyColumn ? all : all.filter(({ what }) => what !== "");
  const title = printable(tableLabel(source.id, target.id));
  const said = [
    things(all.filter((column) => column.target !== undefined).length, "column"),
    ...(shown.length === 0 ? ["all as they are"] : []),
    ...(key === undefined ? [] : [key]),
    ...(loadOrder === 0 ? [] : [`load order ${loadOrder}`]),
    ...(load === undefined ? [] : [load]),
  ];
  const filter = filterWords(rows?.filter, readTable(plan));
  const lines = [`${paint.strong(title)}  ${paint.faint(said.join(", "))}\n`];
  if (filter !== undefined) lines.push(`  only rows where ${printable(filter)}\n`);
  if (shown.length > 0) lines.push(columnsText(shown, paint));
  return `${lines.join("")}${shown.length > 0 || filter !== undefined ? "\n" : ""}`;
}

function columnsText(columns: readonly ColumnWords[], paint: Paint): string {
  const titles = ["COLUMN", "TYPE", "ON THE TARGET", "TYPE", ""].map((title) => ({ title }));
  const rows = columns.map(({ source, sourceType, target, targetType, what }) => [
    ...[source ?? "-", sourceType ?? "", target ?? "-", targetType ?? "", what],
  ]);
  const [head, ...lines] = textTable(titles, rows).trimEnd().split("\n");
  const painted = lines.map((line, i) => {
    const { source, target, what } = columns[i]!;
    if (target === undefined) return paint.faint(line);
    if (source === undefined) return paint.good(line);
    return /masked|at most/.test(what) ? paint.warn(line) : line;
  });
  return [paint.faint(head!), ...painted].map((line) => `  ${line}\n`).join("");
}

function findingText({ severity, code, message, remedy }: Finding, paint: Paint): string {
  const word =
    severity === "error" ? paint.bad(severity) : severity === "warning" ? paint.warn(severity) : severity;
  return `${word} ${code}: ${printable(message)}\n${paint.faint(`  ${printable(remedy)}`)}\n`;
}

/** The same for programs: one JSON document. */
export function mappingsJson({ rules, checked }: CheckedMappings): string {
  const found = checked === undefined ? {} : checkedJson(checked);
  return `${JSON.stringify({ rules, ...found }, undefined, 2)}\n`;
}

function checkedJson({ plan, tables, findings }: NonNullable<CheckedMappings["checked"]>): object {
  return {
    tablesOfSource: tables,
    tables: plan.tables.map((table) => {
      const { source, target, loadOrder, parallelLoad, rows } = table;
      const columns = columnWords(table);
      const filter = filterWords(rows?.filter, readTable(table));
      const key = keyWords(table, columns);
      return {
        ...{ source: source.id, target: target.id, loadOrder },
        ...(filter === undefined ? {} : { filter }),
        ...(parallelLoad === undefined ? {} : { parallelLoad }),
        ...(key === undefined ? {} : { key }),
        columns,
      };
    }),
    findings,
  };
}
