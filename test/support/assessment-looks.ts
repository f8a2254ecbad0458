import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Finding, Fix } from "../../src/core/finding.ts";
import type { MigrationType } from "../../src/core/source.ts";
import { assessMigration } from "../../src/server/assess-migration.ts";
import { assessmentNames } from "../../src/task/assessment-names.ts";
import {
  type AssessedEngine,
  applicableAssessments,
  individualResults,
} from "../../src/task/individual-assessments.ts";

/** What an assessment is asked about, and by which names. */
export interface LookOrder {
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
  readonly engines: { readonly source: AssessedEngine; readonly target: AssessedEngine };
  readonly type?: MigrationType;
  /** Rules of the table mappings. */
  readonly rules: readonly object[];
  readonly settings?: object;
  readonly freeBytes?: number;
  /** Nothing is sampled or watched when left out. */
  readonly watchSeconds?: number;
}

export interface Look {
  readonly findings: readonly Finding[];
  /** Severities, codes and subjects, in order. */
  readonly told: readonly string[];
  /** Individual assessments that have not passed and were not skipped, with their states. */
  readonly raised: Readonly<Record<string, string>>;
}

/** Which individual assessments have been shown failing, and which passing. */
export class ShownAssessments {
  readonly #failing = new Set<string>();
  readonly #passing = new Set<string>();

  async look({ engines, rules, settings, ...order }: LookOrder): Promise<Look> {
    const { type = "full-load-and-cdc", watchSeconds, freeBytes, source, target } = order;
    const spec = { id: "matrix", name: "matrix", type, tableMappings: JSON.stringify({ rules }) };
    const { findings } = await assessMigration(
      {
        spec: { ...spec, settings: JSON.stringify(settings ?? {}) },
        ...{ source, target, freeBytes },
        estimates: watchSeconds === undefined ? undefined : { watchSeconds },
      },
      new AbortController().signal,
    );
    return this.judge(findings, { ...engines, type });
  }

  /** As look() does with what it has found. */
  judge(findings: readonly Finding[], pair: Parameters<typeof applicableAssessments>[0]): Look {
    for (const { remedy, message, subject } of findings) assert.ok(remedy && message && subject);
    const raised: Record<string, string> = {};
    for (const { name, status } of individualResults(pair, findings, applicableAssessments(pair))) {
      if (status === "passed") this.#passing.add(plainName(name));
      if (status !== "warning" && status !== "failed") continue;
      this.#failing.add(plainName(name));
      raised[name] = status;
    }
    const told = findings.map(({ severity, code, subject }) => `${severity} ${code} ${subject}`);
    return { findings, told: told.toSorted(), raised };
  }

  /** Those that fail by something and were not seen to do so, or to pass. */
  get unseen(): Readonly<Record<"failing" | "passing", readonly string[]>> {
    const names = assessmentNames.filter(({ about }) => typeof about !== "string").map(({ name }) => name);
    const without = (seen: ReadonlySet<string>): readonly string[] =>
      [...new Set(names)].filter((name) => !seen.has(name)).toSorted();
    return { failing: without(this.#failing), passing: without(this.#passing) };
  }
}

/** MariaDB has its own names for MySQL's. */
function plainName(name: string): string {
  return name.replace(/^mariadb-/, "mysql-");
}

/** The statements by which findings are mended, each once, as `--fix` collects them. */
export function fixesOf(findings: readonly Finding[], side: Fix["side"]): readonly string[] {
  const texts = findings.flatMap(({ fix }) => (fix?.side === side ? [fix.statements] : []));
  return [...new Map(texts.map((statements) => [statements.join("\n"), statements])).values()].flat();
}

/** All tables of these schemas. */
export function selected(schemas: readonly string[], ...more: readonly object[]): readonly object[] {
  const include = schemas.map((schema) => ({
    ...{ "rule-type": "selection", "rule-action": "include" },
    "object-locator": { "schema-name": schema, "table-name": "%" },
  }));
  return [...include, ...more].map((rule, i) => ({
    ...{ "rule-id": `${i + 1}`, "rule-name": `${i + 1}` },
    ...rule,
  }));
}

/** A transformation rule about one column of a table. */
export function columnRule(action: string, [schema, table, column]: readonly string[], more = {}): object {
  const locator = { "schema-name": schema, "table-name": table, "column-name": column };
  return {
    ...{ "rule-type": "transformation", "rule-target": "column", "rule-action": action },
    "object-locator": locator,
    ...more,
  };
}
