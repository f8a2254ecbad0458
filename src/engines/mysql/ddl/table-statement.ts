import type { TableId } from "../../../core/schema.ts";
import { readAlterClause, readDefinition, readTableOption, type TableClause } from "./alter-clause.ts";
import { UnreadDefinition } from "./column-text.ts";
import { readIndex, readIndexKind } from "./index-text.ts";
import type { SqlReader } from "./sql-words.ts";
import {
  isTriggerNext,
  readCreatedTrigger,
  readDroppedTrigger,
  type TriggerStatement,
} from "./trigger-statement.ts";

/** A statement that makes, alters, renames or drops tables, or triggers of them. */
export type TableStatement =
  | TriggerStatement
  | { readonly kind: "alter"; readonly table: TableId; readonly clauses: readonly TableClause[] }
  | { readonly kind: "rename"; readonly pairs: readonly RenamedTable[] }
  | { readonly kind: "drop"; readonly tables: readonly TableId[] }
  /** Only where it is not there, perhaps. */
  | { readonly kind: "create"; readonly table: TableId; readonly form: CreatedForm | undefined };

export interface RenamedTable {
  readonly from: TableId;
  readonly to: TableId;
}

/** What a table is made like, where that is certain. */
export type CreatedForm = { readonly like: TableId } | { readonly clauses: readonly TableClause[] };

/**
 * Reads a statement from its first word on; `database` is the one that names without another are of. undefined for one
 * that does none of this, or of which not all is known for certain.
 */
export function readTableStatement(reader: SqlReader, database: string): TableStatement | undefined {
  try {
    switch (reader.takeIf("ALTER", "CREATE", "DROP", "RENAME")) {
      case "ALTER":
        return readAlter(reader, database);
      case "CREATE":
        return readCreate(reader, database);
      case "DROP":
        return readDrop(reader, database);
      case "RENAME":
        return readRename(reader, database);
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof UnreadDefinition) return undefined;
    throw error;
  }
}

function readAlter(reader: SqlReader, database: string): TableStatement | undefined {
  reader.takeIf("ONLINE");
  if (reader.takeIf("TABLE") === undefined) return undefined;
  skipIfExists(reader);
  const table = tableName(reader, database);
  if (reader.takeIf("WAIT") !== undefined) reader.take();
  reader.takeIf("NOWAIT");
  const clauses: TableClause[] = [];
  do {
    clauses.push(...readAlterClause(reader, table.schema));
    // Options of the table stand behind each other without commas, too.
    while (reader.next?.kind === "word") clauses.push(...readTableOption(reader));
  } while (reader.takeSign(","));
  return atEnd(reader, { kind: "alter", table, clauses });
}

function readDrop(reader: SqlReader, database: string): TableStatement | undefined {
  if (reader.takeIf("INDEX") !== undefined) {
    skipIfExists(reader);
    const name = reader.name();
    const table = reader.takeIf("ON") === undefined ? undefined : tableName(reader, database);
    if (name === undefined || table === undefined) return undefined;
    return { kind: "alter", table, clauses: [{ kind: "drop-index", name }] };
  }
  if (reader.isNext("TRIGGER")) return readDroppedTrigger(reader, database);
  if (reader.takeIf("TABLE", "TABLES") === undefined) return undefined;
  skipIfExists(reader);
  const tables: TableId[] = [];
  do {
    tables.push(tableName(reader, database));
  } while (reader.takeSign(","));
  return { kind: "drop", tables };
}

function readRename(reader: SqlReader, database: string): TableStatement | undefined {
  if (reader.takeIf("TABLE", "TABLES") === undefined) return undefined;
  skipIfExists(reader);
  const pairs: RenamedTable[] = [];
  do {
    const from = tableName(reader, database);
    if (reader.takeIf("WAIT") !== undefined) reader.take();
    reader.takeIf("NOWAIT");
    if (reader.takeIf("TO") === undefined) return undefined;
    pairs.push({ from, to: tableName(reader, database) });
  } while (reader.takeSign(","));
  return atEnd(reader, { kind: "rename", pairs });
}

