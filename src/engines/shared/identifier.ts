import type { TableId } from "../../core/schema.ts";

/** A name as SQL writes it, always quoted, so that case and reserved words do not matter. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A schema-qualified name. */
export function qualified(id: TableId): string {
  return `${identifier(id.schema)}.${identifier(id.name)}`;
}

/** A standard SQL string literal (standard_conforming_strings on). */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
