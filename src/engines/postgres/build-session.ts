import type pg from "pg";

/** Makes a client whose connection and work on the server end when the signal aborts: ClientPool.lease(). */
export type Connect = (signal: AbortSignal) => Promise<pg.Client>;

/** Sorting for an index, and matching rows for a foreign key, in memory. */
const MEMORY_KB = 262_144;

/** Runs work on a connection of its own that has memory for building indexes. */
export async function withBuildSession(
  connect: Connect,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const client = await connect(signal);
  try {
    await client.query(
      `select set_config('maintenance_work_mem', '${MEMORY_KB}', false) from pg_settings
       where name = 'maintenance_work_mem' and setting::int < ${MEMORY_KB}`,
    );
    await work(client);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}
