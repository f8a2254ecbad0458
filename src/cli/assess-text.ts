import { displayTable } from "../core/schema.ts";
import type { Estimate } from "../task/estimate.ts";
import { type AssessmentReport, countOf, type Verdict, verdictOf } from "./assess-report.ts";
import { changeWords, dataWords, loadWords } from "./estimate-words.ts";
import { findingsText, inWords } from "./findings-text.ts";
import { bytes, count, things } from "./human.ts";
import { textFields, textTable } from "./output.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text-width.ts";

/** Of many tables only the largest are shown. */
const TABLES_SHOWN = 10;

/** The assessment for a terminal: what stands in the way first, the rest after it. */
export function assessmentText({ name, assessment }: AssessmentReport, paint: Paint): string {
  const { findings, complexity, estimate, source, target } = assessment;
  const verdict = verdictOf(assessment);
  const servers = target === undefined ? source.server : `${source.server} → ${target.server}`;
  const counts = (["error", "warning", "info"] as const)
    .map((severity) => things(countOf(findings, severity), severity))
    .join(", ");
  return [
    `${paint.strong(printable(name))}  ${paint.faint(`${servers}, ${assessment.type}`)}\n\n`,
    findingsText(findings.map(inWords), paint),
    estimate === undefined ? "" : estimateText(estimate, paint),
    `${counts}. Complexity ${complexity.grade}: ${complexity.reason}\n`,
    `${painted(verdict, paint)}\n`,
  ].join("");
}

function painted({ state, text }: Verdict, paint: Paint): string {
  if (state === "ready") return paint.good(text);
  return state === "partly" ? paint.warn(text) : paint.bad(text);
}

function estimateText(estimate: Estimate, paint: Paint): string {
  const rows = estimate.tables
    .slice(0, TABLES_SHOWN)
    .map((table) => [
      displayTable(table.id),
      table.rows < 0 ? "?" : count(table.rows),
      table.bytes < 0 ? "?" : bytes(table.bytes),
    ]);
  const right = { align: "right" } as const;
  const table = textTable(
    [{ title: "TABLE" }, { title: "ROWS", ...right }, { title: "DATA", ...right }],
    rows,
  );
  const more = estimate.tables.length - rows.length;
  const fields = textFields([
    ["Data", dataWords(estimate)],
    ["Full load", loadWords(estimate)],
    ["Changes", changeWords(estimate.changes)],
    ["Instance class", estimate.instanceClass],
  ]);
  return `${rows.length === 0 ? "" : table}${more > 0 ? paint.faint(`and ${things(more, "smaller table")}\n`) : ""}\n${fields}\n`;
}
