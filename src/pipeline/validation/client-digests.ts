import { TextDigest } from "../../comparison/text-digest.ts";
import type { RowHash } from "../../core/row-digest.ts";
import type { Partition, Snapshot } from "../../core/source.ts";
import type { BucketSums } from "./bucket-sums.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide } from "./compared-side.ts";
import { readCells } from "./read-cells.ts";

interface ClientDigests {
  readonly side: ComparedSide;
  readonly hash: RowHash;
  readonly sums: BucketSums;
}

/** Digests the rows of a partition of a side whose server cannot; yields how many have been added. */
export async function* digestRows(
  { side, hash, sums }: ClientDigests,
  { snapshot, partition }: { readonly snapshot: Snapshot; readonly partition: Partition },
  signal: AbortSignal,
): AsyncGenerator<number> {
  const canonical = new CanonicalRows(side);
  const digest = new TextDigest(hash);
  for await (const rows of readCells(side.read(snapshot, { partition }, signal), side.width)) {
    for (let row = 0; row < rows.rows; row++) {
      digest.write(canonical.written(rows, row).text);
      sums.addRow(digest);
    }
    yield rows.rows;
  }
}
