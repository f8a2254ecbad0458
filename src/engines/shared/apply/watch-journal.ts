import type { JournalRequest, WatchedJournal } from "../../../core/journal.ts";
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
  const tables = await rows(sql.tablesSql(request), signal);
  const [log] = await rows(sql.noteSql(request, "source log"), signal);
  return {
    tables: tables.map(([schema, name]) => ({ schema: schema!, name: name! })),
    log: log?.[0] ?? undefined,
    async applied(forThis) {
      const [found] = await rows(sql.positionSql(request), forThis);
      const text = found?.[0];
      return typeof text === "string" ? positionOf(text) : undefined;
    },
  };
}
