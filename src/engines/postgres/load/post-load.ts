import type { TablePlan } from "../../../core/plan.ts";
import type { PostLoadStage, PostLoadStep } from "../../../core/post-load-step.ts";
import { displayTable, type Index } from "../../../core/schema.ts";
import { constraintSteps } from "../../shared/load/constraint-steps.ts";

/** What full load leaves until last, for a table that Tideway created. */
export function postLoadSteps(plan: TablePlan): PostLoadStep[] {
  const table = plan.target;
  const own = [table.id];
  const name = displayTable(table.id);
  const steps: PostLoadStep[] = table.indexes.map((index) => ({
    stage: indexStage(index),
    plan,
    object: "index",
    subject: index.name,
    // CREATE INDEX lets others of its kind work on the table; a constraint does not.
    locks: index.constraint === undefined ? [] : own,
  }));
  steps.push({ stage: "vacuum", plan, object: "table", subject: name, locks: own });
  if (table.rowIdentity === "full") {
    steps.push({
      stage: "unique",
      plan,
      object: "replica-identity",
      subject: "replica identity",
      locks: own,
    });
  }
  steps.push(...constraintSteps(plan));
  if (table.indexes.some(hasOwnStatistics)) {
    steps.push({ stage: "analyze", plan, object: "table", subject: name, locks: own });
  }
  return steps;
}

/** The index that finds the rows of changes must be there before changes come. */
function indexStage(index: Index): PostLoadStage {
  if (index.constraint === "primary-key" || index.replicaIdentity === true) return "key";
  return index.unique || index.constraint !== undefined ? "unique" : "index";
}

/** Statistics of an index's expressions are gathered only when the index is there. */
function hasOwnStatistics(index: Index): boolean {
  return index.columns === undefined && indexStage(index) === "unique";
}
