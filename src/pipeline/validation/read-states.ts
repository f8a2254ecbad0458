import type { Snapshot } from "../../core/source.ts";
import type { Candidate, RowState } from "./candidate.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide, RowPart } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { type DigestAmount, DigestParts } from "./digest-parts.ts";
import type { DigestSieve } from "./digest-sieve.ts";
import { readCells } from "./read-cells.ts";
import { shownValues, stateOf, together } from "./row-reader.ts";
import { forRowsOfKeys, type SideRow } from "./rows-of-keys.ts";

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
  const states = new Map<string, RowState>();
  const see = (id: string, read: SideRow): void => {
    states.set(id, together(states.get(id), stateOf(read.canonical, read, withValues)));
  };
  await forRowsOfKeys({ table, see }, { side, snapshot, candidates }, signal);
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
      const digest = canonical.written(rows, row).key();
      if (!wanted.has(digest)) continue;
      const known = states.get(digest);
      const count = (known?.rows ?? 0) + 1;
      const values = known?.values ?? (withValues ? shownValues(canonical, { rows, row }) : undefined);
      states.set(digest, { rows: count, text: String(count), prints: undefined, values });
    }
  }
  return states;
}

export interface SievedDigests {
  readonly sieve: DigestSieve;
  readonly amount: DigestAmount;
  /** What is kept of a row. */
  readonly payload: (read: SideRow) => Buffer | undefined;
}

/** A record for each row of a side that a sieve lets pass. */
export async function digestsOfRows(
  side: ComparedSide,
  { snapshot, part }: { readonly snapshot: Snapshot; readonly part: RowPart },
  { sieve, amount, payload }: SievedDigests,
  signal: AbortSignal,
): Promise<DigestParts> {
  const found = new DigestParts(amount);
  try {
    const canonical = new CanonicalRows(side);
    for await (const rows of readCells(side.read(snapshot, part, signal), side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        const digest = canonical.written(rows, row).key();
        if (sieve.passes(digest)) found.add(digest, payload({ canonical, rows, row }));
      }
    }
    return found;
  } catch (error) {
    found[Symbol.dispose]();
    throw error;
  }
}
