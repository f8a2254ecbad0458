import type { Fix } from "../core/finding.ts";
import type { AssessmentReport } from "./assess-report.ts";
import { printable } from "./text-width.ts";

/**
 * A file of statements for both sides, each behind a comment that names what it mends. They are to be read before they are
 * run: some need a superuser, a restart, or a password in between.
 */
export function fixFile({ name, at, assessment }: AssessmentReport): string {
  const parts = (["source", "target"] as const).map((side) => statementsFor(side, assessment));
  const head = `-- ${printable(name)}, assessed at ${at.toISOString()}.\n-- Read each statement before you run it.\n`;
  return `${head}${parts.join("")}`;
}

function statementsFor(side: Fix["side"], { findings }: AssessmentReport["assessment"]): string {
  const seen = new Set<string>();
  const parts: string[] = [];
  for (const { fix, code, subject, remedy } of findings) {
    if (fix?.side !== side) continue;
    const text = fix.statements.join("\n");
    if (seen.has(text)) continue;
    seen.add(text);
    parts.push(`\n-- ${code}: ${printable(subject)}\n-- ${printable(remedy)}\n${text}\n`);
  }
  return parts.length === 0 ? "" : `\n-- On the ${side}\n${parts.join("")}`;
}
