import type { OpenWriter } from "../../../core/source.ts";
import type { Client } from "../connection/client.ts";
import { isNotAllowed } from "../log/log-state.ts";

/** A statement that has run for less ends soon, mostly. */
const SECONDS = 3;

/** A session as the server lists it. */
export interface SessionRow {
  readonly id: string;
  readonly user: string;
  readonly host: string | null;
  readonly database: string | null;
  readonly state: string | null;
  /** For how long it has been in this state. */
  readonly seconds: string;
}

/** Selects sessions from information_schema.processlist. */
export const SELECT_SESSIONS =
  "select id as id, user as user, host as host, db as `database`, state as state, time as seconds from information_schema.processlist";

/**
 * Who keeps a snapshot from beginning: a global read lock waits for statements that run, and locks of tables for
 * transactions that have written to them as well, though these may stand idle. Statements first, the oldest of each before.
 * Without the privilege PROCESS a user sees its own alone.
 */
export async function openWriters(client: Client, olderThanS = SECONDS): Promise<readonly OpenWriter[]> {
  return [...(await longStatements(client, olderThanS)), ...(await idleTransactions(client, olderThanS))];
}

/** Whose statements run for long, the oldest first. */
export async function longStatements(client: Client, olderThanS = SECONDS): Promise<readonly OpenWriter[]> {
  const rows = await client.query<SessionRow>(
    `${SELECT_SESSIONS}
      where command in ('Query', 'Execute') and time >= ${olderThanS} and id <> connection_id()
        and user not in ('system user', 'event_scheduler') and coalesce(state, '') not like 'Waiting for %lock'
        and coalesce(state, '') not like 'Waiting for table flush'
      order by time desc`,
  );
  return rows.map((row) => ({
    subject: sessionSubject(row),
    state: row.state || "running a statement",
    seconds: Number(row.seconds),
  }));
}

/** Sessions that do nothing within a transaction that has written, the oldest first; none for a user who may not ask. */
async function idleTransactions(client: Client, olderThanS: number): Promise<readonly OpenWriter[]> {
  try {
    const rows = await client.query<SessionRow>(
      `select p.id as id, p.user as user, p.host as host, p.db as \`database\`, p.state as state,
              timestampdiff(second, t.trx_started, now()) as seconds
         from information_schema.innodb_trx t join information_schema.processlist p on p.id = t.trx_mysql_thread_id
        where p.command = 'Sleep' and t.trx_rows_modified > 0 and timestampdiff(second, t.trx_started, now()) >= ${olderThanS}
        order by t.trx_started`,
    );
    return rows.map((row) => ({
      subject: sessionSubject(row),
      state: "idle in a transaction",
      seconds: Number(row.seconds),
    }));
  } catch (error) {
    if (isNotAllowed(error)) return [];
    throw error;
  }
}

/** "session 17 of app@10.0.0.5:52044 in shop" */
export function sessionSubject({ id, user, host, database }: Omit<SessionRow, "state" | "seconds">): string {
  const where = database === null ? "" : ` in ${database}`;
  return `session ${id} of ${user}@${host ?? "?"}${where}`;
}
