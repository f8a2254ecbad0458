import type { TableId } from "../../../core/schema.ts";
import type { Partition } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { baseTypeSql } from "../catalog/binary-form.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** SQL condition that holds for exactly the rows of a partition; undefined for the whole table. */
export async function rangeCondition(
  wire: WireSession,
  table: TableId,
  partition: Partition,
): Promise<string | undefined> {
  const { by, from, to } = partition;
  if (from === undefined && to === undefined) return undefined;
  const compare = by === "key" ? await keyComparison(wire, table, partition.columns ?? []) : blockComparison;
  const conditions: string[] = [];
  if (from !== undefined) conditions.push(compare(">=", from));
  if (to !== undefined) conditions.push(compare("<", to));
  return conditions.join(" and ");
}

type Comparison = (operator: ">=" | "<", bound: readonly string[]) => string;

const blockComparison: Comparison = (operator, bound) => `ctid ${operator} '(${BigInt(bound[0]!)},0)'::tid`;

/** Compares whole keys as rows, which an index over the same columns supports. */
async function keyComparison(
  wire: WireSession,
  table: TableId,
  columns: readonly string[],
): Promise<Comparison> {
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
  const key = `(${columns.map(identifier).join(", ")})`;
  return (operator, bound) => {
    const values = columns.map((column, i) => `${literal(bound[i]!)}::${types.get(column)}`);
    return `${key} ${operator} (${values.join(", ")})`;
  };
}
