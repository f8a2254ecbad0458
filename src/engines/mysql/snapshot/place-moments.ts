import { pause } from "../../../base/backoff.ts";
import { literal } from "../catalog/identifier.ts";
import type { TextRows, WireSession } from "../connection/wire-session.ts";
import { gtidPositionOf } from "../log/binlog-position.ts";
import { BEGIN, type BegunSessions } from "./begun-sessions.ts";

/*
 * Transactions of a MariaDB that begin while others commit. The server notes for each at which place of the log it begins,
 * under the lock under which groups of transactions commit and move the log's place on (LOCK_commit_ordered), and tells that by
 * Binlog_snapshot_file and Binlog_snapshot_position. What it says is taken only where it is sure:
 *
 * SHOW STATUS writes the place of whoever asks into variables that all sessions share (TC_LOG_BINLOG::set_status_variables),
 * and reads them a moment later. Whoever asks in between, as monitoring does, has written there where the log stands now.
 * So a place counts that is the log's from before the transaction began, or stays the same while a group of
 * commits is counted. Of the other sessions none asks meanwhile.
 *
 * XA COMMIT is in the log before the engine commits. Until then XA RECOVER shows what is prepared, so nothing may be, and no
 * such statement may come before all have begun: Com_xa_commit counts them.
 *
 * A new file of the log is the log's place at once, when groups of transactions at the end of the old one may not have committed
 * yet, two at most (MYSQL_BIN_LOG::open, trx_group_commit_leader). So a file counts of which two groups have been counted
 * since it was first seen, or that holds transactions itself up to a place that is one of them.
 */

/** How often in a row a session has to be told the same. */
const REPEATS = 3;
/** In which all sessions are asked before they begin again, because one is told one thing and another, or nobody commits. */
const ROUNDS = 12;
const BETWEEN_TRIES_MS = 50;
/** Groups of transactions that may be on their way through their commits when a new file is begun. */
const GROUPS_IN_FLIGHT = 2;
/** How long a log that begins a file and where nobody commits is waited for. */
const ROTATION_MS = 12_000;
/** Beyond the time after which commits that wait for a replica give up on it. */
const AFTER_REPLICA_MS = 2_000;

const SHOW_PLACE = "show status like 'binlog_%'";
const SHOW_REPLICA_WAIT = "show global variables like 'rpl_semi_sync_master_%'";
const SHOW_XA_COMMITS = "show global status like 'com_xa_commit'";

/** What a session is told: where its transaction begins, or where the log stands if it is in none. */
interface Told {
  readonly file: string;
  readonly byte: string;
  readonly place: string;
  /** Groups of transactions that the server has committed since it runs. */
  readonly groups: number;
}

interface FirstSeen extends Told {
  readonly atMs: number;
}

interface Asked {
  readonly wire: WireSession;
  /** What it was told in a row, of one place. */
  same: readonly Told[];
}

export interface Wanted {
  /** How many sessions are to show one moment. */
  readonly sessions: number;
  /** Infinity: until the signal ends it, with pauses. */
  readonly tries: number;
  readonly signal: AbortSignal;
}

/** Whether transactions have a place: where all of a group's commits are one step with the log's. */
export async function hasPlaces(wire: WireSession): Promise<boolean> {
  if (wire.facts.flavour !== "mariadb") return false;
  const [row] = await wire.query("select @@log_bin, @@binlog_optimize_thread_scheduling");
  return row!.every((value) => value === "1");
}

/** Those of the transactions that begin at the place at which most of them do; undefined if these are less than wanted. */
export async function beginAtOnePlace(
  sessions: readonly WireSession[],
  { sessions: wanted, tries, signal }: Wanted,
): Promise<BegunSessions | undefined> {
  const first = sessions[0]!;
  const rotationMs = await longestRotation(first);
  let seen: FirstSeen | undefined;
  for (let attempt = 0; attempt < tries; attempt++) {
    signal.throwIfAborted();
    if (tries === Infinity && attempt > 0) await pause(BETWEEN_TRIES_MS, signal);
    const now = await standing(first);
    if (seen === undefined || isAnew(seen, now)) seen = { ...now, atMs: performance.now() };
    if (!(await isSettled(first, seen, rotationMs))) continue;
    const before = await beginAll(sessions);
    if (before?.file !== seen.file) continue;
    const [place, members] = await largestGroup(sessions, before);
    if (members.length < wanted) continue;
    const text = await gtidsAt(first, place!);
    if (text !== null) return { sessions: members, position: gtidPositionOf(text) };
  }
  return undefined;
}

