import type { OpenWriter } from "../../../core/source.ts";
import type { Client } from "../connection/client.ts";

/** A statement that has run for less ends soon, mostly. */
const SECONDS = 3;

interface ProcessRow {
  readonly id: string;
  readonly user: string;
  readonly host: string | null;
  readonly database: string | null;
  readonly state: string | null;
  readonly seconds: string;
}

/**
 * Whose statements run for long: a global read lock waits until they end (a snapshot begins under one); the
 * oldest first. Without the privilege PROCESS a user sees its own alone.
 */
export async function openWriters(client: Client): Promise<readonly OpenWriter[]> {
  const rows = await client.query<ProcessRow>(
    `select id as id, user as user, host as host, db as \`database\`, state as state, time as seconds from information_schema.processlist
      where command in ('Query', 'Execute') and time >= ${SECONDS} and id <> connection_id()
        and user not in ('system user', 'event_scheduler') and coalesce(state, '') not like 'Waiting for %lock'
        and coalesce(state, '') not like 'Waiting for table flush'
      order by time desc`,
  );
  return rows.map((row) => ({
    subject: sessionSubject(row),
    state: row.state === null || row.state === "" ? "running a statement" : row.state,
    seconds: Number(row.seconds),
  }));
}

/** "session 17 of app@10.0.0.5:52044 in shop" */
export function sessionSubject({ id, user, host, database }: Omit<ProcessRow, "state" | "seconds">): string {
  const where = database === null ? "" : ` in ${database}`;
  return `session ${id} of ${user}@${host ?? "?"}${where}`;
}
