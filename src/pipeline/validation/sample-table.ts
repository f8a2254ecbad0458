import type { Partition, PartitionSize } from "../../core/source.ts";
import type { RowState } from "./candidate.ts";
import { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedSide } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { SeenRow } from "./find-candidates.ts";
import { readCells } from "./read-cells.ts";
import { statesByKey } from "./read-states.ts";
import { comparedRow, stateOf } from "./row-reader.ts";
import { partitionsOf, type Sides } from "./scan-table.ts";
import type { ValidationContext } from "./validation-context.ts";

/** A sample is drawn from parts of about so many rows. */
const PART: PartitionSize = { rowsPerPartition: 10_000, bytesPerPartition: 16 << 20 };

/** Some of the source's partitions; undefined where the table is so small that all of it is compared. */
export async function drawSample(
  side: ComparedSide,
  percent: number,
  context: ValidationContext,
): Promise<readonly Partition[] | undefined> {
  const all = [...(await partitionsOf(side, PART, context))];
  const wanted = Math.ceil((all.length * percent) / 100);
  if (wanted >= all.length) return undefined;
  const drawn: Partition[] = [];
  while (drawn.length < wanted) drawn.push(...all.splice(Math.floor(Math.random() * all.length), 1));
  return drawn;
}

export interface SampledRows {
  readonly rows: { readonly source: number; readonly target: number };
  /** Rows of the source that the target has not, or not as they are. */
  readonly seen: readonly SeenRow[];
}

/** Looks the source's rows of some partitions up on the target by their keys, in both snapshots. */
export async function* sampleTable(
  table: ComparedTable,
  { sides, partitions }: { readonly sides: Sides; readonly partitions: readonly Partition[] },
  context: ValidationContext,
): AsyncGenerator<SampledRows> {
  for (const partition of partitions) {
    const sampled = await sampledRows(table, { side: sides.source, partition }, context);
    const { snapshot, sessions } = context.sides.target;
    const reading = { table, side: sides.target, withValues: false };
    const candidates = sampled.map(({ candidate }) => candidate);
    const keyed = candidates.filter(({ lookup }) => lookup !== undefined);
    const states = await sessions.run(() => statesByKey(reading, snapshot, keyed, context.signal));
    const isThere = ({ candidate, state }: SampledRow): boolean =>
      states.get(candidate.id)?.text === state.text;
    const target = [...states.values()].reduce((total, { rows }) => total + rows, 0);
    yield {
      rows: { source: sampled.length, target },
      seen: sampled.filter((row) => !isThere(row)),
    };
  }
}

interface SampledRow extends SeenRow {
  readonly state: RowState;
}

async function sampledRows(
  table: ComparedTable,
  { side, partition }: { readonly side: ComparedSide; readonly partition: Partition },
  context: ValidationContext,
): Promise<readonly SampledRow[]> {
  const { key } = table;
  const canonical = new CanonicalRows(side);
  const { snapshot, sessions } = context.sides.source;
  const seen: SampledRow[] = [];
  await sessions.run(async () => {
    const chunks = side.read(snapshot, { partition }, context.signal);
    for await (const rows of readCells(chunks, side.width)) {
      for (let row = 0; row < rows.rows; row++) {
        const read = comparedRow(canonical, { rows, row, key }, canonical.written(rows, row).key());
        const { digest, id, lookup } = read;
        const state = stateOf(canonical, { rows, row }, false);
        seen.push({ side: "source", rows: 1, digest, candidate: { id, lookup }, state });
      }
      context.observer.compared(table.plan.source.id, rows.rows);
    }
  });
  return seen;
}
