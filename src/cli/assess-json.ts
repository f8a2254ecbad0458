import { docsPlace, ifIgnored } from "../core/finding.ts";
import { type AssessmentReport, verdictOf } from "./assess-report.ts";

/** The assessment for programs: one JSON document. Members are only ever added. */
export function assessmentJson({ name, at, assessment }: AssessmentReport): string {
  const document = {
    name,
    at: at.toISOString(),
    verdict: verdictOf(assessment).state,
    ...assessment,
    findings: assessment.findings.map((finding) => ({
      ...finding,
      ifIgnored: ifIgnored(finding),
      docs: docsPlace(finding.code),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
