import type { TableId } from "../../../core/schema.ts";
import { isWhollyRun, SqlReader, sqlWords } from "../ddl/sql-words.ts";
import { readTableStatement, type TableStatement } from "../ddl/table-statement.ts";
import { isTriggerNext } from "../ddl/trigger-statement.ts";
import { alterations } from "./binlog-alter.ts";
import { isStrict, keepsBackslashes, type QuerySession } from "./query-session.ts";

/** What a statement in the log does to a table. */
export type TableEffect =
  | { readonly kind: "truncated"; readonly table: TableId }
  /** Its columns, or how their values are kept, have become others: look at it again. `how` follows "The table". */
  | { readonly kind: "altered"; readonly table: TableId; readonly how: string }
  /** The same, unless the table was described with the column already. */
  | { readonly kind: "added"; readonly table: TableId; readonly column: string }
  /** A column is gone; one of that name that the table has now is another. */
  | { readonly kind: "dropped"; readonly table: TableId; readonly column: string }
  /** The default of a column may have become another; rows that were written before keep what they have. */
  | { readonly kind: "default"; readonly table: TableId; readonly column: string }
  /** An index of that name, or constraint, is gone. */
  | { readonly kind: "index-dropped"; readonly table: TableId; readonly index: string }
  /** A foreign key over these columns was added, that deletes or changes rows by itself. */
  | { readonly kind: "reference-added"; readonly table: TableId; readonly columns: readonly string[] }
  /** A foreign key of that name, or another constraint, is gone. */
  | { readonly kind: "reference-dropped"; readonly table: TableId; readonly constraint: string }
  /** It has other rows than the log tells of. */
  | { readonly kind: "replaced"; readonly table: TableId; readonly how: string };

export type Statement =
  | { readonly kind: "begin" | "commit" | "rollback" | "rollback-to" | "nothing" }
  | { readonly kind: "xa"; readonly verb: string; readonly xid: string }
  | DefinitionStatement
  | { readonly kind: "database-dropped"; readonly database: string }
  | RowsStatement;

/** Tables are made, altered, or go. */
export interface DefinitionStatement {
  readonly kind: "definition";
  /** What is seen of that at a glance. */
  readonly effects: readonly TableEffect[];
  /** All of it, as far as that is certain. */
  readonly read: () => TableStatement | undefined;
  /** Whatever in it may be a name, in lower case. */
  readonly names: () => ReadonlySet<string>;
  /** Values that a column cannot have were errors. */
  readonly isStrict: boolean;
}

/** Rows were changed by the statement itself. */
export interface RowsStatement {
  readonly kind: "rows";
  /** The one table, or view, that it writes to; undefined for several, or where that is not easily seen. */
  readonly target: TableId | undefined;
  /** It makes the target, which was not there before. */
  readonly makes: boolean;
  /** Whatever in it may be a name, in lower case. */
  readonly names: () => ReadonlySet<string>;
}

const CHANGING = ["INSERT", "REPLACE", "UPDATE", "DELETE"];
const UNTOLD: QuerySession = { sqlMode: undefined, clientCollation: undefined };
const NOTHING: Statement = { kind: "nothing" };
const fixed: Readonly<Record<string, Statement>> = {
  BEGIN: { kind: "begin" },
  COMMIT: { kind: "commit" },
  ROLLBACK: { kind: "rollback" },
};

