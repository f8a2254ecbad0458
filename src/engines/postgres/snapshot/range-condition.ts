import type { TableId, TableSchema } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";
import { checkAscending, type Ranges, withNulls } from "../../shared/snapshot/wanted-ranges.ts";
import { baseTypeSql } from "../catalog/binary-form.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** SQL condition that holds for exactly the rows of a partition; undefined for the whole table. */
export async function rangeCondition(
  wire: WireSession,
  table: TableSchema,
  partition: Partition,
): Promise<string | undefined> {
  const { by, from, to, columns = [] } = partition;
  if (from === undefined && to === undefined) return undefined;
  const compare = by === "block" ? blockComparison : await rowComparison(wire, table.id, columns);
  const conditions: string[] = [];
  if (from !== undefined) conditions.push(compare(">=", from));
  if (to !== undefined) conditions.push(compare("<", to));
  return withNulls(conditions.join(" and "), partition, { table, identifier });
}

/** A range is read by index or by block, whatever statistics make the planner think of a scan of all. */
export function rangeSettings(range: string | undefined): readonly string[] {
  return range === undefined ? [] : ["set local enable_seqscan = off"];
}

/** Throws `mapping.rule_impossible` unless the boundaries ascend in the order of the table's columns. */
export async function checkBoundaries(wire: WireSession, table: TableSchema, ranges: Ranges): Promise<void> {
  const { columns, boundaries } = ranges;
  const types = await baseTypes(wire, table.id, columns);
  // The columns lend the values their collations, and no row of theirs.
  const rowOf = (values: readonly string[]): string =>
    `(${columns.map((name, i) => `coalesce(t.${identifier(name)}, ${literal(values[i]!)}::${types.get(name)})`).join(", ")})`;
  const ascends = boundaries.slice(1).map((values, i) => `${rowOf(boundaries[i]!)} < ${rowOf(values)}`);
  if (ascends.length === 0) return;
  const { rows } = await wire.query(
    `select ${ascends.join(", ")} from (select) as one left join only ${qualified(table.id)} as t on false`,
  );
  checkAscending(
    table,
    ranges,
    rows[0]!.map((answer) => answer === "t"),
  );
}

type Comparison = (operator: ">=" | "<", bound: readonly string[]) => string;

const blockComparison: Comparison = (operator, bound) => `ctid ${operator} '(${BigInt(bound[0]!)},0)'::tid`;

/** Compares values of all columns as rows, which an index over the same columns supports. */
async function rowComparison(
  wire: WireSession,
  table: TableId,
  columns: readonly string[],
): Promise<Comparison> {
  const types = await baseTypes(wire, table, columns);
  const row = `(${columns.map(identifier).join(", ")})`;
  return (operator, bound) => {
    const values = columns.map((column, i) => `${literal(bound[i]!)}::${types.get(column)}`);
    return `${row} ${operator} (${values.join(", ")})`;
  };
}

/** What values of the columns are to the operators, by the columns' names. */
async function baseTypes(
  wire: WireSession,
  table: TableId,
  columns: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await wire.query(`
    select a.attname, format_type(${baseTypeSql("a.atttypid")}, -1)
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_class c on c.oid = a.attrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${literal(table.schema)} and c.relname = ${literal(table.name)} and not a.attisdropped`);
  const types = new Map(rows as [string, string][]);
  const missing = columns.find((column) => !types.has(column));
  if (columns.length === 0 || missing !== undefined) {
    throw tableChanged(table, `has lost the column ${missing ?? ""} of its key`);
  }
  return types;
}
