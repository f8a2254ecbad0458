import { pause } from "../../../base/backoff.ts";
import type { SnapshotRequest } from "../../../core/source.ts";
import { qualified } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { isNotAllowed } from "../log/log-state.ts";
import { longStatements } from "./open-writers.ts";

/*
 * The server lets nobody write, and MySQL nobody even read, while a session waits for a lock. So it is waited for shortly, and
 * everybody let pass before the next try.
 *
 * FLUSH TABLES WITH READ LOCK waits for the statements that run. One of these may wait for a row of a transaction whose next
 * statement waits for the lock: where many write the same rows, that is every second time, and ends only when the lock is given
 * up. So it comes in milliseconds, or it is mostly not to be had by waiting.
 *
 * LOCK TABLES waits for the ends of transactions. While it waits for one table it has others locked, and a transaction that
 * wants one of these while it keeps the first from being locked is ended by the server (deadlock), and not the wait.
 */
const GLOBAL_LOCK = "flush tables with read lock";
const FIRST_WAIT_MS = 250;
/** The longest wait, of both kinds, as the server knows whole seconds only. */
const LOCK_WAIT_S = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Who wants a snapshot promptly tries so often, waits no longer than at first, and locks no tables. */
const PROMPT_TRIES = 3;

/** A lock whose holder has stopped, or cannot be reached any more, is given back soon. */
const LOCKER_TIMEOUTS = "set session wait_timeout = 10, net_read_timeout = 10";
const WAITER_TIMEOUTS = "set session wait_timeout = 3600";

/**
 * Locks of tables are then locks of the engine, too. Without these, MySQL 5.7 lets rows be changed by foreign keys of tables that
 * are not locked, and no server waits for, or stops, the commit of what was prepared by a session that has ended (XA).
 */
const LOCKS_IN_ENGINE = "autocommit = 0, innodb_table_locks = 1";
const ER_LOCK_WAIT_TIMEOUT = 1205;
const ER_LOCK_DEADLOCK = 1213;
const ER_QUERY_INTERRUPTED = 1317;
const IN_THE_WAY: ReadonlySet<number> = new Set([
  ER_LOCK_WAIT_TIMEOUT,
  ER_LOCK_DEADLOCK,
  ER_QUERY_INTERRUPTED,
]);

export interface ReadLockWanted {
  /** Of the same server and user, and idle: ends a wait that has become too long. */
  readonly helper: WireSession;
  readonly request: SnapshotRequest;
  readonly signal: AbortSignal;
}

/** Takes the widest lock that the user may take; false when there is none, or others keep it longer than is waited for. */
export async function takeReadLock(locker: Client, wanted: ReadLockWanted): Promise<boolean> {
  const { prompt = false, tables } = wanted.request;
  await locker.execute(
    `set session lock_wait_timeout = ${LOCK_WAIT_S}, innodb_lock_wait_timeout = ${LOCK_WAIT_S}, ${LOCKS_IN_ENGINE}`,
  );
  if (await lockBy(locker, GLOBAL_LOCK, wanted)) return true;
  if (prompt || tables.length === 0) return false;
  return await lockBy(
    locker,
    `lock tables ${tables.map(({ id }) => `${qualified(id)} read`).join(", ")}`,
    wanted,
  );
}

/** Tries until it has the lock, or may not have it, or has tried often enough; who is in the way is told of by openWriters(). */
async function lockBy(locker: Client, statement: string, wanted: ReadLockWanted): Promise<boolean> {
  const { request, signal } = wanted;
  const tries = request.prompt === true ? PROMPT_TRIES : Infinity;
  const isGlobal = statement === GLOBAL_LOCK;
  let waitMs = FIRST_WAIT_MS;
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempt = 1; ; attempt++) {
    if (isGlobal && !(await othersDone(locker, tries, signal))) return false;
    try {
      await locker.execute(LOCKER_TIMEOUTS);
      if (!isGlobal) await locker.execute(statement);
      else await executeWithin(locker, { statement, waitMs, helper: wanted.helper });
      return true;
    } catch (error) {
      if (isNotAllowed(error)) return false;
      if (!IN_THE_WAY.has(serverFields(error)?.number ?? 0)) throw error;
      // A lock of which a part was had is given back.
      await locker.execute("unlock tables");
      await locker.execute("rollback");
      await locker.execute(WAITER_TIMEOUTS);
      if (attempt === tries) return false;
      await pause(pauseMs, signal);
      if (tries === Infinity) waitMs = Math.min(2 * waitMs, LOCK_WAIT_S * 1_000);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }
}

interface Limited {
  readonly statement: string;
  readonly waitMs: number;
  readonly helper: WireSession;
}

/** Executes a statement, which the server ends once it has taken so long. */
async function executeWithin(locker: Client, { statement, waitMs, helper }: Limited): Promise<void> {
  let ending: Promise<unknown> | undefined;
  const timer = setTimeout(() => {
    // Without it, the server's own limit ends the wait.
    ending = helper.query(`kill query ${locker.threadId}`).catch(() => undefined);
  }, waitMs);
  try {
    await locker.execute(statement);
  } finally {
    clearTimeout(timer);
    if (ending !== undefined) {
      await ending;
      // What came too late for the statement may be for the next.
      await locker.execute("do 0").catch(() => undefined);
    }
  }
}

/**
 * MySQL closes all tables before it has the lock. When it gives up on it because of a statement that runs for long,
 * whoever uses that statement's tables next waits until it ends all the same.
 */
async function othersDone(locker: Client, tries: number, signal: AbortSignal): Promise<boolean> {
  if (locker.facts.flavour !== "mysql") return true;
  for (let attempt = 1; (await longStatements(locker)).length > 0; attempt++) {
    if (attempt === tries) return false;
    await pause(FIRST_PAUSE_MS, signal);
  }
  return true;
}
