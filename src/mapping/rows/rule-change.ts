import { readTable, type TablePlan } from "../../core/plan.ts";
import type { RuleDigests, TableShape } from "../../core/table-shape.ts";
import { isLargeObject } from "../document/data-types.ts";
import { ruleDigests } from "./rule-digests.ts";

/**
 * What the same rules make of a table has become something else for columns that it had before, since rules go by names:
 * a value that was masked or left out would come as it is. Follows "The table"; undefined when nothing has.
 */
export function ruleChange(from: TablePlan, to: TablePlan): string | undefined {
  const before = ruleDigests(from);
  const after = ruleDigests(to);
  const known = new Set(readTable(from).shape?.columns.map(({ number }) => number));
  for (const { number, name } of readTable(to).shape?.columns ?? []) {
    if (known.has(number) && before.columns[number] !== after.columns[number] && !isGrown(number, from, to)) {
      return `has its column ${name} treated in another way by the table mappings, which go by names`;
    }
  }
  if (before.filter !== after.filter) return "has other columns that the table mappings filter by";
  if (JSON.stringify(before.made) !== JSON.stringify(after.made))
    return "has other columns that expressions of the table mappings are made of";
  return undefined;
}

/** A column whose values are cut off now, and which held none before that could be. */
function isGrown(number: number, from: TablePlan, to: TablePlan): boolean {
  const { columns, shape } = readTable(from);
  const name = shape?.columns.find((column) => column.number === number)?.name;
  const column = columns.find((one) => one.name === name);
  if (column === undefined || isLargeObject(column)) return false;
  return ruleDigests(from).columns[number] === ruleDigests(withoutCuts(to)).columns[number];
}

function withoutCuts(plan: TablePlan): TablePlan {
  if (plan.rows === undefined) return plan;
  const columns = plan.rows.columns.map((origin) => {
    if (origin.kind === "expression") return origin;
    const { cut: _cut, ...whole } = origin;
    return whole;
  });
  return { ...plan, rows: { ...plan.rows, columns } };
}

/**
 * How other rules than those that a table's rows were made by act on it; undefined when these are the same, or nothing is known
 * of them. Follows "they". Columns that only one of the shapes has say nothing about the rules.
 */
export function rulesChange(known: TableShape, now: TableShape): string | undefined {
  const { rules: before } = known;
  const { rules: after } = now;
  if (before === undefined || after === undefined) return undefined;
  if (before.table !== after.table) return "give the table another name on the target";
  const present = new Map(now.columns.map(({ number, name }) => [number, name]));
  const kept = known.columns.filter(({ number, since }) => since !== "left-out" && present.has(number));
  for (const { number } of kept) {
    const name = present.get(number)!;
    if (before.columns[number] !== after.columns[number]) return `treat the column ${name} in another way`;
    if (before.names[number] !== after.names[number]) return `give the column ${name} another name`;
  }
  if (before.filter !== after.filter) return "filter its rows in another way";
  return madeChange(before, after, now.columns.length === known.columns.length);
}

/** Of columns that are new on the source the same rules may make new ones. */
function madeChange(
  { made: before }: RuleDigests,
  { made: after }: RuleDigests,
  hasSameColumns: boolean,
): string | undefined {
  const other = Object.keys(before).find((name) => before[name] !== after[name]);
  if (other !== undefined) return `make the column ${other} in another way, or no longer`;
  const added = hasSameColumns ? Object.keys(after).find((name) => before[name] === undefined) : undefined;
  return added === undefined ? undefined : `add the column ${added}`;
}
