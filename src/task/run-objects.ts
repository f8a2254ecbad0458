import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import { rightsKey } from "../core/rights.ts";
import { displayObject, type SchemaObject, type TableId, tableKey } from "../core/schema.ts";
import type { ColumnAddition } from "../core/target.ts";
import type { Attempt } from "./attempt.ts";

/** Names that a finding lists at most. */
const NAMED = 5;

export interface ObjectSelection {
  /** Tables that Tideway made and that are complete now, by target id. */
  readonly tables: readonly TableId[];
  /** Also what is no part of a table, such as functions and views. */
  readonly free: boolean;
}

/**
 * Makes views, functions, triggers and the like, once the tables are there that they name. Tables that
 * were there before the task get nothing added. What cannot be made is told, and the rest goes on.
 */
export async function makeObjects(attempt: Attempt, { tables, free }: ObjectSelection): Promise<void> {
  const { plan, target, settings, spec, statistics, signal } = attempt;
  const isMade = partsOf(plan, tables);
  const objects = plan.target.objects.filter(({ on }) => isMade(on) ?? free);
  if (objects.length === 0) return;
  const replace = settings.prepareMode === "drop-and-create";
  const replicates = spec.type !== "full-load";
  const outcomes = await target.makeObjects({ objects, replace, replicates }, signal);
  const kept: SchemaObject[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const object = objects[i]!;
    if (outcome instanceof MigrationError) statistics.finding(asWarning(outcome));
    else if (outcome === "waits") statistics.finding(waits(object));
    else if (outcome === "kept" && object.stage === "after-rows") kept.push(object);
  }
  if (!replace) for (const finding of keptObjects(kept)) statistics.finding(finding);
}

/**
 * Gives what the task has made its owner and its privileges, when all of it is there. What was there before
 * the task stays whose it is, and so does what has got its own: somebody may have changed them on purpose.
 */
export async function giveRights(attempt: Attempt, { tables, free }: ObjectSelection): Promise<void> {
  const { plan, target, journal, spec, statistics, signal } = attempt;
  const isMade = partsOf(plan, tables);
  // Large objects have theirs since they were copied.
  const own = plan.target.rights.filter(({ kind, on }) => kind !== "large object" && (isMade(on) ?? free));
  if (own.length === 0) return;
  const settled = new Set((await journal.keptObjects(signal))?.map(rightsKey));
  const kept = own.filter((one) => settled.has(rightsKey(one)));
  const rights = own.filter((one) => !settled.has(rightsKey(one)));
  const replicates = spec.type !== "full-load";
  const findings = await target.giveRights({ rights, kept, replicates }, signal);
  for (const finding of findings) statistics.finding(finding);
  if (rights.length > 0) await journal.keepObjects(rights, signal);
}

/** Gives columns that tables have got the privileges that are given on columns. A table's own are for all of its columns. */
export async function giveColumnRights(
  { plan, target, spec, statistics, signal }: Attempt,
  additions: readonly ColumnAddition[],
): Promise<void> {
  const added = new Map(
    additions.map(({ plan: { target: table }, columns }) => {
      return [tableKey(table.id), new Set(columns.map((ordinal) => table.columns[ordinal]!.name))];
    }),
  );
  const rights = plan.target.rights.flatMap((one) => {
    const names = one.kind === "table" ? added.get(tableKey(one.id)) : undefined;
    const granted = one.granted.filter(({ column }) => column !== undefined && names?.has(column) === true);
    return granted.length === 0 ? [] : [{ ...one, granted, revoked: [] }];
  });
  if (rights.length === 0) return;
  const request = { rights, kept: [], replicates: spec.type !== "full-load", adds: true };
  for (const finding of await target.giveRights(request, signal)) statistics.finding(finding);
}

/** Whether a table is among some of the plan's; undefined for what is no table of the plan, and for no table. */
function partsOf(
  plan: MigrationPlan,
  tables: readonly TableId[],
): (on: TableId | undefined) => boolean | undefined {
  const made = new Set(tables.map(tableKey));
  const moved = movedTables(plan);
  return (on) => (on === undefined || !moved.has(tableKey(on)) ? undefined : made.has(tableKey(on)));
}

/** Keys of the task's tables on the target. */
export function movedTables({ tables }: MigrationPlan): ReadonlySet<string> {
  return new Set(tables.map((table) => tableKey(table.target.id)));
}

export function asWarning(error: MigrationError): Finding {
  const { code, message, remedy, subject = "" } = error;
  return { code, severity: "warning", subject, message, remedy };
}

function waits(object: SchemaObject): Finding {
  const code = "target.object_waits";
  const subject = `${object.kind} ${displayObject(object)}`;
  const message = `The ${subject} is not made: it would act on the rows that are replicated.`;
  return { code, severity: "warning", subject, message, remedy: errorTable[code].remedy };
}

/** One finding for each kind. */
export function keptObjects(objects: readonly SchemaObject[]): Finding[] {
  const code = "target.object_kept";
  return [...Map.groupBy(objects, ({ kind }) => kind)].map(([kind, some]) => {
    const names = some.slice(0, NAMED).map(displayObject);
    const list = `${names.join(", ")}${some.length > NAMED ? ", ..." : ""}`;
    return {
      ...{ code, severity: "info" as const, subject: kind, remedy: errorTable[code].remedy },
      message: `On the target already, and kept as it is: ${some.length} of the kind ${kind} (${list}).`,
    };
  });
}
