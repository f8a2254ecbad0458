import { failpoint } from "../base/failpoint.ts";
import { runLanes } from "../base/lanes.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import type { BulkFormat } from "../core/row-chunk.ts";
import type { Partition, PartitionSize, Snapshot } from "../core/source.ts";
import type { JournalRequest } from "../core/target.ts";
import { LaneGovernor } from "./lane-governor.ts";
import { isSmall } from "./post-load.ts";
import { type FinishContext, type LoadedTable, TableFinisher } from "./table-finisher.ts";

/** What is left to do for one table. */
export interface TableLoad extends LoadedTable {
  /** The table held rows before the task that must stay. */
  readonly keepsRows: boolean;
  /** Partitions still to be read; undefined when the table has not been cut yet. */
  readonly partitions: readonly Partition[] | undefined;
}

export interface FullLoadContext extends FinishContext {
  readonly journalRequest: JournalRequest;
  readonly snapshot: Snapshot;
  /** Partitions read at once, at most. */
  readonly lanes: number;
  readonly partitionSize: PartitionSize;
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
 * Tables are cut into partitions in plan order, by whichever lane finds no partition waiting: a large
 * table alone, small ones many at once. All lanes then work on partitions, so one large table keeps
 * every lane busy. As soon as a table's last partition is in, it is finished beside the loading of the
 * others. A partition is one transaction on the target that also records it as done: whatever happens,
 * the rest is exactly what the journal says is not done.
 */
export async function fullLoad(tables: readonly TableLoad[], context: FullLoadContext): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const finisher = new TableFinisher({ ...context, signal });
  const queue = new PartitionQueue(tables, context, finisher);
  const governor = new LaneGovernor(context.lanes);
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
        await loadPartition(job, context, governor);
        if (--job.table.left === 0) finisher.add(job.table.load);
      } catch (error) {
        isFailed = true;
        throw error;
      } finally {
        governor.leave();
      }
    });
    await finisher.end();
  } catch (error) {
    // The next attempt would build the same beside them. What a retry will need is not thrown away.
    if (asMigrationError(error).retry === "never") failed.abort();
    await finisher.settled();
    throw error;
  }
}

/** Small tables cut at once. */
const CUT_AT_ONCE = 250;

/** Hands out partitions; cuts the next tables when none is waiting. */
class PartitionQueue {
  readonly #tables: readonly TableLoad[];
  readonly #context: FullLoadContext;
  readonly #finisher: TableFinisher;
  readonly #jobs: PartitionJob[] = [];
  readonly #cutting = new Set<Promise<void>>();
  #nextTable = 0;

  constructor(tables: readonly TableLoad[], context: FullLoadContext, finisher: TableFinisher) {
    this.#tables = tables;
    this.#context = context;
    this.#finisher = finisher;
  }

  async next(): Promise<PartitionJob | undefined> {
    for (;;) {
      this.#context.signal.throwIfAborted();
      const job = this.#jobs.shift();
      if (job !== undefined) return job;
      const group = this.#nextGroup();
      if (group.length > 0) {
        const cut = this.#cut(group).finally(() => this.#cutting.delete(cut));
        this.#cutting.add(cut);
        await cut;
      } else if (this.#cutting.size > 0) {
        await Promise.race(this.#cutting);
      } else {
        return undefined;
      }
    }
  }

  /** One table, or a run of small ones. */
  #nextGroup(): readonly TableLoad[] {
    const start = this.#nextTable;
    let end = start;
    do {
      end++;
    } while (
      end - start < CUT_AT_ONCE &&
      this.#tables.slice(end - 1, end + 1).every((load) => isSmall(load.plan)) &&
      end < this.#tables.length
    );
    this.#nextTable = Math.min(end, this.#tables.length);
    return this.#tables.slice(start, end);
  }

  async #cut(group: readonly TableLoad[]): Promise<void> {
    const { journal, snapshot, signal } = this.#context;
    const tables = await this.#withFormats(group);
    const uncut = tables.filter(({ load }) => load.partitions === undefined);
    const cut = await this.#partition(uncut);
    await journal.planTables(
      [...cut].map(([{ load }, partitions]) => {
        const { plan, created, keepsRows } = load;
        return { id: plan.source.id, created, keepsRows, snapshot: snapshot.position, partitions };
      }),
      signal,
    );
    for (const table of tables) {
      const partitions = table.load.partitions ?? cut.get(table);
      if (partitions === undefined) continue;
      table.left = partitions.length;
      if (partitions.length === 0) this.#finisher.add(table.load);
      for (const partition of partitions) this.#jobs.push({ table, partition });
    }
  }

  /** The best format that both sides have for each table; text is always one. */
  async #withFormats(group: readonly TableLoad[]): Promise<OpenTable[]> {
    const { snapshot, target, errors, signal } = this.#context;
    const loads = group.filter(({ plan }) => !errors.isSuspended(plan.source.id));
    const outcomes = await target.bulkFormats(
      loads.map(({ plan }) => plan),
      signal,
    );
    const tables: OpenTable[] = [];
    for (const [i, load] of loads.entries()) {
      const accepted = outcomes[i]!;
      const { source } = load.plan;
      if (accepted instanceof MigrationError) {
        await errors.handle(source.id, accepted, signal);
        continue;
      }
      const format = snapshot.bulkFormats(source).find((candidate) => accepted.includes(candidate));
      tables.push({ load, format: format ?? "pg-copy-text", left: 0 });
    }
    return tables;
  }

  async #partition(
    tables: readonly OpenTable[],
    size = this.#context.partitionSize,
  ): Promise<ReadonlyMap<OpenTable, readonly Partition[]>> {
    const { snapshot, errors, signal } = this.#context;
    if (tables.length === 0) return new Map();
    const sources = tables.map(({ load }) => load.plan.source);
    const cut = new Map<OpenTable, readonly Partition[]>();
    const again: OpenTable[] = [];
    for (const [i, outcome] of (await snapshot.partition(sources, size, signal)).entries()) {
      const table = tables[i]!;
      if (outcome instanceof MigrationError) await errors.handle(sources[i]!.id, outcome, signal);
      else if (size !== WHOLE_TABLE && mustBeWhole(table.load, outcome)) again.push(table);
      else cut.set(table, outcome);
    }
    return again.length === 0 ? cut : new Map([...cut, ...(await this.#partition(again, WHOLE_TABLE))]);
  }
}

/**
 * Block ranges mean nothing in another snapshot: after a crash such a table is emptied and read again.
 * Where rows must stay that cannot be done, so the table is one transaction. Nor can rows without a key
 * be told from those that must stay.
 */
function mustBeWhole({ plan, keepsRows }: TableLoad, partitions: readonly Partition[]): boolean {
  return keepsRows && (plan.source.key.length === 0 || partitions.some(({ by }) => by === "block"));
}

async function loadPartition(
  job: PartitionJob,
  context: FullLoadContext,
  governor: LaneGovernor,
): Promise<void> {
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
      governor.moved(chunk.bytes.length);
    }
    failpoint("load.partition-written");
    await loader.finish();
    failpoint("load.partition-done");
  } catch (error) {
    observer.loadMoved(table.id, -rows, -bytes);
    await errors.handle(table.id, error, signal);
  }
}
