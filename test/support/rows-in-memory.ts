import { Limiter } from "../../src/base/limiter.ts";
import { CanonicalRow } from "../../src/comparison/canonical-row.ts";
import { TextDigest } from "../../src/comparison/text-digest.ts";
import { MigrationError } from "../../src/core/error.ts";
import type { TablePlan } from "../../src/core/plan.ts";
import type { RowChunk } from "../../src/core/row-chunk.ts";
import type { BucketChoice, RowDigests } from "../../src/core/row-digest.ts";
import type { Column, TableSchema } from "../../src/core/schema.ts";
import type { Partition, ReadRequest, Snapshot, Source } from "../../src/core/source.ts";
import { TimedPlace } from "../../src/pipeline/validation/target-place.ts";
import { validateTable } from "../../src/pipeline/validation/validate-table.ts";
import type { ValidatedSide, ValidationContext } from "../../src/pipeline/validation/validation-context.ts";
import type { RowDifference, TableValidation } from "../../src/pipeline/validation/validation-observer.ts";
import { WHOLE } from "../../src/pipeline/whole-table.ts";

/*
 * Two databases of one table each, whose rows are what a function says at that moment: so rows are written exactly when it
 * matters, which no real server can be brought to, and it is counted how often a side is read.
 */

export type MemoryRow = readonly (string | null)[];

export interface MemorySide {
  readonly rows: () => readonly MemoryRow[];
  /** It digests rows by itself, from other texts than its values where this makes such. It cannot when left out. */
  readonly digests?: (value: string) => string;
  /** How often all rows have been read, or digested. A part of them is as much less. */
  scans?: number;
  /** How many rows have been looked up by their keys. */
  lookups?: number;
  /** How many rows have been sent otherwise. */
  sent?: number;
  /** So many connections that rows are read again by are lost on the way. */
  losses?: number;
}

export interface MemoryTable {
  readonly columns: readonly Column[];
  readonly key: readonly number[];
  /** The same when left out. */
  readonly targetKey?: readonly number[];
  readonly estimatedRows?: number;
}

const COPY_DATA = 0x64;

/** Differences need no time to stay. */
export async function validatedInMemory(
  { targetKey, ...table }: MemoryTable,
  sides: { readonly source: MemorySide; readonly target: MemorySide },
  options: Partial<Pick<ValidationContext, "rowsAtOnce" | "withValues">> = {},
): Promise<TableValidation & { readonly differences: readonly RowDifference[] }> {
  const schema: TableSchema = {
    ...{ id: { schema: "s", name: "t" }, rowIdentity: "full", indexes: [], checks: [], foreignKeys: [] },
    ...{ estimatedRows: 0, estimatedBytes: 0, ...table },
  };
  const plan: TablePlan = { source: schema, target: schema, loadOrder: 0 };
  const differences: RowDifference[] = [];
  const nothing = (): void => undefined;
  const there = targetKey === undefined ? schema : { ...schema, key: targetKey };
  const validation = await validateTable(plan, there, {
    sides: { source: validatedSide(sides.source), target: validatedSide(sides.target) },
    ...{ sessionsOfSide: 2, withValues: false, sample: undefined, withTotals: false },
    ...options,
    placeOf: () => new TimedPlace(0),
    signal: new AbortController().signal,
    observer: {
      ...{ compared: nothing, settling: nothing, validated: nothing, checked: nothing },
      difference: (difference) => differences.push(difference),
    },
  });
  return { ...validation, differences };
}

function validatedSide(side: MemorySide): ValidatedSide {
  const open = async (): Promise<Snapshot> => {
    const snapshot = snapshotOf(side);
    return (side.losses ?? 0) > 0
      ? { ...snapshot, read: (...asked) => losing(side, snapshot.read(...asked)) }
      : snapshot;
  };
  const source = { openSnapshot: open } as unknown as Source;
  return { source, snapshot: snapshotOf(side), openedMs: performance.now(), sessions: new Limiter(4) };
}

