import type { RowFilter } from "../../core/plan.ts";
import type { Snapshot } from "../../core/source.ts";
import { filterOf } from "../row-keys.ts";
import { WHOLE } from "../whole-table.ts";
import type { Candidate, RowState } from "./candidate.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide, RowPart } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { readCells } from "./read-cells.ts";
import { keyOf, shownValues, stateOf, together } from "./row-reader.ts";

/** Rows that are looked for in one query. */
const KEYS_AT_ONCE = 500;

export interface StateReading {
  readonly table: ComparedTable;
  readonly side: ComparedSide;
  readonly withValues: boolean;
}

/** What a side has of candidates that are looked up by their keys. */
export async function statesByKey(
  { table, side, withValues }: StateReading,
  snapshot: Snapshot,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RowState>> {
  const key = table.key!;
  const states = new Map<string, RowState>();
  const canonical = new CanonicalRows(side);
  for (let from = 0; from < candidates.length; from += KEYS_AT_ONCE) {
    const some = candidates.slice(from, from + KEYS_AT_ONCE);
    const wanted = new Set(some.map(({ id }) => id));
    const only: RowFilter = filterOf(
      key[side.name],
      some.map(({ lookup }) => lookup![side.name]),
    );
    const chunks = side.read(snapshot, { partition: WHOLE, only }, signal);
    for await (const rows of readCells(chunks, side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        // Where values compare without regard to case, others come, too.
        const id = keyOf(canonical, { rows, row, key });
        if (!wanted.has(id)) continue;
        const state = stateOf(canonical, { rows, row }, withValues);
        states.set(id, together(states.get(id), state));
      }
    }
  }
  return states;
}

/** What a side has of candidates without a key: how many rows that are the same in all that is compared. */
export async function statesByDigest(
  { side, withValues }: Omit<StateReading, "table">,
  { snapshot, part }: { readonly snapshot: Snapshot; readonly part: RowPart },
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RowState>> {
  const wanted = new Set(candidates.map(({ id }) => id));
  const states = new Map<string, RowState>();
  const canonical = new CanonicalRows(side);
  for await (const rows of readCells(side.read(snapshot, part, signal), side.width)) {
    for (let row = 0; row < rows.rows; row++) {
      const digest = canonical.digested(rows, row).key;
      if (!wanted.has(digest)) continue;
      const known = states.get(digest);
      const count = (known?.rows ?? 0) + 1;
      const values = known?.values ?? (withValues ? shownValues(canonical, { rows, row }) : undefined);
      states.set(digest, { rows: count, text: String(count), prints: undefined, values });
    }
  }
  return states;
}
