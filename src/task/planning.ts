import { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { MigrationPlan } from "../core/plan.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { Target } from "../core/target.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import { type AssessmentRequest, assessTask, isOwnOnly, tableFinder } from "./assessment.ts";
import type { AttemptNotes } from "./attempt.ts";
import type { SchemaChanges } from "./schema-changes.ts";
import { isUntouched } from "./table-work.ts";
import type { TaskSpec } from "./task.ts";

export interface PlanningRequest extends AssessmentRequest {
  readonly spec: TaskSpec;
  readonly target: Target;
  readonly observer: Pick<PipelineObserver, "finding">;
}

export interface PlannedTask {
  readonly plan: MigrationPlan;
  /** Tables that the selection rules take. */
  readonly selected: readonly TableId[];
  /** How the tables differ from what the target was made like. */
  readonly changes: SchemaChanges;
  /** Tables that the task has moved and the source has no more; they are refused, too. */
  readonly gone: readonly TableId[];
  /** Tables that the assessment says cannot be moved. */
  readonly refused: readonly { readonly table: TableId; readonly error: MigrationError }[];
  readonly notes: Omit<AttemptNotes, "kept">;
}

/** Assesses the task and tells all findings; throws the first that keeps it from running. Nothing is changed anywhere. */
export async function planTask(request: PlanningRequest, signal: AbortSignal): Promise<PlannedTask> {
  const assessed = await assessTask(request, signal);
  const { listed, selected, tables, concerned, changes, told, findings, notes } = assessed;
  for (const finding of [...told, ...findings]) request.observer.finding(finding);
  const present = new Set(listed.map(tableKey));
  for (const id of notes.awaited) present.add(tableKey(id));
  // What is not compared any more is forgotten.
  const gone = request.settings.validation.only
    ? []
    : concerned.filter(({ id, state }) => state !== "suspended" && !present.has(tableKey(id)));
  const errors = [
    ...changes.refused,
    ...gone.map(tableGone),
    ...tooLate(request, tables).map(loadedTooLate),
    ...tableErrors(findings, tables),
  ];
  const refused = errors.map((error) => ({ table: error.table!, error }));
  return { plan: changes.plan, selected, changes, refused, gone: gone.map(({ id }) => id), notes };
}

/** New tables of a task whose rows would come back. Tables are planned all at once: while none is, none is late. */
function tooLate(request: PlanningRequest, tables: readonly TableSchema[]): readonly TableSchema[] {
  const { spec, journaled } = request;
  const isUnder = spec.type === "full-load-and-cdc" && !journaled.every(isUntouched);
  if (!isUnder || !isOwnOnly(request)) return [];
  const known = new Set(journaled.map(({ id }) => tableKey(id)));
  return tables.filter(({ id }) => !known.has(tableKey(id)));
}

/** Findings that keep tables from being moved; throws the first that keeps the task from running. */
function tableErrors(
  findings: readonly Finding[],
  tables: readonly { readonly id: TableId }[],
): readonly MigrationError[] {
  const tableOf = tableFinder(tables);
  return findings
    .filter(({ severity }) => severity === "error")
    .map((finding) => {
      const table = tableOf(finding);
      if (table !== undefined) return asError(finding, table);
      throw asError(finding, undefined);
    });
}

function tableGone({ id }: JournaledTable): MigrationError {
  return new MigrationError("source.table_changed", {
    message: "The table was dropped or renamed.",
    subject: displayTable(id),
    table: id,
    remedy: "What the target has of it stays. Drop it there if it is not needed.",
  });
}

/** See `target.captured`: the tables that are replicated already go on without this one. */
function loadedTooLate({ id }: { readonly id: TableId }): MigrationError {
  return new MigrationError("source.table_changed", {
    message: "The table is new, and with EnableLoopbackPrevention rows that are loaded now would come back.",
    subject: displayTable(id),
    table: id,
    remedy:
      "Load the table by a task of its own while no task sends changes back, or leave it out of the mappings.",
  });
}

function asError(finding: Finding, table: TableId | undefined): MigrationError {
  return new MigrationError(finding.code, {
    message: finding.message,
    subject: finding.subject,
    remedy: finding.remedy,
    ...(table === undefined ? {} : { table }),
  });
}
