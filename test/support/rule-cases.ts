import type { RuleCase } from "./rule-case.ts";
import { ruleColumnCases } from "./rule-cases-columns.ts";
import { ruleExpressionCases } from "./rule-cases-expressions.ts";
import { ruleNameCases } from "./rule-cases-names.ts";
import { ruleRowCases } from "./rule-cases-rows.ts";
import { ruleTypeCases } from "./rule-cases-types.ts";

/** What every word of a document makes of rows. */
export const ruleCases: ReadonlyMap<string, RuleCase> = new Map([
  ...ruleNameCases,
  ...ruleRowCases,
  ...ruleColumnCases,
  ...ruleTypeCases,
  ...ruleExpressionCases,
]);
