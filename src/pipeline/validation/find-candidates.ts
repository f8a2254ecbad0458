import { forEachLimited } from "../../base/lanes.ts";
import type { Partition, PartitionSize } from "../../core/source.ts";
import type { Candidate } from "./candidate.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide, RowPart, SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { readCells } from "./read-cells.ts";
import { RowMatch } from "./row-match.ts";
import { comparedRow } from "./row-reader.ts";
import { partitionsOf, type ScannedTable } from "./scan-table.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** A row that one side has in its snapshot, and the other not as often. */
export interface SeenRow {
  readonly side: SideName;
  /** How much more often. */
  readonly rows: number;
  readonly digest: string;
  readonly candidate: Candidate;
}

/** Rows that are decided about together. */
const AT_ONCE = 20_000;
/** Parts that are read into memory one by one. */
const PART: PartitionSize = { rowsPerPartition: 100_000, bytesPerPartition: 64 << 20 };

const SIDES = ["source", "target"] as const;

/**
 * Rows of buckets that differ which have no match on the other side. Where only one side has rows, none can match: they
 * are handed on part by part. Others are matched in groups of buckets that fit into memory.
 */
export async function* findCandidates(
  table: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): AsyncGenerator<readonly SeenRow[]> {
  const { source, target } = scanned.sides;
  const isAlone = (bucket: number): boolean =>
    source.sums.rows[bucket] === 0 || target.sums.rows[bucket] === 0;
  const alone = scanned.differing.filter(isAlone);
  for (const name of SIDES) {
    const wanted = alone.filter((bucket) => scanned.sides[name].sums.rows[bucket] !== 0);
    if (wanted.length > 0) yield* rowsAlone(table, { scanned, name, wanted }, context);
  }
  const shared = scanned.differing.filter((bucket) => !isAlone(bucket));
  const rowsOfBoth = (bucket: number): number => source.sums.rows[bucket]! + target.sums.rows[bucket]!;
  for (const group of groupsOf(shared, rowsOfBoth, rowsAtOnce(context))) {
    yield* matched(table, { scanned, group }, context);
  }
}

/** Buckets in groups of so many rows at most, which are held in memory at once, as far as single ones have no more. */
function* groupsOf(
  buckets: readonly number[],
  rowsOfBucket: (bucket: number) => number,
  most: number,
): Generator<readonly number[]> {
  let group: number[] = [];
  let rows = 0;
  for (const bucket of buckets) {
    const more = rowsOfBucket(bucket);
    if (group.length > 0 && rows + more > most) {
      yield group;
      group = [];
      rows = 0;
    }
    group.push(bucket);
    rows += more;
  }
  if (group.length > 0) yield group;
}

interface WantedRows {
  readonly side: ComparedSide;
  readonly wanted: readonly number[];
  readonly buckets: number;
}

interface LoneRows {
  readonly scanned: ScannedTable;
  readonly name: SideName;
  readonly wanted: readonly number[];
}

/**
 * Part by part in one scan. Rows without a key may stand in several parts, and a table may have but one: then groups of
 * buckets are read one after the other.
 */
async function* rowsAlone(
  table: ComparedTable,
  { scanned, name, wanted }: LoneRows,
  context: ValidationContext,
): AsyncGenerator<readonly SeenRow[]> {
  const { side, sums } = scanned.sides[name];
  const partitions = await partitionsOf(side, PART, context);
  const groups = [...groupsOf(wanted, (bucket) => sums.rows[bucket]!, rowsAtOnce(context))];
  const pieces =
    table.key !== undefined && partitions.length > groups.length
      ? partitions.map((partition) => ({ group: wanted, partitions: [partition] }))
      : groups.map((group) => ({ group, partitions }));
  for (const piece of pieces) {
    const match = new RowMatch();
    const of = { table, match, side, group: piece.group, buckets: scanned.buckets };
    await addRows(of, piece.partitions, context);
    yield* unmatched(match);
  }
}

async function* matched(
  table: ComparedTable,
  { scanned, group }: { readonly scanned: ScannedTable; readonly group: readonly number[] },
  context: ValidationContext,
): AsyncGenerator<readonly SeenRow[]> {
  const match = new RowMatch();
  const of = { table, match, group, buckets: scanned.buckets };
  await Promise.all(
    SIDES.map((name) => {
      const { side, partitions } = scanned.sides[name];
      return addRows({ ...of, side }, partitions, context);
    }),
  );
  yield* unmatched(match);
}

interface RowsToMatch {
  readonly table: ComparedTable;
  readonly match: RowMatch;
  readonly side: ComparedSide;
  readonly group: readonly number[];
  readonly buckets: number;
}

/** Most rows find their match: of these no more is made than the digest. */
async function addRows(
  { table: { key }, match, side, group: wanted, buckets }: RowsToMatch,
  partitions: readonly Partition[],
  { sides, sessionsOfSide, signal }: ValidationContext,
): Promise<void> {
  const { snapshot, sessions } = sides[side.name];
  const part = partOf({ side, wanted, buckets });
  const isWanted = side.digests === undefined ? new Set(wanted) : undefined;
  const addPart = async (partition: Partition): Promise<void> => {
    const canonical = new CanonicalRows(side);
    const chunks = side.read(snapshot, { ...part, partition }, signal);
    for await (const rows of readCells(chunks, side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        const digested = canonical.digested(rows, row);
        if (isWanted !== undefined && !isWanted.has(digested.bucket(buckets))) continue;
        const digest = digested.key;
        if (match.counted(side.name, digest)) continue;
        match.add(side.name, comparedRow(canonical, { rows, row, key }, digest));
      }
    }
  };
  await forEachLimited(partitions, sessionsOfSide, (partition) => sessions.run(() => addPart(partition)));
}

function* unmatched(match: RowMatch): Generator<readonly SeenRow[]> {
  let seen: SeenRow[] = [];
  for (const { side, row, count } of match.unmatched()) {
    const { digest, id, lookup } = row;
    seen.push({ side, rows: count, digest, candidate: { id, lookup } });
    if (seen.length < AT_ONCE) continue;
    yield seen;
    seen = [];
  }
  if (seen.length > 0) yield seen;
}

/** What a server is asked for that digests rows by itself. */
export function partOf({ side, wanted, buckets }: WantedRows): Pick<RowPart, "digested"> {
  return side.digests === undefined ? {} : { digested: { columns: side.digests, buckets, wanted } };
}
