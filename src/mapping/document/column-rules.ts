import type { Mask } from "../../core/plan.ts";
import type { AddColumnRule, BeforeImageRule, ColumnAction, ColumnRule, TableRuleBase } from "../rules.ts";
import { dataTypeNames, isDataTypeName, readDataType } from "./data-types.ts";
import { pattern } from "./locators.ts";
import { nameChange } from "./name-change.ts";
import type { RuleReader } from "./rule-reader.ts";
import { beforeImageFilters, columnActions, columnMakers } from "./vocabulary.ts";

/** Rules whose rule-target is column, by what they come to. */
export interface ColumnRules {
  readonly columnRules: ColumnRule[];
  readonly addedColumns: AddColumnRule[];
  readonly beforeImages: BeforeImageRule[];
}

export function addColumnRule(reader: RuleReader, id: number, into: ColumnRules): void {
  const action = reader.text("rule-action");
  const base = { id, schema: pattern(reader, "schema-name"), table: pattern(reader, "table-name") };
  switch (columnMakers.find((known) => known === action)) {
    case "add-column":
      into.addedColumns.push(addedColumn(reader, base));
      break;
    case "add-before-image-columns":
      into.beforeImages.push(beforeImage(reader, base));
      break;
    case undefined:
      into.columnRules.push(columnRule(reader, base, action));
  }
  reader.finish();
}

function columnRule(reader: RuleReader, base: TableRuleBase, action: string): ColumnRule {
  return {
    ...base,
    column: pattern(reader, "column-name"),
    dataType: locatedType(reader),
    action: columnAction(reader, action),
  };
}

function columnAction(reader: RuleReader, action: string): ColumnAction {
  const change = nameChange(reader, action);
  if (change !== undefined) return { kind: "name", change };
  switch (columnActions.find((known) => known === action)) {
    case "remove-column":
      return { kind: "remove" };
    case "include-column":
      return { kind: "include" };
    case "change-data-type":
      return { kind: "type", type: readDataType(reader) };
    case "data-masking-digits-mask":
      return { kind: "mask", mask: { kind: "digits", by: maskCharacter(reader) } };
    case "data-masking-digits-randomize":
      return { kind: "mask", mask: { kind: "random-digits" } satisfies Mask };
    case "data-masking-hash-mask":
      return { kind: "mask", mask: { kind: "hash" } };
    case undefined:
      throw reader.malformed("rule-action", `"${action}" is not a rule-action for the rule-target column.`);
  }
}

/** DMS takes one printable character of ASCII that is no space. */
function maskCharacter(reader: RuleReader): number {
  const value = reader.scalar("value");
  if (/^[!-~]$/.test(value)) return value.charCodeAt(0);
  throw reader.malformed("value", "value must be one printable ASCII character, and no space.");
}

/** The DMS type of the source's columns that a rule is about. */
function locatedType(reader: RuleReader): string | undefined {
  const name = reader.locator().optionalText("data-type");
  if (name === undefined || name === "" || name === "%") return undefined;
  if (isDataTypeName(name)) return name;
  const remedy = `Use one of ${dataTypeNames.join(", ")}.`;
  throw reader.locator().malformed("data-type", `"${name}" is not a data type.`, remedy);
}

function addedColumn(reader: RuleReader, base: TableRuleBase): AddColumnRule {
  const expression = reader.optionalText("expression");
  reader.optional("old-value");
  return {
    ...base,
    name: reader.text("value"),
    type: readDataType(reader),
    expression: expression === undefined || expression.trim() === "" ? undefined : expression,
  };
}

function beforeImage(reader: RuleReader, base: TableRuleBase): BeforeImageRule {
  reader.optional("value");
  reader.optional("old-value");
  const definition = reader.part("before-image-def");
  const suffix = definition.optionalText("column-suffix") ?? "";
  const prefix = definition.optionalText("column-prefix") ?? (suffix === "" ? "BI_" : "");
  if (prefix === "" && suffix === "") {
    throw definition.malformed("column-prefix", "A before image needs a column-prefix or a column-suffix.");
  }
  const columns = definition.has("column-filter")
    ? definition.choice("column-filter", beforeImageFilters)
    : "non-lob";
  if (columns === undefined) {
    throw definition.malformed("column-filter", "column-filter must be pk-only, non-lob or all.");
  }
  definition.finish();
  return { ...base, prefix, suffix, columns };
}
