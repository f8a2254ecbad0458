import { docsPlace, type Finding, ifIgnored } from "../core/finding.ts";
import { displayTable } from "../core/schema.ts";
import { type Content, type Html, html } from "../report/html.ts";
import { reportPage } from "../report/page.ts";
import { badge, type Card, cards, facts, folded, section, type Tone, table } from "../report/parts.ts";
import type { Assessment, ObjectCount } from "../task/run-assessment.ts";
import { type AssessmentReport, countOf, verdictOf } from "./assess-report.ts";
import { changeWords, dataWords, loadWords } from "./estimate-words.ts";
import { bytes, count, duration, things } from "./human.ts";

/** Rows that a table of the report has at most; who needs more takes --json. */
const ROWS_SHOWN = 500;

/** The assessment as one page: what a manager reads first, what somebody mends by it after that. */
export function assessmentHtml({ name, at, assessment }: AssessmentReport): string {
  const { source, target, type, findings } = assessment;
  const servers = target === undefined ? source.server : `${source.server} → ${target.server}`;
  return reportPage({
    title: `Assessment of ${name}`,
    about: `${servers}, migration type ${type}, assessed ${at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    body: [
      cards(figures(assessment)),
      summary(assessment),
      section("Findings", findings.length === 0 ? html`<p>There are none.</p>` : groups(findings)),
      ...(assessment.estimate === undefined ? [] : [estimateSection(assessment)]),
      inventory(assessment.inventory),
      tables(assessment),
    ],
    footer: html`<p>Made by tideway assess, which reads and changes nothing. Figures about rows and sizes are the servers' own
statistics.</p>`,
  });
}

function figures(assessment: Assessment): readonly Card[] {
  const { complexity, findings, estimate, tables: all } = assessment;
  const verdict = verdictOf(assessment);
  const tones = { ready: "good", partly: "warn", blocked: "bad" } as const;
  const words = { ready: "Ready", partly: "In part", blocked: "Not yet" };
  const errors = countOf(findings, "error");
  const warnings = countOf(findings, "warning");
  const load = estimate?.load;
  return [
    { name: "Can a task start?", value: words[verdict.state], tone: tones[verdict.state] },
    {
      ...{ name: "Complexity", value: complexity.grade, about: "A is the least, E the most" },
      tone: gradeTones[complexity.grade],
    },
    {
      ...{ name: "Findings", value: `${errors} / ${warnings}`, about: "errors / warnings" },
      tone: errors > 0 ? "bad" : warnings > 0 ? "warn" : "good",
    },
    { name: "Tables", value: count(all.length), about: `${count(rowsOf(assessment))} rows`, tone: "calm" },
    ...(load === undefined
      ? []
      : [
          {
            ...{
              name: "Full load",
              value: `≤ ${duration(Math.max(1, load.slowestSeconds))}`,
              tone: "calm" as const,
            },
            about: `${bytes(load.bytes)} to be moved`,
          },
        ]),
  ];
}

const gradeTones: Readonly<Record<Assessment["complexity"]["grade"], Tone>> = {
  ...{ A: "good", B: "good", C: "warn", D: "warn", E: "bad" },
};

function rowsOf({ tables: all }: Assessment): number {
  return all.reduce((sum, { rows }) => sum + Math.max(0, rows), 0);
}

function summary(assessment: Assessment): Html {
  const { findings, complexity } = assessment;
  const mending = findings.filter(({ severity, fix }) => severity === "error" && fix !== undefined).length;
  const errors = countOf(findings, "error");
  return section(
    "Summary",
    html`<p>${verdictOf(assessment).text}</p>`,
    errors === 0
      ? undefined
      : html`<p>Errors that a statement mends, which stands beside them: ${mending} of ${errors}.</p>`,
    html`<p><strong>Complexity ${complexity.grade}.</strong> ${complexity.reason}</p>`,
  );
}

const severities: Readonly<Record<Finding["severity"], readonly [Tone, string]>> = {
  error: ["bad", "error"],
  warning: ["warn", "warning"],
  info: ["calm", "info"],
};

/** One fold for each code and severity: many tables have the same trouble. */
function groups(findings: readonly Finding[]): readonly Html[] {
  const byCode = Map.groupBy(findings, ({ severity, code }) => `${severity} ${code}`);
  return [...byCode.values()].map((group) => {
    const first = group[0]!;
    const [tone, word] = severities[first.severity];
    const title = html`${badge(tone, word)} <code>${first.code}</code> ${group.length === 1 ? first.message : things(group.length, "finding")}`;
    return folded(title, groupBody(group), first.severity === "error");
  });
}

function groupBody(group: readonly Finding[]): Content {
  const first = group[0]!;
  const isOneRemedy = group.every(({ remedy }) => remedy === first.remedy);
  const statements = [...new Set(group.slice(0, ROWS_SHOWN).flatMap(({ fix }) => fix?.statements ?? []))];
  return [
    ...(group.length === 1 ? [] : groupTable(group, isOneRemedy)),
    facts([
      ...(group.length === 1 ? [["Object", first.subject] as const] : []),
      ...(isOneRemedy ? [["To do", first.remedy] as const] : []),
      ["If passed over", ifIgnored(first)],
      ["Documentation", html`<code>${docsPlace(first.code)}</code>`],
    ]),
    statements.length === 0
      ? undefined
      : html`<h3>Statements for the ${first.fix?.side}</h3><pre>${statements.join("\n")}</pre>`,
  ];
}

function groupTable(group: readonly Finding[], isOneRemedy: boolean): readonly Content[] {
  const shown = group.slice(0, ROWS_SHOWN);
  return [
    table(
      ["Object", "What was found", ...(isOneRemedy ? [] : ["To do"])].map((title) => ({ title })),
      shown.map(({ subject, message, remedy }) => [subject, message, ...(isOneRemedy ? [] : [remedy])]),
    ),
    leftOut(group.length - shown.length),
  ];
}

function leftOut(more: number): Html | undefined {
  return more <= 0 ? undefined : html`<p class="faint">And ${count(more)} more: --json has all of them.</p>`;
}

function estimateSection({ estimate }: Assessment): Html {
  const { samples, changes, instanceClass } = estimate!;
  const right = { align: "right" } as const;
  return section(
    "Estimate",
    facts([
      ["Data", dataWords(estimate!)],
      ["Full load", loadWords(estimate!)],
      ["Changes", changeWords(changes)],
      ["Instance class", html`<code>${instanceClass}</code>`],
    ]),
    samples.length === 0
      ? undefined
      : [
          html`<h3>What was read for it</h3>`,
          table(
            [
              { title: "Table" },
              { title: "Rows", ...right },
              { title: "Bytes", ...right },
              { title: "Time", ...right },
              { title: "Speed", ...right },
            ],
            samples.map((one) => [
              ...[displayTable(one.id), count(one.rows), bytes(one.bytes), `${one.seconds.toFixed(1)} s`],
              `${bytes(one.bytes / one.seconds)}/s`,
            ]),
          ),
        ],
  );
}

function inventory(counts: readonly ObjectCount[]): Html {
  const kinds = [...new Set(counts.map(({ kind }) => kind))];
  const rows = [...Map.groupBy(counts, ({ schema }) => schema)].map(([schema, some]) => [
    schema,
    ...kinds.map((kind) => some.find((one) => one.kind === kind)?.count ?? ""),
  ]);
  const columns = kinds.map((title) => ({ title, align: "right" }) as const);
  const shown = rows.slice(0, ROWS_SHOWN);
  return section(
    "Inventory",
    table([{ title: "Schema" }, ...columns], shown),
    leftOut(rows.length - shown.length),
  );
}

const identities = { key: "key", full: "whole row", none: "none" } as const;

function tables({ tables: all }: Assessment): Html {
  const right = { align: "right" } as const;
  const largest = all.toSorted((a, b) => b.bytes - a.bytes).slice(0, ROWS_SHOWN);
  return section(
    "Tables",
    table(
      [
        { title: "Table" },
        { title: "On the target" },
        { title: "Rows", ...right },
        { title: "Data", ...right },
        { title: "Columns", ...right },
        { title: "Indexes", ...right },
        { title: "Rows told by" },
        { title: "" },
      ],
      largest.map((one) => [
        displayTable(one.id),
        displayTable(one.target),
        one.rows < 0 ? "?" : count(one.rows),
        one.bytes < 0 ? "?" : bytes(one.bytes),
        ...[one.columns, one.indexes, identities[one.rowIdentity]],
        one.isSetAside ? badge("bad", "set aside") : badge("good", "moved"),
      ]),
    ),
    leftOut(all.length - largest.length),
  );
}
