import type { Partition, PartitionSize } from "../../core/source.ts";
import { addRows, type RowTaker } from "./add-rows.ts";
import type { Candidate } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { foundByKey, hasUniqueKeys, partsByKey } from "./find-by-key.ts";
import { RowMatch, type UnmatchedRows } from "./row-match.ts";
import { RowSpill } from "./row-spill.ts";
import { partitionsOf, rowsOf, type ScannedTable } from "./scan-table.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** A row that one side has in its snapshot, and the other not as often. */
export interface SeenRow {
  readonly side: SideName;
  /** How much more often. */
  readonly rows: number;
  readonly digest: string;
  readonly candidate: Candidate;
}

/** Of a part of a table: rows that are to be decided about together. */
type SeenPart = Iterable<readonly SeenRow[]>;

/** Rows that are decided about together. */
const AT_ONCE = 20_000;
/** Parts that are read into memory one by one. */
const PART: PartitionSize = { rowsPerPartition: 100_000, bytesPerPartition: 64 << 20 };

const SIDES = ["source", "target"] as const;

/** So many times as many rows as memory holds cost less when they are looked up by their keys than when all are kept in files. */
const MOST_HELD = 4;

/**
 * Rows of buckets that differ which have no match on the other side. Where only one side has rows, none can match: they
 * are read part by part where they have a key. Others are matched, in memory or, where they are many, in files, or by their keys.
 */
export function findCandidates(
  table: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): AsyncIterable<readonly SeenRow[]> {
  return together(unmatchedRows(table, scanned, context));
}

/** Each part is to be gone through before the next is asked for. */
async function* unmatchedRows(
  table: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): AsyncGenerator<SeenPart> {
  const { sides, differing } = scanned;
  const hasRows = (name: SideName, bucket: number): boolean => sides[name].sums.rows[bucket] !== 0;
  const shared = differing.filter((bucket) => hasRows("source", bucket) && hasRows("target", bucket));
  const areMany = rowsOf(scanned, shared) > MOST_HELD * rowsAtOnce(context);
  const parts = areMany ? await partsByKey(table, scanned, context) : undefined;
  if (parts !== undefined) {
    for await (const rows of foundByKey(table, { scanned, parts }, context)) yield seenRows(rows);
    return;
  }
  const left = new Set(differing);
  for (const name of SIDES) {
    const other = name === "source" ? "target" : "source";
    const wanted = differing.filter((bucket) => !hasRows(other, bucket));
    const partitions = await lonePartitions(table, { scanned, name, wanted }, context);
    if (partitions.length === 0) continue;
    yield* rowsAlone(table, { scanned, name, wanted, partitions }, context);
    for (const bucket of wanted) left.delete(bucket);
  }
  if (left.size > 0) yield* matched(table, { scanned, wanted: [...left] }, context);
}

interface LoneRows {
  readonly scanned: ScannedTable;
  readonly name: SideName;
  readonly wanted: readonly number[];
}

/** None where all of the rows fit into memory, or those of a part would not. Rows of one key, or the same without one, may stand in several. */
async function lonePartitions(
  table: ComparedTable,
  { scanned, name, wanted }: LoneRows,
  context: ValidationContext,
): Promise<readonly Partition[]> {
  const rows = rowsOf(scanned, wanted);
  if (!hasUniqueKeys(table) || rows <= rowsAtOnce(context)) return [];
  const partitions = await partitionsOf(scanned.sides[name].side, PART, context);
  return partitions.length > rows / rowsAtOnce(context) ? partitions : [];
}

/** Part by part in one scan. */
async function* rowsAlone(
  table: ComparedTable,
  { scanned, name, wanted, partitions }: LoneRows & { readonly partitions: readonly Partition[] },
  context: ValidationContext,
): AsyncGenerator<SeenPart> {
  const { side } = scanned.sides[name];
  const { hash, buckets } = scanned;
  for (const partition of partitions) {
    const match = new RowMatch();
    await addRows({ table, match, side, choice: { hash, buckets, wanted } }, [partition], context);
    yield seenRows(match.unmatched());
  }
}

async function* matched(
  table: ComparedTable,
  { scanned, wanted }: Omit<LoneRows, "name">,
  context: ValidationContext,
): AsyncGenerator<SeenPart> {
  const { hash, buckets } = scanned;
  const records = rowsOf(scanned, wanted);
  const read = async (match: RowTaker): Promise<void> => {
    const of = { table, match, choice: { hash, buckets, wanted } };
    await Promise.all(
      SIDES.map((name) => {
        const { side, partitions } = scanned.sides[name];
        return addRows({ ...of, side }, partitions, context);
      }),
    );
  };
  if (records <= rowsAtOnce(context)) {
    const match = new RowMatch();
    await read(match);
    yield seenRows(match.unmatched());
    return;
  }
  using rows = new RowSpill({ records, atOnce: rowsAtOnce(context) });
  await read(rows);
  for (const part of rows.unmatched()) yield seenRows(part);
}

/** Rows of one key are one of what is handed on. */
function* seenRows(unmatched: Iterable<UnmatchedRows>): Generator<readonly SeenRow[]> {
  const keyed = new Map<string, SeenRow[]>();
  for (const { side, row, count } of unmatched) {
    const { digest, id, lookup } = row;
    const one = { side, rows: count, digest, candidate: { id, lookup } };
    const others = keyed.get(id);
    if (lookup === undefined) yield [one];
    else if (others === undefined) keyed.set(id, [one]);
    else others.push(one);
  }
  yield* keyed.values();
}

/** As many together as are decided about at once: a decision takes its seconds, for however few rows. */
async function* together(parts: AsyncIterable<SeenPart>): AsyncGenerator<readonly SeenRow[]> {
  let rows: SeenRow[] = [];
  for await (const part of parts) {
    for (const some of part) {
      rows.push(...some);
      if (rows.length < AT_ONCE) continue;
      yield rows;
      rows = [];
    }
  }
  if (rows.length > 0) yield rows;
}