function readCreate(reader: SqlReader, database: string): TableStatement | undefined {
  const kind = readIndexKind(reader);
  if (kind !== undefined) {
    const name = reader.name();
    if (reader.takeIf("USING") !== undefined) reader.take();
    const table = reader.takeIf("ON") === undefined ? undefined : tableName(reader, database);
    if (name === undefined || table === undefined) return undefined;
    return atEnd(reader, {
      ...{ kind: "alter", table },
      clauses: [{ kind: "add-index", index: readIndex(reader, kind, name) }],
    });
  }
  if (isTriggerNext(reader)) return readCreatedTrigger(reader, database);
  if (reader.takeIf("TABLE") === undefined) return undefined;
  if (reader.takeIf("IF") !== undefined) {
    reader.takeIf("NOT");
    reader.takeIf("EXISTS");
  }
  const table = tableName(reader, database);
  return { kind: "create", table, form: readForm(reader, database) };
}

function readForm(reader: SqlReader, database: string): CreatedForm | undefined {
  try {
    const isBracketed = reader.takeSign("(");
    if (reader.takeIf("LIKE") !== undefined) return { like: tableName(reader, database) };
    if (!isBracketed) return undefined;
    const clauses: TableClause[] = [];
    do {
      clauses.push(...readDefinition(reader));
    } while (reader.takeSign(","));
    if (!reader.takeSign(")")) return undefined;
    while (reader.next !== undefined && !reader.isNext("PARTITION", "SELECT", "AS", "START")) {
      reader.takeSign(",");
      clauses.push(...readTableOption(reader));
    }
    return reader.next === undefined || reader.isNext("PARTITION") ? { clauses } : undefined;
  } catch (error) {
    if (error instanceof UnreadDefinition) return undefined;
    throw error;
  }
}

function tableName(reader: SqlReader, database: string): TableId {
  const table = reader.table(database);
  if (table === undefined) throw new UnreadDefinition();
  return table;
}

function atEnd<Read>(reader: SqlReader, read: Read): Read | undefined {
  reader.takeSign(";");
  return reader.next === undefined ? read : undefined;
}

function skipIfExists(reader: SqlReader): void {
  if (reader.takeIf("IF") !== undefined) reader.takeIf("EXISTS");
}

/** The statement as a server has it that keeps all names of tables in lower case. */
export function inLowerCase(statement: TableStatement): TableStatement {
  switch (statement.kind) {
    case "alter": {
      return {
        ...statement,
        table: lower(statement.table),
        clauses: statement.clauses.map(clauseInLowerCase),
      };
    }
    case "rename":
      return {
        ...statement,
        pairs: statement.pairs.map(({ from, to }) => ({ from: lower(from), to: lower(to) })),
      };
    case "drop":
      return { ...statement, tables: statement.tables.map(lower) };
    case "create-trigger":
      return { ...statement, name: lower(statement.name), table: lower(statement.table) };
    case "drop-trigger":
      return { ...statement, name: lower(statement.name) };
    case "create": {
      const { form } = statement;
      const table = lower(statement.table);
      if (form === undefined) return { ...statement, table };
      if ("like" in form) return { ...statement, table, form: { like: lower(form.like) } };
      return { ...statement, table, form: { clauses: form.clauses.map(clauseInLowerCase) } };
    }
  }
}

function clauseInLowerCase(clause: TableClause): TableClause {
  if (clause.kind === "rename") return { ...clause, to: lower(clause.to) };
  if (clause.kind !== "add-reference") return clause;
  const { reference } = clause;
  const { schema, table } = reference;
  return {
    ...clause,
    reference: { ...reference, schema: schema?.toLowerCase(), table: table.toLowerCase() },
  };
}

function lower({ schema, name }: TableId): TableId {
  return { schema: schema.toLowerCase(), name: name.toLowerCase() };
}
