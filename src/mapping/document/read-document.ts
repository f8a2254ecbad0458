import { parseJson } from "../../base/json-text.ts";
import type { TableMappings } from "../rules.ts";
import { addColumnRule } from "./column-rules.ts";
import { pattern } from "./locators.ts";
import { nameChange } from "./name-change.ts";
import { documentError, isJsonObject, jsonKind, RuleReader } from "./rule-reader.ts";
import { selectionRule } from "./selection-rules.ts";
import { keyRule, tableSettingsRule } from "./table-rules.ts";

/** Rule types and targets of DMS that mean nothing to the targets of this version, and why. */
const OTHER_RULE_TYPES: Readonly<Record<string, string>> = {
  validation:
    "Rules of the rule-type validation are for the validation of rows, which this version does not have.",
  "object-mapping":
    "Rules of the rule-type object-mapping are for targets of documents and streams, and there are none here.",
  "post-processing":
    "Rules of the rule-type post-processing are for files on S3, and there is no such target here.",
};
const TABLESPACE_TARGETS = ["table-tablespace", "index-tablespace"];

type Rules = { readonly [List in keyof TableMappings]: TableMappings[List][number][] };

/**
 * The rules of a table mappings document. Throws `mapping.malformed` for what is not well formed and
 * `mapping.unsupported` for what has no meaning here; both name the rule and the member.
 */
export function readDocument(document: string): TableMappings {
  const rules: Rules = {
    ...{ selections: [], schemaRules: [], tableRules: [], columnRules: [] },
    ...{ addedColumns: [], beforeImages: [], keyRules: [], tableSettings: [] },
  };
  const ids = new Set<number>();
  rulesOf(document).forEach((rule, index) => {
    const reader = new RuleReader(rule, index + 1);
    const id = reader.id();
    if (ids.has(id)) throw reader.malformed("rule-id", "Another rule has the same rule-id.");
    ids.add(id);
    checkRuleName(reader);
    addRule(reader, id, rules);
  });
  if (!rules.selections.some((rule) => rule.action !== "exclude")) {
    throw documentError("At least one selection rule that includes tables is needed.");
  }
  for (const list of Object.values(rules)) list.sort((a, b) => a.id - b.id);
  return rules;
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

function addRule(reader: RuleReader, id: number, rules: Rules): void {
  const type = reader.text("rule-type");
  switch (type) {
    case "selection":
      rules.selections.push(selectionRule(reader, id));
      return;
    case "transformation":
      addTransformation(reader, id, rules);
      return;
    case "table-settings":
      rules.tableSettings.push(tableSettingsRule(reader, id));
      return;
  }
  if (Object.hasOwn(OTHER_RULE_TYPES, type)) throw reader.refused("rule-type", OTHER_RULE_TYPES[type]!);
  throw reader.malformed(
    "rule-type",
    `"${type}" is not a rule-type; use selection, transformation or table-settings.`,
  );
}

function addTransformation(reader: RuleReader, id: number, rules: Rules): void {
  const target = reader.text("rule-target");
  if (TABLESPACE_TARGETS.includes(target)) {
    throw reader.refused("rule-target", `The rule-target "${target}" is of Oracle, which is no target here.`);
  }
  switch (target) {
    case "column":
      addColumnRule(reader, id, rules);
      return;
    case "table":
    case "schema":
      addTableRule(reader, id, { target, rules });
      return;
  }
  throw reader.malformed("rule-target", `"${target}" is not a rule-target; use schema, table or column.`);
}

interface TableTransformation {
  readonly target: "schema" | "table";
  readonly rules: Rules;
}

function addTableRule(reader: RuleReader, id: number, { target, rules }: TableTransformation): void {
  const action = reader.text("rule-action");
  if (target === "table" && action === "define-primary-key") {
    rules.keyRules.push(keyRule(reader, id));
    return;
  }
  const change = nameChange(reader, action);
  if (change === undefined) {
    throw reader.malformed("rule-action", `"${action}" is not a rule-action for the rule-target ${target}.`);
  }
  const schema = pattern(reader, "schema-name");
  if (target === "schema") rules.schemaRules.push({ id, schema, change });
  else rules.tableRules.push({ id, schema, table: pattern(reader, "table-name"), change });
  reader.finish();
}
