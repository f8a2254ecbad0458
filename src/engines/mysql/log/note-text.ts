import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";

/** Tables that are no more, or are new, are noted by their names alone. */
const NO_SHAPE = { storage: "", columnsEver: 0, columns: [] } as const;
const NO_PARTS = {
  ...{ enums: [], isOfType: false, isApplied: false, rewritten: false, plain: true, unfilled: [] },
} as const;

/** A table that a statement has altered. What a note says in the log of others stands in it as text. */
export function noteOf(before: TableSchema, after: TableSchema): SchemaNote {
  const { id, indexes, checks, foreignKeys, key, rowIdentity } = after;
  const { place: _place, described: _described, ...shape } = after.shape!;
  const isRenamed = tableKey(before.id) !== tableKey(id);
  return {
    ...{ id, shape, dropped: false, ...NO_PARTS, text: JSON.stringify({ ...after, shape }) },
    parts: { indexes, checks, foreignKeys, key, rowIdentity },
    ...(isRenamed ? { becomes: tableKey(id) } : {}),
  };
}

export function newTable(id: TableId): SchemaNote {
  const shape = { table: tableKey(id), ...NO_SHAPE };
  return { ...{ id, shape, dropped: false, parts: undefined, ...NO_PARTS, text: "" } };
}

export function droppedTable({ id, shape }: TableSchema): SchemaNote {
  const bare = { table: shape!.table, ...NO_SHAPE };
  return { ...{ id, shape: bare, dropped: true, parts: undefined, ...NO_PARTS, text: "" } };
}

/** Tables as notes describe them; of those that are gone, or are new, nothing is said. */
export function notedTables(notes: readonly SchemaNote[]): readonly TableSchema[] {
  return notes.flatMap(({ text }) => (text === "" ? [] : [JSON.parse(text) as TableSchema]));
}
