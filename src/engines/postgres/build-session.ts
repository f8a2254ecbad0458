import type pg from "pg";
import { selectJson } from "./catalog-query.ts";

export type Connect = (signal: AbortSignal) => Promise<pg.Client>;

/** Sorting for an index, and matching rows for a foreign key, in memory. */
const MEMORY_KB = 262_144;

/**
 * Runs work on a connection of its own that has memory for building indexes. When the signal aborts,
 * the server ends the statement, which may otherwise run for hours; then the signal's reason is thrown.
 */
export async function withBuildSession(
  connect: Connect,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const client = await connect(signal);
  let ending: Promise<void> | undefined;
  let abort: (() => void) | undefined;
  try {
    const [session] = await selectJson<{ pid: number }>(
      client,
      `select pg_backend_pid() as pid, case when setting::int < ${MEMORY_KB}
         then set_config('maintenance_work_mem', '${MEMORY_KB}', false) end
       from pg_settings where name = 'maintenance_work_mem'`,
    );
    abort = () => {
      ending = endBackend(connect, session!.pid);
    };
    signal.addEventListener("abort", abort, { once: true });
    signal.throwIfAborted();
    await work(client);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
    await ending;
    await client.end().catch(() => undefined);
  }
}

/** Ending the backend, unlike cancelling its statement, cannot come a moment too early. */
async function endBackend(connect: Connect, pid: number): Promise<void> {
  try {
    const client = await connect(new AbortController().signal);
    try {
      await client.query("select pg_terminate_backend($1)", [pid]);
    } finally {
      await client.end();
    }
  } catch {
    // The server cannot be reached any more; then the statement's own connection has failed as well.
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
