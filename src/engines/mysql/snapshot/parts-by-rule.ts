import type { ParallelLoad } from "../../../core/plan.ts";
import type { Column, StoredPartition, TableId, TableSchema } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { checkAscending, type Ranges, wantedRanges } from "../../shared/snapshot/wanted-ranges.ts";
import { literal } from "../catalog/identifier.ts";
import { partitionsSql, storedPartitions } from "../catalog/stored-partitions.ts";
import type { Ask } from "./cut-ranges.ts";
import type { KeyColumn } from "./key-values.ts";
import { boundColumns } from "./range-key.ts";

/**
 * The parts of a table that a rule wants. The server's own partitions are looked at again: those that came since the table
 * was described would not be read.
 */
export async function partsByRule(
  ask: Ask,
  table: TableSchema,
  load: ParallelLoad,
): Promise<readonly Partition[]> {
  const { estimatedRows, partitions = [] } = table;
  switch (load.type) {
    case "none":
      return [{ id: "0", by: "whole", from: undefined, to: undefined, estimatedRows }];
    case "ranges": {
      const ranges = wantedRanges(load, table, boundText);
      const bounds = ranges.slice(1).map(({ from }) => from!);
      await checkBoundaries(ask, { table, load, bounds });
      return ranges;
    }
    default: {
      const now = await partitionsNow(ask, table.id);
      if (JSON.stringify(now) !== JSON.stringify(partitions)) {
        throw tableChanged(table.id, "has other partitions than when it was described");
      }
      return storedParts(load, partitions).map((names, i, { length }) => ({
        ...{ id: String(i), by: "stored", from: names, to: undefined },
        estimatedRows: Math.round(estimatedRows / length),
      }));
    }
  }
}

async function partitionsNow(ask: Ask, { schema, name }: TableId): Promise<readonly StoredPartition[]> {
  const rows = await ask(
    partitionsSql(`table_schema = ${literal(schema)} and table_name = ${literal(name)}`),
  );
  return storedPartitions(rows as unknown as Parameters<typeof storedPartitions>[0]);
}

/** Names of partitions and subpartitions that are read together: each listed one alone, then the rest. */
function storedParts(
  load: Exclude<ParallelLoad, { readonly type: "ranges" }>,
  stored: readonly StoredPartition[],
): readonly (readonly string[])[] {
  if (load.type !== "partitions-list") return stored.map(({ name }) => [name]);
  const listed = new Set([...load.partitions, ...load.subpartitions]);
  const rest = stored.flatMap(({ name, subpartitions }) => {
    if (listed.has(name)) return [];
    const left = subpartitions.filter((part) => !listed.has(part));
    return left.length === subpartitions.length ? [name] : left;
  });
  return [...[...listed].map((name) => [name]), ...(rest.length === 0 ? [] : [rest])];
}

/** A value of the shared text form as the columns of keys are compared with. */
function boundText(value: string, { type }: Column): string {
  switch (type.kind) {
    case "bytes":
      return value.slice(2).toUpperCase();
    case "boolean":
      return value === "t" ? "1" : "0";
    case "timestamp":
      return value.replace(/\+00$/, "");
    default:
      return value;
  }
}

interface Boundaries {
  readonly table: TableSchema;
  readonly load: Ranges;
  readonly bounds: readonly (readonly string[])[];
}

async function checkBoundaries(ask: Ask, { table, load, bounds }: Boundaries): Promise<void> {
  const columns = boundColumns(table, load.columns);
  const pairs = bounds.slice(1).map((bound, i) => `${ascendsSql(columns, bounds[i]!, bound)} as a${i}`);
  if (pairs.length === 0) return;
  const [row] = await ask(`select ${pairs.join(", ")}`);
  checkAscending(
    table,
    load,
    pairs.map((_, i) => row?.[`a${i}`] === "1"),
  );
}

function ascendsSql(columns: readonly KeyColumn[], low: readonly string[], high: readonly string[]): string {
  return columns.reduceRight((rest, { sorted, literal }, i) => {
    const [below, above] = [low[i]!, high[i]!].map(sorted ?? literal);
    return `(${below} < ${above} or (${below} = ${above} and ${rest}))`;
  }, "false");
}
