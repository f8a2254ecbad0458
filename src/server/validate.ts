import type { EndpointConfig, Engine } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { reconcile } from "../pipeline/validation/reconcile.ts";
import { describeTargets } from "../pipeline/validation/target-tables.ts";
import { validate } from "../pipeline/validation/validate.ts";
import type { ValidationObserver } from "../pipeline/validation/validation-observer.ts";
import { asRead, openBoth } from "../task/open-sides.ts";
import { readTaskSettings } from "../task/settings.ts";
import { OtherWriters } from "../task/tell-other-writers.ts";
import { registry } from "./engines.ts";
import { type FoundTasks, findTasks, type TasksRequest } from "./followed-tasks.ts";
import { type PlannedTable, plannedTable, planTables } from "./plan-validation.ts";
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
export type { PlannedTable } from "./plan-validation.ts";
export type { DoneRepair, FoundRepair, RepairWish } from "./repair.ts";

/** A task that brings changes to tables that are compared. */
export interface KnownTask {
  readonly id: string;
  /** Somebody works on it now: it is waited for. */
  readonly inUse: boolean;
  readonly tables: number;
}

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
  await using opened = new AsyncDisposableStack();
  const sides = await openSides(opened, spec, signal);
  const tell = (finding: Finding): void => listener.finding(finding);
  const plan = await planTables({ spec, settings, ...sides, tell }, signal);
  const targets = await describeTargets(sides.there, plan.tables, signal);
  const planned = plan.tables.map((table) => plannedTable(table, targets, spec));
  listener.planned(planned);
  const asked = {
    ...{ source: sides.source, target: sides.target, engine: sides.engine, endpoint: spec.target },
    ...{ tables: plan.tables.map((table) => table.source.id), settleMs: spec.settleMs },
  };
  const found = await findTasks(asked, signal);
  tellTasks(found, listener);
  if (changesTarget(spec)) checkNoTask(found);
  const { places } = found;
  const known = spec.takeOver?.(planned) ?? new Set<string>();
  const left = plan.tables.filter((table) => !known.has(tableKey(table.source.id)));
  const written = plan.tables.map((table) => table.target.id);
  opened.use(new OtherWriters().watch({ target: sides.target, tables: written, tell }, signal));
  const { sessions, withValues, sample, withTotals } = spec;
  const request = {
    ...{ source: sides.source, target: sides.there, targets, places, signal },
    ...{ sessions, withValues, sample, withTotals },
  };
  const repair = opened.use(await openRepair({ spec, target: sides.target, plan, targets }, signal));
  const observer = repair === undefined ? listener : hearing(listener, repair);
  await validate({ ...request, tables: left, observer, repairs: repair });
  if (repair !== undefined) {
    const repaired = await carryOut({ repair, spec, listener, asked }, signal);
    if (repaired.length > 0) await validate({ ...request, tables: repaired, observer: listener });
  }
  await reconcile({ target: sides.there, plan, targets, places, observer: listener, signal });
}

interface OpenSides {
  readonly engine: Engine;
  readonly source: Source;
  readonly target: Target;
  /** The target's database, opened as one that is read. */
  readonly there: Source;
}

async function openSides(
  opened: AsyncDisposableStack,
  spec: ValidationSpec,
  signal: AbortSignal,
): Promise<OpenSides> {
  const engine = registry.find(spec.target.engine);
  const [source, target] = await openBoth(
    opened,
    registry.find(spec.source.engine).openSource(spec.source, signal),
    engine.openTarget(spec.target, signal),
  );
  const there = opened.use(await engine.openSource(asRead(spec.target, engine), signal));
  return { engine, source, target, there };
}

function tellTasks({ tasks, unread }: FoundTasks, listener: ValidationListener): void {
  for (const { id, inUse, tables } of tasks) listener.task({ id, inUse, tables: tables.length });
  if (unread !== undefined) listener.tasksUnread(unread);
}

function changesTarget({ repair }: ValidationSpec): boolean {
  return repair !== undefined && repair.kind !== "file";
}

interface RepairRequest {
  readonly spec: ValidationSpec;
  readonly target: Target;
  readonly plan: MigrationPlan;
  readonly targets: ReadonlyMap<string, TableSchema>;
}

/** Undefined where nothing is to be repaired. */
async function openRepair(
  { spec: { repair: wish }, target, plan, targets }: RepairRequest,
  signal: AbortSignal,
): Promise<Repair | undefined> {
  if (wish === undefined) return undefined;
  const present = plan.tables.filter((table) => targets.has(tableKey(table.target.id)));
  return await Repair.open(target, { wish, plans: plan.tables, present }, signal);
}

interface RepairWork {
  readonly repair: Repair;
  readonly spec: ValidationSpec;
  readonly listener: ValidationListener;
  /** How tasks are found that have begun meanwhile. */
  readonly asked: TasksRequest;
}

/** Does with a repair's statements what is wished. Resolves with the tables that are to be compared again. */
async function carryOut(
  { repair, spec: { repair: wish }, listener, asked }: RepairWork,
  signal: AbortSignal,
): Promise<readonly TablePlan[]> {
  listener.repairFound(repair.found());
  if (wish?.kind === "file") repair.write(wish);
  if (wish?.kind !== "apply") return [];
  checkNoTask(await findTasks(asked, signal));
  const repaired = await repair.apply((table) => listener.repaired(table), signal);
  listener.comparesAgain(repaired.map((table) => table.source.id));
  return repaired;
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
      return listener.validated(table);
    },
  };
}

/** A task brings its changes as they were made, each on the row as it was before: not on one that shows later changes already. */
function checkNoTask({ tasks, loading, unread }: FoundTasks): void {
  if (unread !== undefined) throw unread;
  const [id] = [...tasks, ...loading].map((task) => task.id);
  if (id === undefined) return;
  throw new MigrationError("validation.repair_under_task", {
    message: `Rows are not repaired while the task ${id} has records on the target by which it goes on with tables that are compared.`,
    subject: id,
  });
}
