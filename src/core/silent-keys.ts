import { type Column, type ForeignKey, type SilentActions, type TableSchema, tableKey } from "./schema.ts";

/** A foreign key that acts by itself, see ForeignKey.silent, between two tables of a list. */
export interface SilentKey extends SilentActions {
  /** The table that refers; an index into the list, as is `referenced`. */
  readonly table: number;
  /** Ordinals into its columns. */
  readonly columns: readonly number[];
  readonly referenced: number;
  /** Ordinals into the columns of the table that is referred to, in the order of `columns`. */
  readonly referencedColumns: readonly number[];
}

/**
 * The foreign keys of a list of tables that act by themselves and can be followed: both tables are there, and values of
 * both sides are written alike.
 */
export class SilentKeys {
  readonly #keysTo: readonly (readonly SilentKey[])[];
  readonly #followed = new Set<ForeignKey>();

  constructor(tables: readonly TableSchema[]) {
    const keysTo: SilentKey[][] = tables.map(() => []);
    const indexes = new Map(tables.map(({ id }, index) => [tableKey(id), index]));
    for (const [table, { foreignKeys }] of tables.entries()) {
      for (const key of foreignKeys) {
        const referenced = indexes.get(tableKey(key.references));
        if (key.silent === undefined || referenced === undefined) continue;
        const pairs = pairsOf(key, tables[table]!, tables[referenced]!);
        if (pairs === undefined) continue;
        this.#followed.add(key);
        keysTo[referenced]!.push({
          ...key.silent,
          table,
          columns: pairs.map(([own]) => own),
          referenced,
          referencedColumns: pairs.map(([, other]) => other),
        });
      }
    }
    this.#keysTo = keysTo;
  }

  /** Keys of tables that refer to a table of the list. */
  to(table: number): readonly SilentKey[] {
    return this.#keysTo[table]!;
  }

  /** Whether a key of one of the tables is among these. */
  follows(key: ForeignKey): boolean {
    return this.#followed.has(key);
  }

  /** A table, and all whose rows may be changed because rows of it are. */
  family(table: number): ReadonlySet<number> {
    const family = new Set([table]);
    // A set is iterated over what is added meanwhile, too.
    for (const one of family) for (const key of this.to(one)) family.add(key.table);
    return family;
  }
}

/** The same for every batch of a stream, whose list of tables stays the same. */
export function silentKeysOf(tables: readonly TableSchema[]): SilentKeys {
  let keys = known.get(tables);
  if (keys === undefined) {
    keys = new SilentKeys(tables);
    known.set(tables, keys);
  }
  return keys;
}

const known = new WeakMap<readonly TableSchema[], SilentKeys>();

/** For each of the key's columns its ordinal and that of the column it refers to; undefined where these do not agree. */
function pairsOf(
  { columns, referencedColumns }: ForeignKey,
  table: TableSchema,
  referenced: TableSchema,
): readonly (readonly [number, number])[] | undefined {
  const pairs = columns.map((name, i) => [
    ordinalOf(table, name),
    ordinalOf(referenced, referencedColumns[i]!),
  ]) as [number, number][];
  const agree = pairs.every(([own, other]) => {
    const [a, b] = [table.columns[own], referenced.columns[other]];
    // The value of a generated column is not sent.
    return a !== undefined && b !== undefined && b.generated === undefined && isWrittenAlike(a, b);
  });
  return agree ? pairs : undefined;
}

/** Engines with such keys know a column by its name in any case of letters. */
function ordinalOf({ columns }: TableSchema, wanted: string): number {
  return columns.findIndex(({ name }) => name.toLowerCase() === wanted.toLowerCase());
}

function isWrittenAlike({ type: a }: Column, { type: b }: Column): boolean {
  if (a.kind === "enum" || a.kind === "set" || a.kind === "timestamp" || a.kind === "bit") {
    return JSON.stringify(a) === JSON.stringify(b);
  }
  return a.kind === b.kind;
}
