import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { SnapshotRequest } from "../../../core/source.ts";
import { accountSql } from "../catalog/account.ts";
import { errorAddress } from "../connection/address.ts";
import type { Client } from "../connection/client.ts";
import { connect, openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { TextRows, WireSession } from "../connection/wire-session.ts";
import { checkLog } from "../log/follow-log.ts";
import { currentPosition, isNotAllowed } from "../log/log-state.ts";
import { BEGIN, type BegunSessions } from "./begun-sessions.ts";
import { filledTables, showsTruncated } from "./filled-tables.ts";
import { beginByGtids } from "./gtid-moments.ts";
import { beginAtOnePlace, hasPlaces } from "./place-moments.ts";
import { takeReadLock } from "./read-lock.ts";
import { SAVEPOINT } from "./row-read.ts";

/** Sessions that rows are read by, if nobody says otherwise. All have to be there when the snapshot begins; more cannot join it. */
const SESSIONS = 8;
/** MariaDB's sessions are begun so often in the hope that nothing is committed between the first and the last. */
const UNLOCKED_TRIES = 3;
const SETTINGS = `set session transaction isolation level repeatable read;
  /*M!100300 set session idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */;`;

export interface StartedSnapshot extends BegunSessions {
  /** Keys of the tables that held rows shortly before, where a server shows tables that were truncated since as empty. */
  readonly filled: ReadonlySet<string>;
}

/**
 * Begins transactions that all show one moment, whose place in the log is known, or whose bounds in it are. How:
 *
 *     MariaDB, log on            each transaction tells its place itself; no lock, if all have the same
 *     else, with RELOAD          a global read lock, for as long as it takes to begin them
 *     else, with LOCK TABLES     the task's tables locked against writes for as long
 *     else, MariaDB              only those that have the same place, one at least
 *     else, full load alone      one transaction, which needs no place; or where a lock does not come promptly
 *     else, with GTIDs           between two sets of them; one moment, if nobody commits meanwhile
 *     else                       an error
 */
export async function startSnapshot(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<StartedSnapshot> {
  const opened = await openSessions(endpoint, request.sessions ?? SESSIONS, signal);
  const sessions = opened.filter(({ facts }) => facts.identity === opened[0]!.facts.identity);
  try {
    // Behind one address may be several servers, of which each shows a moment of its own.
    for (const wire of opened) if (!sessions.includes(wire)) wire.destroy();
    await checkLog(sessions[0]!, request.log, errorAddress(endpoint));
    // What follows in a stream holds what was truncated, too.
    const isAsked = request.anchor === "none" && showsTruncated(sessions[0]!.facts);
    const filled = isAsked ? await filledTables(sessions[0]!, request.tables) : new Set<string>();
    const started = await begin(endpoint, { sessions, request, signal });
    await Promise.all(started.sessions.map((wire) => wire.query(SAVEPOINT)));
    const unused = sessions.filter((wire) => !started.sessions.includes(wire));
    await Promise.all(unused.map((wire) => wire.close()));
    return { ...started, filled };
  } catch (error) {
    for (const wire of sessions) wire.destroy();
    throw signal.aborted ? signal.reason : classify(error, { side: "source", endpoint });
  }
}

/**
 * MariaDB gives tables free before the transaction's end only to sessions that do not write to the log, which takes a
 * privilege. Without it, an ALTER TABLE waits until the snapshot ends.
 */
async function prepare(wire: WireSession): Promise<void> {
  await wire.query(SETTINGS);
  if (wire.facts.flavour !== "mariadb") return;
  try {
    await wire.query("set session sql_log_bin = 0");
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
  }
}

/** As many as the server gives, one at least. */
async function openSessions(
  endpoint: EndpointConfig,
  count: number,
  signal: AbortSignal,
): Promise<readonly WireSession[]> {
  const options = { side: "source", purpose: "tideway read" } as const;
  const opened = await Promise.allSettled(
    Array.from({ length: count }, async () => {
      const wire = await openWire(endpoint, options, signal);
      await prepare(wire);
      return wire;
    }),
  );
  const sessions = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = opened.find((one) => one.status === "rejected");
  if (sessions.length > 0 && !signal.aborted) return sessions;
  for (const wire of sessions) wire.destroy();
  throw signal.aborted ? signal.reason : classify(failed?.reason, { side: "source", endpoint });
}

interface Start {
  readonly sessions: readonly WireSession[];
  readonly request: SnapshotRequest;
  readonly signal: AbortSignal;
}

async function begin(endpoint: EndpointConfig, start: Start): Promise<BegunSessions> {
  const { sessions, request, signal } = start;
  // One transaction shows one moment by itself.
  if (request.sessions === 1 && request.anchor === "none") return await beginAlone(sessions[0]!);
  const knowsPlaces = await hasPlaces(sessions[0]!);
  const quickly = { tries: UNLOCKED_TRIES, signal };
  if (knowsPlaces) {
    const all = await beginAtOnePlace(sessions, { ...quickly, sessions: sessions.length });
    if (all !== undefined) return positioned(all, request);
  }
  const locker = await connect(endpoint, { side: "source", purpose: "tideway snapshot" }, signal);
  const cut = (): void => locker.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    signal.throwIfAborted();
    checkServer(endpoint, locker, sessions[0]!);
    if (await takeReadLock(locker, { helper: sessions[0]!, request, signal }))
      return await beginLocked(locker, start);
  } finally {
    signal.removeEventListener("abort", cut);
    // Closing it would do, but not before the server notices.
    await locker.execute("unlock tables").catch(() => locker.destroy());
    await locker.end();
  }
  const isNoPlaceNeeded = request.anchor === "none";
  if (knowsPlaces) {
    const tries = isNoPlaceNeeded ? UNLOCKED_TRIES : Infinity;
    const some = await beginAtOnePlace(sessions, { sessions: 1, tries, signal });
    if (some !== undefined) return positioned(some, request);
  }
  if (isNoPlaceNeeded) return await beginAlone(sessions[0]!);
  const { flavour, hasGtids } = sessions[0]!.facts;
  if (flavour === "mysql" && hasGtids) return await beginByGtids(sessions, request, signal);
  throw lacksPrivilege(endpoint, await sessions[0]!.query("select current_user()"));
}

async function beginAlone(wire: WireSession): Promise<BegunSessions> {
  await wire.query(BEGIN);
  return { sessions: [wire], position: undefined };
}

function positioned(found: BegunSessions, { anchor }: SnapshotRequest): BegunSessions {
  return anchor === "none" ? { ...found, position: undefined } : found;
}

function checkServer(endpoint: EndpointConfig, locker: Client, wire: WireSession): void {
  if (locker.facts.identity === wire.facts.identity) return;
  throw new MigrationError("connect.lost", {
    message:
      "The source's address leads to several servers, and the lock is to be taken on the one that is read.",
    subject: errorAddress(endpoint),
  });
}

async function beginLocked(locker: Client, { sessions, request }: Start): Promise<BegunSessions> {
  await Promise.all(sessions.map((wire) => wire.query(BEGIN)));
  // Either shows that the lock was there until the last had begun: a session that holds it is what servers and their guards end.
  if (request.anchor !== "none") return { sessions, position: await currentPosition(locker) };
  await locker.execute("do 0");
  return { sessions, position: undefined };
}

function lacksPrivilege({ username }: EndpointConfig, [account]: TextRows): MigrationError {
  return new MigrationError("source.privilege", {
    message: `The user ${username} may not lock tables, and the server does not number its transactions (gtid_mode is not ON), so that no snapshot has a place in the log.`,
    subject: username,
    remedy: `Run on the source: grant reload on *.* to ${accountSql(account![0]!)}; or, where that is not to be had, grant lock tables on the databases of the task's tables, or turn gtid_mode ON.`,
  });
}
