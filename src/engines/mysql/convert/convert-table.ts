import { type TablePlan, withSentColumns } from "../../../core/plan.ts";
import { type Column, displayTable, type TableSchema } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { binaryCollation } from "../catalog/ddl.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { type OutOfRange, rangedKind, rangeNote } from "../values/out-of-range.ts";
import { convertDefault } from "./convert-default.ts";
import { convertExpression, type ExpressionContext } from "./convert-expression.ts";
import { limitKeyColumns, tooWide, wholeKeys } from "./convert-keys.ts";
import { type MysqlType, mysqlType } from "./convert-type.ts";
import { type ExpressionColumn, expressionColumn, type Value } from "./expression-values.ts";

const MOST_COLUMNS = 1017;

export interface TableContext {
  readonly facts: ServerFacts;
  readonly choices: OutOfRange;
  readonly notes: ConvertNotes;
  /** Columns of this table that foreign keys of others refer to, for each of those. */
  readonly referenced: readonly (readonly string[])[];
  /** Columns that draw from a sequence of their own. */
  readonly counters: ReadonlySet<string>;
}

export interface ConvertedTable {
  readonly plan: TablePlan;
  readonly types: ReadonlyMap<string, MysqlType>;
  /** What expressions of the source may be about. */
  readonly expressions: ExpressionContext;
}

/** A table of another kind of database with columns of types that MySQL has; checks, indexes and the like are as they were. */
export function convertTable(plan: TablePlan, context: TableContext): ConvertedTable {
  const { facts, choices, notes } = context;
  const { source, target } = plan;
  const types = fittingTypes(plan, context);
  const expressions = expressionContext(plan, types, context);
  const columns = target.columns.map((column) => {
    const type = types.get(column.name)!;
    if (type.note !== undefined) {
      const before = source.columns[target.columns.indexOf(column)]!.nativeType;
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        code: "convert.type",
        severity: type.note.severity,
        subject: `${before} to ${type.native}`,
        message: `Columns of the type ${before} become ${type.native}: ${type.note.text}`,
      });
    }
    const kind = rangedKind(column.type, /^[a-z]+/.exec(type.native)![0]);
    if (kind !== undefined) {
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        ...{ code: "target.value_out_of_range", severity: "info", subject: kind },
        message: rangeNote(kind, choices),
      });
    }
    return convertColumn(column, { table: plan, type, expressions, context });
  });
  if (columns.length > MOST_COLUMNS || columns.length === 0) {
    notes.about(source, "convert.type", `A table cannot have ${columns.length} columns here.`, "error");
  }
  const { comment, ...rest } = target;
  const table: TableSchema = {
    ...rest,
    columns: withOneCounter(columns, { plan, facts, notes }),
    ...(comment === undefined ? {} : { comment }),
  };
  const sending = withSentColumns(plan, (i) => isSent(source.columns[i]!, columns[i]!));
  return { plan: { ...sending, target: table }, types, expressions };
}

function expressionContext(
  { source, target }: TablePlan,
  types: ReadonlyMap<string, MysqlType>,
  { facts, counters }: TableContext,
): ExpressionContext {
  const columns = source.columns.flatMap((column, i) => {
    const { name } = target.columns[i]!;
    // No expression may be about a counter.
    if (column.identity !== undefined || counters.has(name)) return [];
    return [[name, expressionColumn(column, name, types.get(name)!)] as const];
  });
  return { columns: new Map(columns), exactTexts: binaryCollation(facts) !== "utf8mb4_bin" };
}

/** MariaDB computes no column from padded ones: whether their spaces show depends on the session. */
function computing({ columns, ...rest }: ExpressionContext, facts: ServerFacts): ExpressionContext {
  if (facts.flavour !== "mariadb") return { ...rest, columns };
  return { ...rest, columns: new Map([...columns].filter(([, { padded }]) => padded !== true)) };
}

/** Whether a column has every value of an expression just as it is. */
function holds({ kind, scale = 0 }: ExpressionColumn, value: Value): boolean {
  if (kind === "decimal") return value.whole !== undefined && value.scale! <= scale;
  return kind !== "other" && kind === value.kind;
}

