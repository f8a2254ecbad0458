import { MigrationError } from "../core/error.ts";
import { readTable, type TablePlan } from "../core/plan.ts";
import type { BulkFormat } from "../core/row-chunk.ts";
import type { TableId } from "../core/schema.ts";
import type { Snapshot, Source } from "../core/source.ts";
import { formatsOf, readRows } from "../pipeline/read-rows.ts";

/** What reading a part of a table to nowhere has shown. */
export interface TableSample {
  readonly id: TableId;
  readonly rows: number;
  /** As the rows travel, which is not how the source keeps them. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface SampleRequest {
  readonly taskId: string;
  readonly source: Source;
  readonly plans: readonly TablePlan[];
  /** Between two databases of one kind rows travel in another form than else. */
  readonly isOneKind: boolean;
  readonly limits?: SampleLimits;
}

export interface SampleLimits {
  /** So many tables at most, the largest. */
  readonly tables: number;
  /** Of each table at most so long, and so much. */
  readonly seconds: number;
  readonly bytes: number;
}

const LIMITS: SampleLimits = { tables: 3, seconds: 5, bytes: 128 << 20 };
/** As a full load cuts tables, so that what is read is what a lane of it reads. */
const PARTITION = { rowsPerPartition: 1_000_000, bytesPerPartition: 128 << 20, bytesReadAtOnce: 0 };

/**
 * Reads the first partition of the largest tables, one after the other, as the full load would, rules and all, and throws
 * the rows away. Tables that cannot be read are left out: the assessment says why.
 */
export async function sampleLoad(
  request: SampleRequest,
  signal: AbortSignal,
): Promise<readonly TableSample[]> {
  const { taskId, source, limits = LIMITS } = request;
  const largest = request.plans
    .filter((plan) => plan.source.isView !== true)
    .toSorted((a, b) => b.source.estimatedBytes - a.source.estimatedBytes)
    .slice(0, limits.tables);
  if (largest.length === 0) return [];
  const tables = largest.map(readTable);
  await using snapshot = await source.openSnapshot({ taskId, tables, anchor: "none", sessions: 1 }, signal);
  const samples: TableSample[] = [];
  for (const plan of largest) {
    try {
      const sample = await sampleTable(plan, { snapshot, limits, isOneKind: request.isOneKind }, signal);
      if (sample !== undefined) samples.push(sample);
    } catch (error) {
      if (!(error instanceof MigrationError) || error.scope !== "table") throw error;
    }
  }
  return samples;
}

interface Sampling extends Pick<SampleRequest, "isOneKind"> {
  readonly snapshot: Snapshot;
  readonly limits: SampleLimits;
}

async function sampleTable(
  plan: TablePlan,
  { snapshot, limits, isOneKind }: Sampling,
  signal: AbortSignal,
): Promise<TableSample | undefined> {
  const [partitions] = await snapshot.partition([readTable(plan)], PARTITION, signal);
  if (partitions instanceof MigrationError) throw partitions;
  const [partition] = partitions ?? [];
  if (partition === undefined) return undefined;
  const format: BulkFormat = (isOneKind ? formatsOf(plan, snapshot)[0] : undefined) ?? "pg-copy-text";
  const begun = performance.now();
  const secondsSince = (): number => (performance.now() - begun) / 1000;
  let rows = 0;
  let bytes = 0;
  for await (const chunk of readRows(plan, { snapshot, partition, format, counts: { cuts: 0 } }, signal)) {
    rows += chunk.rows;
    bytes += chunk.bytes.length;
    chunk.release?.();
    if (bytes > limits.bytes || secondsSince() > limits.seconds) break;
  }
  return { id: plan.source.id, rows, bytes, seconds: secondsSince() };
}
