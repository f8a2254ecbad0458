import type { Index } from "../../../core/schema.ts";
import type { IndexDefinition } from "../catalog/catalog-indexes.ts";
import { expect, named, string, UnreadDefinition } from "./column-text.ts";
import { SqlReader } from "./sql-words.ts";

/** An index as a statement adds it; without a name the server gives it one. */
export type IndexText = Omit<IndexDefinition, "name"> & { readonly name: string | undefined };

export const PRIMARY = "PRIMARY";
const PLAIN = "BTREE";

/** Reads what follows ADD, or CREATE before ON: which kind of index it is; undefined where none is meant. */
export function readIndexKind(
  reader: SqlReader,
): (Pick<IndexText, "unique" | "kind"> & { readonly isPrimary: boolean }) | undefined {
  if (reader.takeIf("PRIMARY") !== undefined) {
    expect(reader, "KEY");
    return { unique: true, kind: PLAIN, isPrimary: true };
  }
  const kind = reader.takeIf("UNIQUE", "FULLTEXT", "SPATIAL");
  const isIndex = reader.takeIf("INDEX", "KEY") !== undefined;
  if (kind === undefined && !isIndex) return undefined;
  return {
    unique: kind === "UNIQUE",
    kind: kind === undefined || kind === "UNIQUE" ? PLAIN : kind,
    isPrimary: false,
  };
}

/** Reads [name] [USING type] (parts) options. `name`: of the constraint. */
export function readIndex(
  reader: SqlReader,
  { unique, kind, isPrimary }: NonNullable<ReturnType<typeof readIndexKind>>,
  name?: string,
): IndexText {
  if (reader.takeIf("IF") !== undefined) throw new UnreadDefinition();
  const isNamed = reader.next?.kind === "name" || (reader.next?.kind === "word" && !reader.isNext("USING"));
  const own = isNamed ? named(reader) : name;
  skipUsing(reader);
  const parts = readParts(reader);
  const comment = readOptions(reader);
  return { name: isPrimary ? PRIMARY : own, unique, kind, parts, ...(comment === "" ? {} : { comment }) };
}

/** (column [(length)] [ASC | DESC], ...) */
export function readParts(reader: SqlReader): IndexText["parts"] {
  const parts: IndexText["parts"][number][] = [];
  if (!reader.takeSign("(")) throw new UnreadDefinition();
  do {
    const column = reader.next?.kind === "sign" ? undefined : named(reader);
    // An expression.
    if (column === undefined) throw new UnreadDefinition();
    const length = reader.takeSign("(") ? Number(named(reader)) : undefined;
    if (length !== undefined && !reader.takeSign(")")) throw new UnreadDefinition();
    const descending = reader.takeIf("ASC", "DESC") === "DESC";
    parts.push({
      column,
      ...(length === undefined ? {} : { length }),
      ...(descending ? { descending } : {}),
    });
  } while (reader.takeSign(","));
  if (!reader.takeSign(")")) throw new UnreadDefinition();
  return parts;
}

function skipUsing(reader: SqlReader): void {
  if (reader.takeIf("USING") !== undefined) reader.take();
}

/** Resolves with the comment. */
function readOptions(reader: SqlReader): string {
  let comment = "";
  while (reader.next !== undefined && reader.next.kind === "word") {
    if (reader.isNext("USING")) skipUsing(reader);
    else if (reader.takeIf("COMMENT") !== undefined) comment = string(reader);
    else if (reader.takeIf("VISIBLE", "INVISIBLE", "IGNORED") !== undefined) continue;
    else if (reader.isNext("ALGORITHM", "LOCK", "KEY_BLOCK_SIZE")) {
      reader.take();
      reader.takeSign("=");
      reader.take();
    } else throw new UnreadDefinition();
  }
  return comment;
}

/** An index that was described, as one would define it. Throws UnreadDefinition for one of expressions. */
export function definitionOf({ name, unique, native, comment }: Index): IndexDefinition {
  const reader = new SqlReader(native);
  const kind = reader.takeIf("FULLTEXT", "SPATIAL") ?? PLAIN;
  if (reader.takeIf("PRIMARY") !== undefined) expect(reader, "KEY");
  reader.takeIf("UNIQUE");
  return { name, unique, kind, parts: readParts(reader), ...(comment === undefined ? {} : { comment }) };
}

/** The name that the server gives: the first column's, with a number behind it where there is such an index. */
export function givenName({ parts }: Pick<IndexText, "parts">, taken: readonly string[]): string {
  const names = new Set(taken.map((name) => name.toLowerCase()));
  const { column } = parts[0]!;
  if (!names.has(column.toLowerCase()) && column.toUpperCase() !== PRIMARY) return column;
  let number = 2;
  while (names.has(`${column}_${number}`.toLowerCase())) number++;
  return `${column}_${number}`;
}
