import type { Partition, Snapshot } from "../../core/source.ts";
import type { BucketSums } from "./bucket-sums.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide } from "./compared-side.ts";
import { readCells } from "./read-cells.ts";

/** Digests the rows of a partition of a side whose server cannot; yields how many have been added. */
export async function* digestRows(
  { side, sums }: { readonly side: ComparedSide; readonly sums: BucketSums },
  { snapshot, partition }: { readonly snapshot: Snapshot; readonly partition: Partition },
  signal: AbortSignal,
): AsyncGenerator<number> {
  const canonical = new CanonicalRows(side);
  for await (const rows of readCells(side.read(snapshot, { partition }, signal), side.width)) {
    for (let row = 0; row < rows.rows; row++) sums.addRow(canonical.digested(rows, row));
    yield rows.rows;
  }
}
