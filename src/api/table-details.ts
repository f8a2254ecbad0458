import { errorTable } from "../core/error-table.ts";
import { cutFinding } from "../task/table-progress.ts";
import type { TableProgress } from "../task/task.ts";

type Told = Pick<
  TableProgress,
  "id" | "error" | "fullLoadErrorRows" | "refused" | "conflicts" | "cutValues" | "validation"
>;

/**
 * What there is to know of a table beside its numbers: why it was set aside, else in what it differs from the source's; then
 * what its validation has to say. AWS's shape has a count of rows that a load left out and none for changes, whose effect
 * would be missing without a word.
 */
export function tableDetails(table: Told): string | undefined {
  const { validation } = table;
  const details = [...rowDetails(table), ...(validation?.details === undefined ? [] : [validation.details])];
  return details.length === 0 ? undefined : details.join(" ");
}

function rowDetails(table: Told): readonly string[] {
  const { error, fullLoadErrorRows = 0, refused, conflicts, cutValues = 0 } = table;
  if (error !== undefined) return [`${error.code}: ${error.message} ${error.remedy}`];
  const details: string[] = [];
  if (fullLoadErrorRows + refused > 0) {
    const what = [...counted(fullLoadErrorRows, "row", " of the full load"), ...counted(refused, "change")];
    const isOne = fullLoadErrorRows + refused === 1;
    details.push(
      `apply.rows_left_out: The target has refused ${what.join(" and ")}, which ${isOne ? "is" : "are"} left out.`,
      errorTable["apply.rows_left_out"].remedy,
    );
  }
  if (conflicts > 0) {
    const [what] = counted(conflicts, "change");
    details.push(
      `${what} found no row on the target, or one in the way: awsdms_apply_exceptions has the keys.`,
      errorTable["apply.row_missing"].remedy,
    );
  }
  if (cutValues > 0) {
    const { code, message, remedy } = cutFinding(table);
    details.push(`${code}: ${message}`, remedy);
  }
  return details;
}

function counted(count: number, word: string, more = ""): readonly string[] {
  if (count === 0) return [];
  return [`${count} ${word}${count === 1 ? "" : "s"}${more}`];
}
