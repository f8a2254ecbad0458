import type pg from "pg";
import { errorCode } from "./error-code.ts";

/** SQLSTATE lock_not_available. */
const LOCK_NOT_AVAILABLE = "55P03";

export interface LockPatience {
  /** How long one try waits for a lock, in milliseconds. */
  readonly timeoutMs: number;
  readonly tries: number;
}

/**
 * Runs statements in a transaction that never waits long for a lock, as often as that takes: whoever comes after one that
 * waits for a strong lock waits with it, and between two tries they pass. Throws what the server says, in the end also
 * that it has waited in vain (see isLocked). The client must not be in a transaction.
 */
export async function inShortLocks<Result>(
  client: pg.Client,
  { timeoutMs, tries }: LockPatience,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    await client.query("begin");
    try {
      await client.query(`set local lock_timeout = ${timeoutMs}`);
      const result = await work();
      await client.query("commit");
      return result;
    } catch (error) {
      await client.query("rollback");
      if (!isLocked(error) || attempt === tries) throw error;
    }
  }
}

export function isLocked(error: unknown): boolean {
  return errorCode(error) === LOCK_NOT_AVAILABLE;
}
