import type { TableId } from "../../../core/schema.ts";

/** A name as MySQL writes it, always quoted, so that case and reserved words do not matter. */
export function identifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A table's name with its database's. */
export function qualified(id: TableId): string {
  return `${identifier(id.schema)}.${identifier(id.name)}`;
}

const SPECIAL = /['\\\0]/g;
const escapes: Readonly<Record<string, string>> = { "'": "''", "\\": "\\\\", "\0": "\\0" };

/** A string literal for sessions without NO_BACKSLASH_ESCAPES, as all of ours are. */
export function literal(text: string): string {
  return `'${text.replace(SPECIAL, (character) => escapes[character]!)}'`;
}