/** The rows, and then the connection goes, if it has not gone often enough. */
async function* losing(side: MemorySide, chunks: AsyncIterable<RowChunk>): AsyncGenerator<RowChunk> {
  yield* chunks;
  if ((side.losses ?? 0) === 0) return;
  side.losses!--;
  throw new MigrationError("connect.lost", { message: "The connection was lost." });
}

function snapshotOf(side: MemorySide): Snapshot {
  const rows = side.rows();
  const { digests = (value) => value } = side;
  const bucketOf = (
    table: TableSchema,
    { columns, hash, buckets }: RowDigests,
  ): ((row: MemoryRow) => { bucket: number; digest: bigint }) => {
    const canonical = new CanonicalRow(
      columns.map(({ ordinal, form }) => ({ column: table.columns[ordinal]!, form })),
    );
    const digest = new TextDigest(hash);
    return (row) => {
      const values = columns.map(({ ordinal }) => row[ordinal]!);
      canonical.write(values.map((value) => (value === null ? null : Buffer.from(digests(value)))));
      digest.write(canonical.text);
      return { bucket: digest.bucket(buckets), digest: digest.digest };
    };
  };
  const chosen = (table: TableSchema, choice: BucketChoice) => {
    const bucket = bucketOf(table, choice);
    const chosenOnes = new Set(choice.wanted);
    return (row: MemoryRow): boolean => chosenOnes.has(bucket(row).bucket);
  };
  const scanned = ({ from, to }: Partition): readonly MemoryRow[] => {
    const part = rows.slice(Number(from?.[0] ?? 0), to === undefined ? rows.length : Number(to[0]));
    side.scans = (side.scans ?? 0) + (rows.length === 0 ? 1 : part.length / rows.length);
    return part;
  };
  const snapshot: Partial<Snapshot> = {
    digestsAs: () => side.digests !== undefined,
    partition: async (_, { rowsPerPartition }) => [partsOf(rows.length, rowsPerPartition)],
    rowHashes: async () => ["lookup3", "md5"],
    digests: async ({ table, partition, ...request }) => {
      const bucket = bucketOf(table, request);
      return scanned(partition).map((row) => {
        const found = bucket(row);
        return { bucket: found.bucket, rows: 1, sum: found.digest };
      });
    },
    totals: async ({ partition }) => ({ rows: scanned(partition).length, columns: [] }),
    async *read({ filter, digested, table, partition }: ReadRequest) {
      const part = filter === undefined ? scanned(partition) : rows;
      const isChosen = digested === undefined ? () => true : chosen(table, digested);
      const isWanted = (row: MemoryRow): boolean =>
        filter?.some((clause) =>
          clause.every(({ column, conditions }) =>
            conditions.some((condition) => "value" in condition && condition.value === row[column]),
          ),
        ) ?? true;
      const found = part.filter((row) => isChosen(row) && isWanted(row));
      const counter = filter === undefined ? "sent" : "lookups";
      side[counter] = (side[counter] ?? 0) + found.length;
      if (found.length > 0) yield { rows: found.length, bytes: Buffer.concat(found.map(frame)) };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return snapshot as Snapshot;
}

function partsOf(rows: number, rowsPerPartition: number): readonly Partition[] {
  const count = Math.ceil(rows / rowsPerPartition);
  const bound = (part: number): string[] => [String(Math.floor((part * rows) / count))];
  if (count <= 1) return [WHOLE];
  return Array.from({ length: count }, (_, part) => ({
    ...{ ...WHOLE, id: String(part), by: "block" as const },
    ...{ from: bound(part), to: bound(part + 1) },
  }));
}

function frame(row: MemoryRow): Buffer {
  const body = Buffer.from(`${row.map((value) => value ?? "\\N").join("\t")}\n`);
  const head = Buffer.from([COPY_DATA, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
