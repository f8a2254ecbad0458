import { MigrationError } from "../core/error.ts";
import { tableKey } from "../core/schema.ts";
import type { StreamRequest } from "../core/source.ts";
import type { Attempt } from "./attempt.ts";
import { publishedTables } from "./run-load.ts";
import type { ValidationBook } from "./validation-book.ts";
import { waitForWriters } from "./wait-for-writers.ts";

/**
 * Has the source send the changes of tables that the task's stream lacks: those that are new. A snapshot begins where nobody writes
 * to them any more who has begun before; what was written until then is seen by their whole comparison, which comes after this. To be
 * called when the book has begun.
 */
export async function publishNew(attempt: Attempt, book: ValidationBook): Promise<void> {
  const { source, journal, notes, signal } = attempt;
  const published = publishedTables(attempt);
  // What is called otherwise by now is found by that name when its note has come.
  const awaited = new Set(notes.awaited.map(tableKey));
  const wanted = { ...published, tables: published.tables.filter(({ id }) => !awaited.has(tableKey(id))) };
  if (!(await lacksTable(attempt, wanted))) return;
  const due = new Set(book.due(true).map((plan) => tableKey(plan.source.id)));
  const compared = wanted.tables.filter(({ id }) => !due.has(tableKey(id)));
  const hasLost = await lacksTable(attempt, { ...wanted, tables: compared });
  const anchored = { ...wanted, anchor: "existing-stream", sessions: 1 } as const;
  const open = (limited: AbortSignal) => source.openSnapshot(anchored, limited);
  await using _snapshot = await waitForWriters(attempt, { isNew: false, isLimited: false }, open);
  if (!hasLost) return;
  // Somebody has taken tables from the stream, and it is not known which: changes of them were not sent.
  await book.anew(
    compared.map(({ id }) => id),
    journal,
    signal,
  );
}

async function lacksTable({ source, signal }: Attempt, wanted: StreamRequest): Promise<boolean> {
  try {
    await source.checkStream(wanted, signal);
    return false;
  } catch (error) {
    if (error instanceof MigrationError && error.code === "source.table_unpublished") return true;
    throw error;
  }
}
