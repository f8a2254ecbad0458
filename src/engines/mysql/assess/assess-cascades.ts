import type { Finding } from "../../../core/finding.ts";
import { displayTable, type ForeignKey, type TableSchema } from "../../../core/schema.ts";
import { finding } from "../../shared/finding.ts";

const ACTS = /\bon (?:delete|update) (?:cascade|set null|set default)\b/i;

/**
 * Foreign keys that delete or change rows by themselves: the storage engine does it, and the binary log holds the
 * statement's own rows alone, because a replica's engine does the same again.
 */
export function assessCascades(tables: readonly TableSchema[]): readonly Finding[] {
  return tables.flatMap((table) => table.foreignKeys.filter(acts).map((key) => cascade(table, key)));
}

function acts({ native }: ForeignKey): boolean {
  return ACTS.test(native);
}

function cascade({ id }: TableSchema, { name, references, native }: ForeignKey): Finding {
  return finding("source.cascades_unlogged", "warning", {
    subject: displayTable(id),
    table: id,
    message: `What the foreign key ${name} (${native.toLowerCase()}) does to rows of ${displayTable(id)} by itself is not in the source's log: when rows of ${displayTable(references)} go or get another key, the target keeps these as they were.`,
  });
}
