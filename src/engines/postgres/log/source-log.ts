import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { lsnCodec, lsnValue } from "../catalog/lsn.ts";
import { errorAddress } from "../connection/address.ts";
import { openReplication } from "../connection/replication-session.ts";
import { ServerError } from "../connection/server-error.ts";
import type { WireSession } from "../connection/wire-session.ts";

/*
 * Which log a server writes. A cluster keeps its system identifier for life, and its copies have the same: standbys,
 * base backups, files that were copied. Its log has timelines (manual, "Continuous Archiving", Timelines): whoever is
 * promoted, or recovered to an earlier point, goes on on a new one, and knows at which position each of those
 * before was left. It takes the next number that it knows of no one to have, so two standbys may take the same one:
 * a timeline is named by its number and where it began. So two servers have the same log up to a position when
 * their identifiers are the same, they have a timeline in common, and the position does not lie behind where the
 * one left it.
 */

const UNDEFINED_FILE = "58P01";

export interface SourceLog {
  /** 64 bits as a decimal number. */
  readonly system: string;
  readonly timeline: number;
  /** Where the one before was left for it; undefined for the first, and where that is not known. */
  readonly begin: Position | undefined;
}

/** Where each earlier timeline was left, by its number, in the order in which they came. */
export type TimelineHistory = ReadonlyMap<number, Position>;

export interface CurrentLog extends SourceLog {
  readonly end: Position;
  readonly history: TimelineHistory;
}

/** "7584321098765432109/1", and with where it began "7584321098765432109/2/16/B374D848" */
export function logName({ system, timeline, begin }: SourceLog): string {
  return [system, timeline, ...(begin === undefined ? [] : [begin.text])].join("/");
}

export function parseLogName(name: string): SourceLog {
  const [system = "", timeline = "", ...begin] = name.split("/");
  return {
    system,
    timeline: Number(timeline),
    begin: begin.length === 0 ? undefined : lsnCodec.parse(begin.join("/")),
  };
}

/** A history file's lines: timeline, position and reason, parted by tabs. */
export function parseHistory(text: string): TimelineHistory {
  const lines = text.split("\n").filter((line) => /^\s*\d/.test(line));
  return new Map(
    lines.map((line) => {
      const [timeline, left] = line.trim().split(/\s+/);
      return [Number(timeline), lsnCodec.parse(left!)];
    }),
  );
}

/** Where a timeline began, be it one of the history or the one after those; undefined for the first. */
export function beginOf(timeline: number, history: TimelineHistory): Position | undefined {
  let begin: Position | undefined;
  for (const [earlier, left] of history) {
    if (earlier === timeline) break;
    begin = left;
  }
  return begin;
}

/** Why the log up to a position, which was read from an earlier one, is not in the log that is there now. */
export function partedLogs(
  known: SourceLog | undefined,
  now: CurrentLog,
  reached: Position,
): Pick<MigrationError, "code" | "message"> | undefined {
  if (known !== undefined && known.system !== now.system) {
    return {
      code: "source.other_server",
      message: `The source's system identifier is ${now.system}; what the target holds was read from ${known.system}.`,
    };
  }
  if (known !== undefined && !comesFrom(now, known)) {
    return {
      code: "source.other_server",
      message: `The source is on timeline ${inWords(now)}, which does not come from timeline ${inWords(known)}; what the target holds was read from that.`,
    };
  }
  const left = known === undefined ? undefined : now.history.get(known.timeline);
  if (known === undefined || left === undefined) {
    if (lsnValue(reached) <= lsnValue(now.end)) return undefined;
    return {
      code: "source.set_back",
      message: `The source's log ends at ${now.end.text}, but the target stands at ${reached.text}: the source was set back to an earlier state.`,
    };
  }
  if (lsnValue(reached) <= lsnValue(left)) return undefined;
  return {
    code: "source.set_back",
    message: `The source went on from ${left.text} on timeline ${now.timeline} when it was promoted, but the target stands at ${reached.text} of timeline ${known.timeline}: it holds changes that the source has lost.`,
  };
}

/** Whether a log's timeline is that of the other or has come from it. */
function comesFrom(now: CurrentLog, { timeline, begin }: SourceLog): boolean {
  if (timeline !== now.timeline && !now.history.has(timeline)) return false;
  const began = beginOf(timeline, now.history);
  return begin === undefined || began === undefined || lsnValue(begin) === lsnValue(began);
}

function inWords({ timeline, begin }: SourceLog): string {
  return begin === undefined ? `${timeline}` : `${timeline}, which began at ${begin.text}`;
}

/** Throws `source.standby` for a server that replays another's log. The session has to be one for replication. */
export async function identify(wire: WireSession, endpoint: EndpointConfig): Promise<CurrentLog> {
  const recovery = await wire.query("select pg_catalog.pg_is_in_recovery()");
  if (recovery.rows[0]![0] === "t") {
    throw new MigrationError("source.standby", {
      message: "The source is a standby; changes are read from it once it is promoted.",
      subject: errorAddress(endpoint),
    });
  }
  const { rows } = await wire.query("IDENTIFY_SYSTEM");
  const [system, number, end] = rows[0]!;
  const timeline = Number(number);
  const history = await readHistory(wire, timeline);
  return {
    system: system!,
    timeline,
    begin: beginOf(timeline, history),
    end: lsnCodec.parse(end!),
    history,
  };
}

/** The first timeline has none, nor has one that pg_resetwal has set. */
async function readHistory(wire: WireSession, timeline: number): Promise<TimelineHistory> {
  if (timeline === 1) return new Map();
  try {
    const { rows } = await wire.query(`TIMELINE_HISTORY ${timeline}`);
    return parseHistory(rows[0]![1]!);
  } catch (error) {
    if (error instanceof ServerError && error.fields.code === UNDEFINED_FILE) return new Map();
    throw error;
  }
}

/** Throws when a session for replication is not at the server whose log is to be read: the address leads elsewhere by now. */
export async function checkLog(
  wire: WireSession,
  endpoint: EndpointConfig,
  log: string | undefined,
): Promise<void> {
  if (log === undefined) return;
  if (logName(await identify(wire, endpoint)) === log) return;
  throw new MigrationError("connect.lost", {
    message: "The source's address leads to another server than a moment ago.",
    subject: errorAddress(endpoint),
  });
}

/** The same for the address, by a session of its own: whoever has connected before it was at that server, too. */
export async function checkAddress(
  endpoint: EndpointConfig,
  log: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (log === undefined) return;
  await using wire = await openLogSession(endpoint, signal);
  await checkLog(wire, endpoint, log);
}

export function openLogSession(endpoint: EndpointConfig, signal: AbortSignal): Promise<WireSession> {
  return openReplication(endpoint, { purpose: LOG_PURPOSE }, signal);
}

export const LOG_PURPOSE = "tideway log";
