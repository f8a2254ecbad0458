import { type RowFilter, readTable, type TablePlan } from "../core/plan.ts";
import type { BulkFormat, RowChunk } from "../core/row-chunk.ts";
import type { ReadRequest, Snapshot } from "../core/source.ts";
import { BinaryCuts } from "../mapping/rows/binary-cuts.ts";
import { BulkRows } from "../mapping/rows/bulk-rows.ts";
import { cutsRows, makesRows, readOrdinals } from "../mapping/rows/row-needs.ts";

const TEXT: readonly BulkFormat[] = ["pg-copy-text"];

/** Formats that a plan's rows can be read in, best first: what rules make of values is made of texts. */
export function formatsOf(plan: TablePlan, snapshot: Snapshot): readonly BulkFormat[] {
  return makesRows(plan) ? TEXT : snapshot.bulkFormats(readTable(plan), columnsOf(plan));
}

export interface RowsRequest extends Pick<ReadRequest, "partition" | "format" | "digested"> {
  readonly snapshot: Snapshot;
  /** Counts the values that are cut off. */
  readonly counts: { cuts: number };
  /** No rows but those that it takes, beside what rules leave out. All when left out. */
  readonly only?: RowFilter;
}

/** Rows of one partition as the rules leave them. */
export async function* readRows(
  plan: TablePlan,
  { snapshot, counts, only, ...part }: RowsRequest,
  signal: AbortSignal,
): AsyncIterable<RowChunk> {
  const columns = columnsOf(plan);
  const filter = bothOf(plan.rows?.filter, only);
  const request: ReadRequest = {
    ...part,
    table: readTable(plan),
    ...(columns === undefined ? {} : { columns }),
    ...(filter === undefined ? {} : { filter }),
  };
  const chunks = snapshot.read(request, signal);
  if (!makesRows(plan) && !cutsRows(plan)) {
    yield* chunks;
    return;
  }
  const rows = part.format === "pg-copy-binary" ? new BinaryCuts(plan) : new BulkRows(plan);
  for await (const chunk of chunks) {
    const made = rows.map(chunk);
    counts.cuts = rows.cuts;
    if (made !== undefined) yield made;
  }
}

/** What two filters take; undefined where neither leaves anything out. */
function bothOf(a: RowFilter | undefined, b: RowFilter | undefined): RowFilter | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.flatMap((clause) => b.map((other) => [...clause, ...other]));
}

function columnsOf(plan: TablePlan): readonly number[] | undefined {
  return plan.rows === undefined ? undefined : readOrdinals(plan);
}
