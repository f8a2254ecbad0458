import type { LockWait } from "../../../core/lock-wait.ts";
import type { Client } from "../connection/client.ts";
import { sessionSubject } from "./open-writers.ts";

/** Sessions that have waited for less are not told. */
const PATIENCE_S = 5;

interface SessionRow {
  readonly id: string;
  readonly user: string;
  readonly host: string | null;
  readonly database: string | null;
  readonly state: string | null;
  readonly seconds: string;
}

/**
 * Sessions of our user that wait to read a table, because somebody is changing it or waits to do so. Who holds the
 * lock is what a server seldom tells: the session of another user that has been at a statement or a transaction for
 * longest is named. Without the privilege PROCESS there is none to name, and nothing is told.
 */
export async function readWaits(client: Client): Promise<readonly LockWait[]> {
  const waiting = await client.query<SessionRow>(
    `select ${SESSION} from information_schema.processlist
      where user = substring_index(current_user(), '@', 1) and ${WAITS} and time >= ${PATIENCE_S}`,
  );
  if (waiting.length === 0) return [];
  const [holder] = await client.query<SessionRow>(
    `select ${SESSION} from information_schema.processlist p
      left join information_schema.innodb_trx t on t.trx_mysql_thread_id = p.id
      where p.user <> substring_index(current_user(), '@', 1) and p.user not in ('system user', 'event_scheduler')
        and (t.trx_id is not null or p.command in ('Query', 'Execute'))
      order by ${WAITS}, coalesce(timestampdiff(second, t.trx_started, now()), p.time) desc limit 1`,
  );
  if (holder === undefined) return [];
  return waiting.map((session) => ({
    waiting: sessionSubject(session),
    holder: sessionSubject(holder),
    state: holder.state === null || holder.state === "" ? "in a transaction" : holder.state,
    seconds: Number(holder.seconds),
  }));
}

const SESSION = "id as id, user as user, host as host, db as `database`, state as state, time as seconds";
const WAITS = "(state like 'Waiting for table metadata lock%' or state like 'Waiting for table flush%')";
