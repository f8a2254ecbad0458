import { forEachLimited } from "../../base/lanes.ts";
import { TextDigest } from "../../comparison/text-digest.ts";
import type { Bucketing } from "../../core/row-digest.ts";
import type { Partition } from "../../core/source.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide, RowPart, SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { readCells } from "./read-cells.ts";
import { type ComparedRow, comparedRow } from "./row-reader.ts";
import type { ValidationContext } from "./validation-context.ts";

/** Some of the buckets into which rows come. */
export interface WantedBuckets extends Bucketing {
  readonly wanted: readonly number[];
}

/** Takes rows to match them. */
export interface RowTaker {
  /** Counts one more of a row that it knows; false where it knows none, and the row is to be added. */
  counted(side: SideName, digest: string): boolean;
  add(side: SideName, row: ComparedRow): void;
}

export interface RowsToMatch {
  readonly table: ComparedTable;
  readonly match: RowTaker;
  readonly side: ComparedSide;
  readonly choice: WantedBuckets;
}

/** Reads the rows of some buckets to match them. Most find their match: of these no more is made than the digest. */
export async function addRows(
  { table: { key }, match, side, choice }: RowsToMatch,
  partitions: readonly Partition[],
  { sides, sessionsOfSide, signal }: ValidationContext,
): Promise<void> {
  const { snapshot, sessions } = sides[side.name];
  const part = partOf(side, choice);
  const addPart = async (partition: Partition): Promise<void> => {
    const canonical = new CanonicalRows(side);
    const isWanted = side.digests === undefined ? wantedTexts(choice) : undefined;
    const chunks = side.read(snapshot, { ...part, partition }, signal);
    for await (const rows of readCells(chunks, side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        const written = canonical.written(rows, row);
        if (isWanted?.(written.text) === false) continue;
        const digest = written.key();
        if (match.counted(side.name, digest)) continue;
        match.add(side.name, comparedRow(canonical, { rows, row, key }, digest));
      }
    }
  };
  await forEachLimited(partitions, sessionsOfSide, (partition) => sessions.run(() => addPart(partition)));
}

/** What a server is asked for that digests rows by itself. */
export function partOf({ digests }: ComparedSide, choice: WantedBuckets): Pick<RowPart, "digested"> {
  return digests === undefined ? {} : { digested: { ...choice, columns: digests } };
}

/** Whether rows of such a text are in the buckets that are wanted. */
function wantedTexts({ hash, buckets, wanted }: WantedBuckets): (text: Buffer) => boolean {
  const digest = new TextDigest(hash);
  const all = new Set(wanted);
  return (text) => {
    digest.write(text);
    return all.has(digest.bucket(buckets));
  };
}
