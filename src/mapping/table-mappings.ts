import { readDocument } from "./document/read-document.ts";
import type { TableMappings } from "./rules.ts";

/**
 * Reads a DMS table mappings document (JSON text, `{"rules": [...]}`).
 * Throws `mapping.malformed` for what is not well formed and `mapping.unsupported` for what DMS has
 * and Tideway has not; both name the rule and the member.
 */
export function parseTableMappings(document: string): TableMappings {
  return readDocument(document);
}
