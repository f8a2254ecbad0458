import type { TablePlan } from "../../../core/plan.ts";
import type { PostLoadStage, PostLoadStep } from "../../../core/post-load-step.ts";
import { displayTable, type Index, type TableSchema } from "../../../core/schema.ts";
import { constraintSteps } from "../../shared/load/constraint-steps.ts";
import { isMadeWithTable } from "../catalog/ddl.ts";

/**
 * What full load leaves until last, for a table that Tideway created. Indexes of a stage are one step, because ALTER
 * TABLE reads the rows once for all of them.
 */
export function postLoadSteps(plan: TablePlan): PostLoadStep[] {
  const table = plan.target;
  const steps: PostLoadStep[] = [];
  for (const stage of ["key", "index", "unique"] as const) {
    const indexes = indexesOf(table, stage);
    if (indexes.length === 0) continue;
    const subject = indexes.map(({ name }) => name).join(", ");
    steps.push({ stage, plan, object: "index", subject, locks: [table.id] });
  }
  const whole = { plan, object: "table", subject: displayTable(table.id), locks: [table.id] } as const;
  steps.push({ ...whole, stage: "vacuum" });
  return [...steps, ...constraintSteps(plan)];
}

/** Those of a stage; an index that came with the table has none. */
export function indexesOf(table: TableSchema, stage: PostLoadStage): readonly Index[] {
  return table.indexes.filter((index) => !isMadeWithTable(table, index) && indexStage(index) === stage);
}

/** The index that finds the rows of changes must be there before changes come. */
function indexStage(index: Index): PostLoadStage {
  if (index.replicaIdentity === true) return "key";
  return index.unique || index.constraint !== undefined ? "unique" : "index";
}
