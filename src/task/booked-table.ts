import type { TablePlan } from "../core/plan.ts";
import type { ValidationState } from "../core/validation-failure.ts";

/** What is known of a table's comparison. */
export interface BookedTable {
  readonly plan: TablePlan;
  /** A whole comparison is to come, and why. */
  due: "first" | "again" | "changes" | undefined;
  /** Rows have changed meanwhile of which it is not known which. */
  isOutdated: boolean;
  /** It is being compared whole. */
  compared: { readonly rows: number; readonly of: number | undefined } | undefined;
  /** Another after each new beginning: what was found before does not count. */
  generation: number;
  /** The journal has it as compared. */
  isRecorded: boolean;
  failed: number;
  /** Rows that could not be decided about: of the whole comparison, and by their keys since. */
  undecided: number;
  readonly suspended: Set<string>;
  /** Taken out of those that have changed, and not decided about. */
  underWay: number;
  /** Why the table as a whole cannot be compared. */
  fault: string | undefined;
  /** What it lacks, and what else is to be said of it. */
  lacks: string | undefined;
  notes: string | undefined;
  wholeEndMs: number;
  wholeMs: number;
  /** How many whole comparisons have begun, and which of them has last come to its end. */
  begun: number;
  ended: number;
  /** How many changed rows have been taken out, and decided about. */
  taken: number;
  done: number;
}

/** How a whole comparison has ended. */
export interface WholeEnd {
  readonly undecided: number;
  /** See BookedTable. */
  readonly fault: string | undefined;
  readonly lacks: string | undefined;
  readonly notes: string | undefined;
  readonly ms: number;
}

/** Nothing is known of it yet. */
export function newTable(due: BookedTable["due"]): Omit<BookedTable, "plan"> {
  return {
    ...{ due, isOutdated: false, compared: undefined, generation: 0, isRecorded: false },
    ...{ failed: 0, undecided: 0, suspended: new Set(), underWay: 0, taken: 0, done: 0 },
    ...{
      fault: undefined,
      lacks: undefined,
      notes: undefined,
      wholeEndMs: 0,
      wholeMs: 0,
      begun: 0,
      ended: 0,
    },
  };
}

/** What is found of it from now on is of another table, or of other rows. */
export function renewed(
  { generation, wholeMs, wholeEndMs, begun, ended }: BookedTable,
  due: "again" | "changes",
): Omit<BookedTable, "plan"> {
  return { ...newTable(due), generation: generation + 1, wholeMs, wholeEndMs, begun, ended };
}

/** In AWS DMS's words. */
export function stateOf(
  { due, compared, fault, lacks }: BookedTable,
  { pending, failed, suspended }: Record<"pending" | "failed" | "suspended", number>,
): ValidationState {
  if (fault !== undefined) return "Table error";
  // Who has asked for it sees by the next state that it has come to its end.
  if (compared !== undefined && (compared.rows === 0 || due === "again")) return "Preparing table";
  if (failed > 0) return "Mismatched records";
  if (compared !== undefined || due === "changes") return "Pending records";
  if (due !== undefined) return due === "first" ? "Pending validation" : "Pending revalidation";
  if (lacks !== undefined) return "Table error";
  if (suspended > 0) return "Suspended records";
  return pending > 0 ? "Pending records" : "Validated";
}
