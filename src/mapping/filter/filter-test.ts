import { NULL_CELL, UNCHANGED_CELL } from "../../core/change-batch.ts";
import type { FilterClause, FilterCondition, RowFilter } from "../../core/plan.ts";
import type { TableSchema } from "../../core/schema.ts";
import { type CellOrder, cellOrder } from "./cell-order.ts";

/** What a filter says of rows; "unknown" where that hangs on a column that the source has not sent. */
export type FilterAnswer = boolean | "unknown";

/** A filter that is asked about rows of a change batch in the encoding "text" (core/change-batch.ts). */
export interface FilterTest {
  /** `row`: the index of the row's first number in `cells`. */
  holds(bytes: Uint8Array, cells: Int32Array, row: number): FilterAnswer;
}

/**
 * Compiles a filter over the columns of `table`, whose conditions are as normalised() leaves them. It answers as the
 * SQL does that the source's engine makes of the filter for a snapshot: no row may be in the one and not in the other.
 */
export function compileFilter(filter: RowFilter, table: TableSchema): FilterTest {
  return new AnyClause(filter.map((clause) => new EachColumn(clause, table)));
}

class AnyClause implements FilterTest {
  readonly #clauses: readonly EachColumn[];

  constructor(clauses: readonly EachColumn[]) {
    this.#clauses = clauses;
  }

  holds(bytes: Uint8Array, cells: Int32Array, row: number): FilterAnswer {
    let answer: FilterAnswer = false;
    for (let i = 0; i < this.#clauses.length; i++) {
      const one = this.#clauses[i]!.holds(bytes, cells, row);
      if (one === true) return true;
      if (one === "unknown") answer = one;
    }
    return answer;
  }
}

class EachColumn implements FilterTest {
  readonly #columns: readonly ColumnTest[];

  constructor(clause: FilterClause, table: TableSchema) {
    this.#columns = clause.map(({ column, conditions }) => new ColumnTest(column, conditions, table));
  }

  holds(bytes: Uint8Array, cells: Int32Array, row: number): FilterAnswer {
    let answer: FilterAnswer = true;
    for (let i = 0; i < this.#columns.length; i++) {
      const one = this.#columns[i]!.holds(bytes, cells, row);
      if (one === false) return false;
      if (one === "unknown") answer = one;
    }
    return answer;
  }
}

/** Holds when one of the conditions does. */
class ColumnTest implements FilterTest {
  readonly #at: number;
  readonly #takesNull: boolean;
  readonly #conditions: readonly ValueTest[];

  constructor(column: number, conditions: readonly FilterCondition[], table: TableSchema) {
    const { type } = table.columns[column]!;
    this.#at = 2 * column;
    this.#takesNull = conditions.some(({ operator }) => operator === "null");
    this.#conditions = conditions.map((condition) => {
      const [low, high = low] = valuesOf(condition).map((value) => {
        const order = cellOrder(type, value);
        if (order === undefined) throw new RangeError(`values of the type ${type.kind} are not compared`);
        return order;
      });
      return { operator: condition.operator, low, high };
    });
  }

  holds(bytes: Uint8Array, cells: Int32Array, row: number): FilterAnswer {
    const start = cells[row + this.#at]!;
    if (start === UNCHANGED_CELL) return "unknown";
    if (start === NULL_CELL) return this.#takesNull;
    const end = cells[row + this.#at + 1]!;
    for (let i = 0; i < this.#conditions.length; i++) {
      if (holdsFor(this.#conditions[i]!, bytes, start, end)) return true;
    }
    return false;
  }
}

/** A condition on a value that is not NULL; both orders are missing for "null" and "notnull". */
interface ValueTest {
  readonly operator: FilterCondition["operator"];
  readonly low: CellOrder | undefined;
  readonly high: CellOrder | undefined;
}

function holdsFor(
  { operator, low, high }: ValueTest,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  switch (operator) {
    case "null":
      return false;
    case "notnull":
      return true;
    case "eq":
      return low!.compare(bytes, start, end) === 0;
    case "noteq":
      return low!.compare(bytes, start, end) !== 0;
    case "lte":
      return low!.compare(bytes, start, end) <= 0;
    case "gte":
      return low!.compare(bytes, start, end) >= 0;
    case "between":
      return low!.compare(bytes, start, end) >= 0 && high!.compare(bytes, start, end) <= 0;
    case "notbetween":
      return low!.compare(bytes, start, end) < 0 || high!.compare(bytes, start, end) > 0;
  }
}

/** The values that a condition compares with: none, one, or the lower and the upper bound. */
export function valuesOf(condition: FilterCondition): readonly string[] {
  switch (condition.operator) {
    case "null":
    case "notnull":
      return [];
    case "between":
    case "notbetween":
      return [condition.from, condition.to];
    default:
      return [condition.value];
  }
}
