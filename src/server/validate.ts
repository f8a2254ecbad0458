import { createHash } from "node:crypto";
import type { EndpointConfig } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { type MigrationPlan, readTable, type TablePlan } from "../core/plan.ts";
import { type Catalog, displayTable, type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { compareTable } from "../pipeline/validation/compared-table.ts";
import { reconcile } from "../pipeline/validation/reconcile.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import { validate } from "../pipeline/validation/validate.ts";
import type { ValidationObserver } from "../pipeline/validation/validation-observer.ts";
import { asRead, openBoth } from "../task/open-sides.ts";
import { withPassedOver } from "../task/passed-over.ts";
import { nothingSelected } from "../task/select-relations.ts";
import { readTaskSettings, type TaskSettings } from "../task/settings.ts";
import { OtherWriters } from "../task/tell-other-writers.ts";
import { registry } from "./engines.ts";
import { type FoundTasks, findTasks, type KnownTask } from "./followed-tasks.ts";
import { planRows } from "./plan-rows.ts";
import { type DoneRepair, type FoundRepair, Repair, type RepairWish } from "./repair.ts";

export type { ColumnTotals, TableTotals } from "../pipeline/validation/total-table.ts";
export type {
  RowDifference,
  RowValues,
  TableValidation,
  TableVerdict,
  TargetCheck,
  ValidationObserver,
} from "../pipeline/validation/validation-observer.ts";
export type { KnownTask } from "./followed-tasks.ts";
export type { DoneRepair, FoundRepair, RepairWish } from "./repair.ts";

export interface ValidationSpec {
  readonly source: EndpointConfig;
  readonly target: EndpointConfig;
  /** What the task moves that brought the rows. */
  readonly type: MigrationType;
  /** DMS table mappings and task settings, JSON texts. */
  readonly tableMappings: string;
  readonly settings: string;
  /** Sessions of each side that read at once. */
  readonly sessions: number;
  readonly withValues: boolean;
  readonly sample: number | undefined;
  /** What tables come to on both sides is told, too, for one more scan of each. */
  readonly withTotals: boolean;
  /** How long a difference has to stay where no task tells its place. */
  readonly settleMs: number;
  /** Left out: nothing is repaired. */
  readonly repair?: RepairWish | undefined;
  /** Says of which tables, by tableKey(), the result is known already: they are not compared. None when left out. */
  readonly takeOver?: (tables: readonly PlannedTable[]) => ReadonlySet<string>;
}

export interface PlannedTable {
  readonly table: TableId;
  readonly target: TableId;
  /** Of both sides; undefined where one of them has no estimate. */
  readonly estimatedRows: number | undefined;
  /** Another one where something else would be compared, as columns have been added or altered on one side. */
  readonly shape: string;
}

export interface ValidationListener extends ValidationObserver {
  planned(tables: readonly PlannedTable[]): void;
  finding(finding: Finding): void;
  /** A task's records are about the tables. */
  task(task: KnownTask): void;
  /** The target's records of tasks cannot be read. */
  tasksUnread(error: MigrationError): void;
  /** What would make the target's rows the source's, before any of it is carried out. */
  repairFound(tables: readonly FoundRepair[]): void;
  repaired(table: DoneRepair): void;
  /** These tables are compared once more: what was told of them does not hold any more. */
  comparesAgain(tables: readonly TableId[]): void;
}

/** Compares two databases. Nothing is changed on either side unless the target is to be repaired. */
export async function runValidation(
  spec: ValidationSpec,
  listener: ValidationListener,
  signal: AbortSignal,
): Promise<void> {
  const settings = readTaskSettings(spec.settings);
  const engine = registry.find(spec.target.engine);
  await using opened = new AsyncDisposableStack();
  const [source, target] = await openBoth(
    opened,
    registry.find(spec.source.engine).openSource(spec.source, signal),
    engine.openTarget(spec.target, signal),
  );
  const there = opened.use(await engine.openSource(asRead(spec.target, engine), signal));
  const plan = await planTables({ spec, settings, source, target, listener }, signal);
  const targets = await describeTargets(there, plan.tables, signal);
  const planned = plan.tables.map((table) => plannedTable(table, targets, spec));
  listener.planned(planned);
  const tables = plan.tables.map((table) => table.source.id);
  const { settleMs, repair: wish } = spec;
  const asked = { source, target, engine, endpoint: spec.target, tables, settleMs };
  const found = await findTasks(asked, signal);
  for (const task of found.tasks) listener.task(task);
  if (found.unread !== undefined) listener.tasksUnread(found.unread);
  const isCarriedOut = wish !== undefined && wish.kind !== "file";
  if (isCarriedOut) checkNoTask(found);
  const { places } = found;
  const known = spec.takeOver?.(planned) ?? new Set<string>();
  const left = plan.tables.filter((table) => !known.has(tableKey(table.source.id)));
  const { sessions, withValues, sample, withTotals } = spec;
  const written = plan.tables.map((table) => table.target.id);
  const tell = (finding: Finding): void => listener.finding(finding);
  opened.use(new OtherWriters().watch({ target, tables: written, tell }, signal));
  const request = {
    ...{ source, target: there, targets, places, signal },
    ...{ sessions, withValues, sample, withTotals },
  };
  const present = plan.tables.filter((table) => targets.has(tableKey(table.target.id)));
  const repair = wish && opened.use(await Repair.open(target, { wish, plans: plan.tables, present }, signal));
  const observer = repair === undefined ? listener : hearing(listener, repair);
  await validate({ ...request, tables: left, observer, repairs: repair });
  if (repair !== undefined) {
    listener.repairFound(repair.found());
    if (wish?.kind === "file") repair.write(wish);
    if (wish?.kind === "apply") {
      checkNoTask(await findTasks(asked, signal));
      const repaired = await repair.apply((table) => listener.repaired(table), signal);
      listener.comparesAgain(repaired.map((table) => table.source.id));
      if (repaired.length > 0) await validate({ ...request, tables: repaired, observer: listener });
    }
  }
  await reconcile({ target: there, plan, targets, places, observer: listener, signal });
}

/** A listener who has a repair hear what its tables have come to. */
function hearing(listener: ValidationListener, repair: Repair): ValidationObserver {
  return {
    compared: (table, rows) => listener.compared(table, rows),
    settling: (table, rows) => listener.settling(table, rows),
    difference: (difference, lookup) => listener.difference(difference, lookup),
    checked: (check) => listener.checked(check),
    validated: (table) => {
      repair.compared(table);
      listener.validated(table);
    },
  };
}

/** A task brings its changes as they were made, each on the row as it was before: not on one that shows later changes already. */
function checkNoTask({ tasks, loading, unread }: FoundTasks): void {
  if (unread !== undefined) throw unread;
  const [id] = [...tasks.map((task) => task.id), ...loading];
  if (id === undefined) return;
  throw new MigrationError("validation.repair_under_task", {
    message: `Rows are not repaired while the task ${id} has records on the target by which it goes on with tables that are compared.`,
    subject: id,
  });
}

interface PlanningSides {
  readonly spec: ValidationSpec;
  readonly settings: TaskSettings;
  readonly source: Source;
  readonly target: Target;
  readonly listener: ValidationListener;
}

/** The plan of the task that would bring the rows. Throws its first finding that keeps such a task from running. */
async function planTables(
  { spec, settings, source, target, listener }: PlanningSides,
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
  for (const finding of told) listener.finding(finding);
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
function plannedTable(
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
