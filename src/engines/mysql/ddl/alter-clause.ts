import type { TableId } from "../../../core/schema.ts";
import {
  type ColumnText,
  type DefaultText,
  expect,
  named,
  readColumn,
  readDefault,
  string,
  UnreadDefinition,
} from "./column-text.ts";
import { keepsRows } from "./engine-name.ts";
import { type IndexText, PRIMARY, readIndex, readIndexKind } from "./index-text.ts";
import { type ReferenceText, readReference } from "./reference-text.ts";
import type { SqlReader } from "./sql-words.ts";

/** What one part of ALTER TABLE does, or one of CREATE TABLE to a table without columns. */
export type TableClause =
  | {
      readonly kind: "add-column";
      readonly column: ColumnText;
      readonly place: Place | undefined;
      readonly ifMissing: boolean;
    }
  | {
      readonly kind: "change-column";
      readonly old: string;
      readonly column: ColumnText;
      readonly place: Place | undefined;
    }
  | { readonly kind: "rename-column"; readonly old: string; readonly name: string }
  | { readonly kind: "drop-column"; readonly name: string; readonly ifThere: boolean }
  /** undefined: the default is dropped. */
  | { readonly kind: "default"; readonly column: string; readonly value: DefaultText | undefined }
  | { readonly kind: "add-index"; readonly index: IndexText }
  | { readonly kind: "drop-index"; readonly name: string }
  | { readonly kind: "rename-index"; readonly old: string; readonly name: string }
  | { readonly kind: "add-reference"; readonly reference: ReferenceText }
  | { readonly kind: "drop-reference"; readonly name: string }
  | { readonly kind: "drop-check"; readonly name: string }
  /** An index, a foreign key or a check. */
  | { readonly kind: "drop-constraint"; readonly name: string }
  | { readonly kind: "rename"; readonly to: TableId }
  | { readonly kind: "comment"; readonly text: string }
  /** Of all columns, and of those that come later. */
  | { readonly kind: "convert"; readonly charset: string; readonly collation: string | undefined }
  /** For columns that come later. */
  | {
      readonly kind: "collation";
      readonly charset: string | undefined;
      readonly collation: string | undefined;
    };

/** Where a column stands: the first, or behind another. */
export type Place = { readonly first: true } | { readonly after: string };

