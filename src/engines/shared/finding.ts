import type { ErrorCode } from "../../core/error.ts";
import { errorTable } from "../../core/error-table.ts";
import type { Finding } from "../../core/finding.ts";
import type { TableId } from "../../core/schema.ts";

export interface FindingDetails {
  readonly subject: string;
  readonly message: string;
  readonly remedy?: string;
  /** The source's id. */
  readonly table?: TableId;
}

/** A finding with its code's general remedy unless there is a more exact one. */
export function finding(code: ErrorCode, severity: Finding["severity"], details: FindingDetails): Finding {
  return { code, severity, remedy: errorTable[code].remedy, ...details };
}
