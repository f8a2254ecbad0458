import { MigrationError, type TableOutcome } from "../../core/error.ts";

/**
 * Does work for many tables at once. When that fails, each is done alone, so that one table's error
 * stays its own and leaves no trace on the others. `together` must undo what it did when it throws;
 * what `alone` throws must be classified.
 */
export async function togetherOrAlone<Item, Result>(
  items: readonly Item[],
  together: (items: readonly Item[]) => Promise<readonly Result[]>,
  alone: (item: Item) => Promise<Result>,
): Promise<TableOutcome<Result>[]> {
  if (items.length > 1) {
    try {
      return [...(await together(items))];
    } catch {
      // Whatever it was comes up again for the table that it is about, and then with that table's name.
    }
  }
  return oneByOne(items, alone);
}

/** Does work for tables one after the other; what it throws must be classified. */
export async function oneByOne<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<TableOutcome<Result>[]> {
  const outcomes: TableOutcome<Result>[] = [];
  for (const item of items) {
    try {
      outcomes.push(await work(item));
    } catch (error) {
      if (!(error instanceof MigrationError) || error.scope !== "table") throw error;
      outcomes.push(error);
    }
  }
  return outcomes;
}

/** Pieces of at most `size` items, in order. */
export function inPieces<Item>(items: readonly Item[], size: number): Item[][] {
  const pieces: Item[][] = [];
  for (let at = 0; at < items.length; at += size) pieces.push(items.slice(at, at + size));
  return pieces;
}
