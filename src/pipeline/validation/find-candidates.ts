import type { PartitionSize } from "../../core/source.ts";
import { addRows } from "./add-rows.ts";
import type { Candidate } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { foundByKey, partsByKey } from "./find-by-key.ts";
import { RowMatch, type UnmatchedRows } from "./row-match.ts";
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
 * Groups of buckets, each a scan of both sides, above which it costs less to look rows up by their keys. A bucket may have
 * the rows of several.
 */
const MOST_GROUPS = 4;

/**
 * Rows of buckets that differ which have no match on the other side. Where only one side has rows, none can match: they
 * are handed on part by part. Others are matched in groups of buckets that fit into memory, or by their keys where that would
 * be many.
 */
export async function* findCandidates(
  table: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): AsyncGenerator<readonly SeenRow[]> {
  const { source, target } = scanned.sides;
  const isAlone = (bucket: number): boolean =>
    source.sums.rows[bucket] === 0 || target.sums.rows[bucket] === 0;
  const shared = scanned.differing.filter((bucket) => !isAlone(bucket));
  const rowsOfBoth = (bucket: number): number => source.sums.rows[bucket]! + target.sums.rows[bucket]!;
  const groups = [...groupsOf(shared, rowsOfBoth, rowsAtOnce(context))];
  const rows = shared.reduce((sum, bucket) => sum + rowsOfBoth(bucket), 0);
  const areMany = Math.max(groups.length, rows / rowsAtOnce(context)) > MOST_GROUPS;
  const parts = areMany ? await partsByKey(table, scanned, context) : undefined;
  if (parts !== undefined) {
    for await (const rows of foundByKey(table, { scanned, parts }, context)) yield* seenRows(rows);
    return;
  }
  const alone = scanned.differing.filter(isAlone);
  for (const name of SIDES) {
    const wanted = alone.filter((bucket) => scanned.sides[name].sums.rows[bucket] !== 0);
    if (wanted.length > 0) yield* rowsAlone(table, { scanned, name, wanted }, context);
  }
  for (const group of groups) yield* matched(table, { scanned, group }, context);
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
    const { hash, buckets } = scanned;
    const of = { table, match, side, choice: { hash, buckets, wanted: piece.group } };
    await addRows(of, piece.partitions, context);
    yield* seenRows(match.unmatched());
  }
}

async function* matched(
  table: ComparedTable,
  { scanned, group }: { readonly scanned: ScannedTable; readonly group: readonly number[] },
  context: ValidationContext,
): AsyncGenerator<readonly SeenRow[]> {
  const match = new RowMatch();
  const { hash, buckets } = scanned;
  const of = { table, match, choice: { hash, buckets, wanted: group } };
  await Promise.all(
    SIDES.map((name) => {
      const { side, partitions } = scanned.sides[name];
      return addRows({ ...of, side }, partitions, context);
    }),
  );
  yield* seenRows(match.unmatched());
}

function* seenRows(unmatched: Iterable<UnmatchedRows>): Generator<readonly SeenRow[]> {
  let seen: SeenRow[] = [];
  for (const { side, row, count } of unmatched) {
    const { digest, id, lookup } = row;
    seen.push({ side, rows: count, digest, candidate: { id, lookup } });
    if (seen.length < AT_ONCE) continue;
    yield seen;
    seen = [];
  }
  if (seen.length > 0) yield seen;
}
