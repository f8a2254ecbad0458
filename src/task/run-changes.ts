import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import type { Position } from "../core/position.ts";
import type { TableId } from "../core/schema.ts";
import type { JournaledTable } from "../core/target.ts";
import { type SnapshotWindow, TableRules } from "../pipeline/apply-modes.ts";
import { type ApplyGoal, ChangeApply } from "../pipeline/change-apply.ts";
import type { Attempt } from "./attempt.ts";
import { copySequences, finishBuilds, publishedTables, streamMissing } from "./run-load.ts";
import { reloadBeside } from "./run-reload.ts";
import type { StopRule } from "./stop-rule.ts";
import type { StopReason } from "./task.ts";
import { waitForWriters } from "./wait-for-writers.ts";

/** How soon it is noticed that somebody has changed the publication: servers may not say so. */
const STREAM_CHECK_INTERVAL_MS = 60_000;

/** What may be asked of the change phase while it runs. */
export interface ChangeControl {
  readonly stopRequested: boolean;
  readonly draining: boolean;
  readonly stopRule: StopRule;
  /** Called with whatever is to be told of a stop or a drain; undefined when nothing runs any more. */
  attach(listener: ChangeListener | undefined): void;
}

export interface ChangeListener {
  stop(): void;
  drain(): void;
  reload(tables: readonly TableId[]): void;
  /** Ends the attempt for another that describes and assesses the tables as they are now. */
  replan(): void;
}

/** Not a failure: what the attempt was planned with does not serve any more. */
export class PlanOutdated extends Error {}

/**
 * Applies changes from where the journal stands until something ends it. First up to the newest
 * snapshot, so that all tables show one moment and constraints can be built; then up to the end of
 * the log as it is now; then as changes come.
 */
export async function runChanges(attempt: Attempt, control: ChangeControl): Promise<StopReason> {
  const { spec, settings, source, target, plan, journal, statistics, errors, signal } = attempt;
  const after = await startPosition(attempt);
  const rules = new TableRules(source.positions, (table) => errors.isSuspended(table));
  for (const table of await journal.tables(signal)) {
    const window = snapshotWindow(table, rules);
    if (window !== undefined) rules.setWindow(table.id, window);
  }
  const aside = errors.suspended;
  await using sides = new AsyncDisposableStack();
  const [applier, stream] = await openBoth(
    sides,
    target.openApplier({ ...attempt.journalRequest, plan }, signal),
    source.openChangeStream({ ...attempt.streamRequest, after, aside }, signal),
  );
  const saveIdle = (position: Position): Promise<void> => journal.setAppliedPosition(position, signal);
  const apply = new ChangeApply({ stream, applier, rules, observer: statistics, saveIdle });
  await using steering = new Steering({ attempt, apply, rules, control });
  statistics.setCheckpoint(after.text);
  statistics.setPhase("catching-up");
  if (control.stopRequested) return "NORMAL";
  const beside = { ...attempt, signal: steering.signal };
  if (rules.newest !== undefined && !rules.reaches(after, rules.newest)) {
    apply.setGoal({ position: rules.newest });
    if ((await apply.run()) === "stopped") return "NORMAL";
  }
  await finishBuilds(beside);
  statistics.setPhase("catching-up");
  const limit = goalLimit(control.stopRule);
  if (settings.stopAfterFullLoad === "cached-changes-not-applied") return "STOPPED_AFTER_FULL_LOAD";
  apply.setGoal({ ...limit, position: await source.currentPosition(steering.signal) });
  const caughtUp = await apply.run();
  if (caughtUp === "stopped") return "NORMAL";
  if (caughtUp === "last") return await ended(attempt, "NORMAL");
  if (caughtUp === "commit-time") return await ended(attempt, "STOPPED_AT_COMMIT_TIME");
  if (settings.stopAfterFullLoad === "cached-changes-applied") {
    return await ended(attempt, "STOPPED_AFTER_CACHED_EVENTS");
  }
  if (spec.untilCaughtUp) return await ended(attempt, "NORMAL");
  statistics.setPhase("replicating");
  apply.setGoal(limit);
  steering.begin();
  const end = await apply.run();
  if (end === "stopped") return "NORMAL";
  if (end === "commit-time") return await ended(attempt, "STOPPED_AT_COMMIT_TIME");
  return await ended(attempt, steering.timeReached ? "STOPPED_AT_SERVER_TIME" : "NORMAL");
}

