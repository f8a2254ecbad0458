import { createHash } from "node:crypto";
import type { EndpointConfig } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { type MigrationPlan, readTable, type TablePlan } from "../core/plan.ts";
import { type Catalog, displayTable, type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { compareTable } from "../pipeline/validation/compared-table.ts";
import { withPassedOver } from "../task/passed-over.ts";
import { nothingSelected } from "../task/select-relations.ts";
import type { TaskSettings } from "../task/settings.ts";
import { planRows } from "./plan-rows.ts";
import type { ValidationSpec } from "./validate.ts";

export interface PlannedTable {
  readonly table: TableId;
  readonly target: TableId;
  /** Of both sides; undefined where one of them has no estimate. */
  readonly estimatedRows: number | undefined;
  /** Another one where something else would be compared, as columns have been added or altered on one side. */
  readonly shape: string;
}

interface PlanRequest {
  readonly spec: ValidationSpec;
  readonly settings: TaskSettings;
  readonly source: Source;
  readonly target: Target;
  readonly tell: (finding: Finding) => void;
}

/** The plan of the task that would bring the rows. Throws its first finding that keeps such a task from running. */
export async function planTables(
  { spec, settings, source, target, tell }: PlanRequest,
  signal: AbortSignal,
): Promise<MigrationPlan> {
  const mappings = parseTableMappings(spec.tableMappings);
  const { type } = spec;
  const planned = await planRows({ mappings, type, source, target, settings }, signal);
  const { selected, catalog, converted } = planned;
  const { tables, views, unmatched } = selected;
  if (tables.length + views.length === 0) throw asError(nothingSelected("selection"));
  const findings = [...goneTables(tables, catalog), ...planned.findings].map((finding) =>
    withPassedOver(finding, settings.passedOver),
  );
  const errors = findings.filter(({ severity }) => severity === "error");
  const passed = findings.filter(({ passedOver }) => passedOver === true);
  const told = [...unmatched, ...replacements(converted, spec.target), ...errors, ...passed];
  for (const finding of told) tell(finding);
  const fatal = errors.find(({ table }) => table === undefined);
  if (fatal !== undefined) throw asError(fatal);
  return planned.plan;
}

/** Where the target's endpoint asks for other values in the place of some, rows that hold these on the source differ. */
function replacements(findings: readonly Finding[], { settings }: EndpointConfig): readonly Finding[] {
  if (Object.keys(settings).length === 0) return [];
  return findings
    .filter(({ code }) => code === "target.value_out_of_range")
    .map((finding) => ({ ...finding, message: `${finding.message} Rows that hold such values differ.` }));
}

/** Tables that have been dropped, or renamed, since they were listed. */
function goneTables(listed: readonly TableId[], { tables }: Catalog): readonly Finding[] {
  const described = new Set(tables.map(({ id }) => tableKey(id)));
  return listed
    .filter((id) => !described.has(tableKey(id)))
    .map((id) => ({
      ...{ code: "source.table_changed", severity: "error", subject: displayTable(id), table: id },
      message: `${displayTable(id)} was dropped or renamed before it was read.`,
      remedy: "Compare again when nobody alters the source's tables.",
    }));
}

/** So many rows are read, if estimates are right: of a sample's tables hardly more than it asks for, for totals all once more. */
export function plannedTable(
  plan: TablePlan,
  targets: ReadonlyMap<string, TableSchema>,
  { sample, withTotals }: ValidationSpec,
): PlannedTable {
  const there = targets.get(tableKey(plan.target.id));
  const estimates = [readTable(plan), ...(there === undefined ? [] : [there])].map(
    ({ estimatedRows }) => estimatedRows,
  );
  const isKnown = estimates.every((rows) => rows >= 0);
  const all = estimates.reduce((total, rows) => total + rows, 0);
  const compared = sample === undefined ? all : (estimates[0]! * sample) / 100;
  const estimatedRows = isKnown ? Math.round(compared + (withTotals ? all : 0)) : undefined;
  return { table: plan.source.id, target: plan.target.id, estimatedRows, shape: shapeOf(plan, there) };
}

/** What is compared of a table, and as what. */
function shapeOf(plan: TablePlan, there: TableSchema | undefined): string {
  if (there === undefined) return "";
  const { columns, key, losses, uncompared, missing, fault } = compareTable(plan, there);
  const compared = columns.map(({ name, form, source, target }) => {
    return [name, form, source.nativeType, target.name, target.nativeType];
  });
  const parts = [plan.target.id, compared, key?.columns, losses, uncompared, missing, fault];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

function asError({ code, message, subject, remedy }: Finding): MigrationError {
  return new MigrationError(code, { message, subject, remedy });
}
