import { readDocument } from "./document/read-document.ts";
import { ruleError } from "./document/rule-reader.ts";
import type { TableMappings } from "./rules.ts";

/**
 * Reads a DMS table mappings document (JSON text, `{"rules": [...]}`).
 * Throws `mapping.malformed` for what is not well formed and `mapping.unsupported` for what DMS has
 * and Tideway has not; both name the rule and the member.
 */
export function parseTableMappings(document: string): TableMappings {
  const mappings = readDocument(document);
  refuseUnbuilt(mappings);
  return mappings;
}

/** Rules that can be read and are not carried out yet: none may be accepted and ignored. */
function refuseUnbuilt(mappings: TableMappings): void {
  const refuse = (id: number, member: string, what: string): never => {
    const reason = `${what} is not supported by this version of Tideway.`;
    throw ruleError("mapping.unsupported", `with ruleId = ${id}`, { member, reason });
  };
  for (const { id, filters, tableType } of mappings.selections) {
    if (filters.length > 0) refuse(id, "filters", "A source filter");
    if (tableType !== "table") refuse(id, "object-locator.table-type", `The table-type "${tableType}"`);
  }
  for (const { id, action } of mappings.columnRules) {
    if (action.kind !== "name") refuse(id, "rule-action", "This rule-action for columns");
  }
  for (const { id } of mappings.addedColumns) refuse(id, "rule-action", 'The rule-action "add-column"');
  for (const { id } of mappings.beforeImages) {
    refuse(id, "rule-action", 'The rule-action "add-before-image-columns"');
  }
  for (const { id } of mappings.keyRules) refuse(id, "rule-action", 'The rule-action "define-primary-key"');
  for (const { id, parallelLoad, lobs } of mappings.tableSettings) {
    if (parallelLoad !== undefined) refuse(id, "parallel-load", "A parallel load");
    if (lobs !== undefined && lobs !== "whole") refuse(id, "lob-settings", "A limit of large objects");
  }
}