/** Reads a statement of the log; `database` is the one that names without another are of. */
export function readStatement(sql: string, database: string, session: QuerySession = UNTOLD): Statement {
  const known = fixed[sql];
  if (known !== undefined) return known;
  const reader = behindSettings(sql);
  let verb = verbOf(reader);
  const definition = (effects: readonly TableEffect[]): DefinitionStatement => ({
    ...{ kind: "definition", effects, isStrict: isStrict(session) },
    names: () => namesIn(sql),
    read: () => {
      // Read as escapes, which they are not.
      if (sql.includes("\\") && keepsBackslashes(session)) return undefined;
      if (!isWhollyRun(sql)) return undefined;
      return readTableStatement(behindSettings(sql), database);
    },
  });
  // MariaDB: ANALYZE [FORMAT = ...] a statement that changes rows, which it does.
  if (verb === "ANALYZE") {
    if (reader.takeIf("FORMAT") !== undefined && reader.takeSign("=")) reader.take();
    verb = reader.isNext(...CHANGING) ? verbOf(reader) : verb;
  }
  switch (verb) {
    case "BEGIN":
      return { kind: "begin" };
    case "START":
      return { kind: reader.isNext("TRANSACTION") ? "begin" : "nothing" };
    case "COMMIT":
      return { kind: "commit" };
    case "ROLLBACK":
      reader.takeIf("WORK");
      return { kind: reader.isNext("TO") ? "rollback-to" : "rollback" };
    case "XA":
      return xa(reader, sql);
    case "TRUNCATE":
      reader.takeIf("TABLE");
      return definition([reader.table(database)].flatMap(truncated));
    case "DROP":
      return drop(reader) ?? definition(dropped(reader, database));
    case "RENAME":
      return definition(renames(reader, database));
    case "CREATE":
      return create(reader, sql) ?? definition(created(reader, database));
    case "ALTER":
      return definition(alterations(reader, database));
    case "INSERT":
    case "REPLACE":
    case "UPDATE":
    case "DELETE":
    case "LOAD":
      return rows(sql, target(verb, reader, database));
    case "WITH":
    case "CALL":
    case "SELECT":
    case "DO":
      return rows(sql, undefined);
    default:
      return NOTHING;
  }
}

/** A statement from its own first word on. MariaDB: SET STATEMENT name = value, ... FOR the statement. */
function behindSettings(sql: string): SqlReader {
  const reader = new SqlReader(sql);
  if (!reader.isNext("SET")) return reader;
  reader.take();
  if (reader.takeIf("STATEMENT") !== undefined) skipBehindFor(reader);
  return reader;
}

function rows(sql: string, target: TableId | undefined, makes = false): RowsStatement {
  return { kind: "rows", target, makes, names: () => namesIn(sql) };
}

function verbOf(reader: SqlReader): string {
  return reader.next?.kind === "word" ? reader.take()!.text.toUpperCase() : "";
}

function skipBehindFor(reader: SqlReader): void {
  for (let depth = 0; reader.next !== undefined; reader.take()) {
    if (depth === 0 && reader.takeIf("FOR") !== undefined) return;
    if (reader.next?.kind !== "sign") continue;
    if (reader.next.text === "(") depth++;
    if (reader.next.text === ")") depth--;
  }
}

function truncated(table: TableId | undefined): readonly TableEffect[] {
  return table === undefined ? [] : [{ kind: "truncated", table }];
}

/** The transaction's name is what follows the verb, as the server always writes it in one way. */
function xa(reader: SqlReader, sql: string): Statement {
  const verb = reader.take()?.text.toUpperCase() ?? "";
  const xid = /X'[0-9a-f]*'(?:\s*,\s*X'[0-9a-f]*')?(?:\s*,\s*\d+)?/i.exec(sql)?.[0] ?? "";
  return { kind: "xa", verb, xid: xid.replace(/\s/g, "").toLowerCase() };
}

/** undefined where tables are meant. */
function drop(reader: SqlReader): Statement | undefined {
  if (reader.takeIf("DATABASE", "SCHEMA") === undefined) {
    return reader.isNext("TABLE", "TABLES", "INDEX", "TRIGGER") ? undefined : NOTHING;
  }
  skipIfExists(reader);
  const name = reader.name();
  return name === undefined ? NOTHING : { kind: "database-dropped", database: name };
}

