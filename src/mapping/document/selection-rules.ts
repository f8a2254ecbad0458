import type { MigrationError } from "../../core/error.ts";
import type { FilterCondition } from "../../core/plan.ts";
import type { SelectionRule, SourceFilter } from "../rules.ts";
import { exactName, LARGEST_NUMBER, pattern } from "./locators.ts";
import type { MemberReader, RuleReader } from "./rule-reader.ts";
import { filterOperators, selectionActions, tableTypes } from "./vocabulary.ts";

/** What DMS allows in a filter by itself only: with others beside it, nearly every row would be taken. */
const NEGATIVE: readonly FilterCondition["operator"][] = ["noteq", "notbetween", "notnull"];

export function selectionRule(reader: RuleReader, id: number): SelectionRule {
  const action = reader.choice("rule-action", selectionActions);
  if (action === undefined) {
    throw reader.malformed(
      "rule-action",
      "rule-action of a selection rule must be include, exclude or explicit.",
    );
  }
  const isExact = action === "explicit";
  const rule: SelectionRule = {
    id,
    action,
    schema: isExact ? exactName(reader, "schema-name", EXPLICIT) : pattern(reader, "schema-name"),
    table: isExact ? exactName(reader, "table-name", EXPLICIT) : pattern(reader, "table-name"),
    namesTable: isExact || !reader.locator().text("table-name").includes("%"),
    tableType: tableType(reader),
    loadOrder: reader.wholeNumber("load-order", 0, LARGEST_NUMBER),
    filters: reader.parts("filters").map(sourceFilter),
  };
  if (action === "exclude") refuseForIncluded(reader, rule);
  reader.finish();
  return rule;
}

const EXPLICIT = {
  reason: "Exact schema and table name required when using an explicit rule",
  remedy: 'Write the exact name, or use "include", where [%] is a literal percent sign.',
};

function tableType(reader: RuleReader): SelectionRule["tableType"] {
  const given = reader.locator().optional("table-type") ?? "table";
  const type = tableTypes.find((known) => known === given);
  if (type !== undefined) return type;
  throw reader.locator().malformed("table-type", "table-type must be table, view or all.");
}

/** What says how tables come says nothing in a rule by which they do not. */
function refuseForIncluded(reader: RuleReader, { filters, loadOrder = 0 }: SelectionRule): void {
  const refused = (member: string, what: string): MigrationError =>
    reader.malformed(member, `${what}; this rule excludes tables.`);
  if (filters.length > 0) throw refused("filters", "filters say which rows of included tables come");
  if (loadOrder > 0) throw refused("load-order", "load-order says how early included tables are loaded");
}

function sourceFilter(reader: MemberReader): SourceFilter {
  if (reader.choice("filter-type", ["source"]) === undefined) {
    throw reader.malformed("filter-type", 'filter-type must be "source".');
  }
  const column = reader.text("column-name");
  const conditions = reader.parts("filter-conditions").map(filterCondition);
  if (conditions.length === 0) {
    throw reader.malformed("filter-conditions", "A filter needs at least one condition.");
  }
  const negative = conditions.find(({ operator }) => NEGATIVE.includes(operator));
  if (negative !== undefined && conditions.length > 1) {
    throw reader.malformed(
      "filter-conditions",
      `A filter with the operator ${negative.operator} may have no other condition.`,
      "Put the other conditions into a filter of its own: rows have to satisfy every filter.",
    );
  }
  reader.finish();
  return { column, conditions };
}

function filterCondition(reader: MemberReader): FilterCondition {
  const operator = reader.choice("filter-operator", filterOperators);
  if (operator === undefined) {
    throw reader.malformed(
      "filter-operator",
      `filter-operator must be one of ${filterOperators.join(", ")}.`,
    );
  }
  const condition = conditionOf(operator, reader);
  reader.finish();
  return condition;
}

function conditionOf(operator: (typeof filterOperators)[number], reader: MemberReader): FilterCondition {
  switch (operator) {
    case "null":
    case "notnull":
      return { operator };
    case "between":
    case "notbetween":
      return { operator, from: reader.scalar("start-value"), to: reader.scalar("end-value") };
    case "ste":
      return { operator: "lte", value: reader.scalar("value") };
    default:
      return { operator, value: reader.scalar("value") };
  }
}
