import { MigrationError } from "../core/error.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import type { Source } from "../core/source.ts";
import type { ApplyGoal } from "../pipeline/apply-goal.ts";

/** When a task ends its change phase by itself. */
export type StopRule =
  | { readonly kind: "never" }
  | { readonly kind: "position"; readonly position: Position }
  /** A place in the log that the stream tells of when it has come there; see StopPosition. */
  | { readonly kind: "place"; readonly place: Position }
  /** Wall clock of this machine (ms since the epoch). */
  | { readonly kind: "server-time"; readonly timeMs: number }
  /** Commit times on the source's clock (ms since the epoch). */
  | { readonly kind: "commit-time"; readonly timeMs: number };

/** What the stop rule leaves out, whatever else a run of the apply is for. */
export function goalLimit(rule: StopRule): ApplyGoal {
  if (rule.kind === "commit-time") return { committedBeforeMs: rule.timeMs };
  if (rule.kind === "place") return { endsAtPlace: true };
  return rule.kind === "position" ? { last: rule.position } : {};
}

/**
 * Reads DMS's CdcStopPosition: `server_time:2018-02-09T12:12:12` or `commit_time:...` in UTC
 * (dms-api "CDC start/stop positions"), or a position of the source's log.
 */
export function parseStopPosition(text: string | undefined, codec: PositionCodec): StopRule {
  if (text === undefined || text === "") return { kind: "never" };
  const timed = /^(server_time|commit_time):\s*(.+)$/.exec(text.trim());
  if (timed === null) return { kind: "position", position: codec.parse(text) };
  const timeMs = utcTime(timed[2]!);
  return { kind: timed[1] === "server_time" ? "server-time" : "commit-time", timeMs };
}

/** The same for a source: its position is one that compares with those of the stream, or that the stream tells of. */
export async function readStopRule(
  text: string | undefined,
  source: Pick<Source, "positions" | "stopPosition">,
  signal: AbortSignal,
): Promise<StopRule> {
  const rule = parseStopPosition(text, source.positions);
  if (rule.kind !== "position") return rule;
  const { position, compares } = await source.stopPosition(rule.position, signal);
  return compares ? { kind: "position", position } : { kind: "place", place: position };
}

/** A time in UTC as DMS writes it, in milliseconds; undefined for another text. */
export function utcTimeOf(text: string): number | undefined {
  const match = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z?$/.exec(text);
  const timeMs = match === null ? Number.NaN : Date.parse(text.endsWith("Z") ? text : `${text}Z`);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function utcTime(text: string): number {
  const timeMs = utcTimeOf(text);
  if (timeMs === undefined) {
    throw new MigrationError("position.malformed", {
      message: "The stop position's time is not of the form 2018-02-09T12:12:12 (UTC).",
      subject: "CdcStopPosition",
    });
  }
  return timeMs;
}
