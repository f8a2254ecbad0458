import { createHash } from "node:crypto";
import {
  type ColumnOrigin,
  type MigrationPlan,
  originsOf,
  readTable,
  type TablePlan,
  withTable,
} from "../../core/plan.ts";
import { type Column, tableKey } from "../../core/schema.ts";
import type { RuleDigests } from "../../core/table-shape.ts";

/** The plan with what its rules make of each table in the tables' shapes, for the journal to keep. */
export function withRuleDigests(tables: MigrationPlan["tables"]): MigrationPlan["tables"] {
  return tables.map((plan) => {
    const { shape } = readTable(plan);
    return shape === undefined ? plan : withTable(plan, { shape: { ...shape, rules: ruleDigests(plan) } });
  });
}

/**
 * What rules make of a table, with columns by their numbers, which no statement changes. What is digested are the rules' own
 * words and the names of types, not how this version carries them out: a later one has to come to the same.
 */
export function ruleDigests(plan: TablePlan): RuleDigests {
  const { source, target } = plan;
  const numbers = numbersOf(plan);
  const nameAt = (ordinal: number): NamedNumber => {
    const { name } = readTable(plan).columns[ordinal]!;
    return [name, numbers.get(name) ?? -1];
  };
  const columns = new Map([...numbers.values()].map((number) => [number, LEFT_OUT]));
  const names: Record<string, string> = {};
  const made: Record<string, string> = {};
  for (const [i, origin] of originsOf(plan).entries()) {
    const column = target.columns[i]!;
    const number = ownNumber(origin, plan, numbers);
    if (number === undefined) {
      made[column.name] = digest(madeText(origin, column, nameAt));
      continue;
    }
    const how = treatment(origin, column);
    if (how === undefined) columns.delete(number);
    else columns.set(number, digest(how));
    if (column.name !== source.columns[i]!.name) names[number] = digest(column.name);
  }
  const filter = plan.rows?.filter?.map((clause) => {
    const conditions = clause.map((one) => [
      numberAt(plan, numbers, one.column),
      sortedTexts(one.conditions),
    ]);
    return sortedTexts(conditions);
  });
  return {
    ...(tableKey(target.id) === tableKey(source.id) ? {} : { table: digest(tableKey(target.id)) }),
    ...{ columns: Object.fromEntries(columns), names, made },
    ...(filter === undefined ? {} : { filter: digest(sortedTexts(filter)) }),
  };
}

/** Of a column that does not come. */
const LEFT_OUT = digest("left out");

type Numbers = ReadonlyMap<string, number>;
/** A name in a rule, and the column that it stands for. */
type NamedNumber = readonly [name: string, number: number];

function numbersOf(plan: TablePlan): Numbers {
  return new Map(readTable(plan).shape?.columns.map(({ name, number }) => [name, number]));
}

function numberAt(plan: TablePlan, numbers: Numbers, ordinal: number): number {
  return numbers.get(readTable(plan).columns[ordinal]!.name) ?? -1;
}

/** The number of the column that comes, perhaps masked or as another type; undefined for one that rules add. */
function ownNumber(origin: ColumnOrigin, plan: TablePlan, numbers: Numbers): number | undefined {
  if (origin.kind === "column") return numberAt(plan, numbers, origin.ordinal);
  if (origin.kind === "before" || origin.expression.text !== undefined) return undefined;
  // What no rule has written makes another type of one column's values.
  for (const input of origin.expression.inputs) {
    if (input.kind === "column") return numberAt(plan, numbers, input.ordinal);
  }
  return undefined;
}

/** Undefined for a column that comes as it is. */
function treatment(origin: ColumnOrigin, { type, typedByRule }: Column): unknown {
  const mask = origin.kind === "before" ? undefined : origin.mask;
  const cut = cutOf(origin);
  if (mask === undefined && typedByRule !== true && cut.length === 0) return undefined;
  return [mask ?? null, typedByRule === true ? type : null, ...cut];
}

function madeText(origin: ColumnOrigin, { type }: Column, nameAt: (ordinal: number) => NamedNumber): unknown {
  if (origin.kind !== "expression") return [origin.kind, nameAt(origin.ordinal)[1], type, ...cutOf(origin)];
  const { expression, mask = null } = origin;
  const inputs = expression.inputs.flatMap((input) =>
    input.kind === "column" || input.kind === "before" ? [[input.kind, nameAt(input.ordinal)]] : [],
  );
  return [expression.text ?? expression.sql, sortedTexts(inputs), mask, type];
}

/** Left out where values come whole, as it was when none were cut off. */
function cutOf(origin: ColumnOrigin): readonly number[] {
  return origin.kind === "expression" || origin.cut === undefined ? [] : [origin.cut];
}

/** In an order that does not depend on that of the rules. */
function sortedTexts(parts: readonly unknown[]): readonly string[] {
  return [...new Set(parts.map(canonicalText))].toSorted();
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonicalText(value)).digest("hex").slice(0, 16);
}

/** JSON whose members are in the order of their names. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