/**
 * In which all has committed that was logged before a file was begun, if nobody commits then. Servers before 10.3 may have no
 * such variables.
 */
async function longestRotation(wire: WireSession): Promise<number> {
  const variables = new Map((await wire.query(SHOW_REPLICA_WAIT)).map(([name, value]) => [name!, value]));
  if (variables.get("rpl_semi_sync_master_enabled") !== "ON") return ROTATION_MS;
  return Math.max(ROTATION_MS, Number(variables.get("rpl_semi_sync_master_timeout")) + AFTER_REPLICA_MS);
}

/** Where the log stands. */
async function standing(wire: WireSession): Promise<Told> {
  return toldIn(await wire.query(`rollback; ${SHOW_PLACE}`));
}

/** Where the log stands before the sessions begin; undefined if a prepared transaction may be half committed when they do. */
async function beginAll(sessions: readonly WireSession[]): Promise<Told | undefined> {
  const first = sessions[0]!;
  const [commits, prepared, place] = await first.queryAll(`${SHOW_XA_COMMITS}; xa recover; ${SHOW_PLACE}`);
  if (prepared!.length > 0) return undefined;
  await Promise.all(sessions.map((wire) => wire.query(BEGIN)));
  const later = await first.query(SHOW_XA_COMMITS);
  return later[0]![1] === commits![0]![1] ? toldIn(place!) : undefined;
}

/** In a file of its own; or further on without a commit, as the server notes in a new file which older ones it may need. */
function isAnew(seen: Told, now: Told): boolean {
  return now.file !== seen.file || (now.place !== seen.place && now.groups === seen.groups);
}

/** Whether all that was logged before the file was begun has committed. The session is in no transaction. */
async function isSettled(wire: WireSession, seen: FirstSeen, rotationMs: number): Promise<boolean> {
  let last: Told = seen;
  for (;;) {
    const now = toldIn(await wire.query(SHOW_PLACE));
    if (now.file !== seen.file) return false;
    if (now.groups >= seen.groups + GROUPS_IN_FLIGHT) return true;
    if (now.place === last.place) {
      const [start, here] = [await gtidsAt(wire, { ...now, byte: "4" }), await gtidsAt(wire, now)];
      if (here === start) return now.place === seen.place && performance.now() - seen.atMs > rotationMs;
      // What has grown since may have become a place, by accident, that was none.
      const after = toldIn(await wire.query(SHOW_PLACE));
      if (after.place === now.place) return here !== null;
    }
    last = now;
  }
}

/** The place at which most sessions begin, of those whose place is sure. */
async function largestGroup(
  sessions: readonly WireSession[],
  before: Told,
): Promise<readonly [Told | undefined, readonly WireSession[]]> {
  const asked = sessions.map((wire): Asked => ({ wire, same: [] }));
  for (let round = 0; round < ROUNDS && !asked.every((one) => isSure(one, before)); round++) {
    // One after the other: none must ask beside another.
    for (const one of asked) if (!isSure(one, before)) await ask(one);
  }
  const sure = asked.filter((one) => isSure(one, before) && one.same[0]!.file === before.file);
  const groups = [...Map.groupBy(sure, ({ same }) => same[0]!.place).values()];
  const [members = []] = groups.toSorted((a, b) => b.length - a.length);
  return [members[0]?.same[0], members.map(({ wire }) => wire)];
}

async function ask(asked: Asked): Promise<void> {
  const told = toldIn(await asked.wire.query(SHOW_PLACE));
  asked.same = told.place === asked.same[0]?.place ? [...asked.same, told] : [told];
}

/**
 * Whether a place is the transaction's own, and not where the log stood when somebody else asked: it stood there before the
 * transaction began; or a group is counted between the second of the answers and the last, so that the log has moved on
 * between the first and the last.
 */
function isSure({ same }: Asked, before: Told): boolean {
  if (same.length < REPEATS) return false;
  return same[0]!.place === before.place || same.at(-1)!.groups > same[1]!.groups;
}

function toldIn(rows: TextRows): Told {
  const status = new Map(rows.map(([name, value]) => [name!.toLowerCase(), value ?? ""]));
  const file = status.get("binlog_snapshot_file") ?? "";
  const byte = status.get("binlog_snapshot_position") ?? "";
  return { file, byte, place: `${file}:${byte}`, groups: Number(status.get("binlog_group_commits")) };
}

/** The last transactions up to a place of the log; null if it is none. */
async function gtidsAt(wire: WireSession, { file, byte }: Told): Promise<string | null> {
  const [row] = await wire.query(`select binlog_gtid_pos(${literal(file)}, ${byte})`);
  return row![0]!;
}
