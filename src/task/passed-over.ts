import type { ErrorCode, ErrorKind } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { malformed } from "./settings-document.ts";

/** An error of the assessment that somebody wants a task to start in spite of. */
export interface PassedOver {
  readonly code: ErrorCode;
  /** As findings name it; undefined: whatever the error is about. */
  readonly subject: string | undefined;
}

const PATH = "TidewaySettings.AssessmentPassOver";

/**
 * What texts such as `source.wal_level` and `source.table_privilege:shop.orders` ask for. Throws `settings.malformed` for a code
 * that is none, that no assessment finds as an error, or that may not be passed over.
 */
export function readPassedOver(texts: readonly string[]): readonly PassedOver[] {
  return texts.map((text) => {
    // Codes have no colon, objects may.
    const colon = text.indexOf(":");
    const code = colon === -1 ? text : text.slice(0, colon);
    const subject = colon === -1 ? undefined : text.slice(colon + 1);
    if (subject === "") throw malformed(PATH, `names no object behind the colon of ${shown(text)}`);
    return { code: checkedCode(code), subject };
  });
}

/** The finding as it is told: what is to be passed over, as a warning. */
export function withPassedOver(finding: Finding, wishes: readonly PassedOver[]): Finding {
  if (finding.severity !== "error") return finding;
  const isMeant = ({ code, subject }: PassedOver): boolean =>
    code === finding.code && (subject === undefined || subject === finding.subject);
  if (!wishes.some(isMeant)) return finding;
  const message = `${finding.message} This is passed over as told.`;
  return { ...finding, severity: "warning", message, passedOver: true };
}

const kinds: ReadonlyMap<string, ErrorKind> = new Map(Object.entries(errorTable));
/** Those of errors that an assessment finds. */
const found = [...kinds].filter(([, { passOver }]) => passOver !== undefined).map(([code]) => code);

function checkedCode(code: string): ErrorCode {
  const kind = kinds.get(code);
  if (kind === undefined) {
    throw malformed(
      PATH,
      `names ${shown(code)}, which is no code of a finding; the nearest is ${nearest(code)}`,
    );
  }
  const { passOver } = kind;
  if (passOver === true) return code as ErrorCode;
  if (passOver === undefined) {
    throw malformed(PATH, `names ${code}, which is no error that an assessment finds`);
  }
  throw malformed(PATH, `names ${code}, which cannot be passed over: ${passOver.replace(/\.$/, "")}`);
}

/** Long texts are no codes, and are not repeated in full. */
const LONGEST_SHOWN = 60;

function shown(text: string): string {
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text);
}

/** Of those codes the one that the fewest changed letters lead to. */
function nearest(text: string): string {
  const short = text.slice(0, LONGEST_SHOWN).toLowerCase();
  let best = { code: found[0]!, steps: Number.POSITIVE_INFINITY };
  for (const code of found) {
    const steps = stepsBetween(short, code);
    if (steps < best.steps) best = { code, steps };
  }
  return best.code;
}

/** Letters to be put in, taken out or changed. */
function stepsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let k = 1; k <= to.length; k++) {
      const changed = row[k - 1]! + (from[i - 1] === to[k - 1] ? 0 : 1);
      next.push(Math.min(changed, row[k]! + 1, next[k - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
