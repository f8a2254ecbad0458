import type { LockWait } from "../../../core/lock-wait.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";

/** Sessions that have waited for less are not told. */
const PATIENCE_S = 5;

interface WaitRow {
  readonly waiting: string;
  readonly holder: string;
  readonly state: string | null;
  readonly seconds: string | null;
}

/**
 * Sessions of the endpoint's user that wait for a row's lock of another user's, or of one that does not write for
 * Tideway. A user without the right to see them (PROCESS) learns of none.
 */
export async function lockWaits(client: Client): Promise<readonly LockWait[]> {
  const [right] = await client.query<{ may: string }>(MAY_SEE);
  if (right?.may !== "1") return [];
  const { flavour } = client.facts;
  const isNew = flavour === "mysql" && atLeast(client.facts, 8);
  const rows = await client.query<WaitRow>(waitsSql(isNew ? NEW_PAIRS : OLD_PAIRS));
  return rows.map(({ waiting, holder, state, seconds }) => ({
    waiting,
    holder,
    state: state ?? "hidden",
    seconds: seconds === null ? null : Number(seconds),
  }));
}

const MAY_SEE = `select count(*) > 0 as may from information_schema.user_privileges
  where privilege_type in ('PROCESS', 'SUPER') and replace(grantee, '''', '') = current_user()`;

const OLD_PAIRS =
  "select requesting_trx_id as requesting, blocking_trx_id as blocking from information_schema.innodb_lock_waits";
const NEW_PAIRS = `select requesting_engine_transaction_id as requesting, blocking_engine_transaction_id as blocking
  from performance_schema.data_lock_waits`;

/** A session that holds a task's lock, or is of the same user and loads, is one of ours. */
function waitsSql(pairs: string): string {
  return `select concat('connection ', waiter.trx_mysql_thread_id) as waiting,
      concat('connection ', holder.trx_mysql_thread_id, coalesce(concat(' of ', session.user, '@', session.host), '')) as holder,
      lower(session.command) as state, timestampdiff(second, holder.trx_started, now()) as seconds
    from (${pairs}) as pair
    join information_schema.innodb_trx waiter on waiter.trx_id = pair.requesting
    join information_schema.innodb_trx holder on holder.trx_id = pair.blocking
    join information_schema.processlist own on own.id = waiter.trx_mysql_thread_id
    left join information_schema.processlist session on session.id = holder.trx_mysql_thread_id
   where own.user = substring_index(current_user(), '@', 1)
     and coalesce(session.user, '') <> own.user
     and timestampdiff(second, waiter.trx_wait_started, now()) >= ${PATIENCE_S}`;
}