/** Opens both sides at once, to be disposed with the stack; when one fails, the other is closed and the error thrown. */
async function openBoth<A extends AsyncDisposable, B extends AsyncDisposable>(
  stack: AsyncDisposableStack,
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const opened = await Promise.allSettled([first, second]);
  for (const one of opened) if (one.status === "fulfilled") stack.use(one.value);
  const failed = opened.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return [await first, await second];
}

/** What the stop rule leaves out, whatever else a run of the apply is for. */
function goalLimit(rule: StopRule): ApplyGoal {
  if (rule.kind === "commit-time") return { committedBeforeMs: rule.timeMs };
  return rule.kind === "position" ? { last: rule.position } : {};
}

/** All that was to be applied is: the target's sequences follow. */
async function ended(attempt: Attempt, reason: StopReason): Promise<StopReason> {
  attempt.statistics.setPhase("stopping");
  await attempt.source.checkStream(publishedTables(attempt), attempt.signal);
  await copySequences(attempt);
  failpoint("task.drained");
  return reason;
}

interface SteeringParts {
  readonly attempt: Attempt;
  readonly apply: ChangeApply;
  readonly rules: TableRules;
  readonly control: ChangeControl;
}

/** Turns a stop, a drain, the stop time or a reload into what the running apply understands. */
class Steering implements AsyncDisposable {
  readonly #parts: SteeringParts;
  readonly #ending = new AbortController();
  /** Ends at once what goes on beside the apply: builds, reloads. */
  readonly signal: AbortSignal;
  readonly #started = Promise.withResolvers<void>();
  /** Reloads wait for begin(): before, constraints of other tables may be built. */
  #reloading: Promise<void> = this.#started.promise;
  #timer: NodeJS.Timeout | undefined;
  readonly #watch: NodeJS.Timeout;
  #begun = false;
  #atRisk = false;
  timeReached = false;

  constructor(parts: SteeringParts) {
    this.#parts = parts;
    this.signal = AbortSignal.any([parts.attempt.signal, this.#ending.signal]);
    this.#watch = setInterval(() => this.#checkStream(), STREAM_CHECK_INTERVAL_MS);
    parts.control.attach({
      stop: () => {
        this.#ending.abort();
        parts.apply.stop();
      },
      drain: () => this.#drain(),
      reload: (tables) => this.#reload(tables),
      replan: () => parts.apply.fail(new PlanOutdated()),
    });
  }

  /** From now on drains and the stop time count; before, the apply has nearer goals. */
  begin(): void {
    this.#begun = true;
    this.#started.resolve();
    const { stopRule, draining } = this.#parts.control;
    if (draining) this.#drain();
    if (stopRule.kind === "server-time") this.#waitFor(stopRule.timeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#parts.control.attach(undefined);
    this.#ending.abort();
    this.#started.resolve();
    this.#parts.apply.abandon();
    await this.#reloading;
  }

  /** One after another; a failure is the attempt's, and the next one finds in the journal what is left. */
  #reload(tables: readonly TableId[]): void {
    const { attempt, apply, rules } = this.#parts;
    const { signal } = this;
    this.#reloading = this.#reloading
      .then(() => {
        signal.throwIfAborted();
        return reloadBeside({ attempt: { ...attempt, signal }, apply, rules, tables });
      })
      .catch((error) => {
        if (!signal.aborted) apply.fail(error);
      });
  }

  #checkStream(): void {
    const { attempt, apply } = this.#parts;
    const { source, statistics, streamRequest } = attempt;
    source.checkStream(publishedTables(attempt), this.signal).catch((error) => {
      if (!this.signal.aborted) apply.fail(error);
    });
    source.streamHealth(streamRequest, this.signal).then(
      (findings) => {
        // Told once for each time that it comes up.
        if (!this.#atRisk) for (const finding of findings) statistics.finding(finding);
        this.#atRisk = findings.length > 0;
      },
      // Whoever reads the stream meets the same error.
      () => undefined,
    );
  }

  #drain(): void {
    if (!this.#begun) return;
    const { attempt, apply, control } = this.#parts;
    // A table that is being loaded again would be left half done.
    this.#reloading
      .then(() => attempt.source.currentPosition(this.signal))
      .then(
        (position) => apply.setGoal({ ...goalLimit(control.stopRule), position }),
        (error) => {
          if (!this.signal.aborted) apply.fail(error);
        },
      );
  }

  /** Timers are limited to 2^31 ms, so a far time is waited for in pieces. */
  #waitFor(timeMs: number): void {
    const left = timeMs - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#waitFor(timeMs), Math.min(left, 1 << 30));
      return;
    }
    this.timeReached = true;
    this.#drain();
  }
}

