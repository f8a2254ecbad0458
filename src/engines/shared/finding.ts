import type { ErrorCode } from "../../core/error.ts";
import { errorTable } from "../../core/error-table.ts";
import type { Finding, Fix } from "../../core/finding.ts";
import type { TableId } from "../../core/schema.ts";

export interface FindingDetails {
  readonly subject: string;
  readonly message: string;
  readonly remedy?: string;
  readonly fix?: Fix;
  /** The source's id. */
  readonly table?: TableId;
}

/** A finding with its code's general remedy unless there is a more exact one. */
export function finding(code: ErrorCode, severity: Finding["severity"], details: FindingDetails): Finding {
  return { code, severity, remedy: errorTable[code].remedy, ...details };
}

export interface FixWords {
  /** Before the statements: "as a superuser". */
  readonly as?: string;
  /** After them: "or use a full-load task." */
  readonly after?: string;
}

/** A remedy that is made of statements, in words and for a file of such. */
export function mends(
  side: Fix["side"],
  statements: readonly string[],
  { as: who, after }: FixWords = {},
): Required<Pick<FindingDetails, "remedy" | "fix">> {
  const words = [`Run on the ${side}${who === undefined ? "" : ` ${who}`}:`, ...statements];
  return {
    remedy: [...words, ...(after === undefined ? [] : [after])].join(" "),
    fix: { side, statements },
  };
}
