import {
  type ColumnOrigin,
  type FilterCondition,
  type ParallelLoad,
  type RowFilter,
  readTable,
  type TablePlan,
} from "../core/plan.ts";
import type { Column, TableSchema } from "../core/schema.ts";

/** What becomes of a column, in words. */
export interface ColumnWords {
  /** Undefined for a column that only the target has. */
  readonly source: string | undefined;
  readonly sourceType: string | undefined;
  /** Undefined for a column that stays behind. */
  readonly target: string | undefined;
  readonly targetType: string | undefined;
  /** Empty for a column that comes as it is. */
  readonly what: string;
}

/** All columns of a table: those that come in the target's order, then those that stay behind. */
export function columnWords(plan: TablePlan): readonly ColumnWords[] {
  const reads = readTable(plan);
  const origins =
    plan.rows?.columns ?? reads.columns.map((_, ordinal): ColumnOrigin => ({ kind: "column", ordinal }));
  const coming = plan.target.columns.map((target, i): ColumnWords => {
    const origin = origins[i]!;
    const own = origin.kind === "column" ? reads.columns[origin.ordinal]! : retypedFrom(plan, i);
    return {
      ...{ source: own?.name, sourceType: own?.nativeType },
      ...{ target: target.name, targetType: typeText(target) },
      what: [
        ...[nameWords(own, target), typeWords(own, target)],
        ...[originWords(origin, own, reads), cutWords(origin)],
      ]
        .filter((words) => words !== "")
        .join("; "),
    };
  });
  const there = new Set(coming.map(({ source }) => source));
  const left = reads.columns
    .filter(({ name }) => !there.has(name))
    .map(({ name, nativeType }): ColumnWords => {
      return {
        source: name,
        sourceType: nativeType,
        target: undefined,
        targetType: undefined,
        what: "stays behind",
      };
    });
  return [...coming, ...left];
}

/** The source's column whose values an expression puts into another type; undefined for one that a rule adds. */
function retypedFrom({ source, rows }: TablePlan, ordinal: number): Column | undefined {
  const origin = rows?.columns[ordinal];
  if (origin?.kind !== "expression") return undefined;
  const [input] = origin.expression.inputs;
  const own = input?.kind === "column" ? rows!.reads.columns[input.ordinal] : undefined;
  return own?.name === source.columns[ordinal]!.name ? own : undefined;
}

/** Before a target has named a type that a rule gives, it is one of DMS. */
function typeText({ nativeType, type }: Column): string {
  return nativeType === "" ? logicalText(type) : nativeType;
}

function logicalText(type: Column["type"]): string {
  switch (type.kind) {
    case "int":
      return `${type.unsigned ? "unsigned " : ""}integer of ${type.bits} bits`;
    case "float":
      return `float of ${type.bits} bits`;
    case "string":
      return type.maxChars === undefined ? "text" : `text of ${type.maxChars} characters`;
    case "decimal":
      return type.precision === undefined ? "decimal" : `decimal(${type.precision},${type.scale ?? 0})`;
    default:
      return type.kind;
  }
}

function nameWords(own: Column | undefined, target: Column): string {
  return own === undefined || own.name === target.name ? "" : "renamed";
}

function typeWords(own: Column | undefined, { typedByRule }: Column): string {
  return own !== undefined && typedByRule === true ? "another type" : "";
}

function cutWords(origin: ColumnOrigin): string {
  if (origin.kind === "expression" || origin.cut === undefined) return "";
  return `at most ${origin.cut / 1024} KB`;
}

function originWords(origin: ColumnOrigin, own: Column | undefined, reads: TableSchema): string {
  if (origin.kind === "before") return `${reads.columns[origin.ordinal]!.name} before an update`;
  if (origin.kind === "expression" && own === undefined) {
    return `added; ${origin.expression.text ?? "NULL in every row"}`;
  }
  switch (origin.mask?.kind) {
    case "hash":
      return "masked; SHA-256";
    case "digits":
      return `masked; digits become ${String.fromCharCode(origin.mask.by)}`;
    case "random-digits":
      return "masked; digits become others at random";
    case undefined:
      return "";
  }
}

/** The target's primary key; undefined where it is the source's. */
export function keyWords(plan: TablePlan, columns: readonly ColumnWords[]): string | undefined {
  const names = new Map(columns.map(({ source, target }) => [source, target]));
  const own = primaryKey(readTable(plan))?.map((name) => names.get(name));
  const there = primaryKey(plan.target);
  if (own?.join("\0") === there?.join("\0")) return undefined;
  return there === undefined ? "no primary key" : `primary key ${there.join(", ")}`;
}

function primaryKey({ indexes }: TableSchema): readonly string[] | undefined {
  return indexes.find(({ constraint }) => constraint === "primary-key")?.columns;
}

/** How a rule parts the table for its full load; undefined where none does. */
export function loadWords(load: ParallelLoad | undefined): string | undefined {
  switch (load?.type) {
    case undefined:
      return undefined;
    case "none":
      return "loaded as a whole";
    case "partitions-auto":
      return "loaded by its partitions";
    case "partitions-list":
      return `loaded by ${[...load.partitions, ...load.subpartitions].join(", ")} and the rest`;
    case "ranges":
      return `loaded in ${load.boundaries.length + 1} ranges of ${load.columns.join(", ")}`;
  }
}

/** Which rows come; undefined for all. */
export function filterWords(filter: RowFilter | undefined, { columns }: TableSchema): string | undefined {
  if (filter === undefined) return undefined;
  const clauses = filter.map((clause) =>
    clause.map(({ column, conditions }) => {
      const texts = conditions.map((condition) => conditionText(columns[column]!.name, condition));
      return texts.length === 1 ? texts[0]! : `(${texts.join(" or ")})`;
    }),
  );
  return clauses.map((parts) => parts.join(" and ")).join(", or ");
}

const SIGNS = { eq: "=", noteq: "<>", lte: "<=", gte: ">=" } as const;

function conditionText(column: string, condition: FilterCondition): string {
  switch (condition.operator) {
    case "null":
      return `${column} is null`;
    case "notnull":
      return `${column} is not null`;
    case "between":
    case "notbetween": {
      const not = condition.operator === "between" ? "" : "not ";
      return `${column} ${not}between '${condition.from}' and '${condition.to}'`;
    }
    default:
      return `${column} ${SIGNS[condition.operator]} '${condition.value}'`;
  }
}
