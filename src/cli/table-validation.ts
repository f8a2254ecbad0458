import type { TableProgress, TableValidationProgress } from "../task/task.ts";
import { count, percent, short, things } from "./human.ts";

/** What a task's validation says of its tables, in words that fit the task's screens. */

/** What it has come to for all tables of a task. */
export interface ValidationTally {
  /** Whether any table is not waiting any more. */
  readonly hasBegun: boolean;
  /** Tables that are to be compared. */
  readonly tables: number;
  /** Tables that have been compared whole. */
  readonly compared: number;
  readonly differingTables: number;
  readonly differingRows: number;
  /** Rows that have changed and are to be compared again. */
  readonly pendingRows: number;
  /** Rows that are written too often to be decided. */
  readonly undecidedRows: number;
  /** Tables that cannot be compared. */
  readonly failedTables: number;
}

/** undefined when the task does not compare. */
export function validationTally(tables: readonly TableProgress[]): ValidationTally | undefined {
  const tally = {
    ...{ hasBegun: false, tables: 0, compared: 0, differingTables: 0, differingRows: 0 },
    ...{ pendingRows: 0, undecidedRows: 0, failedTables: 0 },
  };
  for (const { validation } of tables) {
    if (validation === undefined || validation.state === "Not enabled") continue;
    tally.tables++;
    const stage = stageOf(validation);
    tally.hasBegun ||= stage !== "waiting";
    if (stage === "compared") tally.compared++;
    if (stage === "failed") tally.failedTables++;
    if (validation.failed > 0) tally.differingTables++;
    tally.differingRows += validation.failed;
    tally.pendingRows += validation.pending;
    tally.undecidedRows += validation.suspended;
  }
  return tally.tables === 0 ? undefined : tally;
}

/** Whether all tables were compared and no row is known to differ. */
export function isEqual(tally: ValidationTally): boolean {
  return tally.compared === tally.tables && tally.differingRows === 0 && tally.undecidedRows === 0;
}

type Stage = "waiting" | "comparing" | "compared" | "failed";

const stages = {
  "Not enabled": "waiting",
  "Pending validation": "waiting",
  "Pending revalidation": "waiting",
  "Preparing table": "comparing",
  "Pending records": "compared",
  Validated: "compared",
  "Mismatched records": "compared",
  "Suspended records": "compared",
  "No primary key": "failed",
  "Table error": "failed",
  Error: "failed",
} as const satisfies Record<TableValidationProgress["state"], Stage>;

export function stageOf({ state, rowsCompared }: TableValidationProgress): Stage {
  return rowsCompared === undefined ? stages[state] : "comparing";
}

/** In at most thirteen characters. */
export function validationWord(validation: TableValidationProgress): string {
  const { state, pending, failed, suspended } = validation;
  switch (stageOf(validation)) {
    case "waiting":
      return state === "Not enabled" ? "" : "waiting";
    case "comparing":
      if (failed > 0) return `${short(failed)} differ`;
      return comparedShare(validation) ?? "comparing";
    case "failed":
      return state === "No primary key" ? "no key" : "error";
    case "compared":
      if (failed > 0) return `${short(failed)} differ`;
      if (suspended > 0) return "undecided";
      return pending > 0 ? `${short(pending)} pending` : "equal";
  }
}

function comparedShare({ rowsCompared, rowsToCompare = -1 }: TableValidationProgress): string | undefined {
  if (rowsCompared === undefined || rowsToCompare <= 0) return undefined;
  return percent(Math.min(99, (rowsCompared / rowsToCompare) * 100));
}

/** Why a table is not equal; undefined for one that is, or may become it. */
export function validationReason(validation: TableValidationProgress): string | undefined {
  const { failed, suspended, details } = validation;
  if (stageOf(validation) === "failed") return `not compared${details === undefined ? "" : `: ${details}`}`;
  if (failed > 0) return differText(failed);
  return suspended > 0 ? `${things(suspended, "row")} written too often to be compared` : undefined;
}

export function differText(rows: number): string {
  return `${things(rows, "row")} ${rows === 1 ? "differs" : "differ"}`;
}

/** The tally for a line, the most important first. */
export function tallyWords(tally: ValidationTally): string[] {
  const { differingRows, undecidedRows, failedTables, pendingRows } = tally;
  const words = [`${count(tally.compared)} of ${things(tally.tables, "table")} compared`];
  if (differingRows > 0) words.push(differText(differingRows));
  else if (isEqual(tally) && pendingRows === 0) words.push("all rows equal");
  if (failedTables > 0) words.push(`${count(failedTables)} with errors`);
  if (undecidedRows > 0) words.push(`${count(undecidedRows)} undecided`);
  if (pendingRows > 0) words.push(`${count(pendingRows)} to be compared again`);
  return words;
}
