import { pause } from "../../../base/backoff.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { SnapshotRequest } from "../../../core/source.ts";
import { serverFields } from "../connection/errors.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { gtidPosition, gtidPositionOf } from "../log/binlog-position.ts";
import { containsGtids, type GtidSet, parseGtids } from "../log/gtid.ts";
import { BEGIN, type BegunSessions } from "./begun-sessions.ts";

/*
 * Transactions of a MySQL with GTIDs that begin while others commit. A commit goes through these steps, in the order of
 * the log (MYSQL_BIN_LOG::ordered_commit):
 *
 *     it gets its GTID, which is in gtid_owned from here on, and is written into the log
 *     the engine commits: a transaction that begins now shows it
 *     its GTID goes from gtid_owned to gtid_executed, in one step
 *
 * So what is in gtid_executed before a transaction begins is shown by it, and what it shows is in one of the two after it
 * has begun. If both sets of gtid_executed are the same and nothing is owned, the transaction shows exactly that set.
 */

/** Before one moment for all sessions is given up on. */
const TRIES = 5;
/** How long one for some of them is looked for, where it matters. */
const PATIENCE_MS = 2_000;
const BETWEEN_TRIES_MS = 10;
/** Between looks at transactions that are to get through their commits, or to end, and between later tries. */
const BETWEEN_LOOKS_MS = 50;

/** MySQL 8 says so to a user without XA_RECOVER_ADMIN. */
const ER_XAER_RMERR = 1401;

type Request = Pick<SnapshotRequest, "tables" | "exact">;

/** What one transaction shows: all of `low`, and nothing but what is in `high` or still owned. */
interface Moment {
  readonly wire: WireSession;
  readonly low: GtidSet;
  readonly high: GtidSet;
  readonly owned: ReadonlySet<string>;
  /** Nothing lies between. */
  readonly isExact: boolean;
  readonly place: string;
  /** Transactions were prepared, of which one may be executed by its GTID and not shown yet. */
  readonly isClouded: boolean;
}

/**
 * Begins transactions without any lock: all at one moment, if that can be had; else those at one moment where changes of the
 * tables cannot be applied to rows that may show them already; else all, within bounds (Snapshot.upTo). Prepared transactions
 * are waited for until the caller's signal ends it.
 */
export async function beginByGtids(
  sessions: readonly WireSession[],
  request: Request,
  signal: AbortSignal,
): Promise<BegunSessions> {
  const [first] = sessions;
  await checkOrder(first!);
  const mayConverge = first!.facts.logsWholeRows && request.tables.every(findsRowsAnyTime);
  const seeksExact = request.exact === true || !mayConverge;
  let clearTries = 0;
  let firstClearAt: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    const moments = await Promise.all(sessions.map(begin));
    if (moments.some(({ isClouded }) => isClouded)) {
      await pause(BETWEEN_LOOKS_MS, signal);
      continue;
    }
    clearTries++;
    firstClearAt ??= performance.now();
    const same = largestGroup(moments);
    if (same.length === sessions.length) return exactly(same);
    if (clearTries >= TRIES) {
      if (seeksExact && same.length > 0) return exactly(same);
      const waitedMs = performance.now() - firstClearAt;
      const isPatient = request.exact === true || (seeksExact && waitedMs < PATIENCE_MS);
      if (!isPatient) return await withinBounds(moments, signal);
    }
    await pause(clearTries < TRIES ? BETWEEN_TRIES_MS : BETWEEN_LOOKS_MS, signal);
  }
}

/** Whether changes of a table can be applied to rows that show some of them already. */
export function findsRowsAnyTime({ key, foreignKeys }: TableSchema): boolean {
  return key.length > 0 && foreignKeys.every(({ silent }) => silent === undefined);
}

