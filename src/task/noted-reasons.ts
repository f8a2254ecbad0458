import { displayTable, type TableSchema, tableKey } from "../core/schema.ts";
import type { SchemaNote } from "../core/schema-note.ts";
import { type ColumnShape, type TableShape, unfollowable } from "../core/table-shape.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { selectTables } from "../mapping/selection.ts";
import type { TaskSettings } from "./settings.ts";

/**
 * Why the target cannot follow a table through the notes of one transaction; follows "The table". `isApplied`: the target
 * has done so before, it all came from there.
 */
export function whyNotFollowed(
  table: TableSchema,
  notes: readonly SchemaNote[],
  { mappings, isApplied }: { readonly mappings: TableMappings; readonly isApplied: boolean },
): string | undefined {
  const { id, parts } = notes.at(-1)!;
  if (tableKey(id) !== tableKey(table.id) && selectTables([id], mappings).length === 0) {
    return `is called ${displayTable(id)} now, which the table mappings leave out`;
  }
  if (parts?.rowIdentity === "none") return "has no key any more by which its rows are found";
  if (isApplied) return undefined;
  const original = new Set(table.shape!.columns.map(({ number }) => number));
  /** By a column's number, whether it wrote rows anew to get another type. */
  const retyped = new Map<number, boolean>();
  /** Columns that came without a value: written anew, rows hold NULL in them, too, or what the stream tells. */
  const empty = new Set<number>();
  let known = table.shape!;
  for (const { shape, rewritten, plain, unfilled } of notes) {
    const before = new Set(known.columns.map(({ number }) => number));
    for (const { number, fill, computed } of shape.columns) {
      if (before.has(number) || fill !== null || computed !== null) continue;
      if (!rewritten || unfilled.includes(number)) empty.add(number);
    }
    // What was there before the column then has its value in itself, which no later note tells.
    const isLost = ({ number }: ColumnShape): boolean => !original.has(number) && !empty.has(number);
    const added = rewritten ? shape.columns.find(isLost) : undefined;
    if (added !== undefined) return `got the column ${added.name}, and all its rows were written anew`;
    const how = unfollowable(known, { shape, rewritten, plain });
    if (how !== undefined) return how;
    for (const { number, name } of withOtherTypes(known, shape)) {
      // The target would go from the first type to the last, and values may have lost something in between.
      if (retyped.has(number) && (rewritten || retyped.get(number) === true)) {
        return `has got another type in its column ${name} more than once in one transaction`;
      }
      retyped.set(number, rewritten || retyped.get(number) === true);
    }
    known = shape;
  }
  return undefined;
}

/** Where two tasks go in opposite directions, whether what is noted came from the target. */
export function isApplied({ preventsLoops }: TaskSettings, notes: readonly SchemaNote[]): boolean {
  return preventsLoops && notes.length > 0 && notes.every((note) => note.isApplied);
}

/** The note whose session's settings made values what they are: the last that gave a column another type; else the last. */
export function decisiveNote(table: TableSchema, notes: readonly SchemaNote[]): SchemaNote | undefined {
  let known = table.shape!;
  let decisive = notes.at(-1);
  for (const note of notes) {
    if (withOtherTypes(known, note.shape).length > 0) decisive = note;
    known = note.shape;
  }
  return decisive;
}

function withOtherTypes(before: TableShape, now: TableShape): readonly ColumnShape[] {
  const types = new Map(before.columns.map(({ number, type }) => [number, type]));
  return now.columns.filter(({ number, type }) => types.has(number) && types.get(number) !== type);
}
