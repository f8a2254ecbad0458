import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type LogicalType } from "../../../core/schema.ts";

/**
 * What the endpoint says to do with values that other databases have and the types here have not: numbers that are
 * none or infinite, and dates that are infinite, or of years before 1 or after 9999.
 */
export interface OutOfRange {
  readonly numbers: "error" | "null";
  readonly dates: "error" | "null" | "limit";
}

export function outOfRangeOf({ settings }: Pick<EndpointConfig, "settings">): OutOfRange {
  const dates = settings["OutOfRangeDates"];
  return {
    numbers: settings["NonFiniteNumbers"] === "null" ? "null" : "error",
    dates: dates === "null" || dates === "limit" ? dates : "error",
  };
}

/** A column as the target has it, or is going to. */
export interface RangedColumn {
  /** DATA_TYPE in lower case. */
  readonly dataType: string;
  /** Digits of a fraction of a second; undefined for a type without. */
  readonly fraction: number | undefined;
}

/** What becomes of a column's values that its type here has not. */
interface RangedCells {
  readonly name: string;
  readonly nullable: boolean;
  readonly isDate: boolean;
  /** What stands for earlier and for later dates; undefined: NULL does. */
  readonly limits: { readonly low: Buffer; readonly high: Buffer } | undefined;
}

/** Bytes of a date that comes instead of another, at most. */
export const LONGEST_DATE = "9999-12-31 23:59:59.999999".length;

const NUMBERS = new Set(["float", "double", "decimal"]);
const YEAR_DIGITS = 4;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const CAPITAL_C = 0x43;

/**
 * Looks at the cells of one table, in the shared text form, that its columns may have no value for. Whoever puts another
 * in such a value's place counts it.
 */
export class RangeRule {
  readonly #plan: TablePlan;
  /** By the number that instead() is asked with. */
  readonly #columns: readonly (RangedCells | undefined)[];

  private constructor(plan: TablePlan, columns: readonly (RangedCells | undefined)[]) {
    this.#plan = plan;
    this.#columns = columns;
  }

  /**
   * Undefined when no column needs it, or the server is to refuse what it has not. `columns`: ordinals with what the
   * target has there; their places are what instead() is asked with.
   */
  static for(
    plan: TablePlan,
    columns: readonly (readonly [ordinal: number, there: RangedColumn | undefined])[],
    choices: OutOfRange,
  ): RangeRule | undefined {
    const cells = columns.map(([ordinal, there]) => {
      const { name, nullable } = plan.target.columns[ordinal]!;
      const kind = rangedKind(plan.source.columns[ordinal]!.type, there?.dataType ?? "");
      if (kind === undefined || choices[kind] === "error") return undefined;
      const limits = choices[kind] === "limit" ? limitsOf(there!) : undefined;
      return { name, nullable, isDate: kind === "dates", limits };
    });
    return cells.some((cell) => cell !== undefined) ? new RangeRule(plan, cells) : undefined;
  }

  checks(column: number): boolean {
    return this.#columns[column] !== undefined;
  }

  /**
   * What comes instead of a cell: null for NULL, undefined when the column has the value. Texts that come instead are no
   * longer than any date. Throws `target.value_out_of_range` for NULL in a column that takes none.
   */
  instead(column: number, bytes: Uint8Array, start: number, end: number): Buffer | null | undefined {
    const cells = this.#columns[column];
    if (cells === undefined) return undefined;
    const side = cells.isDate ? sideOfDate(bytes, start, end) : sideOfNumber(bytes, start);
    if (side === 0) return undefined;
    if (cells.limits !== undefined) return side < 0 ? cells.limits.low : cells.limits.high;
    if (cells.nullable) return null;
    const { id } = this.#plan.source;
    throw new MigrationError("target.value_out_of_range", {
      message: `The column ${cells.name} would be NULL for a value that its type here has not, and takes none.`,
      subject: displayTable(id),
      table: id,
    });
  }
}

/** Which of a source's values a column of the target's type may not have; undefined when it has all, or is not looked at. */
export function rangedKind(type: LogicalType, dataType: string): keyof OutOfRange | undefined {
  if (type.kind === "float" || type.kind === "decimal") return NUMBERS.has(dataType) ? "numbers" : undefined;
  if (type.kind !== "date" && type.kind !== "timestamp") return undefined;
  return dataType === "date" || dataType === "datetime" ? "dates" : undefined;
}

function limitsOf({ dataType, fraction = 0 }: RangedColumn): RangedCells["limits"] {
  if (dataType === "date") return { low: Buffer.from("0001-01-01"), high: Buffer.from("9999-12-31") };
  const behind = fraction === 0 ? "" : `.${"9".repeat(fraction)}`;
  return { low: Buffer.from("0001-01-01 00:00:00"), high: Buffer.from(`9999-12-31 23:59:59${behind}`) };
}

/** 0: a number; else it is none, or infinite. */
function sideOfNumber(bytes: Uint8Array, start: number): number {
  const first = bytes[start] === MINUS ? bytes[start + 1]! : bytes[start]!;
  return first >= ZERO && first <= NINE ? 0 : 1;
}

/** -1 for a date before the year 1 or -infinity, 1 for one after the year 9999 or infinity. */
function sideOfDate(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  if (first === MINUS) return -1;
  if (first < ZERO || first > NINE) return 1;
  if (bytes[end - 1] === CAPITAL_C && bytes[end - 3] === SPACE) return -1;
  return bytes[start + YEAR_DIGITS] === MINUS ? 0 : 1;
}

/** What is said of `count` values that have come as others. */
export function outOfRangeText({ dates }: OutOfRange): (count: number) => string {
  const instead = dates === "limit" ? "as NULL or as the limit of the type" : "as NULL";
  return (count) =>
    `${count} values that the types here have not, NaN or dates out of range, came ${instead}.`;
}

/** What is told before the start of the columns that may meet such values. */
export function rangeNote(kind: keyof OutOfRange, choices: OutOfRange): string {
  const what =
    kind === "numbers"
      ? "NaN and infinite values, which numbers here have not,"
      : "Infinite dates and those of years before 1 and after 9999, which the types here have not,";
  switch (choices[kind]) {
    case "null":
      return `${what} become NULL, or set their table aside where a column takes none`;
    case "limit":
      return `${what} become the first or last date that the column has`;
    default:
      return `${what} are refused and set their table aside`;
  }
}
