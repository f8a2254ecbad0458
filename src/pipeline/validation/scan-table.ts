import { forEachLimited } from "../../base/lanes.ts";
import { MigrationError } from "../../core/error.ts";
import type { Bucketing, RowHash } from "../../core/row-digest.ts";
import type { Partition, PartitionSize } from "../../core/source.ts";
import { BucketSums, bucketsFor } from "./bucket-sums.ts";
import { digestRows } from "./client-digests.ts";
import { askedRows, type ComparedSide, type SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** One side of a table after it has been scanned. */
export interface ScannedSide {
  readonly side: ComparedSide;
  readonly partitions: readonly Partition[];
  readonly sums: BucketSums;
}

export interface ScannedTable extends Bucketing {
  readonly sides: Readonly<Record<SideName, ScannedSide>>;
  /** Buckets in which the sides have other rows. */
  readonly differing: readonly number[];
}

/** A server digests a table in parts, so that several of its sessions do it at once and it is seen how far they have come. */
const LEAST_ROWS = 250_000;
const LEAST_BYTES = 64 << 20;
/** Each part is answered with all of its buckets. */
const MOST_PARTS = 100;

export type Sides = Readonly<Record<SideName, ComparedSide>>;

/** Digests all rows of both sides, each in its own order and cut. */
export async function scanTable(
  table: ComparedTable,
  sides: Sides,
  context: ValidationContext,
): Promise<ScannedTable> {
  const { id } = table.plan.source;
  const estimated = Math.max(estimatedRows(sides.source), estimatedRows(sides.target));
  const compared = (rows: number): void => context.observer.compared(id, rows);
  const first = await scanSides(sides, { rows: estimated, compared }, context);
  const rows = Math.max(first.sides.source.sums.total, first.sides.target.sums.total);
  const counted = { rows, compared: () => undefined };
  const scanned = isTooCoarse(first, rows, context) ? await scanSides(sides, counted, context) : first;
  if (!isWrittenOtherwise(table, scanned, context)) return scanned;
  const read = {
    source: { ...sides.source, digests: undefined },
    target: { ...sides.target, digests: undefined },
  };
  const again = await scanSides(read, counted, context);
  return rowsOf(again, again.differing) * 2 < rowsOf(scanned, scanned.differing) ? again : scanned;
}

/**
 * Whether a bucket that differs has more rows than are held in memory, because there are more in the table than its server
 * had estimated.
 */
function isTooCoarse(scanned: ScannedTable, rows: number, context: ValidationContext): boolean {
  if (bucketsFor(rows) <= scanned.buckets) return false;
  return scanned.differing.some((bucket) => rowsOf(scanned, [bucket]) > rowsAtOnce(context));
}

/**
 * Whether the servers may have other texts for most rows that are the same, as databases of two kinds may have for JSON. So many that
 * the rows of buckets that differ would take several scans are read once instead, and digested by the client.
 */
function isWrittenOtherwise(
  { columns }: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): boolean {
  const { sides, differing } = scanned;
  if (sides.source.side.digests === undefined || sides.target.side.digests === undefined) return false;
  if (!columns.some(({ form }) => form.kind === "json")) return false;
  const all = sides.source.sums.total + sides.target.sums.total;
  const rows = rowsOf(scanned, differing);
  return rows > rowsAtOnce(context) && rows * 2 > all;
}

/** Rows of some buckets, of both sides. */
export function rowsOf({ sides }: ScannedTable, buckets: readonly number[]): number {
  const { source, target } = sides;
  return buckets.reduce((rows, bucket) => rows + source.sums.rows[bucket]! + target.sums.rows[bucket]!, 0);
}

interface Scan {
  /** How many there are, more or less. */
  readonly rows: number;
  readonly compared: (rows: number) => void;
}

async function scanSides(
  sides: Sides,
  { rows, compared }: Scan,
  context: ValidationContext,
): Promise<ScannedTable> {
  const bucketing = { hash: await hashFor(sides, context), buckets: bucketsFor(rows) };
  const [source, target] = await Promise.all([
    scanSide({ side: sides.source, bucketing, context, compared }),
    scanSide({ side: sides.target, bucketing, context, compared }),
  ]);
  return { ...bucketing, sides: { source, target }, differing: source.sums.differing(target.sums) };
}

/** The cheapest that all servers have which digest rows of the table by themselves; this program has every one. */
async function hashFor(
  { source, target }: Sides,
  { sides, signal }: Pick<ValidationContext, "sides" | "signal">,
): Promise<RowHash> {
  const digesting = [source, target].filter(({ digests }) => digests !== undefined);
  const [first = [CLIENT_HASH], ...others] = await Promise.all(
    digesting.map(({ name }) => sides[name].snapshot.rowHashes(signal)),
  );
  return first.find((hash) => others.every((hashes) => hashes.includes(hash))) ?? "md5";
}

/** Of short texts this program computes it in a tenth of the time that a call for an MD5 takes. */
const CLIENT_HASH: RowHash = "lookup3";

/** A server's own estimate may be old, or of no rows yet. */
const BYTES_OF_ROW = 200;

function estimatedRows({ table }: ComparedSide): number {
  return Math.max(table.estimatedRows, table.estimatedBytes / BYTES_OF_ROW);
}

interface SideScan {
  readonly side: ComparedSide;
  readonly bucketing: Bucketing;
  readonly context: ValidationContext;
  readonly compared: (rows: number) => void;
}

async function scanSide({ side, bucketing, context, compared }: SideScan): Promise<ScannedSide> {
  const { sessionsOfSide, signal } = context;
  const { snapshot, sessions } = context.sides[side.name];
  const partitions = await scannedParts(side, context);
  const sums = new BucketSums(bucketing.buckets);
  await forEachLimited(partitions, sessionsOfSide, async (partition) => {
    await sessions.run(async () => {
      signal.throwIfAborted();
      if (side.digests === undefined) {
        const digested = digestRows({ side, sums, hash: bucketing.hash }, { snapshot, partition }, signal);
        for await (const rows of digested) compared(rows);
        return;
      }
      const request = { ...askedRows(side), partition, columns: side.digests, ...bucketing };
      const found = await snapshot.digests(request, signal);
      sums.add(found);
      compared(found.reduce((total, { rows }) => total + rows, 0));
    });
  });
  return { side, partitions, sums };
}

/** The parts in which a server goes through all of a table. */
export async function scannedParts(
  side: ComparedSide,
  context: ValidationContext,
): Promise<readonly Partition[]> {
  const size: PartitionSize = {
    rowsPerPartition: Math.max(LEAST_ROWS, estimatedRows(side) / MOST_PARTS),
    bytesPerPartition: Math.max(LEAST_BYTES, side.table.estimatedBytes / MOST_PARTS),
  };
  return await partitionsOf(side, size, context);
}

export async function partitionsOf(
  side: ComparedSide,
  size: PartitionSize,
  context: ValidationContext,
): Promise<readonly Partition[]> {
  const { snapshot, sessions } = context.sides[side.name];
  const cut = { ...size, isOfSnapshot: true } as const;
  const [outcome] = await sessions.run(() => snapshot.partition([side.table], cut, context.signal));
  if (outcome instanceof MigrationError) throw outcome;
  return outcome!;
}
