import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import { displayTable, type TableId } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { compilePlan } from "../mapping/plan.ts";
import { selectTables, wholeSchemas } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import type { TaskSettings } from "./settings.ts";
import { settingFindings } from "./settings-findings.ts";
import type { TaskSpec } from "./task.ts";

export interface PlanningRequest {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly source: Source;
  readonly target: Target;
  readonly observer: Pick<PipelineObserver, "finding">;
  /** The task already keeps its log on the source. */
  readonly resumes: boolean;
}

export interface PlannedTask {
  readonly plan: MigrationPlan;
  /** Tables that the assessment says cannot be moved. */
  readonly refused: readonly { readonly table: TableId; readonly error: MigrationError }[];
}

/**
 * Selects, describes, maps and assesses. Nothing is changed anywhere. Throws the first finding that
 * concerns the whole task; all findings are told first.
 */
export async function planTask(request: PlanningRequest, signal: AbortSignal): Promise<PlannedTask> {
  const { spec, settings, source, target, observer, resumes } = request;
  const mappings = parseTableMappings(spec.tableMappings);
  const selected = selectTables(await source.listTables(signal), mappings);
  if (selected.length === 0 && settings.failOnNoTables) {
    throw new MigrationError("mapping.no_tables", {
      message: "The selection rules match no table of the source.",
      subject: spec.name,
    });
  }
  // A task that only captures changes finds everything made.
  const makes = spec.type !== "cdc";
  const whole =
    makes && settings.migrateObjects ? wholeSchemas(await source.listSchemas(signal), mappings) : undefined;
  const described = await source.describe({ tables: selected, wholeSchemas: whole, objects: makes }, signal);
  const needed =
    whole === undefined
      ? described.objects.filter(({ stage }) => stage === "before-tables")
      : described.objects;
  const catalog = { ...described, objects: needed };
  const compiled = compilePlan({ catalog, mappings, targetSchema: settings.targetSchema });
  const tables = compiled.plan.tables.map((plan) => plan.source);
  const assessed = await Promise.all([
    source.assess({ taskId: spec.id, type: spec.type, tables, movesWhole: whole, resumes }, signal),
    target.assess(compiled.plan, resumes ? "do-nothing" : settings.prepareMode, signal),
  ]);
  const findings = [...settingFindings(spec.settings, spec.type), ...compiled.findings, ...assessed.flat()];
  for (const finding of findings) observer.finding(finding);
  const byName = new Map(tables.map((table) => [displayTable(table.id), table.id]));
  const refused: { table: TableId; error: MigrationError }[] = [];
  for (const finding of findings) {
    if (finding.severity !== "error") continue;
    const table = finding.table ?? byName.get(finding.subject);
    if (table === undefined || errorTable[finding.code].scope !== "table") throw asError(finding, undefined);
    refused.push({ table, error: asError(finding, table) });
  }
  return { plan: compiled.plan, refused };
}

function asError(finding: Finding, table: TableId | undefined): MigrationError {
  return new MigrationError(finding.code, {
    message: finding.message,
    subject: finding.subject,
    remedy: finding.remedy,
    ...(table === undefined ? {} : { table }),
  });
}