/**
 * Where the target stands. The slot never stands beyond that by Tideway's doing: if it does, the
 * target was set back to an earlier state or somebody else has read from the slot, and changes are gone.
 */
async function startPosition(attempt: Attempt): Promise<Position> {
  const { spec, journal, source, streamRequest, signal } = attempt;
  const kept = await source.findStream(streamRequest, signal);
  if (kept === undefined) throw streamMissing(attempt);
  const applied = await journal.appliedPosition(signal);
  if (applied !== undefined && source.positions.compare(kept, applied) === 1) {
    throw new MigrationError("source.position_unavailable", {
      message: `The source keeps changes from ${kept.text} on, but the target stands at ${applied.text}.`,
      subject: spec.name,
      remedy:
        "The target was set back or something else read from the slot: start the task with reload-target.",
    });
  }
  return applied ?? kept;
}

/** Between which positions the partitions of a table were read; undefined when it was not loaded. */
function snapshotWindow(table: JournaledTable, rules: TableRules): SnapshotWindow | undefined {
  let oldest: Position | undefined;
  let newest: Position | undefined;
  for (const { snapshot } of table.partitions) {
    if (snapshot === undefined) continue;
    if (oldest === undefined || rules.reaches(oldest, snapshot)) oldest = snapshot;
    if (newest === undefined || rules.reaches(snapshot, newest)) newest = snapshot;
  }
  return oldest === undefined || newest === undefined ? undefined : { oldest, newest };
}

/** For cdc tasks: makes the stream, or checks that a given start position can still be read. */
export async function startChangeOnly(attempt: Attempt): Promise<void> {
  const { spec, source, journal, streamRequest, signal } = attempt;
  if ((await journal.appliedPosition(signal)) !== undefined) return;
  const kept = await source.findStream(streamRequest, signal);
  if (spec.cdcStartPosition === undefined || spec.cdcStartPosition === "") {
    const create = (limited: AbortSignal): Promise<Position> =>
      source.createStream(publishedTables(attempt), limited);
    const start = kept ?? (await waitForWriters(attempt, { isNew: true }, create));
    await journal.setAppliedPosition(start, signal);
    return;
  }
  const start = source.positions.parse(spec.cdcStartPosition);
  const order = kept === undefined ? undefined : source.positions.compare(kept, start);
  if (kept === undefined || order === undefined || order > 0) {
    throw new MigrationError("source.position_unavailable", {
      message:
        kept === undefined
          ? "A start position was given, but no slot keeps the log from there on."
          : `The slot keeps the log from ${kept.text} on; ${start.text} lies before it.`,
      subject: spec.name,
    });
  }
  await journal.setAppliedPosition(start, signal);
}
