import { type ExpressionInput, originsOf, readTable, type TablePlan } from "../../core/plan.ts";
import { isLargeObject } from "../document/data-types.ts";

/**
 * What the same rules make of a table has become something else for columns that it had before, since rules go by names:
 * a value that was masked or left out would come as it is. Follows "The table"; undefined when nothing has.
 */
export function ruleChange(from: TablePlan, to: TablePlan): string | undefined {
  const before = treatments(from);
  const after = treatments(to);
  for (const { number, name } of readTable(to).shape?.columns ?? []) {
    const was = before.columns.get(number);
    const now = after.columns.get(number);
    if (was !== undefined && (was.mask !== now?.mask || (was.isLarge && was.cut !== now?.cut))) {
      return `has its column ${name} treated in another way by the table mappings, which go by names`;
    }
  }
  if (before.filter !== after.filter) return "has other columns that the table mappings filter by";
  if (before.made !== after.made)
    return "has other columns that expressions of the table mappings are made of";
  return undefined;
}

interface Treatments {
  /** What becomes of each column of the source's, by its number. */
  readonly columns: ReadonlyMap<number, Treatment>;
  readonly filter: string;
  readonly made: string;
}

interface Treatment {
  readonly mask: string;
  /** It can hold values that may be cut off; what it held while it could not came whole. */
  readonly isLarge: boolean;
  readonly cut: number | undefined;
}

const LEFT_OUT: Treatment = { mask: "left out", isLarge: false, cut: undefined };

/** With columns by their numbers, which no statement changes. */
function treatments(plan: TablePlan): Treatments {
  const reads = readTable(plan);
  const numbers = new Map(reads.shape?.columns.map(({ name, number }) => [name, number]));
  const numberOf = (ordinal: number): number => numbers.get(reads.columns[ordinal]!.name) ?? -1;
  const columns = new Map([...numbers.values()].map((number) => [number, LEFT_OUT]));
  const made: unknown[] = [];
  const origins = originsOf(plan);
  for (const [i, origin] of origins.entries()) {
    const { name } = plan.target.columns[i]!;
    if (origin.kind === "column") {
      columns.set(numberOf(origin.ordinal), {
        mask: JSON.stringify(origin.mask ?? "as it is"),
        isLarge: isLargeObject(reads.columns[origin.ordinal]!),
        cut: origin.cut,
      });
    } else if (origin.kind === "before") {
      made.push([name, numberOf(origin.ordinal)]);
    } else {
      const inputs = origin.expression.inputs.map((input: ExpressionInput) =>
        "ordinal" in input ? { ...input, ordinal: numberOf(input.ordinal) } : input,
      );
      made.push([name, origin.expression.sql, inputs, origin.mask]);
    }
  }
  const filter = plan.rows?.filter?.map((clause) =>
    clause.map(({ column, conditions }) => [numberOf(column), conditions]),
  );
  return { columns, filter: JSON.stringify(filter ?? null), made: JSON.stringify(made) };
}