/** What concerns neither columns nor rows. Each takes words up to the next comma. */
const NOTHING = [
  ...["ALGORITHM", "LOCK", "FORCE", "ROW_FORMAT", "AUTO_INCREMENT", "KEY_BLOCK_SIZE", "CHECKSUM"],
  ...["STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "ENABLE", "DISABLE", "AVG_ROW_LENGTH"],
  ...[
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "DELAY_KEY_WRITE",
    "ANALYZE",
    "OPTIMIZE",
    "REBUILD",
    "REPAIR",
    "CHECK",
  ],
  ...["COALESCE", "REORGANIZE", "COMPRESSION", "PAGE_CHECKSUM", "TRANSACTIONAL"],
];

/** Throws UnreadDefinition. `database`: the table's. */
export function readAlterClause(reader: SqlReader, database: string): readonly TableClause[] {
  switch (reader.takeIf("ADD", "DROP", "ALTER", "MODIFY", "CHANGE", "RENAME", "CONVERT", "ORDER")) {
    case "ADD":
      return readAdded(reader);
    case "DROP":
      return [readDropped(reader)];
    case "ALTER":
      return readDefaultSet(reader);
    case "MODIFY": {
      reader.takeIf("COLUMN");
      const column = readColumn(reader);
      return changed(reader, column.name, column);
    }
    case "CHANGE": {
      reader.takeIf("COLUMN");
      const old = named(reader);
      return changed(reader, old, readColumn(reader));
    }
    case "RENAME":
      return [readRenamed(reader, database)];
    case "CONVERT":
      return [readConversion(reader)];
    case "ORDER":
      return skipOrder(reader);
    default:
      return readTableOption(reader);
  }
}

/** One definition of CREATE TABLE. */
export function readDefinition(reader: SqlReader): readonly TableClause[] {
  if (reader.isNext("CHECK", "PERIOD")) throw new UnreadDefinition();
  const part = readPart(reader);
  if (part !== undefined) return part;
  const column = readColumn(reader);
  return [{ kind: "add-column", column, place: undefined, ifMissing: false }, ...ownKey(column)];
}

/** An option of the table as a whole, of ALTER or CREATE TABLE. */
export function readTableOption(reader: SqlReader): readonly TableClause[] {
  if (reader.takeIf("COMMENT") !== undefined) {
    reader.takeSign("=");
    return [{ kind: "comment", text: string(reader) }];
  }
  reader.takeIf("DEFAULT");
  if (reader.takeIf("CHARACTER", "CHARSET") !== undefined) {
    reader.takeIf("SET");
    reader.takeSign("=");
    const charset = named(reader);
    return [{ kind: "collation", charset, collation: readCollation(reader) }];
  }
  if (reader.isNext("COLLATE")) {
    return [{ kind: "collation", charset: undefined, collation: readCollation(reader) }];
  }
  if (reader.takeIf("ENGINE") !== undefined) {
    reader.takeSign("=");
    if (!keepsRows(named(reader))) throw new UnreadDefinition();
    return [];
  }
  if (reader.takeIf(...NOTHING) === undefined) throw new UnreadDefinition();
  skipOption(reader);
  return [];
}

/** CONVERT TO CHARACTER SET name [COLLATE name] */
function readConversion(reader: SqlReader): TableClause {
  expect(reader, "TO");
  if (reader.takeIf("CHARSET") === undefined) {
    expect(reader, "CHARACTER");
    expect(reader, "SET");
  }
  if (reader.isNext("DEFAULT")) throw new UnreadDefinition();
  return { kind: "convert", charset: named(reader), collation: readCollation(reader) };
}

function readCollation(reader: SqlReader): string | undefined {
  if (reader.takeIf("COLLATE") === undefined) return undefined;
  reader.takeSign("=");
  return named(reader);
}

/** The value, or words such as KEYS or PARTITION p0, p1 INTO (...). */
function skipOption(reader: SqlReader): void {
  if (reader.takeSign("=")) {
    reader.take();
    return;
  }
  const ofPartitions = reader.isNext("PARTITION");
  for (let depth = 0; reader.next !== undefined; reader.take()) {
    const { kind, text } = reader.next;
    if (kind !== "sign") {
      // In CREATE TABLE the next option follows without a comma.
      if (!ofPartitions && depth === 0) {
        reader.take();
        return;
      }
      continue;
    }
    if (text === "," && depth === 0 && !ofPartitions) return;
    if (text === "(") depth++;
    if (text === ")") depth--;
  }
}

/** ORDER BY name [ASC | DESC], ... stands last. The server does it once and forgets it. */
function skipOrder(reader: SqlReader): readonly TableClause[] {
  expect(reader, "BY");
  do {
    do named(reader);
    while (reader.takeSign("."));
    reader.takeIf("ASC", "DESC");
  } while (reader.takeSign(","));
  return [];
}

function readAdded(reader: SqlReader): readonly TableClause[] {
  if (reader.takeIf("PARTITION") !== undefined) {
    while (reader.next !== undefined) reader.take();
    return [];
  }
  if (reader.isNext("CHECK")) return skipCheck(reader);
  const part = readPart(reader);
  if (part !== undefined) return part;
  if (reader.isNext("SYSTEM", "PERIOD")) throw new UnreadDefinition();
  reader.takeIf("COLUMN");
  const ifMissing = reader.takeIf("IF") !== undefined;
  if (ifMissing) {
    expect(reader, "NOT");
    expect(reader, "EXISTS");
  }
  if (!reader.takeSign("(")) return addedColumn(reader, ifMissing);
  const clauses: TableClause[] = [];
  do {
    clauses.push(...(readPart(reader) ?? addedColumn(reader, ifMissing)));
  } while (reader.takeSign(","));
  if (!reader.takeSign(")")) throw new UnreadDefinition();
  return clauses;
}

function addedColumn(reader: SqlReader, ifMissing: boolean): readonly TableClause[] {
  const column = readColumn(reader);
  return [{ kind: "add-column", column, place: readPlace(reader), ifMissing }, ...ownKey(column)];
}

function changed(reader: SqlReader, old: string, column: ColumnText): readonly TableClause[] {
  return [{ kind: "change-column", old, column, place: readPlace(reader) }, ...ownKey(column)];
}

function ownKey({ key, name }: ColumnText): readonly TableClause[] {
  if (key === undefined) return [];
  const own = key === "primary" ? PRIMARY : undefined;
  const index: IndexText = { name: own, unique: true, kind: "BTREE", parts: [{ column: name }] };
  return [{ kind: "add-index", index }];
}

/** An index or a constraint; undefined where a column is defined. Checks are left out, as they change no rows. */
function readPart(reader: SqlReader): readonly TableClause[] | undefined {
  const isConstraint = reader.takeIf("CONSTRAINT") !== undefined;
  const name =
    isConstraint && !reader.isNext("PRIMARY", "UNIQUE", "FOREIGN", "CHECK") ? named(reader) : undefined;
  if (isConstraint && reader.isNext("CHECK")) return skipCheck(reader);
  if (reader.takeIf("FOREIGN") !== undefined) {
    return [{ kind: "add-reference", reference: readReference(reader, name) }];
  }
  const kind = readIndexKind(reader);
  if (kind !== undefined) return [{ kind: "add-index", index: readIndex(reader, kind, name) }];
  if (isConstraint) throw new UnreadDefinition();
  return undefined;
}

function skipCheck(reader: SqlReader): readonly TableClause[] {
  reader.take();
  for (let depth = 0; reader.next !== undefined; reader.take()) {
    if (reader.next.kind !== "sign") continue;
    if (reader.next.text === "," && depth === 0) break;
    if (reader.next.text === "(") depth++;
    if (reader.next.text === ")" && --depth < 0) break;
  }
  return [];
}

function readPlace(reader: SqlReader): Place | undefined {
  if (reader.takeIf("FIRST") !== undefined) return { first: true };
  return reader.takeIf("AFTER") === undefined ? undefined : { after: named(reader) };
}

function readDropped(reader: SqlReader): TableClause {
  if (reader.isNext("PARTITION", "SYSTEM", "PERIOD")) throw new UnreadDefinition();
  if (reader.takeIf("PRIMARY") !== undefined) {
    expect(reader, "KEY");
    return { kind: "drop-index", name: PRIMARY };
  }
  const part = reader.takeIf("INDEX", "KEY", "CONSTRAINT", "FOREIGN", "CHECK");
  if (part === "FOREIGN") expect(reader, "KEY");
  if (part === undefined) reader.takeIf("COLUMN");
  const ifThere = reader.takeIf("IF") !== undefined;
  if (ifThere) expect(reader, "EXISTS");
  const name = named(reader);
  reader.takeIf("RESTRICT", "CASCADE");
  switch (part) {
    case "INDEX":
    case "KEY":
      return { kind: "drop-index", name };
    case "FOREIGN":
      return { kind: "drop-reference", name };
    case "CHECK":
      return { kind: "drop-check", name };
    case "CONSTRAINT":
      return { kind: "drop-constraint", name };
    default:
      return { kind: "drop-column", name, ifThere };
  }
}

/** ALTER [COLUMN] name SET DEFAULT ... | DROP DEFAULT */
function readDefaultSet(reader: SqlReader): readonly TableClause[] {
  if (reader.takeIf("INDEX", "KEY", "CHECK", "CONSTRAINT") !== undefined) {
    reader.take();
    while (reader.next?.kind === "word") reader.take();
    return [];
  }
  reader.takeIf("COLUMN");
  const column = named(reader);
  const verb = reader.takeIf("SET", "DROP");
  expect(reader, "DEFAULT");
  if (verb === undefined) throw new UnreadDefinition();
  return [{ kind: "default", column, value: verb === "SET" ? readDefault(reader) : undefined }];
}

function readRenamed(reader: SqlReader, database: string): TableClause {
  const part = reader.takeIf("COLUMN", "INDEX", "KEY");
  if (part !== undefined)
    return { kind: part === "COLUMN" ? "rename-column" : "rename-index", ...names(reader) };
  reader.takeIf("TO", "AS");
  reader.takeSign("=");
  const to = reader.table(database);
  if (to === undefined) throw new UnreadDefinition();
  return { kind: "rename", to };
}

function names(reader: SqlReader): { readonly old: string; readonly name: string } {
  const old = named(reader);
  expect(reader, "TO");
  return { old, name: named(reader) };
}