function dropped(reader: SqlReader, database: string): readonly TableEffect[] {
  if (reader.isNext("TRIGGER")) return [];
  if (reader.takeIf("INDEX") !== undefined) return droppedIndex(reader, database);
  reader.take();
  skipIfExists(reader);
  const effects: TableEffect[] = [];
  do {
    const table = reader.table(database);
    if (table === undefined) break;
    effects.push({ kind: "replaced", table, how: "was dropped" });
  } while (reader.takeSign(","));
  return effects;
}

/** DROP INDEX name ON table */
function droppedIndex(reader: SqlReader, database: string): readonly TableEffect[] {
  skipIfExists(reader);
  const index = reader.name();
  const table = reader.takeIf("ON") === undefined ? undefined : reader.table(database);
  return index === undefined || table === undefined ? [] : [{ kind: "index-dropped", table, index }];
}

function renames(reader: SqlReader, database: string): readonly TableEffect[] {
  const effects: TableEffect[] = [];
  if (reader.takeIf("TABLE", "TABLES") === undefined) return effects;
  skipIfExists(reader);
  do {
    for (let table = reader.table(database); table !== undefined; ) {
      effects.push({ kind: "replaced", table, how: "was renamed, or another got its name" });
      while (reader.isNext("WAIT", "NOWAIT")) reader.take();
      if (reader.next?.kind === "word" && /^\d+$/.test(reader.next.text)) reader.take();
      table = reader.takeIf("TO") === undefined ? undefined : reader.table(database);
    }
  } while (reader.takeSign(","));
  return effects;
}

/** A table may be filled by more than it says. undefined where a table is made and nothing more, or an index or trigger. */
function create(reader: SqlReader, sql: string): Statement | undefined {
  if (reader.isNext("OR", "UNIQUE", "INDEX", "FULLTEXT", "SPATIAL") || isTriggerNext(reader))
    return undefined;
  reader.takeIf("TEMPORARY");
  if (reader.takeIf("TABLE") === undefined) return NOTHING;
  while (reader.next !== undefined && !reader.isNext("SELECT")) reader.take();
  return reader.next === undefined ? undefined : rows(sql, undefined, true);
}

/** A table that is made was not there before, unless it takes another's place. */
function created(reader: SqlReader, database: string): readonly TableEffect[] {
  if (reader.takeIf("OR") === undefined || reader.takeIf("REPLACE") === undefined) return [];
  reader.takeIf("TEMPORARY");
  const table = reader.takeIf("TABLE") === undefined ? undefined : reader.table(database);
  return table === undefined ? [] : [{ kind: "replaced", table, how: "was made anew in its own place" }];
}

/** The one table that a statement writes to; undefined for several, or where that is not easily seen. */
function target(verb: string, reader: SqlReader, database: string): TableId | undefined {
  const modifiers = ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK", "CONCURRENT"];
  while (reader.takeIf(...modifiers) !== undefined);
  switch (verb) {
    case "INSERT":
    case "REPLACE":
      reader.takeIf("INTO");
      return reader.table(database);
    case "UPDATE": {
      const table = reader.table(database);
      if (reader.takeIf("AS") !== undefined) reader.name();
      else if (!reader.isNext("SET")) reader.name();
      return reader.isNext("SET") ? table : undefined;
    }
    case "DELETE": {
      if (reader.takeIf("FROM") === undefined) return undefined;
      const table = reader.table(database);
      return reader.next === undefined || reader.isNext("WHERE", "ORDER", "LIMIT") ? table : undefined;
    }
    default:
      for (let word = reader.take(); word !== undefined; word = reader.take()) {
        if (word.text.toUpperCase() !== "INTO" || reader.takeIf("TABLE") === undefined) continue;
        return reader.table(database);
      }
      return undefined;
  }
}

function skipIfExists(reader: SqlReader): void {
  if (reader.takeIf("IF") !== undefined) reader.takeIf("EXISTS");
}

/** Whatever may be a name, in lower case. */
export function namesIn(sql: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { text, kind } of sqlWords(sql)) if (kind !== "sign") names.add(text.toLowerCase());
  return names;
}
