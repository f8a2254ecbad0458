import type pg from "pg";
import type { OpenWriter } from "../../../core/source.ts";
import { selectJson } from "./catalog-query.ts";

/**
 * Transactions that have written and are open, of all databases of the server, the oldest first: a slot
 * begins where none of them is. A role that may not see others' sees its own and the prepared ones.
 */
export async function openWriters(client: pg.Client, olderThanSeconds = 0): Promise<OpenWriter[]> {
  return selectJson<OpenWriter>(client, WRITERS, [olderThanSeconds]);
}

/** SQL that names a row of pg_stat_activity in words; null where the row is missing. */
export function sessionSubject(row: string): string {
  return `'session ' || ${row}.pid || coalesce(' of ' || ${row}.usename, '')
    || coalesce(' (' || nullif(${row}.application_name, '') || ')', '')`;
}

const WRITERS = `
  select subject, state, seconds from (
    select ${sessionSubject("session")} as subject,
           coalesce(state, 'open') as state, extract(epoch from clock_timestamp() - xact_start)::int as seconds
      from pg_stat_activity session
     where pid <> pg_backend_pid() and backend_xid is not null
       and xact_start <= clock_timestamp() - make_interval(secs => $1)
    union all
    select 'prepared transaction ' || gid, 'prepared', extract(epoch from clock_timestamp() - prepared)::int
      from pg_prepared_xacts where prepared <= clock_timestamp() - make_interval(secs => $1)
  ) as writer order by seconds desc`;
