import type { TaskRecord } from "../task/records.ts";
import { onlyValidates } from "../task/settings.ts";
import { invalidState } from "./faults.ts";
import { facedTask, namedTables, type WishMessage, wishNow, wishShape } from "./row-wishes.ts";
import type { Call } from "./service.ts";
import { validates } from "./task-documents.ts";

/*
 * Operations of Tideway's own: rows that a task's validation has found to differ are brought as the source has them. AWS DMS
 * calls that data resync and has it for some sources alone; what these are asked and answer stands in docs/api.md.
 */

interface RepairMessage extends WishMessage {
  /** Nothing is changed: it is only told what there is to repair. */
  readonly DryRun?: boolean;
}

interface RowRepairAnswer {
  readonly Arn: string;
  readonly RowRepair: object | undefined;
}

const OF = "differences";

export async function repairRows(message: RepairMessage, call: Call): Promise<RowRepairAnswer> {
  const { Arn, DryRun } = message;
  const task = await facedTask(Arn, call);
  checkRepairs(task.record);
  const tables = await namedTables(message, task.record, call);
  const wanted = { tables, of: OF, looksOnly: DryRun === true } as const;
  const record = await wishNow(task, { wanted, done: "repaired" }, call);
  return { Arn, RowRepair: wishShape(record, OF, call) };
}

export async function describeRowRepair(
  { Arn }: Pick<WishMessage, "Arn">,
  call: Call,
): Promise<RowRepairAnswer> {
  const { record } = await facedTask(Arn, call);
  return { Arn, RowRepair: wishShape(record, OF, call) };
}

/** Refuses tasks that have no such rows, and those that do not stand at a place of the source's log. */
function checkRepairs({ identifier, migrationType, settings }: TaskRecord): void {
  if (onlyValidates(settings))
    throw invalidState(
      `The task ${identifier} only compares and writes no rows (ValidationOnly). Repair by the task that brings them: tideway task repair NAME.`,
    );
  if (migrationType === "full-load")
    throw invalidState(
      `The task ${identifier} brings no changes (full-load). When it has ended, tideway validate --repair=apply brings what differs: nothing goes on from its records.`,
    );
  if (!validates(settings))
    throw invalidState(
      `The task ${identifier} does not compare its tables, so it does not know which rows differ. Stop it, modify it so that EnableValidation is true, and resume it; or stop it for good, and carry out what tideway validate --repair FILE writes.`,
    );
}
