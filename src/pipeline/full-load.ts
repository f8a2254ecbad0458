import { failpoint } from "../base/failpoint.ts";
import { runLanes } from "../base/lanes.ts";
import { asMigrationError } from "../core/error.ts";
import type { JournalRequest } from "../core/journal.ts";
import type { RowErrorPolicies } from "../core/row-errors.ts";
import type { TableId } from "../core/schema.ts";
import type { LoadRequest } from "../core/target.ts";
import { LaneGovernor } from "./lane-governor.ts";
import { type CutContext, type OpenTable, type PartitionJob, PartitionQueue } from "./partition-queue.ts";
import { readRows } from "./read-rows.ts";
import { isRewritten } from "./rereads.ts";
import { TableFinisher } from "./table-finisher.ts";
import { type TableLoad, uncut } from "./table-load.ts";

export interface FullLoadContext extends CutContext {
  readonly journalRequest: JournalRequest;
  /** Partitions read at once, at most. */
  readonly lanes: number;
  readonly rowErrors: RowErrorPolicies;
}

/**
 * Reads all tables from one snapshot into the target.
 *
 * Tables are cut into partitions in plan order, by whichever lane finds no partition waiting: a large
 * table alone, small ones many at once. All lanes then work on partitions, so one large table keeps
 * every lane busy. As soon as a table's last partition is in, it is finished beside the loading of the
 * others. A partition is one transaction on the target that also records it as done: whatever happens,
 * the rest is exactly what the journal says is not done. Resolves with the tables that the source has emptied or
 * rewritten meanwhile: the snapshot does not hold their rows any more, and the journal shows nothing of them as
 * done, since parts that were read before would not fit to what is read later.
 */
export async function fullLoad(
  tables: readonly TableLoad[],
  context: FullLoadContext,
): Promise<readonly TableId[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const finisher = new TableFinisher({ ...context, signal });
  const queue = new PartitionQueue(tables, context, finisher);
  const governor = new LaneGovernor(context.lanes);
  const outdated: TableId[] = [];
  let isFailed = false;
  const next = async (): Promise<PartitionJob | undefined> => {
    await governor.enter();
    let job: PartitionJob | undefined;
    try {
      if (!isFailed) job = await queue.next();
    } catch (error) {
      isFailed = true;
      throw error;
    } finally {
      if (job === undefined) governor.leave();
    }
    return job;
  };
  try {
    await runLanes(context.lanes, next, async (job) => {
      try {
        const { table } = job;
        // Whoever still writes a part of it forgets all of them.
        if (table.outdated) return;
        table.reading++;
        await loadPartition(job, context, governor);
        table.reading--;
        const { id } = table.load.plan.source;
        if (!table.outdated) {
          if (--table.left === 0) finisher.add(table.load);
        } else if (table.reading === 0 && !context.errors.isSuspended(id)) {
          await forgetParts(table, context);
          outdated.push(id);
        }
      } catch (error) {
        isFailed = true;
        throw error;
      } finally {
        governor.leave();
      }
    });
    await finisher.end();
    return [...outdated, ...queue.outdated];
  } catch (error) {
    // The next attempt would build the same beside them. What a retry will need is not thrown away.
    if (asMigrationError(error).retry === "never") failed.abort();
    await finisher.settled();
    throw error;
  }
}

async function loadPartition(
  job: PartitionJob,
  context: FullLoadContext,
  governor: LaneGovernor,
): Promise<void> {
  const { errors, observer, rereads, screening, signal } = context;
  const { load } = job.table;
  const { id } = load.plan.source;
  if (errors.isSuspended(id)) return;
  observer.loadStarted(id);
  const screens = screening.ofLoad(id);
  const moved = { rows: 0, bytes: 0, cuts: 0 };
  try {
    await moveRows(job, { ...context, governor, screens, moved });
  } catch (error) {
    observer.loadMoved(id, -moved.rows, -moved.bytes);
    if (!screens && screening.takes(error)) {
      screening.screenLoad(id);
      // One scan's rows come once: the table is read again by another attempt.
      if (job.partition.by === "share") job.table.outdated = true;
      else await loadPartition(job, context, governor);
      return;
    }
    // Rows that must stay cannot be told from parts that were read before.
    const mayRepeat = !load.keepsRows || job.partition.by === "whole";
    if (isRewritten(error) && mayRepeat && (job.table.outdated || rereads.grant(id)))
      job.table.outdated = true;
    else await errors.handle(id, error, signal);
  }
}

interface MoveContext extends FullLoadContext {
  readonly governor: LaneGovernor;
  /** Rows that the target refuses are passed over. */
  readonly screens: boolean;
  /** What has come so far. */
  readonly moved: { rows: number; bytes: number; cuts: number };
}

/** Reads a partition into the target. */
async function moveRows(
  { table: { format, load }, partition }: PartitionJob,
  context: MoveContext,
): Promise<void> {
  const { snapshot, target, journalRequest, observer, governor, screens, moved, signal } = context;
  const { plan } = load;
  const request: LoadRequest = screens
    ? { ...journalRequest, plan, partition, format: "pg-copy-text", screens: context.rowErrors }
    : { ...journalRequest, plan, partition, format };
  const { id } = plan.source;
  await using loader = await target.openLoader(request, signal);
  const reading = { snapshot, partition, format: request.format, counts: moved };
  for await (const chunk of readRows(plan, reading, signal)) {
    failpoint("load.partition-read");
    await loader.write(chunk);
    moved.rows += chunk.rows;
    moved.bytes += chunk.bytes.length;
    observer.loadMoved(id, chunk.rows, chunk.bytes.length);
    governor.moved(chunk.bytes.length);
  }
  failpoint("load.partition-written");
  const { leftOut } = await loader.finish();
  failpoint("load.partition-done");
  if (moved.cuts > 0) observer.valuesCut(id, moved.cuts);
  if (leftOut !== undefined && leftOut.refused > 0) observer.loadLeftOut(id, leftOut);
}

/**
 * Rows that were refused are looked for in a load of their own, and whatever has rewritten a table is not among its
 * changes, so nothing would bring together what was read before and after. When a lane is still writing a part, it is
 * left to the last one: that part is to be forgotten, too.
 */
async function forgetParts(
  { load }: OpenTable,
  { journal, observer, signal }: FullLoadContext,
): Promise<void> {
  await journal.planTables([uncut(load, "prepared")], signal);
  observer.loadForgotten(load.plan.source.id);
}
