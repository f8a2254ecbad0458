import { type Finding, ifIgnored } from "../core/finding.ts";
import { count } from "./human.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text-width.ts";

/** A finding as it is shown: of this program, or of a server that may be of another version. */
export interface ToldFinding extends Pick<Finding, "severity" | "subject" | "message" | "remedy"> {
  readonly code: string;
  readonly ifIgnored: string;
}

export function inWords(finding: Finding): ToldFinding {
  return { ...finding, ifIgnored: ifIgnored(finding) };
}

/** Findings of one code are shown in full so many times. */
const OF_ONE_CODE = 5;

/** Those of one code and severity together, in the order in which they come. */
export function findingsText(findings: readonly ToldFinding[], paint: Paint): string {
  const groups = Map.groupBy(findings, ({ severity, code }) => `${severity} ${code}`);
  return [...groups.values()].map((group) => groupText(group, paint)).join("");
}

function groupText(group: readonly ToldFinding[], paint: Paint): string {
  const first = group[0]!;
  const { severity, code } = first;
  const word =
    severity === "error" ? paint.bad(severity) : severity === "warning" ? paint.warn(severity) : severity;
  const shown = group.slice(0, OF_ONE_CODE);
  const isOneRemedy = shown.every(({ remedy }) => remedy === first.remedy);
  const lines = shown.flatMap(({ subject, message, remedy }) => [
    `  ${message.includes(subject) ? "" : `${printable(subject)}: `}${printable(message)}\n`,
    ...(isOneRemedy ? [] : [paint.faint(`    ${printable(remedy)}\n`)]),
  ]);
  const more = group.length - shown.length;
  return [
    `${word} ${paint.strong(code)}\n`,
    ...lines,
    more === 0 ? "" : `  and ${count(more)} more of this code; --json has all\n`,
    ...(isOneRemedy ? [paint.faint(`  To do: ${printable(first.remedy)}\n`)] : []),
    paint.faint(`  Else: ${printable(first.ifIgnored)}\n`),
    "\n",
  ].join("");
}
