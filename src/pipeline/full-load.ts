import { failpoint } from "../base/failpoint.ts";
import { runLanes } from "../base/lanes.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import type { JournalRequest } from "../core/journal.ts";
import type { TableId } from "../core/schema.ts";
import { LaneGovernor } from "./lane-governor.ts";
import { type CutContext, type OpenTable, type PartitionJob, PartitionQueue } from "./partition-queue.ts";
import { readRows } from "./read-rows.ts";
import type { Rereads } from "./rereads.ts";
import { TableFinisher } from "./table-finisher.ts";
import { type TableLoad, uncut } from "./table-load.ts";

export interface FullLoadContext extends CutContext {
  readonly journalRequest: JournalRequest;
  /** Partitions read at once, at most. */
  readonly lanes: number;
  /** Whether a table that the source rewrote may be left to be read again. */
  readonly rereads: Rereads;
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
    return outdated;
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
  const { snapshot, target, journalRequest, errors, observer, rereads, signal } = context;
  const { partition } = job;
  const { format, load } = job.table;
  const table = load.plan.source;
  if (errors.isSuspended(table.id)) return;
  observer.loadStarted(table.id);
  let rows = 0;
  let bytes = 0;
  try {
    await using loader = await target.openLoader(
      { ...journalRequest, plan: load.plan, partition, format },
      signal,
    );
    for await (const chunk of readRows(load.plan, { snapshot, partition, format }, signal)) {
      failpoint("load.partition-read");
      await loader.write(chunk);
      rows += chunk.rows;
      bytes += chunk.bytes.length;
      observer.loadMoved(table.id, chunk.rows, chunk.bytes.length);
      governor.moved(chunk.bytes.length);
    }
    failpoint("load.partition-written");
    await loader.finish();
    failpoint("load.partition-done");
  } catch (error) {
    observer.loadMoved(table.id, -rows, -bytes);
    const isRewritten = error instanceof MigrationError && error.code === "source.table_rewritten";
    // Rows that must stay cannot be told from parts that were read before.
    const mayRepeat = !load.keepsRows || partition.by === "whole";
    if (isRewritten && mayRepeat && (job.table.outdated || rereads.grant(table.id)))
      job.table.outdated = true;
    else await errors.handle(table.id, error, signal);
  }
}

/**
 * Whatever has rewritten the table is not among its changes, so nothing would bring together what was read
 * before and after. When a lane is still writing a part, it is left to the last one: that part is to be forgotten, too.
 */
async function forgetParts({ load }: OpenTable, { journal, signal }: FullLoadContext): Promise<void> {
  await journal.planTables([uncut(load, "prepared")], signal);
}
