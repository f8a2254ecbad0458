import type { JournaledState, JournalRequest, WatchedJournal, WatchedTable } from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import type { JournalSql } from "./journal-sql.ts";

/** How an engine is asked about a journal by somebody who does not work on its task. */
export interface JournalQuestions {
  readonly sql: JournalSql;
  /** A query's rows as texts. */
  rows(sql: string, signal: AbortSignal): Promise<readonly (readonly (string | null)[])[]>;
  positionOf(text: string): Position | undefined;
}

/** See Target.watchJournal. */
export async function watchJournal(
  { sql, rows, positionOf }: JournalQuestions,
  request: JournalRequest,
  signal: AbortSignal,
): Promise<WatchedJournal> {
  const watched = async (forThis: AbortSignal): Promise<readonly WatchedTable[]> => {
    const found = await rows(sql.tablesSql(request), forThis);
    return found.map(([schema, name, state, told]) => {
      return { id: { schema: schema!, name: name! }, state: state as JournaledState, told: told ?? "" };
    });
  };
  const tables = await watched(signal);
  const [log] = await rows(sql.noteSql(request, "source log"), signal);
  const [only] = await rows(sql.noteSql(request, "only compares"), signal);
  return {
    tables: tables.map(({ id }) => id),
    onlyCompares: only !== undefined,
    watched,
    log: log?.[0] ?? undefined,
    async applied(forThis) {
      const [found] = await rows(sql.positionSql(request), forThis);
      const text = found?.[0];
      return typeof text === "string" ? positionOf(text) : undefined;
    },
  };
}
