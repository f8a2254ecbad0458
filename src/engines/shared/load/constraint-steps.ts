import type { TablePlan } from "../../../core/plan.ts";
import type { PostLoadStep } from "../../../core/post-load-step.ts";
import { type ForeignKey, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";

/** Steps for what is looked at over rows that are there: checks that the source's may violate, and foreign keys. */
export function constraintSteps(plan: TablePlan): PostLoadStep[] {
  const table = plan.target;
  const step = { stage: "foreign-key", plan } as const;
  return [
    ...table.checks
      .filter(({ validated }) => !validated)
      .map(({ name }): PostLoadStep => ({ ...step, object: "check", subject: name, locks: [table.id] })),
    ...table.foreignKeys.map(
      (key): PostLoadStep => ({
        ...step,
        object: "foreign-key",
        subject: key.name,
        locks: lockOrder(table, key),
      }),
    ),
  ];
}

/** Both tables of a foreign key, in an order that is the same for all foreign keys. */
export function lockOrder({ id }: TableSchema, { references }: ForeignKey): TableId[] {
  const ids = new Map([id, references].map((one) => [tableKey(one), one]));
  return [...ids.keys()].toSorted().map((key) => ids.get(key)!);
}
