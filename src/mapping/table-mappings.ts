import { parseJson } from "../base/json-text.ts";
import { documentError, isJsonObject, jsonKind, RuleReader } from "./rule-reader.ts";
import type { NameChange, SchemaRule, SelectionRule, TableMappings, TableRule } from "./rules.ts";
import { compileWildcard, isPlainName, type NameMatcher, wildcardFault } from "./wildcard.ts";

const LARGEST_LOAD_ORDER = 2_147_483_647;

/** Rule types of DMS beside selection and transformation; known in order to refuse them by name. */
const OTHER_RULE_TYPES = ["table-settings", "validation", "object-mapping", "post-processing"];
const COLUMN_TARGETS = ["column", "table-tablespace", "index-tablespace"];
const OTHER_TABLE_ACTIONS = ["define-primary-key"];

/**
 * Reads a DMS table mappings document (JSON text, `{"rules": [...]}`).
 * Throws `mapping.malformed` for what is not well formed and `mapping.unsupported` for what DMS has
 * and Tideway has not; both name the rule and the member.
 */
export function parseTableMappings(document: string): TableMappings {
  const rules = rulesOf(document);
  const ids = new Set<number>();
  const selections: SelectionRule[] = [];
  const schemaRules: SchemaRule[] = [];
  const tableRules: TableRule[] = [];
  rules.forEach((rule, index) => {
    const reader = new RuleReader(rule, index + 1);
    const id = reader.id();
    if (ids.has(id)) throw reader.malformed("rule-id", "Another rule has the same rule-id.");
    ids.add(id);
    checkRuleName(reader);
    const type = reader.text("rule-type");
    if (type === "selection") selections.push(selectionRule(reader, id));
    else if (type === "transformation") addTransformation(reader, id, { schemaRules, tableRules });
    else if (OTHER_RULE_TYPES.includes(type))
      throw reader.unsupported("rule-type", `The rule-type "${type}"`);
    else
      throw reader.malformed("rule-type", `"${type}" is not a rule-type; use selection or transformation.`);
  });
  if (!selections.some((rule) => rule.action !== "exclude")) {
    throw documentError("At least one selection rule that includes tables is needed.");
  }
  const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id;
  return {
    selections: selections.toSorted(byId),
    schemaRules: schemaRules.toSorted(byId),
    tableRules: tableRules.toSorted(byId),
  };
}

function rulesOf(document: string): readonly unknown[] {
  const json = parseJson(document);
  if (!json.valid) throw documentError(`The document is not JSON (${json.place}).`);
  const parsed = json.value;
  if (!isJsonObject(parsed)) throw documentError(`The document must be an object, not ${jsonKind(parsed)}.`);
  const other = Object.keys(parsed).find((member) => member !== "rules" && parsed[member] !== null);
  if (other !== undefined) throw documentError(`The document has a member "${other}" beside "rules".`);
  if (!Array.isArray(parsed.rules)) {
    throw documentError(`"rules" must be a list, not ${jsonKind(parsed.rules)}.`);
  }
  return parsed.rules;
}

/** rule-name is free text and means nothing to Tideway. */
function checkRuleName(reader: RuleReader): void {
  const name = reader.optional("rule-name");
  if (name === undefined || typeof name === "string" || typeof name === "number") return;
  throw reader.malformed("rule-name", `rule-name must be a text, not ${jsonKind(name)}.`);
}

function selectionRule(reader: RuleReader, id: number): SelectionRule {
  const action = reader.choice("rule-action", ["include", "exclude", "explicit"]);
  if (action === undefined) {
    throw reader.malformed(
      "rule-action",
      "rule-action of a selection rule must be include, exclude or explicit.",
    );
  }
  const filters = reader.optional("filters");
  if (filters !== undefined && !(Array.isArray(filters) && filters.length === 0)) {
    throw reader.unsupported("filters", "A source filter");
  }
  checkTableType(reader);
  const rule: SelectionRule = {
    id,
    action,
    schema: action === "explicit" ? exactName(reader, "schema-name") : pattern(reader, "schema-name"),
    table: action === "explicit" ? exactName(reader, "table-name") : pattern(reader, "table-name"),
    everyTable: action !== "explicit" && /^%+$/u.test(reader.locatorText("table-name")),
    loadOrder: loadOrder(reader),
  };
  reader.finish(["schema-name", "table-name", "table-type"]);
  return rule;
}

