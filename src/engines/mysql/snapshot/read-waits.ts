import type { LockWait } from "../../../core/lock-wait.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";
import { isNotAllowed } from "../log/log-state.ts";
import { SELECT_SESSIONS, type SessionRow, sessionSubject } from "./open-writers.ts";

/** Sessions that have waited for less are not told. */
const PATIENCE_S = 5;

/**
 * Sessions of our user that wait to read a table, because somebody is changing it or waits to do so. Who that is a
 * server tells where it keeps account of such locks: MySQL with the instrument wait/lock/metadata/sql/mdl, which 8.0 has on,
 * MariaDB with the plugin metadata_lock_info. Elsewhere nobody is named: whoever has been at something for longest may
 * have nothing to do with it.
 */
export async function readWaits(client: Client): Promise<readonly LockWait[]> {
  const waiting = await client.query<SessionRow>(
    `${SELECT_SESSIONS}
      where user = substring_index(current_user(), '@', 1) and ${WAITS} and time >= ${PATIENCE_S}`,
  );
  if (waiting.length === 0) return [];
  const holders = await readHolders(client);
  return waiting.map((session) => ({
    waiting: sessionSubject(session),
    ...told(holders.find(({ waiting: id }) => id === session.id)),
  }));
}

interface HolderRow extends SessionRow {
  readonly waiting: string;
}

function told(holder: HolderRow | undefined): Omit<LockWait, "waiting"> {
  if (holder === undefined) {
    return { holder: "a session that the server does not name", state: "hidden", seconds: null };
  }
  return {
    holder: sessionSubject(holder),
    state: holder.state || "in a transaction",
    seconds: Number(holder.seconds),
  };
}

/** ER_UNKNOWN_TABLE, ER_NO_SUCH_TABLE: the server keeps no such account. */
const NO_ACCOUNT: ReadonlySet<number> = new Set([1109, 1146]);

/** For each session that waits whoever is in its way, those that hold their lock before those that wait for theirs. */
async function readHolders(client: Client): Promise<readonly HolderRow[]> {
  try {
    return await client.query<HolderRow>(
      client.facts.flavour === "mariadb" ? MARIADB_HOLDERS : MYSQL_HOLDERS,
    );
  } catch (error) {
    if (isNotAllowed(error) || NO_ACCOUNT.has(serverFields(error)?.number ?? 0)) return [];
    throw error;
  }
}

const WAITS = "(state like 'Waiting for table metadata lock%' or state like 'Waiting for table flush%')";

/** Locks that a reader waits for, also when they are waited for themselves. */
const MYSQL_HOLDERS = `
  select wt.processlist_id as waiting, ht.processlist_id as id, ht.processlist_user as user, ht.processlist_host as host,
         ht.processlist_db as \`database\`, ht.processlist_state as state, ht.processlist_time as seconds
    from performance_schema.metadata_locks w
    join performance_schema.threads wt on wt.thread_id = w.owner_thread_id
    join performance_schema.metadata_locks h on h.object_type = w.object_type and h.object_schema = w.object_schema
     and h.object_name = w.object_name and h.owner_thread_id <> w.owner_thread_id
     and h.lock_type in ('EXCLUSIVE', 'SHARED_NO_READ_WRITE')
    join performance_schema.threads ht on ht.thread_id = h.owner_thread_id
   where w.lock_status = 'PENDING' order by h.lock_status = 'GRANTED' desc`;

/** Only locks that are held are told, and not who waits for them: the statement names the table. */
const MARIADB_HOLDERS = `
  select w.id as waiting, p.id as id, p.user as user, p.host as host, p.db as \`database\`, p.state as state, p.time as seconds
    from information_schema.processlist w
    join information_schema.metadata_lock_info l on l.lock_mode in ('MDL_EXCLUSIVE', 'MDL_SHARED_NO_READ_WRITE')
     and l.thread_id <> w.id and locate(concat('\`', l.table_schema, '\`.\`', l.table_name, '\`'), w.info) > 0
    join information_schema.processlist p on p.id = l.thread_id
   where w.state like 'Waiting for table metadata lock%'`;
