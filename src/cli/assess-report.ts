import type { Finding } from "../core/finding.ts";
import type { Assessment } from "../task/run-assessment.ts";
import { count, things } from "./human.ts";

/** An assessment with what its reports say of when and of what it was made. */
export interface AssessmentReport {
  /** Source and target as people call them, without passwords. */
  readonly name: string;
  readonly at: Date;
  readonly assessment: Assessment;
}

export interface Verdict {
  readonly state: "ready" | "partly" | "blocked";
  readonly text: string;
}

/** Whether a task could start as things are. */
export function verdictOf({ isBlocked, findings, tables }: Assessment): Verdict {
  const errors = countOf(findings, "error");
  const aside = tables.filter(({ isSetAside }) => isSetAside).length;
  if (isBlocked) {
    return { state: "blocked", text: `A task would not start: ${things(errors, "error")} to mend first.` };
  }
  if (errors > 0) {
    const moved = `${count(tables.length - aside)} of ${things(tables.length, "table")} would be moved`;
    return { state: "partly", text: `A task would start, and ${moved}; the others are set aside.` };
  }
  return { state: "ready", text: `A task can start: ${things(tables.length, "table")} would be moved.` };
}

export function countOf(findings: readonly Finding[], severity: Finding["severity"]): number {
  return findings.filter((one) => one.severity === severity).length;
}
