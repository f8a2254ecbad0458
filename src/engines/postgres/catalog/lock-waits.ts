import type { EndpointConfig } from "../../../core/engine.ts";
import type { LockWait } from "../../../core/lock-wait.ts";
import { watchOf } from "../connection/connection.ts";
import { askOnce } from "../connection/driver-client.ts";
import { sessionSubject } from "./open-writers.ts";

/** A session that has waited for less is not asked about. */
const PATIENCE_MS = 5_000;

/** A server in trouble does not answer this at all. */
const TIMEOUT_MS = 10_000;

/**
 * Which of an endpoint's sessions wait for a lock, and who has it; our own wait for each other only briefly. Asked
 * over a connection of its own, as the role that the sessions were opened with. Throws what the driver says.
 */
export async function lockWaits(endpoint: EndpointConfig, signal: AbortSignal): Promise<readonly LockWait[]> {
  const watch = watchOf(endpoint);
  const waiting = watch.awaitedFor(PATIENCE_MS);
  if (waiting.length === 0) return [];
  const question = { purpose: "tideway watch", sql: LOCK_WAITS, values: [waiting, watch.pids] };
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const rows = await askOnce<LockWaitRow>(endpoint, question, limited);
  return rows.map(({ seconds, ...row }) => ({ ...row, seconds: seconds === null ? null : Number(seconds) }));
}

type LockWaitRow = Omit<LockWait, "seconds"> & { readonly seconds: string | null };

/** A prepared transaction has no process: the server tells it as 0. */
const LOCK_WAITS = `
  select waiter.application_name as waiting,
         coalesce(${sessionSubject("holder")}, 'prepared transaction') as holder,
         coalesce(holder.state, case when holder.pid is null then 'prepared' else 'hidden' end) as state,
         extract(epoch from clock_timestamp() - holder.xact_start)::int as seconds
    from pg_stat_activity waiter
    cross join lateral unnest(pg_blocking_pids(waiter.pid)) as blocking (pid)
    left join pg_stat_activity holder on holder.pid = blocking.pid
   where waiter.pid = any ($1::int[]) and waiter.wait_event_type = 'Lock'
     and blocking.pid <> all ($2::int[])`;
