import { type TableId, tableKey } from "../core/schema.ts";
import type { ShapedTable } from "../core/table-shape.ts";
import type { Attempt } from "./attempt.ts";
import { findBringers, tellBringers } from "./bringing-tasks.ts";
import { compareAll } from "./run-validation.ts";

/**
 * Compares all tables once, for a task that moves nothing. Comparing is the task's work here: what goes wrong with it is an
 * error of the task, which tries again, or fails, as with any other.
 */
export async function validateOnly(attempt: Attempt): Promise<void> {
  const { validation: book, journal, plan, errors, statistics, signal } = attempt;
  if (book === undefined) return;
  statistics.setPhase("validating");
  const altered = await noteTables(attempt);
  await book.begin(attempt);
  await book.anew(altered, journal, signal);
  const found = await findBringers(attempt, signal);
  tellBringers(attempt, found);
  await compareAll({ attempt, book }, found.places);
  for (const { source } of plan.tables) if (!errors.isSuspended(source.id)) statistics.completed(source.id);
}

/** So that the journal can say of each table whether it is compared. Returns those that are not what they were then. */
async function noteTables({ plan, journal, errors, signal }: Attempt): Promise<readonly TableId[]> {
  const journaled = new Map((await journal.tables(signal)).map((table) => [tableKey(table.id), table]));
  const shapes = plan.tables.flatMap(({ source: { id, shape } }): readonly ShapedTable[] =>
    shape === undefined || errors.isSuspended(id) ? [] : [{ id, shape }],
  );
  await journal.setShapes(shapes, signal);
  return shapes.flatMap(({ id, shape }) => {
    const known = journaled.get(tableKey(id));
    return known === undefined || JSON.stringify(known.shape) === JSON.stringify(shape) ? [] : [id];
  });
}
