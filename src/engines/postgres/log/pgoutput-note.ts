import type { TableId, TableSchema } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import { tableWithColumns, uncheckedNotNulls } from "../catalog/catalog.ts";
import { type ColumnRow, columnsOf } from "../catalog/catalog-columns.ts";
import {
  type ConstraintRow,
  check,
  type ForeignKeyRow,
  foreignKey,
  type IndexRow,
  index,
  isThere,
} from "../catalog/catalog-constraints.ts";
import type { NativeType } from "../catalog/type-map.ts";

/** What the function behind the event triggers writes, see schema-notes-sql.ts; of a table that is gone only the first. */
export interface NoteText {
  readonly schema: string;
  readonly name: string;
  readonly shape: TableShape;
  readonly rewritten: boolean;
  readonly plain: boolean;
  /** Absent in what versions without it have written. */
  readonly unfilled?: readonly number[];
  readonly dropped?: boolean;
  /** relreplident. */
  readonly identity: string;
  /** Of the session that ran the statement, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The statement was about a type of its columns. */
  readonly ofType: boolean;
  readonly applied: boolean;
  readonly enums: readonly (TableId & { readonly labels: readonly string[] })[];
  readonly columns: readonly ColumnRow[];
  readonly indexes: readonly IndexRow[];
  readonly checks: readonly ConstraintRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
}

/** A note from the contents of its message; undefined for what cannot be read, such as one of another version. */
export function readNote(contents: Uint8Array): SchemaNote | undefined {
  const text = Buffer.from(contents).toString("utf8");
  try {
    return noteOf(text);
  } catch {
    return undefined;
  }
}

/** Throws whatever comes of a text that is no note. */
function noteOf(text: string): SchemaNote {
  const note = JSON.parse(text) as NoteText;
  const { schema, name, shape, dropped = false, rewritten, plain } = note;
  if (typeof shape.table !== "string" || !Array.isArray(shape.columns)) throw new TypeError("no shape");
  const parts = dropped ? undefined : describeNote(note, new Map());
  const enums = (dropped ? [] : note.enums).map(({ labels, ...id }) => ({ id, labels }));
  const [isOfType, isApplied] = [note.ofType === true, note.applied === true];
  const { unfilled = [] } = note;
  const id = { schema, name };
  return { id, shape, dropped, parts, enums, isOfType, isApplied, rewritten, plain, unfilled, text };
}

/** The table that a note describes. A type that is not among the types is opaque. */
export function describeNote(note: NoteText, types: ReadonlyMap<string, NativeType>): TableSchema {
  const { schema, name, identity, shape } = note;
  const columns = columnsOf(note.columns, types);
  const row = { schema, name, identity, rows: -1, bytes: 0, comment: null, rowTypes: null, shape };
  return {
    ...tableWithColumns(row, columns, note.indexes.filter(isThere).map(index)),
    checks: [...note.checks.filter(isThere).map(check), ...uncheckedNotNulls(columns)],
    foreignKeys: note.foreignKeys.filter(isThere).map(foreignKey),
  };
}
