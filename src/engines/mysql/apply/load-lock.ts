import { createHash } from "node:crypto";
import type { JournalRequest } from "../../../core/journal.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { endSession } from "./apply-open.ts";

/** A task loads with fewer sessions than this. */
const SLOTS = 64;

/**
 * A session that loads holds a lock of the server by which the task's next attempt finds it: when a worker's machine
 * is gone without a word, the server keeps the session, and what it has locked, for as long as a day. Resolves with
 * the statement that gives the lock back.
 */
export async function takeLoadLock(client: Client, request: JournalRequest): Promise<string> {
  for (let i = 0; i < SLOTS; i++) {
    const name = literal(lockName(request, (client.threadId + i) % SLOTS));
    const [row] = await client.query<{ taken: string | null }>(`select get_lock(${name}, 0) as taken`);
    if (row!.taken === "1") return `do release_lock(${name})`;
  }
  return "do 0";
}

/** Ends the sessions that an earlier attempt has left; what they have not committed is taken back. */
export async function endLoads(client: Client, request: JournalRequest): Promise<void> {
  const holders = Array.from(
    { length: SLOTS },
    (_, slot) => `select is_used_lock(${literal(lockName(request, slot))}) as id`,
  );
  const rows = await client.query<{ id: string | null }>(holders.join(" union all "));
  for (const { id } of rows) if (id !== null) await endSession(client, id);
}

function lockName({ controlSchema, taskId }: JournalRequest, slot: number): string {
  const digest = createHash("sha256").update(JSON.stringify([controlSchema ?? null, taskId]));
  return `tideway load ${digest.digest("base64url")} ${slot}`;
}
