import { type ColumnOrigin, originsOf, type RowRules, readTable, type TablePlan } from "../../core/plan.ts";
import type { Column, TableSchema } from "../../core/schema.ts";
import { cutText, textCut } from "./cuts.ts";
import { maskText } from "./masks.ts";

/**
 * The plan of a table that has fewer columns: those of the source's that `keeps` holds for. Undefined when another one
 * identifies rows, is filtered by, or has an expression made of it.
 */
export function narrowPlan(plan: TablePlan, keeps: (column: Column) => boolean): TablePlan | undefined {
  const reads = readTable(plan);
  const places = placesOf(reads.columns.map(keeps));
  const origins = originsOf(plan);
  const columns = origins.map((origin) => moved(origin, places));
  if (origins.some(({ kind }, i) => kind === "expression" && columns[i] === undefined)) return undefined;
  const kept = placesOf(columns.map((origin) => origin !== undefined));
  const source = narrowed(plan.source, kept);
  const target = narrowed(plan.target, kept);
  if (source === undefined || target === undefined) return undefined;
  if (plan.rows === undefined) return { ...plan, source, target };
  const narrowReads = narrowed(reads, places);
  const filter = plan.rows.filter?.map((clause) =>
    clause.map((one) => ({ ...one, column: places.get(one.column) ?? -1 })),
  );
  if (narrowReads === undefined || filter?.some((clause) => clause.some(({ column }) => column < 0))) {
    return undefined;
  }
  const described = plan.rows.described && narrowed(plan.rows.described, places);
  const rows: RowRules = {
    reads: narrowReads,
    ...(described === undefined ? {} : { described }),
    columns: columns.filter((origin) => origin !== undefined),
    ...(filter === undefined ? {} : { filter }),
  };
  return { ...plan, source, target, rows };
}

/** New ordinals of what is kept, by the old ones. */
function placesOf(kept: readonly boolean[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (const [ordinal, isKept] of kept.entries()) if (isKept) places.set(ordinal, places.size);
  return places;
}

function narrowed(table: TableSchema, places: ReadonlyMap<number, number>): TableSchema | undefined {
  const key = table.key.map((ordinal) => places.get(ordinal) ?? -1);
  if (key.includes(-1)) return undefined;
  return { ...table, key, columns: table.columns.filter((_, ordinal) => places.has(ordinal)) };
}

/** An origin by other ordinals; undefined when what it is made of is not there. */
function moved(origin: ColumnOrigin, places: ReadonlyMap<number, number>): ColumnOrigin | undefined {
  if (origin.kind !== "expression") {
    const ordinal = places.get(origin.ordinal);
    return ordinal === undefined ? undefined : { ...origin, ordinal };
  }
  const inputs = origin.expression.inputs.map((input) => {
    if (input.kind !== "column" && input.kind !== "before") return input;
    return { ...input, ordinal: places.get(input.ordinal) ?? -1 };
  });
  if (inputs.some((input) => "ordinal" in input && input.ordinal < 0)) return undefined;
  return { ...origin, expression: { ...origin.expression, inputs } };
}

/**
 * The plan with what earlier rows show in columns that the source's table got later (Column.later), as the rules leave
 * it. `fillOf`: by the name of a column of the source's; undefined for one that was always there.
 */
export function withFills(plan: TablePlan, fillOf: (name: string) => string | null | undefined): TablePlan {
  const own = (table: TableSchema): TableSchema => filled(table, ({ name }) => fillOf(name));
  const reads = own(readTable(plan));
  if (plan.rows === undefined) {
    return { ...plan, source: reads, target: filled(plan.target, (_, i) => reads.columns[i]!.later?.value) };
  }
  const { columns, described } = plan.rows;
  const values = columns.map((origin): string | null | undefined => {
    if (origin.kind !== "column") return undefined;
    const value = reads.columns[origin.ordinal]!.later?.value;
    if (value == null) return value;
    const cut = cutText(value, textCut(origin, plan));
    return origin.mask === undefined ? cut : maskText(origin.mask, cut);
  });
  return {
    ...plan,
    source: filled(plan.source, (_, i) => values[i]),
    target: filled(plan.target, (_, i) => values[i]),
    rows: { ...plan.rows, ...(described === undefined ? {} : { described: own(described) }), reads },
  };
}

/** The same for a plan that was compiled of a table with such columns. */
export function withOwnFills(plan: TablePlan): TablePlan {
  if (plan.rows === undefined) return plan;
  const fills = new Map(plan.rows.reads.columns.map(({ name, later }) => [name, later?.value]));
  return withFills(plan, (name) => fills.get(name));
}

/**
 * The plan as the target's columns are told apart by: those that the rules make are nobody's, whatever the source calls
 * its own.
 */
export function withPlainShape(plan: TablePlan): TablePlan {
  const { source, rows } = plan;
  const shapes = new Map(rows?.reads.shape?.columns.map((column) => [column.name, column]));
  if (rows?.reads.shape === undefined) return plan;
  const columns = rows.columns.flatMap((origin, i) => {
    const shape = origin.kind === "column" ? shapes.get(rows.reads.columns[origin.ordinal]!.name) : undefined;
    return shape === undefined ? [] : [{ ...shape, name: source.columns[i]!.name }];
  });
  return { ...plan, source: { ...source, shape: { ...rows.reads.shape, columns } } };
}

function filled(
  table: TableSchema,
  laterOf: (column: Column, ordinal: number) => string | null | undefined,
): TableSchema {
  const columns = table.columns.map((column, ordinal) => {
    const value = laterOf(column, ordinal);
    return value === undefined ? column : { ...column, later: { value } };
  });
  return { ...table, columns };
}
