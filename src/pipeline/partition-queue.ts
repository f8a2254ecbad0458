import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import { readTable } from "../core/plan.ts";
import type { BulkFormat } from "../core/row-chunk.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Partition, PartitionSize, Snapshot } from "../core/source.ts";
import { isSmall } from "./post-load.ts";
import { formatsOf } from "./read-rows.ts";
import { isRewritten, type Rereads } from "./rereads.ts";
import type { Screening } from "./screening.ts";
import type { FinishContext, TableFinisher } from "./table-finisher.ts";
import { mayShare, mustBeWhole, type TableLoad } from "./table-load.ts";

export interface CutContext extends FinishContext {
  readonly snapshot: Snapshot;
  readonly partitionSize: PartitionSize;
  readonly screening: Screening;
  /** Whether a table that the source rewrote may be left to be read again. */
  readonly rereads: Rereads;
}

/** A partition for a lane to load. */
export interface PartitionJob {
  readonly table: OpenTable;
  readonly partition: Partition;
}

/** A table whose partitions are being handed out. */
export interface OpenTable {
  readonly load: TableLoad;
  readonly format: BulkFormat;
  left: number;
  /** Partitions that lanes are at work on. */
  reading: number;
  /** The snapshot does not hold its rows any more. */
  outdated: boolean;
}

const WHOLE_TABLE: PartitionSize = { rowsPerPartition: Infinity, bytesPerPartition: Infinity };

/** Small tables cut at once. */
const CUT_AT_ONCE = 250;

/** Hands out partitions; cuts the next tables when none is waiting. */
export class PartitionQueue {
  readonly #tables: readonly TableLoad[];
  readonly #context: CutContext;
  readonly #finisher: TableFinisher;
  readonly #jobs: PartitionJob[] = [];
  readonly #cutting = new Set<Promise<void>>();
  readonly #outdated: TableId[] = [];
  #nextTable = 0;

  constructor(tables: readonly TableLoad[], context: CutContext, finisher: TableFinisher) {
    this.#tables = tables;
    this.#context = context;
    this.#finisher = finisher;
  }

  /** Tables that the source has rewritten before they were cut: nothing of them is read, nor noted as read. */
  get outdated(): readonly TableId[] {
    return this.#outdated;
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
    const { journal, snapshot, screening, signal } = this.#context;
    const tables = await this.#withFormats(group);
    const uncut = tables.filter(({ load }) => load.partitions === undefined);
    const isShared = ({ load }: OpenTable): boolean =>
      mayShare(load) && !screening.ofLoad(load.plan.source.id);
    const shared = uncut.filter(isShared);
    const ranged = uncut.filter((table) => !isShared(table));
    const { partitionSize } = this.#context;
    const cut = new Map([
      ...(await this.#partition(shared, partitionSize)),
      ...(await this.#partition(ranged, { ...partitionSize, bytesReadAtOnce: 0 })),
    ]);
    await journal.planTables(
      [...cut].map(([{ load }, partitions]) => {
        const { plan, created, keepsRows } = load;
        const { id, shape } = plan.source;
        const { position, upTo } = snapshot;
        return { id, created, keepsRows, shape, snapshot: position, upTo, partitions };
      }),
      signal,
    );
    failpoint("load.tables-cut");
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
      const format = formatsOf(load.plan, snapshot).find((candidate) => accepted.includes(candidate));
      tables.push({ load, format: format ?? "pg-copy-text", left: 0, reading: 0, outdated: false });
    }
    return tables;
  }

  async #partition(
    tables: readonly OpenTable[],
    size: PartitionSize,
  ): Promise<ReadonlyMap<OpenTable, readonly Partition[]>> {
    const { snapshot, errors, rereads, signal } = this.#context;
    if (tables.length === 0) return new Map();
    const sources = tables.map(({ load }) => readTable(load.plan));
    const cut = new Map<OpenTable, readonly Partition[]>();
    const again: OpenTable[] = [];
    const parallelLoads = new Map(
      tables.flatMap(({ load: { plan } }) =>
        plan.parallelLoad === undefined ? [] : [[tableKey(plan.source.id), plan.parallelLoad] as const],
      ),
    );
    const wanted = size === WHOLE_TABLE ? size : { ...size, parallelLoads };
    for (const [i, outcome] of (await snapshot.partition(sources, wanted, signal)).entries()) {
      const table = tables[i]!;
      const { id } = sources[i]!;
      if (isRewritten(outcome) && rereads.grant(id)) this.#outdated.push(id);
      else if (outcome instanceof MigrationError) await errors.handle(id, outcome, signal);
      else if (size !== WHOLE_TABLE && mustBeWhole(table.load, outcome)) again.push(table);
      else cut.set(table, outcome);
    }
    return again.length === 0 ? cut : new Map([...cut, ...(await this.#partition(again, WHOLE_TABLE))]);
  }
}
