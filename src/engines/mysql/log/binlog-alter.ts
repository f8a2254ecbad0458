import type { TableId } from "../../../core/schema.ts";
import { keepsRows } from "../ddl/engine-name.ts";
import type { SqlReader } from "../ddl/sql-words.ts";
import type { TableEffect } from "./binlog-statement.ts";

/** What follows ADD or DROP where no column is meant. */
const PARTS = ["INDEX", "KEY", "UNIQUE", "PRIMARY", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"];
const VERBS = [
  ...["ADD", "DROP", "ALTER", "MODIFY", "CHANGE", "CONVERT", "RENAME"],
  ...["TRUNCATE", "DISCARD", "IMPORT", "EXCHANGE"],
];
const REPLACED = "has partitions or files with other rows";

/**
 * What ALTER TABLE does to a table, read from behind ALTER. Indexes that are added, and how and where rows are kept are
 * no matter as long as they are.
 */
export function alterations(reader: SqlReader, database: string): readonly TableEffect[] {
  let ignores = false;
  for (let word = taken(reader); word !== undefined; word = taken(reader)) ignores ||= word === "IGNORE";
  if (reader.takeIf("TABLE") === undefined) return [];
  skipIfExists(reader);
  const table = reader.table(database);
  if (table === undefined) return [];
  if (reader.takeIf("WAIT") !== undefined) reader.take();
  reader.takeIf("NOWAIT");
  const effects: TableEffect[] = [];
  // Of rows that are the same in a unique index all but one go.
  if (ignores)
    effects.push({ kind: "replaced", table, how: "was altered with IGNORE, which may have taken rows away" });
  do {
    effects.push(...alteration(reader, table));
  } while (reader.skipToComma());
  return effects;
}

function taken(reader: SqlReader): string | undefined {
  return reader.takeIf("ONLINE", "IGNORE");
}

function alteration(reader: SqlReader, table: TableId): readonly TableEffect[] {
  switch (reader.takeIf(...VERBS)) {
    case "ADD":
      return added(reader, table);
    case "DROP":
      return dropped(reader, table);
    case "ALTER":
      return defaultSet(reader, table);
    case "MODIFY":
    case "CHANGE":
      return changed(reader, table);
    case "CONVERT":
      // MariaDB: CONVERT PARTITION ... TO TABLE, CONVERT TABLE ... TO PARTITION.
      return reader.isNext("PARTITION", "TABLE")
        ? [{ kind: "replaced", table, how: REPLACED }]
        : [{ kind: "altered", table, how: "got another character set" }];
    case "RENAME":
      if (reader.isNext("INDEX", "KEY")) return [];
      if (reader.isNext("COLUMN")) return [{ kind: "altered", table, how: "had a column renamed" }];
      return renamed(reader, table);
    case "TRUNCATE":
    case "DISCARD":
    case "IMPORT":
      return [{ kind: "replaced", table, how: REPLACED }];
    case "EXCHANGE":
      return exchanged(reader, table);
    default:
      return engineSet(reader, table);
  }
}

/** Options of the table, which may follow each other without commas. */
function engineSet(reader: SqlReader, table: TableId): readonly TableEffect[] {
  while (reader.next !== undefined && (reader.next.kind !== "sign" || reader.next.text === "=")) {
    if (reader.takeIf("ENGINE") === undefined) {
      reader.take();
      continue;
    }
    reader.takeSign("=");
    const engine = reader.name() ?? "";
    if (keepsRows(engine)) continue;
    return [{ kind: "replaced", table, how: `got the engine ${engine}, which may not keep its rows` }];
  }
  return [];
}

/** ALTER [COLUMN] name SET DEFAULT ... | DROP DEFAULT; CHECK, CONSTRAINT and INDEX change nothing about rows. */
function defaultSet(reader: SqlReader, table: TableId): readonly TableEffect[] {
  if (reader.isNext("INDEX", "KEY", "CHECK", "CONSTRAINT")) return [];
  const column = columnName(reader);
  return column === undefined ? [] : [{ kind: "default", table, column }];
}

/** Everything about a column is said anew, its default too. */
function changed(reader: SqlReader, table: TableId): readonly TableEffect[] {
  const column = columnName(reader);
  const altered = { kind: "altered", table, how: "had a column changed" } as const;
  return column === undefined ? [altered] : [{ kind: "default", table, column }, altered];
}

function columnName(reader: SqlReader): string | undefined {
  reader.takeIf("COLUMN");
  skipIfExists(reader);
  return reader.name();
}

function skipIfExists(reader: SqlReader): void {
  if (reader.takeIf("IF") !== undefined) reader.takeIf("EXISTS");
}

function renamed(reader: SqlReader, table: TableId): readonly TableEffect[] {
  reader.takeIf("TO", "AS");
  reader.takeSign("=");
  const other = reader.table(table.schema);
  const how = "was renamed, or another got its name";
  return [table, ...(other === undefined ? [] : [other])].map((one) => ({
    kind: "replaced",
    table: one,
    how,
  }));
}

/** EXCHANGE PARTITION p WITH TABLE other */
function exchanged(reader: SqlReader, table: TableId): readonly TableEffect[] {
  while (reader.next !== undefined && !reader.isNext("TABLE")) reader.take();
  reader.takeIf("TABLE");
  const other = reader.table(table.schema);
  const tables = other === undefined ? [table] : [table, other];
  return tables.map((one) => ({ kind: "replaced", table: one, how: REPLACED }));
}

function added(reader: SqlReader, table: TableId): readonly TableEffect[] {
  if (reader.isNext("CONSTRAINT", "FOREIGN")) return addedReference(reader, table);
  if (reader.isNext("PARTITION", ...PARTS)) return [];
  if (reader.isNext("SYSTEM", "PERIOD")) return [{ kind: "altered", table, how: "keeps its history" }];
  reader.takeIf("COLUMN");
  skipIfNotExists(reader);
  if (!reader.takeSign("(")) return addedColumn(reader, table);
  const effects: TableEffect[] = [];
  for (let depth = 1, starts = true; depth > 0; ) {
    if (starts && !reader.isNext(...PARTS)) effects.push(...addedColumn(reader, table));
    starts = false;
    const word = reader.take();
    if (word === undefined) break;
    if (word.kind !== "sign") continue;
    if (word.text === "(") depth++;
    if (word.text === ")") depth--;
    if (word.text === "," && depth === 1) starts = true;
  }
  return effects;
}

/** [CONSTRAINT [name]] FOREIGN KEY [name] (column, ...) REFERENCES table (...) [ON DELETE ...] [ON UPDATE ...] */
function addedReference(reader: SqlReader, table: TableId): readonly TableEffect[] {
  const columns: string[] = [];
  let isReference = false;
  let acts = false;
  for (let depth = 0, lists = 0; reader.next !== undefined; reader.take()) {
    const { kind, text } = reader.next;
    if (kind === "sign") {
      if (text === "," && depth === 0) break;
      if (text === "(") {
        depth++;
        lists++;
      } else if (text === ")") depth--;
    } else if (depth > 0) {
      if (lists === 1) columns.push(text);
    } else if (kind === "word") {
      const word = text.toUpperCase();
      isReference ||= word === "REFERENCES";
      // SET NULL; nothing else of a foreign key is called so.
      acts ||= isReference && (word === "CASCADE" || word === "NULL");
    }
  }
  return acts ? [{ kind: "reference-added", table, columns }] : [];
}

function addedColumn(reader: SqlReader, table: TableId): readonly TableEffect[] {
  const column = reader.name();
  return column === undefined ? [] : [{ kind: "added", table, column }];
}

function dropped(reader: SqlReader, table: TableId): readonly TableEffect[] {
  if (reader.isNext("PARTITION")) return [{ kind: "replaced", table, how: REPLACED }];
  if (reader.takeIf("PRIMARY") !== undefined) return [{ kind: "index-dropped", table, index: "PRIMARY" }];
  const part = reader.takeIf("INDEX", "KEY", "CONSTRAINT", "FOREIGN");
  if (part !== undefined) {
    if (part === "FOREIGN") reader.takeIf("KEY");
    skipIfExists(reader);
    const name = reader.name();
    if (name === undefined) return [];
    const effects: TableEffect[] = [];
    if (part !== "FOREIGN") effects.push({ kind: "index-dropped", table, index: name });
    if (part === "FOREIGN" || part === "CONSTRAINT") {
      effects.push({ kind: "reference-dropped", table, constraint: name });
    }
    return effects;
  }
  if (reader.isNext("SYSTEM", "PERIOD", ...PARTS)) return [];
  const column = columnName(reader);
  return column === undefined ? [] : [{ kind: "dropped", table, column }];
}

function skipIfNotExists(reader: SqlReader): void {
  if (reader.takeIf("IF") === undefined) return;
  reader.takeIf("NOT");
  reader.takeIf("EXISTS");
}
