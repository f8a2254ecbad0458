import { forEachLimited } from "../../base/lanes.ts";
import { originsOf } from "../../core/plan.ts";
import type { DigestForm } from "../../core/row-digest.ts";
import { hasTotal, isSummed, type TotalForm } from "../../core/row-totals.ts";
import { askedRows, type ComparedSide } from "./compared-side.ts";
import type { ColumnNote, ComparedColumn, ComparedTable } from "./compared-table.ts";
import { RunningTotal } from "./running-total.ts";
import { type Sides, scannedParts } from "./scan-table.ts";
import type { ValidationContext } from "./validation-context.ts";

/** What a column comes to on both sides, in the form in which its values are compared; null where no row has a value. */
export interface ColumnTotals {
  /** By the source's name. */
  readonly column: string;
  readonly what: "sum" | "first" | "last";
  readonly source: string | null;
  readonly target: string | null;
}

export interface TableTotals {
  readonly rows: { readonly source: number; readonly target: number };
  readonly columns: readonly ColumnTotals[];
  /** Numbers and moments that have no totals, and why. */
  readonly leftOut: readonly ColumnNote[];
  readonly isSame: boolean;
}

/** A column of which both servers tell totals. */
interface TotalledColumn {
  readonly column: ComparedColumn;
  readonly form: TotalForm;
  /** Into the columns of each side's table. */
  readonly ordinals: { readonly source: number; readonly target: number };
}

/**
 * Has both servers add up what they have of a table, in the snapshots that are compared: the same rows as those. It is one
 * more scan of each side, in the same parts as the first.
 */
export async function totalTable(
  table: ComparedTable,
  sides: Sides,
  context: ValidationContext,
): Promise<TableTotals> {
  const { totalled, leftOut } = totalledColumns(table, sides);
  const told = (rows: number): void => context.observer.compared(table.plan.source.id, rows);
  const [source, target] = await Promise.all([
    totalSide({ side: sides.source, totalled, told }, context),
    totalSide({ side: sides.target, totalled, told }, context),
  ]);
  const columns = totalled.flatMap(({ column, form }, at): ColumnTotals[] => {
    const both = { source: source.totals[at]!.words, target: target.totals[at]!.words };
    const names = isSummed(form) ? (["sum"] as const) : (["first", "last"] as const);
    return names.map((what, i) => ({
      ...{ column: column.name, what, source: both.source[i] ?? null, target: both.target[i] ?? null },
    }));
  });
  const isSame = source.rows === target.rows && columns.every((one) => one.source === one.target);
  return { rows: { source: source.rows, target: target.rows }, columns, leftOut, isSame };
}

interface TotalledColumns {
  readonly totalled: readonly TotalledColumn[];
  readonly leftOut: readonly ColumnNote[];
}

function totalledColumns({ plan, columns }: ComparedTable, { source }: Sides): TotalledColumns {
  const origins = originsOf(plan);
  const totalled: TotalledColumn[] = [];
  const leftOut: ColumnNote[] = [];
  for (const column of columns) {
    const { form, name, target, targetOrdinal } = column;
    const origin = origins[column.ordinal]!;
    const isMade = origin.kind !== "column" || origin.mask !== undefined || origin.cut !== undefined;
    if (form.kind === "float") leftOut.push({ column: name, note: FLOAT });
    if (!isTotal(form)) continue;
    if (isMade) leftOut.push({ column: name, note: MADE });
    else if (!hasTotal(source.table.columns[origin.ordinal]!, form) || !hasTotal(target, form))
      leftOut.push({ column: name, note: OTHER });
    else totalled.push({ column, form, ordinals: { source: origin.ordinal, target: targetOrdinal } });
  }
  return { totalled, leftOut };
}

const MADE = "rules make its values";
const FLOAT = "a sum of floating-point numbers depends on the order of the rows";
const OTHER = "one side has its values in a type of another kind";

function isTotal(form: DigestForm): form is TotalForm {
  return ["int", "decimal", "date", "timestamp"].includes(form.kind);
}

interface SideTotals {
  readonly side: ComparedSide;
  readonly totalled: readonly TotalledColumn[];
  readonly told: (rows: number) => void;
}

interface SummedSide {
  readonly rows: number;
  readonly totals: readonly RunningTotal[];
}

async function totalSide(
  { side, totalled, told }: SideTotals,
  context: ValidationContext,
): Promise<SummedSide> {
  const { snapshot, sessions } = context.sides[side.name];
  const columns = totalled.map(({ form, ordinals }) => ({ ordinal: ordinals[side.name], form }));
  const totals = totalled.map(
    ({ form }, at) => new RunningTotal(side.table.columns[columns[at]!.ordinal]!, form),
  );
  const partitions = await scannedParts(side, context);
  let rows = 0;
  await forEachLimited(partitions, context.sessionsOfSide, async (partition) => {
    await sessions.run(async () => {
      context.signal.throwIfAborted();
      const request = { ...askedRows(side), partition, columns };
      const found = await snapshot.totals(request, context.signal);
      for (const [at, total] of found.columns.entries()) totals[at]!.add(total);
      rows += found.rows;
      told(found.rows);
    });
  });
  return { rows, totals };
}
