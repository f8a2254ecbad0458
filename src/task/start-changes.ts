import { MigrationError } from "../core/error.ts";
import type { Position } from "../core/position.ts";
import type { Attempt } from "./attempt.ts";
import { checkLoads } from "./loop-check.ts";
import { publishedTables } from "./run-load.ts";
import { utcTimeOf } from "./stop-rule.ts";
import { waitForWriters } from "./wait-for-writers.ts";

/** For cdc tasks: makes the stream, or checks that a given start position can be read, and notes where it starts. */
export async function startChangeOnly(attempt: Attempt): Promise<void> {
  const { source, journal, streamRequest, signal } = attempt;
  if ((await journal.appliedPosition(signal)) !== undefined) return;
  const given = await givenPosition(attempt);
  const kept = await source.findStream({ ...streamRequest, applied: given }, signal);
  const create = (limited: AbortSignal): Promise<Position> =>
    source.createStream(publishedTables(attempt), limited);
  const start =
    given === undefined
      ? (kept ?? (await waitForWriters(attempt, { isNew: true, isLimited: true }, create)))
      : await givenStart(attempt, given, kept);
  await checkLoads(attempt);
  await journal.setAppliedPosition(start, signal);
}

/** Where the task is told to start: a position of the log, or a time in UTC that is looked for in it. */
async function givenPosition({ spec, source, signal }: Attempt): Promise<Position | undefined> {
  const { id: taskId, cdcStartPosition: text } = spec;
  if (text === undefined || text === "") return undefined;
  const timeMs = utcTimeOf(text);
  if (timeMs !== undefined) return await source.positionAtTime({ taskId, timeMs }, signal);
  return await source.resolvePosition(source.positions.parse(text), signal);
}

/** Throws `source.position_unavailable` for one that the log from `kept` on, up to its end, does not have. */
async function givenStart(attempt: Attempt, start: Position, kept: Position | undefined): Promise<Position> {
  const { spec, source, signal } = attempt;
  const unavailable = (message: string): MigrationError =>
    new MigrationError("source.position_unavailable", { message, subject: spec.name });
  if (kept === undefined) {
    throw unavailable(
      "A start position was given, but the source does not keep the log for the task from there on.",
    );
  }
  const order = source.positions.compare(kept, start);
  if (order === undefined || order > 0) {
    throw unavailable(`The source keeps the log from ${kept.text} on; ${start.text} lies before it.`);
  }
  const end = await source.currentPosition(signal);
  if (source.positions.compare(start, end) === 1) {
    throw unavailable(`The source's log ends at ${end.text}; ${start.text} lies behind it.`);
  }
  return start;
}
