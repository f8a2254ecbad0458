import type { TableSchema } from "../../../core/schema.ts";
import type { Partition, PartitionSize } from "../../../core/source.ts";
import { type Ask, cutRanges } from "./cut-ranges.ts";
import { rangeKey } from "./range-key.ts";

const MAX_PARTITIONS = 10_000;
/**
 * A table that is cut at all is cut into about so many parts at least: of three, one lane would load the last alone.
 * But not into smaller ones than these, since each is a transaction.
 */
const FEWEST_PARTS = 8;
const SMALLEST_PART = 10_000;
/** Of a row, where nothing is known of the table: what its place and its header take. */
const SHORTEST_ROW = 28;

/**
 * Cuts a table into ranges of the key that its rows are stored by, which hold in every later snapshot. A small table,
 * and one without such a key, stays whole. For small ones nothing is asked.
 */
export async function partitionTable(
  ask: Ask,
  table: TableSchema,
  size: PartitionSize,
): Promise<readonly Partition[]> {
  const { estimatedRows, estimatedBytes } = table;
  const isKnown = estimatedRows >= 0 && estimatedBytes >= 0;
  if (isKnown && estimatedRows <= size.rowsPerPartition && estimatedBytes <= size.bytesPerPartition) {
    return [whole(estimatedRows)];
  }
  const key = rangeKey(table);
  if (key === undefined || !Number.isFinite(Math.min(size.rowsPerPartition, size.bytesPerPartition))) {
    return [whole(estimatedRows)];
  }
  const rowBytes = isKnown && estimatedRows > 0 ? estimatedBytes / estimatedRows : SHORTEST_ROW;
  const most = Math.max(1, Math.min(size.rowsPerPartition, size.bytesPerPartition / rowBytes));
  const rows = isKnown ? Math.min(most, Math.max(SMALLEST_PART, estimatedRows / FEWEST_PARTS)) : most;
  const ranges = await cutRanges(ask, { table: table.id, key, rows, maxRanges: MAX_PARTITIONS });
  if (ranges.length === 1) return [whole(Number.isFinite(ranges[0]!.rows) ? ranges[0]!.rows : estimatedRows)];
  const depth = Math.max(...ranges.map(({ from, to }) => Math.max(from?.length ?? 0, to?.length ?? 0)));
  const columns = key.columns.slice(0, depth).map(({ name }) => name);
  return ranges.map(({ from, to, rows: count }, i) => ({
    id: String(i),
    by: "key",
    columns,
    from,
    to,
    estimatedRows: Math.round(count),
  }));
}

function whole(estimatedRows: number): Partition {
  return { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows };
}