/** Whether the target cannot compute a column, and the source sends its values. */
function isSent({ generated, sends }: Column, here: Column): boolean {
  return generated !== undefined && sends === true && here.generated === undefined;
}

/** Types of columns by name, such that keys and rows are not longer than they may be. */
function fittingTypes({ source, target }: TablePlan, context: TableContext): ReadonlyMap<string, MysqlType> {
  const { facts, notes, referenced } = context;
  const types = new Map(target.columns.map((column) => [column.name, mysqlType(column, facts)]));
  const keys = wholeKeys(target, referenced);
  const keyed = new Set(keys.flat());
  for (const [name, type] of limitKeyColumns(types, keys)) {
    types.set(name, type);
    const message = `The column ${name} stands in a key and becomes ${type.native}: what is longer is refused.`;
    notes.about(source, "convert.type", message);
  }
  const wide = tooWide(types, keyed);
  if (wide === undefined)
    notes.about(source, "convert.row_length", "A row is longer than it may be here.", "error");
  for (const name of wide ?? []) {
    types.set(name, { native: /binary/.test(types.get(name)!.native) ? "longblob" : "longtext" });
  }
  return types;
}

interface ColumnContext {
  readonly table: TablePlan;
  readonly type: MysqlType;
  readonly expressions: ExpressionContext;
  readonly context: TableContext;
}

function convertColumn(column: Column, { table, type, expressions, context }: ColumnContext): Column {
  const { notes, facts, counters } = context;
  const { source } = table;
  const {
    default: expression,
    generated,
    identity: _identity,
    collation: _collation,
    sends,
    virtual,
    ...rest
  } = column;
  const bare: Column = {
    ...rest,
    nativeType: type.native,
    ...(type.collation === undefined ? {} : { collation: type.collation }),
  };
  if (generated !== undefined) {
    const here = convertExpression(generated, computing(expressions, facts));
    const named = expressionColumn(column, column.name, type);
    if (here !== undefined && holds(named, here)) {
      return { ...bare, generated: here.sql, ...(virtual === true ? { virtual } : {}) };
    }
    if (sends === true) {
      const how = `The column ${column.name} is computed by the source as ${generated}; the column here holds the values.`;
      notes.about(source, "convert.generated", how);
      return bare;
    }
    const message = `The generated column ${column.name} has an expression that has no equal here, and the source does not send its values with changes: it is NULL.`;
    notes.about(source, "convert.generated", message, isNeeded(column, table) ? "error" : "warning");
    return { ...bare, nullable: true };
  }
  if (column.identity !== undefined || counters.has(column.name)) return { ...bare, identity: "by-default" };
  if (expression === undefined) return bare;
  const made = convertDefault(expression, column, { type, facts });
  if (made === "none") return bare;
  if (made !== undefined) return { ...bare, default: made };
  notes.together(`${displayTable(source.id)}.${column.name}`, {
    ...{ code: "convert.default", severity: "info", subject: "defaults" },
    message: "Defaults of columns have no equal here and are left out",
  });
  return bare;
}

/** Rows cannot do with NULL there. */
function isNeeded(column: Column, { source, target }: TablePlan): boolean {
  const isKey = source.key.some((ordinal) => target.columns[ordinal]?.name === column.name);
  return (
    isKey ||
    !column.nullable ||
    target.indexes.some(({ unique, columns }) => unique && columns?.includes(column.name) === true)
  );
}

interface CounterContext {
  readonly plan: TablePlan;
  readonly facts: ServerFacts;
  readonly notes: ConvertNotes;
}

/** A table may have one counter, whole numbers that are the first column of an index that is there from the start. */
function withOneCounter(columns: readonly Column[], { plan, notes }: CounterContext): readonly Column[] {
  const firsts = new Set(
    plan.target.indexes.filter(({ unique }) => unique).flatMap(({ columns: list }) => list?.[0] ?? []),
  );
  let isTaken = false;
  return columns.map((column) => {
    if (column.identity === undefined) return column;
    if (!isTaken && column.type.kind === "int" && firsts.has(column.name)) {
      isTaken = true;
      return column;
    }
    const message = `The column ${column.name} draws from a sequence, which only one column can that a unique index begins with: its default is left out.`;
    notes.about(plan.source, "convert.default", message);
    const { identity: _none, ...rest } = column;
    return rest;
  });
}
