import type { TableId } from "../../../core/schema.ts";
import { SqlReader } from "../ddl/sql-words.ts";

/** A table that a statement writes to. */
export interface WrittenName extends TableId {
  /** The statement removes all rows. */
  readonly empties: boolean;
}

/** Words that may stand before the table's name and mean nothing here. */
const PRIORITIES = ["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "CONCURRENT", "QUICK", "IGNORE", "LOCAL"];

/**
 * The one table that a statement writes to by its own words: INSERT, REPLACE, UPDATE, DELETE, LOAD DATA and TRUNCATE; undefined for
 * any other, and for one that names several tables, of which some may only be read. `database`: the session's.
 */
export function writtenName(sql: string, database: string | null): WrittenName | undefined {
  const reader = new SqlReader(sql);
  const verb = reader.takeIf("INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "TRUNCATE");
  if (verb === undefined) return undefined;
  if (verb === "LOAD") {
    if (reader.takeIf("DATA", "XML") === undefined || !skipTo(reader, "INTO")) return undefined;
    if (reader.takeIf("TABLE") === undefined) return undefined;
  }
  while (reader.takeIf(...PRIORITIES) !== undefined);
  if (verb === "TRUNCATE") reader.takeIf("TABLE");
  if (verb === "INSERT" || verb === "REPLACE") reader.takeIf("INTO");
  if (verb === "DELETE" && reader.takeIf("FROM") === undefined) return undefined;
  const table = reader.table(database ?? "");
  if (table === undefined || table.schema === "") return undefined;
  if (verb === "UPDATE" && !isSingle(reader, "SET")) return undefined;
  if (verb === "DELETE" && !isSingle(reader, "WHERE", "ORDER", "LIMIT", "RETURNING")) return undefined;
  return { ...table, empties: verb === "TRUNCATE" };
}

/** Whether no second table follows: one of these words does, or the end, perhaps behind another name for the table. */
function isSingle(reader: SqlReader, ...words: readonly string[]): boolean {
  if (reader.next === undefined || reader.isNext(...words)) return true;
  reader.takeIf("AS");
  if (reader.next?.kind === "sign") return false;
  reader.take();
  return reader.next === undefined || reader.isNext(...words);
}

/** Passes over everything up to a word, and the word itself; false when there is none. */
function skipTo(reader: SqlReader, word: string): boolean {
  while (reader.next !== undefined) {
    if (reader.takeIf(word) !== undefined) return true;
    reader.take();
  }
  return false;
}
