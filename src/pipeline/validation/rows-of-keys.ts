import type { Snapshot } from "../../core/source.ts";
import { filterOf } from "../row-keys.ts";
import { WHOLE } from "../whole-table.ts";
import type { Candidate } from "./candidate.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { readCells } from "./read-cells.ts";
import { keyOf, type ReadRow } from "./row-reader.ts";

/** Rows that are looked for in one query. */
export const KEYS_AT_ONCE = 500;

/** One of a side's rows as it is compared. */
export interface SideRow extends ReadRow {
  readonly canonical: CanonicalRows;
}

interface SeenBy {
  readonly table: ComparedTable;
  readonly see: (id: string, read: SideRow) => void;
}

interface LookedFor {
  readonly side: ComparedSide;
  readonly snapshot: Snapshot;
  /** Those that cannot be looked up are passed over. */
  readonly candidates: readonly Candidate[];
}

/** Reads what a side has of candidates by their keys, each of which is looked for once. */
export async function forRowsOfKeys(
  { table, see }: SeenBy,
  { side, snapshot, candidates }: LookedFor,
  signal: AbortSignal,
): Promise<void> {
  const key = table.key!;
  const canonical = new CanonicalRows(side);
  const lookups = new Map<string, readonly string[]>();
  for (const { id, lookup } of candidates) if (lookup !== undefined) lookups.set(id, lookup[side.name]);
  const all = [...lookups];
  for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
    const some = all.slice(from, from + KEYS_AT_ONCE);
    const wanted = new Set(some.map(([id]) => id));
    const only = filterOf(
      key[side.name],
      some.map(([, values]) => values),
    );
    for await (const rows of readCells(side.read(snapshot, { partition: WHOLE, only }, signal), side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        // Where values compare without regard to case, others come, too.
        const id = keyOf(canonical, { rows, row, key });
        if (wanted.has(id)) see(id, { rows, row, canonical });
      }
    }
  }
}