function checkTableType(reader: RuleReader): void {
  const type = reader.locator()["table-type"];
  if (type === undefined || type === null || type === "table") return;
  if (type === "view" || type === "all") {
    throw reader.unsupported("object-locator.table-type", `The table-type "${type}"`);
  }
  throw reader.malformed("object-locator.table-type", "table-type must be table, view or all.");
}

function loadOrder(reader: RuleReader): number | undefined {
  const value = reader.optional("load-order");
  if (value === undefined) return undefined;
  const order = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof order === "number" && Number.isInteger(order) && order >= 0 && order <= LARGEST_LOAD_ORDER) {
    return order;
  }
  throw reader.malformed("load-order", `load-order must be a whole number from 0 to ${LARGEST_LOAD_ORDER}.`);
}

function pattern(reader: RuleReader, member: string): NameMatcher {
  const text = reader.locatorText(member);
  const fault = wildcardFault(text);
  if (fault === undefined) return compileWildcard(text);
  throw reader.malformed(`object-locator.${member}`, `In object-locator.${member} ${fault}.`);
}

/** `_` is taken as itself here: an explicit rule has no wildcards, and most names hold one. */
function exactName(reader: RuleReader, member: string): NameMatcher {
  const text = reader.locatorText(member);
  if (isPlainName(text)) return (name) => name === text;
  throw reader.malformed(
    `object-locator.${member}`,
    `Exact schema and table name required when using an explicit rule; object-locator.${member} has a wildcard.`,
    'Write the exact name, or use "include", where [%] is a literal percent sign.',
  );
}

function addTransformation(
  reader: RuleReader,
  id: number,
  into: { readonly schemaRules: SchemaRule[]; readonly tableRules: TableRule[] },
): void {
  const target = reader.text("rule-target");
  if (COLUMN_TARGETS.includes(target)) throw reader.unsupported("rule-target", `The rule-target "${target}"`);
  if (target !== "schema" && target !== "table") {
    throw reader.malformed("rule-target", `"${target}" is not a rule-target; use schema or table.`);
  }
  const change = nameChange(reader, target);
  if (target === "schema") {
    into.schemaRules.push({ id, schema: pattern(reader, "schema-name"), change });
    reader.finish(["schema-name"]);
  } else {
    const schema = pattern(reader, "schema-name");
    into.tableRules.push({ id, schema, table: pattern(reader, "table-name"), change });
    reader.finish(["schema-name", "table-name"]);
  }
}

function nameChange(reader: RuleReader, target: "schema" | "table"): NameChange {
  const action = reader.text("rule-action");
  // The DMS console leaves these at actions that have no use for them.
  reader.optional("value");
  reader.optional("old-value");
  switch (action) {
    case "convert-lowercase":
    case "convert-uppercase":
      return { action };
    case "rename":
      if (reader.optional("expression") !== undefined)
        throw reader.unsupported("expression", "A rename by expression");
      return { action, value: reader.text("value") };
    case "add-prefix":
    case "remove-prefix":
    case "add-suffix":
    case "remove-suffix":
      return { action, value: reader.text("value") };
    case "replace-prefix":
    case "replace-suffix":
      return { action, oldValue: reader.text("old-value"), value: reader.text("value") };
  }
  if (target === "table" && OTHER_TABLE_ACTIONS.includes(action)) {
    throw reader.unsupported("rule-action", `The rule-action "${action}"`);
  }
  throw reader.malformed("rule-action", `"${action}" is not a rule-action for the rule-target ${target}.`);
}
