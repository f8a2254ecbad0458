import { type TableId, tableKey } from "../core/schema.ts";
import type { FollowedTable } from "./plan-alterations.ts";

/**
 * Tables that are renamed to names which others have and keep. Where a source knows tables by their names alone, a task that
 * is behind finds such a table under its later name as a new one, and what has its own name by now in its place: a log
 * that is rotated is one. The new one is loaded, with all rows.
 */
export function takingNames(
  followed: readonly FollowedTable[],
  others: readonly TableId[],
): ReadonlySet<FollowedTable> {
  const kept = new Set([...others.map(tableKey), ...followed.filter((one) => !isRenamed(one)).map(newName)]);
  const renamed = new Set(followed.filter(isRenamed));
  const taking = new Set<FollowedTable>();
  for (let left = -1; left !== renamed.size; ) {
    left = renamed.size;
    for (const table of [...renamed].filter((one) => kept.has(newName(one)))) {
      renamed.delete(table);
      taking.add(table);
      // It stays, and others that take its name in turn are in the same place.
      kept.add(tableKey(table.from.source.id));
    }
  }
  return taking;
}

export function isRenamed(table: FollowedTable): boolean {
  return newName(table) !== tableKey(table.from.source.id);
}

/** The key of the name that a table has in the end. */
export function newName({ from, notes }: FollowedTable): string {
  return tableKey(notes.at(-1)?.id ?? from.source.id);
}
