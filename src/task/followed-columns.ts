import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { originsOf, readTable, type TablePlan, withTable } from "../core/plan.ts";
import { displayTable } from "../core/schema.ts";
import type { TableShape } from "../core/table-shape.ts";
import { narrowPlan, withFills } from "../mapping/rows/narrow-plan.ts";

/** What of a plan comes of columns that the source's table has got, or that the target's does not get. */

/** Whether the source's table has columns that the target's does not get. */
export function leavesColumnsOut({ columns }: TableShape): boolean {
  return columns.some(({ since }) => since === "left-out");
}

/** The plan with those of its columns that the shape does not leave out; undefined when its key needs another. */
export function withColumns(plan: TablePlan, shape: TableShape): TablePlan | undefined {
  const shapes = new Map(shape.columns.map((column) => [column.name, column]));
  const narrowed = narrowPlan(plan, ({ name }) => {
    const history = shapes.get(name);
    return history !== undefined && history.since !== "left-out";
  });
  if (narrowed === undefined) return undefined;
  const filled = withFills(narrowed, (name) => {
    const history = shapes.get(name);
    return history?.since === "added" ? history.fill : undefined;
  });
  const shaped = withTable({ ...filled, target: { ...filled.target, shape } }, { shape });
  return leavesColumnsOut(shape) ? leavingOut(shaped) : shaped;
}

export function leavingOut(plan: TablePlan): TablePlan {
  return withTable(plan, { leavesOut: true });
}

/** Ordinals of the plan's columns that come from these of the source's. */
export function columnsOf(plan: TablePlan, names: ReadonlySet<string>): readonly number[] {
  const { columns } = readTable(plan);
  return originsOf(plan).flatMap((origin, i) =>
    origin.kind === "column" && names.has(columns[origin.ordinal]!.name) ? [i] : [],
  );
}

/** Whether results of expressions or before images come from these of the source's columns. */
export function makesOthersOf(plan: TablePlan, names: ReadonlySet<string>): boolean {
  const { columns } = readTable(plan);
  const isOne = (input: object): boolean =>
    "ordinal" in input && names.has(columns[input.ordinal as number]!.name);
  return originsOf(plan).some(
    (origin) =>
      origin.kind !== "column" &&
      (origin.kind === "before" ? isOne(origin) : origin.expression.inputs.some(isOne)),
  );
}

export function columnFinding({ source, target }: TablePlan, ordinal: number, leaves: boolean): Finding {
  const code = leaves ? "source.column_left_out" : "target.column_added";
  const column = source.columns[ordinal]!;
  const { name } = column;
  const lacksNotNull =
    !column.nullable && source.shape?.columns.find((one) => one.name === name)?.fill === null;
  return {
    code,
    severity: leaves ? "warning" : "info",
    subject: displayTable(source.id),
    table: source.id,
    message: leaves
      ? `The source's table got the column ${name}; it is left out, and the other columns go on.`
      : `The source's table got the column ${name}; ${displayTable(target.id)} on the target gets it${lacksNotNull ? ", without its NOT NULL" : ""}.`,
    remedy: errorTable[code].remedy,
  };
}
