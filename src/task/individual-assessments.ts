import type { Finding } from "../core/finding.ts";
import type { MigrationType } from "../core/source.ts";
import { type AssessmentName, assessmentNames, type Subject } from "./assessment-names.ts";

/** What an individual assessment came to, in AWS DMS's words. */
export type AssessmentStatus = "passed" | "warning" | "failed" | "skipped";

/** Fails on what no other is about: nothing that Tideway finds is missing among the results. */
export const OTHER_FINDINGS = "tideway-check-other-findings";

export interface AssessedPair {
  readonly source: AssessedEngine;
  readonly target: AssessedEngine;
  readonly type: MigrationType;
}

export interface AssessedEngine {
  /** The engine's own name. */
  readonly family: string;
  /** As the endpoint names it. */
  readonly name: string;
}

interface Applicable extends AssessmentName {
  /** With the prefix of the endpoint's engine. */
  readonly shownAs: string;
}

function applicable({ source, target, type }: AssessedPair): readonly Applicable[] {
  return assessmentNames
    .map((check) => ({ ...check, engine: check.source === undefined ? check.target && target : source }))
    .filter((check) => check.source === undefined || check.source === source.family)
    .filter((check) => check.target === undefined || check.target === target.family)
    .filter(({ mariadb, engine }) => mariadb === undefined || engine?.name === "mariadb")
    .filter(({ captures }) => captures === undefined || type !== "full-load")
    .map(({ engine, ...check }) => {
      const isMariadb = engine?.name === "mariadb";
      return { ...check, shownAs: isMariadb ? check.name.replace(/^mysql-/, "mariadb-") : check.name };
    });
}

/** Names of the individual assessments that fit a pair of engines and a migration type. */
export function applicableAssessments(pair: AssessedPair): readonly string[] {
  return [...applicable(pair).map(({ shownAs }) => shownAs), OTHER_FINDINGS];
}

export interface IndividualResult {
  readonly name: string;
  readonly status: AssessmentStatus;
  readonly findings: readonly Finding[];
}

/** What each of the named assessments came to. */
export function individualResults(
  pair: AssessedPair,
  findings: readonly Finding[],
  names: readonly string[],
): readonly IndividualResult[] {
  const all = applicable(pair);
  return names.map((name) => {
    const check = all.find(({ shownAs }) => shownAs === name);
    if (typeof check?.about === "string") return { name, status: "skipped", findings: [] };
    const about = findings.filter((finding) =>
      check === undefined ? !all.some((one) => isAbout(one, finding)) : isAbout(check, finding),
    );
    return { name, status: statusOf(about, check?.minor), findings: about };
  });
}

function isAbout({ about }: AssessmentName, finding: Finding): boolean {
  return typeof about !== "string" && about.some((one) => isOf(one, finding));
}

function isOf(subject: Subject, { code, subject: named, message }: Finding): boolean {
  if (typeof subject === "string") return subject === code;
  if ("says" in subject) return subject.code === code && subject.says.test(message);
  return subject[0] === code && subject[1].test(named);
}

/** What is worth knowing and nothing more leaves an assessment passed that is about more than that. */
function statusOf(findings: readonly Finding[], minor: true | undefined): AssessmentStatus {
  if (findings.some(({ severity }) => severity === "error")) return "failed";
  const isWarning = minor === true ? findings.length > 0 : findings.some(isWarned);
  return isWarning ? "warning" : "passed";
}

function isWarned({ severity }: Finding): boolean {
  return severity === "warning";
}

/** What a run of these came to. */
export function runStatus(results: readonly IndividualResult[]): Exclude<AssessmentStatus, "skipped"> {
  const isAny = (wanted: AssessmentStatus): boolean => results.some(({ status }) => status === wanted);
  if (isAny("failed")) return "failed";
  return isAny("warning") ? "warning" : "passed";
}
