import { failpoint } from "../base/failpoint.ts";
import { runLanes } from "../base/lanes.ts";
import { Limiter } from "../base/limiter.ts";
import { asMigrationError } from "../core/error.ts";
import type { TablePlan } from "../core/plan.ts";
import type { BulkFormat } from "../core/row-chunk.ts";
import type { Partition, PartitionSize, Snapshot } from "../core/source.ts";
import type { Journal, JournalRequest, Target } from "../core/target.ts";
import type { PipelineObserver } from "./observer.ts";
import { type BuildContext, runStage } from "./post-load.ts";
import type { TableErrors } from "./table-errors.ts";

/** What is left to do for one table. */
export interface TableLoad {
  readonly plan: TablePlan;
  /** Created by Tideway, so that its keys and indexes are built by Tideway too. */
  readonly created: boolean;
  /** The table held rows before the task that must stay. */
  readonly keepsRows: boolean;
  /** Partitions still to be read; undefined when the table has not been cut yet. */
  readonly partitions: readonly Partition[] | undefined;
}

export interface FullLoadContext extends BuildContext {
  readonly target: Target;
  readonly journal: Journal;
  readonly journalRequest: JournalRequest;
  readonly snapshot: Snapshot;
  readonly errors: TableErrors;
  readonly observer: PipelineObserver;
  /** Partitions read at once. */
  readonly lanes: number;
  readonly partitionSize: PartitionSize;
  readonly signal: AbortSignal;
}

const WHOLE_TABLE: PartitionSize = { rowsPerPartition: Infinity, bytesPerPartition: Infinity };

interface PartitionJob {
  readonly table: OpenTable;
  readonly partition: Partition;
}

interface OpenTable {
  readonly load: TableLoad;
  readonly format: BulkFormat;
  left: number;
}

/**
 * Reads all tables from one snapshot into the target.
 *
 * Tables are cut into partitions one after another, in plan order, by whichever lane finds no
 * partition waiting; all lanes then work on partitions, so one large table keeps every lane busy. As
 * soon as a table's last partition is in, its keys and secondary indexes are built beside the loading
 * of the others. A partition is one transaction on the target that also records it as done: whatever
 * happens, the rest is exactly what the journal says is not done.
 */
export async function fullLoad(tables: readonly TableLoad[], context: FullLoadContext): Promise<void> {
  const builds: Promise<void>[] = [];
  const builder = new Limiter(context.builders);
  const failed = new AbortController();
  const building = { ...context, signal: AbortSignal.any([context.signal, failed.signal]) };
  // A failed build must not be an unhandled rejection while lanes still run; it is thrown at the end.
  const build = (load: TableLoad): void => {
    const work = builder.run(() => finishTable(load, building));
    work.catch(() => undefined);
    builds.push(work);
  };
  const queue = new PartitionQueue(tables, context, build);
  try {
    await runLanes(
      context.lanes,
      () => queue.next(),
      async (job) => {
        await loadPartition(job, context);
        if (--job.table.left === 0) build(job.table.load);
      },
    );
    await Promise.all(builds);
  } catch (error) {
    // The next attempt would build the same beside them. What a retry will need is not thrown away.
    if (asMigrationError(error).retry === "never") failed.abort();
    await Promise.allSettled(builds);
    throw error;
  }
}

/** Hands out partitions; cuts the next table when none is waiting. */
class PartitionQueue {
  readonly #tables: readonly TableLoad[];
  readonly #context: FullLoadContext;
  readonly #build: (load: TableLoad) => void;
  readonly #jobs: PartitionJob[] = [];
  readonly #cutting = new Set<Promise<void>>();
  #nextTable = 0;

  constructor(tables: readonly TableLoad[], context: FullLoadContext, build: (load: TableLoad) => void) {
    this.#tables = tables;
    this.#context = context;
    this.#build = build;
  }

  async next(): Promise<PartitionJob | undefined> {
    for (;;) {
      this.#context.signal.throwIfAborted();
      const job = this.#jobs.shift();
      if (job !== undefined) return job;
      const load = this.#tables[this.#nextTable];
      if (load !== undefined) {
        this.#nextTable++;
        const cut = this.#cut(load).finally(() => this.#cutting.delete(cut));
        this.#cutting.add(cut);
        await cut;
      } else if (this.#cutting.size > 0) {
        await Promise.race(this.#cutting);
      } else {
        return undefined;
      }
    }
  }

  async #cut(load: TableLoad): Promise<void> {
    const { journal, snapshot, target, errors, partitionSize, signal } = this.#context;
    const { plan, created, keepsRows } = load;
    const id = plan.source.id;
    if (errors.isSuspended(id)) return;
    try {
      const format = await sharedFormat(plan, snapshot, target, signal);
      let partitions = load.partitions;
      if (partitions === undefined) {
        partitions = await snapshot.partition(plan.source, partitionSize, signal);
        // Block ranges mean nothing in another snapshot: after a crash such a table is emptied and read
        // again. Where rows must stay that cannot be done, so the table is one transaction.
        // Nor can rows without a key be told from those that must stay.
        if (keepsRows && (plan.source.key.length === 0 || partitions.some(({ by }) => by === "block"))) {
          partitions = await snapshot.partition(plan.source, WHOLE_TABLE, signal);
        }
        await journal.planTables(
          [{ id, created, keepsRows, snapshot: snapshot.position, partitions }],
          signal,
        );
      }
      const table: OpenTable = { load, format, left: partitions.length };
      if (partitions.length === 0) this.#build(load);
      for (const partition of partitions) this.#jobs.push({ table, partition });
    } catch (error) {
      await errors.handle(id, error, signal);
    }
  }
}

/** The best format that both sides have; text is always one. */
async function sharedFormat(
  plan: TablePlan,
  snapshot: Snapshot,
  target: Target,
  signal: AbortSignal,
): Promise<BulkFormat> {
  const accepted = await target.bulkFormats(plan, signal);
  const format = snapshot.bulkFormats(plan.source).find((candidate) => accepted.includes(candidate));
  return format ?? "pg-copy-text";
}

async function loadPartition(job: PartitionJob, context: FullLoadContext): Promise<void> {
  const { snapshot, target, journalRequest, errors, observer, signal } = context;
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
    for await (const chunk of snapshot.read({ table, partition, format }, signal)) {
      failpoint("load.partition-read");
      await loader.write(chunk);
      rows += chunk.rows;
      bytes += chunk.bytes.length;
      observer.loadMoved(table.id, chunk.rows, chunk.bytes.length);
    }
    failpoint("load.partition-written");
    await loader.finish();
    failpoint("load.partition-done");
  } catch (error) {
    observer.loadMoved(table.id, -rows, -bytes);
    await errors.handle(table.id, error, signal);
  }
}

/** Marks a table whose rows are in as loaded and builds its keys and secondary indexes. */
export async function finishTable(
  load: TableLoad,
  context: Omit<FullLoadContext, "snapshot" | "lanes" | "partitionSize" | "journalRequest">,
): Promise<void> {
  const { journal, target, errors, observer, signal } = context;
  const { plan, created } = load;
  const id = plan.source.id;
  if (errors.isSuspended(id)) return;
  await journal.setTableStates([id], { state: "loaded" }, signal);
  failpoint("load.table-loaded");
  if (created) {
    const steps = [{ plan, steps: target.postLoadSteps(plan) }];
    await runStage("key", steps, context);
    await runStage("index", steps, context);
  }
  if (!errors.isSuspended(id)) observer.loadFinished(id);
}
