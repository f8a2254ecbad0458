import type { EndpointConfig } from "../../../core/engine.ts";
import type { Look, SessionMark, Sighting } from "../../shared/connection/session-look.ts";
import { askOnce } from "./driver-client.ts";

/** What a server process waits for that waits for us to say something, in lower case. */
const listening = new Set(["clientread", "walsendermain", "walsenderwaitforwal"]);
/** ... and for us to take something. */
const sending = new Set(["clientwrite", "walsenderwritedata"]);

/** From connecting to the answer. */
const TIMEOUT_MS = 10_000;

/** Asks a server over a connection of its own what it makes of some sessions. Those that are gone are missing. */
export async function lookAtSessions(endpoint: EndpointConfig, pids: readonly number[]): Promise<Look> {
  const question = { purpose: "tideway watch", sql: LOOK, values: [pids] };
  const rows = await askOnce<LookRow>(endpoint, question, AbortSignal.timeout(TIMEOUT_MS));
  const sightings = rows.flatMap(({ pid, started, event, mark }) =>
    pid === null ? [] : [{ pid: Number(pid), started, waits: waitsFor(event), mark }],
  );
  return { server: rows[0]!.server, sightings };
}

function waitsFor(event: string | null): Sighting["waits"] {
  const name = event?.toLowerCase() ?? "";
  if (listening.has(name)) return "to be told";
  return sending.has(name) ? "to send" : undefined;
}

/**
 * Ends sessions whose connections were cut. A server notices that only when it has something to send, after
 * CREATE INDEX, not during it, or never when the network has failed, and keeps locks until then. The purpose is
 * compared because behind a connection pooler the number may be another session's.
 */
export async function endSessions(endpoint: EndpointConfig, sessions: readonly SessionMark[]): Promise<void> {
  const values = [
    sessions.map(({ pid }) => pid),
    sessions.map(({ purpose }) => purpose),
    sessions.map(({ started }) => started),
  ];
  const question = { purpose: "tideway watch", sql: END, values };
  await askOnce(endpoint, question, AbortSignal.timeout(TIMEOUT_MS));
}

const END = `
  select pg_catalog.pg_terminate_backend(activity.pid)
    from unnest($1::int[], $2::text[], $3::text[]) as ours (pid, purpose, started)
    join pg_catalog.pg_stat_activity as activity
      on activity.pid = ours.pid and activity.application_name = ours.purpose
     and activity.usename = session_user
     and coalesce(extract(epoch from activity.backend_start)::text = ours.started, true)`;

/** `event`: what the process waits for, as pg_stat_activity names it; null while it works. */
type LookRow = Pick<Look, "server"> &
  Pick<Sighting, "started" | "mark"> & { readonly pid: string | null; readonly event: string | null };

/**
 * The mark is another, from version 14 on, also with each piece of the rows of a COPY.
 * The function stands behind pg_stat_progress_copy, a view that versions 12 and 13 do not have; they refuse its
 * argument, so CASE keeps it from them. Its first number is bytes_processed.
 */
const LOOK = `
  select extract(epoch from server.started) as server, activity.pid, activity.wait_event as event,
         extract(epoch from activity.backend_start) as started,
         concat_ws(' ', activity.state, extract(epoch from activity.query_start),
                   extract(epoch from activity.state_change),
                   case when pg_catalog.current_setting('server_version_num')::int >= 140000 then
                     (select copy.param1 from pg_catalog.pg_stat_get_progress_info('COPY') as copy
                       where copy.pid = activity.pid)
                   end) as mark
    from (select pg_catalog.pg_postmaster_start_time()) as server (started)
    left join pg_catalog.pg_stat_activity as activity on activity.pid = any ($1::int[])`;
