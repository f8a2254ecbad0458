import type { Finding } from "../core/finding.ts";
import type { ParallelLoad, TablePlan } from "../core/plan.ts";
import type { Column, LogicalType, StoredPartition, TableSchema } from "../core/schema.ts";
import { ColumnFindings } from "./columns/column-findings.ts";
import { filterFault, normalisedValue } from "./filter/filter-value.ts";
import { matchesTable, type TableMappings } from "./rules.ts";

/** How rules want a table to be parted: the first that is about it. What cannot be is a finding. */
export function planLoad(
  table: TableSchema,
  { tableSettings }: TableMappings,
  findings: Finding[],
): Pick<TablePlan, "parallelLoad"> {
  const rule = tableSettings.find((one) => one.parallelLoad !== undefined && matchesTable(one, table.id));
  if (rule?.parallelLoad === undefined) return {};
  const fault = parallelLoadFault(rule.parallelLoad, table);
  if (fault === undefined) return { parallelLoad: normalisedLoad(rule.parallelLoad, table) };
  const found = new ColumnFindings(table.id);
  found.impossible(rule.id, fault);
  findings.push(...found.all);
  return {};
}

/** Why a table cannot be parted as a rule says; undefined when it can. */
function parallelLoadFault(load: ParallelLoad, table: TableSchema): string | undefined {
  switch (load.type) {
    case "none":
      return undefined;
    case "ranges":
      return rangesFault(load, table);
    default:
      if (table.partitions === undefined) {
        return "the source does not keep the table in partitions that are read one by one; ranges are possible";
      }
      return load.type === "partitions-list" ? listFault(load, table.partitions) : undefined;
  }
}

/** With its boundaries in the text form of their columns' types. Only for what parallelLoadFault() has no word against. */
function normalisedLoad(load: ParallelLoad, { columns }: TableSchema): ParallelLoad {
  if (load.type !== "ranges") return load;
  const types = load.columns.map((name) => columns.find((column) => column.name === name)!);
  const boundaries = load.boundaries.map((values) =>
    values.map((value, i) => normalisedValue(value, types[i]!)),
  );
  return { ...load, boundaries };
}

type Ranges = ParallelLoad & { readonly type: "ranges" };
type PartitionList = ParallelLoad & { readonly type: "partitions-list" };

function rangesFault({ columns, boundaries }: Ranges, table: TableSchema): string | undefined {
  for (const [i, name] of columns.entries()) {
    const column = table.columns.find((one) => one.name === name);
    if (column === undefined) return `the table has no column ${name}`;
    if (columns.indexOf(name) < i) return `the column ${name} is named twice`;
    const fault = columnFault(
      column,
      boundaries.map((values) => values[i]!),
    );
    if (fault !== undefined) return `ranges of the column ${name} are not possible: ${fault}`;
  }
  return undefined;
}

function columnFault(column: Column, values: readonly string[]): string | undefined {
  if (!isRangeType(column.type)) return "values of its type are not cut into ranges";
  for (const value of values) {
    const fault = filterFault({ operator: "gte", value }, column);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isRangeType({ kind }: LogicalType): boolean {
  return ["int", "decimal", "boolean", "date", "timestamp", "string", "bytes", "uuid"].includes(kind);
}

/** A name may be of one part alone: rows would come twice, else. */
function listFault(
  { partitions, subpartitions }: PartitionList,
  stored: readonly StoredPartition[],
): string | undefined {
  const wanted = new Set<string>();
  for (const name of partitions) {
    const found = stored.find((one) => one.name === name);
    if (found === undefined) return `the table has no partition ${name}`;
    for (const part of leavesOf(found)) {
      if (wanted.has(part)) return `the partition ${part} is listed twice`;
      wanted.add(part);
    }
  }
  const all = new Set(stored.flatMap((one) => one.subpartitions));
  for (const name of subpartitions) {
    if (!all.has(name)) return `the table has no subpartition ${name}`;
    if (wanted.has(name)) return `the subpartition ${name} is listed twice`;
    wanted.add(name);
  }
  return undefined;
}

function leavesOf({ name, subpartitions }: StoredPartition): readonly string[] {
  return subpartitions.length === 0 ? [name] : subpartitions;
}
