import { type TableId, tableKey } from "../../../core/schema.ts";

/** PostgreSQL cuts longer names off without a word (NAMEDATALEN), and two could become one. */
const LONGEST_NAME_BYTES = 63;

/** Every table has these already. */
const SYSTEM_COLUMNS = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]);

/** Why something cannot have a name; follows "would be named". */
export function nameFault(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  return bytes > LONGEST_NAME_BYTES ? `has ${bytes} bytes, more than ${LONGEST_NAME_BYTES}` : undefined;
}

export function schemaNameFault(name: string): string | undefined {
  return name.startsWith("pg_") ? "begins with pg_, as only the server's own may" : nameFault(name);
}

/**
 * The first of some names that fits and that nobody has; when none is free, the last with a number. It counts as
 * taken from then on.
 */
export function claimName(wanted: readonly string[], taken: Set<string>): string {
  const fitting = wanted.map((name) => shortened(name, LONGEST_NAME_BYTES));
  let name = fitting.find((one) => !taken.has(one));
  for (let count = 2; name === undefined; count++) {
    const end = `_${count}`;
    const numbered = shortened(wanted.at(-1)!, LONGEST_NAME_BYTES - end.length) + end;
    if (!taken.has(numbered)) name = numbered;
  }
  taken.add(name);
  return name;
}

/** Names that a table's columns get, in their order. */
export function columnNames(names: readonly string[]): readonly string[] {
  // Those that can keep their names keep them, whatever becomes of the others.
  const canKeep = (name: string): boolean => !SYSTEM_COLUMNS.has(name) && nameFault(name) === undefined;
  const taken = new Set(names.filter(canKeep));
  return names.map((name) => {
    return canKeep(name) ? name : claimName([SYSTEM_COLUMNS.has(name) ? `${name}_` : name], taken);
  });
}

/** Whole characters only. */
function shortened(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join("")) > bytes) characters.pop();
  return characters.join("");
}

/** Tables, indexes and sequences share one name space in each schema. */
export class RelationNames {
  readonly #bySchema = new Map<string, Set<string>>();

  taken(schema: string): Set<string> {
    const names = this.#bySchema.get(schema) ?? new Set<string>();
    this.#bySchema.set(schema, names);
    return names;
  }

  add({ schema, name }: TableId): void {
    this.taken(schema).add(name);
  }
}

/** A column's key among those of all tables. */
export function columnKey(table: TableId, column: string): string {
  return `${tableKey(table)}.${column}`;
}
