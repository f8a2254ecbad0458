import { originsOf, type RowFilter, readTable, type TablePlan } from "../core/plan.ts";
import type { Column, LogicalType } from "../core/schema.ts";
import { valueText } from "../mapping/filter/filter-value.ts";
import { keepsDeleted } from "../mapping/rows/row-needs.ts";

/** A column of a table's key. */
export interface KeyColumn {
  readonly name: string;
  /** Into the columns of the plan's source. */
  readonly ordinal: number;
  /** The column of the source's own table that it is, and where it stands there. */
  readonly column: Column;
  readonly reads: number;
}

/** Why rows of a table cannot be looked up on the source by the keys that the target has of them. */
export type KeyFault = "no-key" | "key-is-made" | "keeps-deleted";

export function keyColumns(plan: TablePlan): readonly KeyColumn[] | KeyFault {
  const { key, columns } = plan.source;
  if (key.length === 0) return "no-key";
  const origins = originsOf(plan);
  if (keepsDeleted(origins)) return "keeps-deleted";
  const found = key.flatMap((ordinal) => {
    const origin = origins[ordinal]!;
    if (origin.kind !== "column" || origin.mask !== undefined) return [];
    const column = readTable(plan).columns[origin.ordinal]!;
    return [{ name: columns[ordinal]!.name, ordinal, column, reads: origin.ordinal }];
  });
  return found.length === key.length ? found : "key-is-made";
}

/** A key's values in one form, however they are written; undefined where one of them is no value to look for. */
export function keyValues(
  columns: readonly KeyColumn[],
  textOf: (column: KeyColumn, at: number) => string | null | undefined,
): readonly string[] | undefined {
  const values: string[] = [];
  for (let at = 0; at < columns.length; at++) {
    const { type } = columns[at]!.column;
    const value = textOf(columns[at]!, at);
    const text = value == null ? undefined : valueText(withoutUtc(value, type), type);
    if (text === undefined) return undefined;
    values.push(type.kind === "string" && type.fixed ? text.replace(/ +$/, "") : text);
  }
  return values;
}

/** A moment that the other side may have told with its zone. */
function withoutUtc(value: string, type: LogicalType): string {
  return type.kind === "timestamp" && !type.zoned ? value.replace(/\+00$/, "") : value;
}

/** What takes the rows of some keys. */
export function filterOf(columns: readonly KeyColumn[], keys: readonly (readonly string[])[]): RowFilter {
  const equal = (column: number, values: readonly string[]) => ({
    column,
    conditions: values.map((value) => ({ operator: "eq", value }) as const),
  });
  const [only] = columns;
  if (columns.length === 1)
    return [
      [
        equal(
          only!.reads,
          keys.map(([value]) => value!),
        ),
      ],
    ];
  return keys.map((key) => columns.map(({ reads }, i) => equal(reads, [key[i]!])));
}
