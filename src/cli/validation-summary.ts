import { displayTable } from "../core/schema.ts";
import type { TaskProgress } from "../task/task.ts";
import { count, things } from "./human.ts";
import { isEqual, stageOf, validationReason, validationTally } from "./table-validation.ts";
import { printable } from "./text-width.ts";

/** So many tables that are not equal are named. */
const MOST_NAMED = 20;

/** The last words about a task's validation; none when it did not compare. */
export function validationLines({ tables }: TaskProgress): string[] {
  const tally = validationTally(tables);
  if (tally === undefined) return [];
  const { compared, differingRows, differingTables, pendingRows } = tally;
  const head = `Validation: ${count(compared)} of ${things(tally.tables, "table")} compared`;
  const have = pendingRows === 1 ? "row has" : "rows have";
  const pending =
    pendingRows === 0 ? [] : [`${count(pendingRows)} ${have} changed since and were not compared again.`];
  if (isEqual(tally)) return [`${head}, all rows are equal.`, ...pending];
  const found =
    differingRows === 0
      ? "."
      : `; ${things(differingRows, "row")} of ${things(differingTables, "table")} ${differingRows === 1 ? "differs" : "differ"}. The target's table awsdms_validation_failures_v1 names them.`;
  const named = tables.flatMap(({ id, validation }) => {
    const reason = validation && validationReason(validation);
    return reason === undefined ? [] : [`  ${printable(`${displayTable(id)}: ${reason}`)}`];
  });
  const rest = named.length - MOST_NAMED;
  const waiting = tables.filter(({ validation }) => validation && stageOf(validation) !== "compared").length;
  const notBegun = waiting - tally.failedTables;
  return [
    head + found,
    ...named.slice(0, MOST_NAMED),
    ...(rest > 0 ? [`  ... and ${things(rest, "table")} more`] : []),
    ...(notBegun > 0
      ? [`${things(notBegun, "table")} ${notBegun === 1 ? "was" : "were"} not compared.`]
      : []),
    ...pending,
  ];
}
