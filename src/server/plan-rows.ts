import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { Catalog } from "../core/schema.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { compilePlan } from "../mapping/plan.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { lobSettings } from "../task/lob-settings.ts";
import { type SelectedRelations, selectRelations, viewsUnread } from "../task/select-relations.ts";
import type { TaskSettings } from "../task/settings.ts";
import { targetSchema } from "../task/target-schema.ts";

export interface RowsToPlan {
  readonly mappings: TableMappings;
  readonly type: MigrationType;
  readonly source: Source;
  /** Without one the plan stays in the source's words. */
  readonly target: Target | undefined;
  /** Without them values come in whole. */
  readonly settings: TaskSettings | undefined;
}

export interface PlannedRows {
  readonly selected: SelectedRelations;
  /** What the source says of the selected relations. */
  readonly catalog: Catalog;
  readonly plan: MigrationPlan;
  /** Of the selection, of the rules, and of the target. */
  readonly findings: readonly Finding[];
  /** Those of the target alone. */
  readonly converted: readonly Finding[];
}

/** What of a catalog is asked for where nothing but rows is looked at. */
const ROWS_ALONE = {
  ...{ objects: false, rights: false, largeObjects: false },
  wholeSchemas: undefined,
} as const;

/** The plan of a task as far as it is about rows, for commands that move none. Nothing is changed anywhere. */
export async function planRows(
  { mappings, type, source, target, settings }: RowsToPlan,
  signal: AbortSignal,
): Promise<PlannedRows> {
  const selected = await selectRelations(source, { mappings, type, known: new Set() }, signal);
  const { tables, views, unmatched, passing } = selected;
  const rowsOnly = type === "full-load";
  const catalog = await source.describe({ tables, views, ...ROWS_ALONE, rowsOnly }, signal);
  const compiled = compilePlan({
    ...{ catalog, mappings, replicates: !rowsOnly },
    targetSchema: settings === undefined ? target?.onlySchema : targetSchema(settings, target ?? {}),
    ...(settings === undefined ? {} : { lobSettings: lobSettings(settings, source) }),
  });
  const { plan, findings: converted } = target?.convert(compiled.plan) ?? { ...compiled, findings: [] };
  const told = [...unmatched, ...passing, ...viewsUnread(views, catalog)];
  return { selected, catalog, plan, findings: [...told, ...compiled.findings, ...converted], converted };
}
