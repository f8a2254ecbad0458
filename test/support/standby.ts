import { eventually } from "./eventually.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** The physical slot by which the standby keeps the primary's log. */
export const STANDBY_SLOT = "standby";

export interface StandbyOptions {
  /** The standby synchronises failover slots; true when left out. From version 17 on. */
  readonly synchronizes?: boolean;
}

/** A standby that follows a primary, which is restarted for it. */
export async function standbyOf(
  primary: PostgresServer,
  { synchronizes = true }: StandbyOptions = {},
): Promise<PostgresServer> {
  await primary.query(`select pg_create_physical_replication_slot('${STANDBY_SLOT}', true)`);
  await primary.stop();
  const standby = await primary.copy(
    {
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres password=${primary.password} dbname=postgres`,
      primary_slot_name: STANDBY_SLOT,
      hot_standby_feedback: "on",
      wal_receiver_status_interval: 1,
      ...(synchronizes ? { sync_replication_slots: "on" } : {}),
    },
    { standby: true },
  );
  await primary.start();
  await standby.start();
  return standby;
}

/** Resolves when the standby has all that was written on the primary before the call. */
export async function replayed(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [{ lsn }] = await primary.query("select pg_current_wal_flush_lsn()::text as lsn");
  await eventually("the standby to replay", async () => {
    const [row] = await standby.query(`select pg_last_wal_replay_lsn() >= '${lsn}' as there`);
    return row.there;
  });
}

/** Resolves when the standby holds the only logical slot of the primary in a state that survives promotion. */
export async function slotSynchronized(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  await eventually("the slot on the standby", async () => {
    // A slot is taken over once it can be read from where it stands: after the server has noted who is writing.
    await primary.query("select pg_log_standby_snapshot()");
    // Wakes the worker, which looks every half a minute at an idle primary.
    await standby.query("select pg_reload_conf()");
    const found = await standby.query(
      "select 1 from pg_replication_slots where slot_type = 'logical' and synced and not temporary",
    );
    return found.length > 0;
  });
}
