import { readTable } from "../../core/plan.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { Partition } from "../../core/source.ts";
import { addRows } from "./add-rows.ts";
import type { SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { RowMatch, type UnmatchedRows } from "./row-match.ts";
import { comparedRow } from "./row-reader.ts";
import { forRowsOfKeys, type SideRow } from "./rows-of-keys.ts";
import { partitionsOf, type ScannedTable } from "./scan-table.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** How each side is cut into parts whose rows fit into memory. */
export type KeyedParts = Readonly<Record<SideName, readonly Partition[]>>;

interface Found {
  readonly scanned: ScannedTable;
  readonly parts: KeyedParts;
}

/**
 * Undefined where rows are not looked up by their keys: both sides must hold each key once, for else rows of one key could be
 * in several parts, and none would show how many there are.
 */
export async function partsByKey(
  table: ComparedTable,
  scanned: ScannedTable,
  context: ValidationContext,
): Promise<KeyedParts | undefined> {
  if (!hasUniqueKeys(table)) return undefined;
  const size = { rowsPerPartition: rowsAtOnce(context) / 2, bytesPerPartition: BYTES_OF_PART };
  const cut = async (name: SideName): Promise<readonly Partition[]> => {
    const partitions = await partitionsOf(scanned.sides[name].side, size, context);
    const isSmall = wantedRows(scanned, name) / partitions.length <= size.rowsPerPartition;
    // Partitions that the source keeps may be of very different sizes.
    const isEven = partitions.every(({ estimatedRows }) => estimatedRows <= rowsAtOnce(context));
    return isSmall && isEven ? partitions : [];
  };
  const [source, target] = await Promise.all([cut("source"), cut("target")]);
  return source.length === 0 || target.length === 0 ? undefined : { source, target };
}

const BYTES_OF_PART = 64 << 20;

/** Whether both sides hold each key once. */
export function hasUniqueKeys({ plan, target, key }: ComparedTable): boolean {
  if (key === undefined) return false;
  const isUnique = (of: TableSchema, ordinals: readonly number[]): boolean =>
    of.key.length > 0 && of.key.every((ordinal) => ordinals.includes(ordinal));
  return (
    isUnique(
      readTable(plan),
      key.source.map(({ reads }) => reads),
    ) &&
    isUnique(
      target,
      key.target.map(({ reads }) => reads),
    )
  );
}

function wantedRows({ differing, sides }: ScannedTable, name: SideName): number {
  return differing.reduce((rows, bucket) => rows + sides[name].sums.rows[bucket]!, 0);
}

/**
 * Rows of buckets that differ which the other side has not, or has other than they are: each side is read once, and what it
 * has is looked up on the other. Of rows that both have the source's is told. The target is read for the rows that it alone has,
 * when it has more than were found.
 */
export async function* foundByKey(
  table: ComparedTable,
  { scanned, parts }: Found,
  context: ValidationContext,
): AsyncGenerator<Iterable<UnmatchedRows>> {
  let found = 0;
  for (const partition of parts.source) {
    const { match, ids } = await lookedUp(table, { scanned, name: "source", partition }, context);
    found += ids.size;
    yield unmatchedOf(match, "source");
  }
  if (found === wantedRows(scanned, "target")) return;
  for (const partition of parts.target) {
    const { match, ids } = await lookedUp(table, { scanned, name: "target", partition }, context);
    yield unmatchedOf(match, "target").filter(({ row }) => !ids.has(row.id));
  }
}

interface Part {
  readonly scanned: ScannedTable;
  readonly name: SideName;
  readonly partition: Partition;
}

interface LookedUp {
  readonly match: RowMatch;
  /** The keys that the other side has. */
  readonly ids: ReadonlySet<string>;
}

/** Matches the rows of a part of one side with those that the other has of their keys. */
async function lookedUp(
  table: ComparedTable,
  { scanned, name, partition }: Part,
  context: ValidationContext,
): Promise<LookedUp> {
  const { hash, buckets, differing: wanted, sides } = scanned;
  const match = new RowMatch();
  const rows = { table, match, side: sides[name].side, choice: { hash, buckets, wanted } };
  await addRows(rows, [partition], context);
  const candidates = Array.from(match.unmatched(), ({ row }) => row);
  const ids = new Set<string>();
  const other = name === "source" ? "target" : "source";
  const { side } = sides[other];
  const { snapshot, sessions } = context.sides[other];
  const see = (id: string, { rows, row, canonical }: SideRow): void => {
    ids.add(id);
    const digest = canonical.written(rows, row).key();
    if (match.counted(other, digest)) return;
    match.add(other, comparedRow(canonical, { rows, row, key: table.key }, digest));
  };
  await sessions.run(() => forRowsOfKeys({ table, see }, { side, snapshot, candidates }, context.signal));
  return { match, ids };
}

function unmatchedOf(match: RowMatch, name: SideName): readonly UnmatchedRows[] {
  return [...match.unmatched()].filter(({ side }) => side === name);
}
