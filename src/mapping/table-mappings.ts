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
  for (const { id, lobs } of mappings.tableSettings) {
    if (lobs !== undefined && lobs !== "whole") refuse(id, "lob-settings", "A limit of large objects");
  }
}