async function begin(wire: WireSession): Promise<Moment> {
  const looks = needsLook(wire.facts);
  const answers = await wire
    .queryAll(
      `set @tideway_low = @@global.gtid_executed; ${looks ? "xa recover;" : ""} ${BEGIN};
       set @tideway_owned = @@global.gtid_owned;
       select @tideway_low, @tideway_owned, @@global.gtid_executed`,
    )
    .catch((error) => {
      throw serverFields(error)?.number === ER_XAER_RMERR ? mayNotLook() : error;
    });
  const [low, owned, high] = answers.at(-1)![0]!.map((text) => text ?? "");
  return {
    wire,
    low: parseGtids(low!),
    high: parseGtids(high!),
    owned: ownedGtids(owned!),
    isExact: low === high && owned === "",
    place: low!,
    isClouded: looks && answers[0]!.length > 0,
  };
}

/**
 * Before 8.0.30 a transaction that one session has prepared and another commits is in gtid_executed before the engine
 * commits it. Until then it is among those that are prepared.
 */
function needsLook(facts: ServerFacts): boolean {
  return !atLeast(facts, 8, 0, 30);
}

/** `uuid:7#31:9#32,` and so on: numbers with the sessions that they belong to. */
function ownedGtids(text: string): ReadonlySet<string> {
  const owned = new Set<string>();
  for (const ofServer of text.replace(/\s+/g, "").split(",")) {
    const [server, ...numbers] = ofServer.split(":");
    let tag = "";
    for (const one of numbers) {
      const [number, session] = one.split("#");
      if (session === undefined) tag = one;
      else owned.add(`${server}:${tag}:${number}`);
    }
  }
  return owned;
}

function largestGroup(moments: readonly Moment[]): readonly Moment[] {
  const groups = Map.groupBy(
    moments.filter(({ isExact }) => isExact),
    ({ place }) => place,
  );
  return [...groups.values()].toSorted((a, b) => b.length - a.length)[0] ?? [];
}

function exactly(moments: readonly Moment[]): BegunSessions {
  return { sessions: moments.map(({ wire }) => wire), position: gtidPosition(moments[0]!.low) };
}

/**
 * Sets grow in the order of the log, so the smallest that a transaction has seen before it began and the one that holds all
 * that any of them may show are places of it. A GTID that was given back without a commit was never shown.
 */
async function withinBounds(moments: readonly Moment[], signal: AbortSignal): Promise<BegunSessions> {
  const sessions = moments.map(({ wire }) => wire);
  const low = moments.map((moment) => moment.low).reduce(smaller);
  const owned = new Set(moments.flatMap((moment) => [...moment.owned]));
  for (;;) {
    const [row] = await sessions[0]!.query(
      "set @tideway_owned = @@global.gtid_owned; select @tideway_owned, @@global.gtid_executed",
    );
    if (owned.isDisjointFrom(ownedGtids(row![0] ?? ""))) {
      return { sessions, position: gtidPosition(low), upTo: gtidPositionOf(row![1] ?? "") };
    }
    await pause(BETWEEN_LOOKS_MS, signal);
  }
}

function smaller(a: GtidSet, b: GtidSet): GtidSet {
  if (containsGtids(b, a)) return a;
  if (containsGtids(a, b)) return b;
  throw new MigrationError("source.snapshot_lost", {
    message: "The source has committed in another order than it logs.",
  });
}

/** Sets that do not grow in the order of the log are no places of it. */
async function checkOrder(wire: WireSession): Promise<void> {
  const [row] = await wire.query("select @@global.binlog_order_commits");
  if (row![0] === "1") return;
  throw new MigrationError("source.privilege", {
    message:
      "The source may commit in another order than it logs (binlog_order_commits is OFF): a snapshot has a place in its log only under a lock, which the user may not take.",
    subject: "binlog_order_commits",
    remedy:
      "Run on the source: set global binlog_order_commits = ON; or grant the user RELOAD, or LOCK TABLES on the databases of the task's tables.",
  });
}

function mayNotLook(): MigrationError {
  return new MigrationError("source.privilege", {
    message:
      "The user may neither lock tables nor see which transactions of two phases (XA) are prepared; without the one or the other no snapshot has a place in the log of this server.",
    subject: "xa recover",
    remedy:
      "Grant the user XA_RECOVER_ADMIN, or RELOAD, or LOCK TABLES on the databases of the task's tables. From MySQL 8.0.30 on none is needed.",
  });
}
