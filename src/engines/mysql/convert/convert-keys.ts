import type { TableSchema } from "../../../core/schema.ts";
import { CHAR_BYTES, type MysqlType } from "./convert-type.ts";

/** InnoDB, rows of the format DYNAMIC. */
const LONGEST_KEY = 3072;
const LONGEST_ROW = 65_535;
/** What a row has of a column that may have any length. */
const POINTER_BYTES = 12;

const isText = ({ native }: MysqlType): boolean => native === "longtext";
const isBlob = ({ native }: MysqlType): boolean => native === "longblob";
const isOpen = (type: MysqlType): boolean => isText(type) || isBlob(type);

/** Columns of each key that must be there whole: unique ones, and both ends of foreign keys. */
export function wholeKeys(
  table: TableSchema,
  referenced: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const unique = table.indexes.filter(({ unique, constraint }) => unique || constraint !== undefined);
  return [
    ...unique.flatMap(({ columns }) => (columns === undefined ? [] : [columns])),
    ...table.foreignKeys.map(({ columns }) => columns),
    ...referenced,
  ];
}

/**
 * Gives columns without a limit that stand in a key the length that the key has room for: an index holds no more.
 * Resolves with those that were given one, by name.
 */
export function limitKeyColumns(
  types: ReadonlyMap<string, MysqlType>,
  keys: readonly (readonly string[])[],
): ReadonlyMap<string, MysqlType> {
  const room = new Map<string, number>();
  for (const key of keys) {
    const open = key.filter((name) => isOpen(types.get(name)!));
    const taken = key.reduce((sum, name) => sum + (types.get(name)!.bytes ?? 0), 0);
    const each = Math.floor((LONGEST_KEY - taken) / Math.max(1, open.length));
    for (const name of open) room.set(name, Math.min(each, room.get(name) ?? LONGEST_KEY));
  }
  const limited = new Map<string, MysqlType>();
  for (const [name, bytes] of room) {
    if (bytes < CHAR_BYTES) continue;
    const chars = Math.floor(bytes / CHAR_BYTES);
    const isBytes = isBlob(types.get(name)!);
    limited.set(
      name,
      isBytes
        ? { native: `varbinary(${bytes})`, bytes: bytes + 2 }
        : { native: `varchar(${chars})`, bytes: chars * CHAR_BYTES + 2 },
    );
  }
  return limited;
}

/** Whether a key of these columns is longer than an index may be. */
export function isTooLong(columns: readonly string[], types: ReadonlyMap<string, MysqlType>): boolean {
  return columns.some((name) => isOpen(types.get(name)!)) || keyBytes(columns, types) > LONGEST_KEY;
}

function keyBytes(columns: readonly string[], types: ReadonlyMap<string, MysqlType>): number {
  return columns.reduce((sum, name) => sum + keyPart(types.get(name)!), 0);
}

/** The two bytes of a length do not count. */
function keyPart({ native, bytes = 0 }: MysqlType): number {
  return /^var/.test(native) ? bytes - 2 : bytes;
}

/**
 * Lengths of those parts of an index that are texts or bytes and do not fit into it whole, by name: what the others
 * leave is shared. In characters, or bytes.
 */
export function prefixLengths(
  columns: readonly string[],
  types: ReadonlyMap<string, MysqlType>,
): ReadonlyMap<string, number> {
  const wanted = columns
    .map((name) => ({ name, bytes: isOpen(types.get(name)!) ? Infinity : keyPart(types.get(name)!) }))
    .toSorted((a, b) => a.bytes - b.bytes);
  const lengths = new Map<string, number>();
  let left = LONGEST_KEY;
  for (const [i, { name, bytes }] of wanted.entries()) {
    const share = Math.floor(left / (wanted.length - i));
    left -= Math.min(bytes, share);
    if (bytes <= share) continue;
    const isBytes = /b(?:inary|lob)/.test(types.get(name)!.native);
    lengths.set(name, isBytes ? share : Math.floor(share / CHAR_BYTES));
  }
  return lengths;
}

/**
 * The widest columns that must be without a limit, so that the rest fits into a row; those of `keyed` are left as they
 * are. Undefined when that is not enough.
 */
export function tooWide(
  types: ReadonlyMap<string, MysqlType>,
  keyed: ReadonlySet<string>,
): readonly string[] | undefined {
  let size = Math.ceil(types.size / 8);
  for (const { bytes = POINTER_BYTES } of types.values()) size += bytes;
  const widest = [...types]
    .filter(([name, { native }]) => !keyed.has(name) && /^(?:var)?(?:char|binary)/.test(native))
    .toSorted(([, a], [, b]) => (b.bytes ?? 0) - (a.bytes ?? 0));
  const names: string[] = [];
  while (size > LONGEST_ROW) {
    const next = widest[names.length];
    if (next === undefined) return undefined;
    size -= (next[1].bytes ?? 0) - POINTER_BYTES;
    names.push(next[0]);
  }
  return names;
}
