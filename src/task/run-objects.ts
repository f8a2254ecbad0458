import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { displayObject, type SchemaObject, type TableId, tableKey } from "../core/schema.ts";
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
  const made = new Set(tables.map(tableKey));
  const moved = new Set(plan.tables.map((table) => tableKey(table.target.id)));
  const objects = plan.target.objects.filter(({ on }) => {
    if (on === undefined || !moved.has(tableKey(on))) return free;
    return made.has(tableKey(on));
  });
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
