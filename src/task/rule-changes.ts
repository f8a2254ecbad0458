import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import { displayTable, tableKey } from "../core/schema.ts";
import { rulesChange } from "../mapping/rows/rule-change.ts";

/** A table whose rows on the target were made by other rules than the task has now. `how` follows "they". */

export function rulesChanged({ source: { id } }: TablePlan, how: string): MigrationError {
  return new MigrationError("mapping.rules_changed", {
    ...{ message: text(how), subject: displayTable(id), table: id },
  });
}

/** Where the task goes on with the table all the same. */
export function rulesFinding({ source: { id } }: TablePlan, how: string): Finding {
  const code = "mapping.rules_changed";
  return {
    ...{ code, severity: "warning", subject: displayTable(id), table: id },
    ...{ message: text(how), remedy: errorTable[code].remedy },
  };
}

/** Of tables that a full load is done with: it does not look at them again. */
export function loadedByOtherRules(
  { tables }: MigrationPlan,
  journaled: readonly JournaledTable[],
): readonly Finding[] {
  const known = new Map(journaled.map(({ id, shape }) => [tableKey(id), shape]));
  return tables.flatMap((plan) => {
    const shape = known.get(tableKey(plan.source.id));
    const now = plan.source.shape;
    const how = shape === undefined || now === undefined ? undefined : rulesChange(shape, now);
    return how === undefined ? [] : rulesFinding(plan, how);
  });
}

function text(how: string): string {
  return `The task's rules for the table have changed since its rows came to the target: they ${how}.`;
}
