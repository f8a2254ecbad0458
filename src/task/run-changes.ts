import { failpoint } from "../base/failpoint.ts";
import type { ChangeEncoding } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { Applier } from "../core/target.ts";
import { needsText } from "../mapping/rows/row-needs.ts";
import type { ApplyGoal } from "../pipeline/apply-goal.ts";
import { TableRules } from "../pipeline/apply-modes.ts";
import { type ApplyEnd, ChangeApply } from "../pipeline/change-apply.ts";
import { mappedChanges } from "../pipeline/mapped-changes.ts";
import { type Attempt, AttemptOutdated, NotesLost, TablesUntold } from "./attempt.ts";
import { BesideChanges } from "./beside-changes.ts";
import { snapshotWindow, startPosition } from "./change-start.ts";
import { noteFilter, SchemaNoted } from "./follow-notes.ts";
import { openBoth } from "./open-sides.ts";
import type { RetryBook } from "./retry-book.ts";
import { copySequences, finishBuilds, publishedTables } from "./run-load.ts";
import { reloadBeside } from "./run-reload.ts";
import { retryErrors, standAmongChanges } from "./run-retry.ts";
import { rememberTables, SchemaWatch } from "./run-schema-changes.ts";
import { noteStart } from "./start-note.ts";
import type { StopRule } from "./stop-rule.ts";
import type { StopReason } from "./task.ts";
import { ValueFindings } from "./tell-values.ts";

/** How soon it is noticed that somebody has changed the publication: servers may not say so. */
const STREAM_CHECK_INTERVAL_MS = 60_000;
/** How late a stop time is noticed at most when the clock has been set. */
const CLOCK_CHECK_MS = 60_000;

/** Every applier takes it. */
const TEXT: readonly ChangeEncoding[] = ["text"];

/** What may be asked of the change phase while it runs. */
export interface ChangeControl {
  readonly stopRequested: boolean;
  readonly draining: boolean;
  readonly stopRule: StopRule;
  readonly retries: RetryBook;
  /** Called with whatever is to be told of a stop or a drain. */
  attach(listener: ChangeListener): void;
  /** Nothing runs any more. `queued`: what was to be reloaded, of which the journal knows nothing. */
  detach(queued: readonly TableId[]): void;
}

export interface ChangeListener {
  stop(): void;
  drain(): void;
  reload(tables: readonly TableId[]): void;
  /** Tries rows again, if that is wanted. */
  retry(): void;
  /** Ends the attempt for another that describes and assesses the tables as they are now. */
  replan(): void;
}

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
  await rememberTables(attempt);
  const aside = errors.suspended;
  const reloads = new Set<readonly TableId[]>();
  const takes = attempt.notes.kept ? noteFilter(attempt, rules, () => reloads.size === 0) : undefined;
  await using sides = new AsyncDisposableStack();
  const [applier, given] = await openBoth(
    sides,
    target.openApplier(
      {
        ...{ ...attempt.journalRequest, plan, positions: source.positions, marks: settings.preventsLoops },
        ...{ rowErrors: settings.rowErrors, screens: attempt.screening.changes },
        groupLimits: settings.groupLimits,
      },
      signal,
    ),
    source.openChangeStream(
      {
        ...{ ...attempt.streamRequest, after, aside, ownOnly: settings.preventsLoops },
        encodings: plan.tables.some(needsText) ? TEXT : target.changeEncodings,
        until: control.stopRule.kind === "place" ? control.stopRule.place : undefined,
        ...(takes === undefined ? {} : { takes }),
      },
      signal,
    ),
  );
  if (given.lacksNotes === true) throw new NotesLost();
  // What is refused may be so because its rules cannot be carried out; its changes are skipped.
  const mapped = plan.tables.filter(({ source: { id } }) => !attempt.refused.has(tableKey(id)));
  const stream = mappedChanges(given, mapped);
  const saveIdle = async (position: Position): Promise<void> => {
    await journal.setAppliedPosition(position, signal);
    failpoint("apply.idle-saved");
  };
  const { truncates } = settings;
  const { counted } = statistics;
  counted.begin(source.positions);
  const apply = new ChangeApply({
    ...{ stream, applier, rules, saveIdle, truncates },
    ...{ observer: statistics, counted },
  });
  const watch = new SchemaWatch(attempt);
  const values = new ValueFindings(attempt, [stream, target, statistics]);
  await using steering = new Steering({ attempt, apply, applier, rules, control, watch, values, reloads });
  const run = async (): Promise<Exclude<ApplyEnd, "noted">> => {
    const end = await apply.run();
    if (end === "noted") throw new SchemaNoted(apply.noted!);
    return end;
  };
  const ended = (reason: StopReason): Promise<StopReason> => endWith(reason, attempt, watch);
  await noteStart(attempt);
  statistics.setCheckpoint(after.text);
  statistics.setPhase("catching-up");
  if (control.stopRequested) return "NORMAL";
  const beside = { ...attempt, signal: steering.signal };
  if (rules.newest !== undefined && !rules.reaches(after, rules.newest)) {
    apply.setGoal({ position: rules.newest });
    if ((await run()) === "stopped") return "NORMAL";
  }
  await finishBuilds(beside);
  statistics.setPhase("catching-up");
  const limit = goalLimit(control.stopRule);
  if (settings.stopAfterFullLoad === "cached-changes-not-applied") return "STOPPED_AFTER_FULL_LOAD";
  apply.setGoal({ ...limit, position: await source.currentPosition(steering.signal) });
  const caughtUp = await run();
  if (caughtUp === "stopped") return "NORMAL";
  if (caughtUp === "last") return await ended("NORMAL");
  if (caughtUp === "commit-time") return await ended("STOPPED_AT_COMMIT_TIME");
  const untold = attempt.notes.awaited.filter((table) => !errors.isSuspended(table));
  if (untold.length > 0) throw new TablesUntold(untold);
  if (settings.stopAfterFullLoad === "cached-changes-applied") {
    return await ended("STOPPED_AFTER_CACHED_EVENTS");
  }
  if (spec.untilCaughtUp && control.retries.wanted === undefined) return await ended("NORMAL");
  statistics.setPhase("replicating");
  apply.setGoal(limit);
  steering.begin();
  const end = await run();
  if (end === "stopped") return "NORMAL";
  if (end === "commit-time") return await ended("STOPPED_AT_COMMIT_TIME");
  return await ended(steering.timeReached ? "STOPPED_AT_SERVER_TIME" : "NORMAL");
}

/** What the stop rule leaves out, whatever else a run of the apply is for. */
function goalLimit(rule: StopRule): ApplyGoal {
  if (rule.kind === "commit-time") return { committedBeforeMs: rule.timeMs };
  if (rule.kind === "place") return { endsAtPlace: true };
  return rule.kind === "position" ? { last: rule.position } : {};
}

/** All that was to be applied is: the target's sequences follow. */
async function endWith(reason: StopReason, attempt: Attempt, watch: SchemaWatch): Promise<StopReason> {
  attempt.statistics.setPhase("stopping");
  await watch.check({ takesNew: true, signal: attempt.signal });
  await attempt.source.checkStream(publishedTables(attempt), attempt.signal);
  // Where the application writes to both sides, each has its own.
  if (!attempt.settings.preventsLoops) await copySequences(attempt);
  failpoint("task.drained");
  return reason;
}

interface SteeringParts {
  readonly attempt: Attempt;
  readonly apply: ChangeApply;
  readonly applier: Applier;
  readonly rules: TableRules;
  readonly control: ChangeControl;
  readonly watch: SchemaWatch;
  readonly values: ValueFindings;
  /** Reloads that were asked for and are not done: until then another attempt for new tables would end them. */
  readonly reloads: Set<readonly TableId[]>;
}

/** Turns a stop, a drain, the stop time or a reload into what the running apply understands. */
class Steering implements AsyncDisposable {
  readonly #parts: SteeringParts;
  readonly #ending = new AbortController();
  /** Ends at once what goes on beside the apply: builds, reloads. */
  readonly signal: AbortSignal;
  readonly #started = Promise.withResolvers<void>();
  /** Waits for begin(): before, constraints of other tables may be built. */
  readonly #beside: BesideChanges;
  /** Wishes to try rows again, one after another. */
  #retries: Promise<void> = this.#started.promise;
  /** Reloads that the journal does not show yet. */
  readonly #queued = new Set<readonly TableId[]>();
  #timer: NodeJS.Timeout | undefined;
  readonly #watch: NodeJS.Timeout;
  #begun = false;
  #checking = false;
  #checked: Promise<void> = Promise.resolve();
  timeReached = false;

  constructor(parts: SteeringParts) {
    this.#parts = parts;
    this.signal = AbortSignal.any([parts.attempt.signal, this.#ending.signal]);
    this.#beside = new BesideChanges(this.#started.promise, this.signal, (error) => {
      parts.apply.fail(error);
      // What waits for its turn is the next attempt's, which finds in the journal what is left.
      this.#ending.abort();
    });
    this.#watch = setInterval(() => this.#checkStream(), STREAM_CHECK_INTERVAL_MS);
    parts.control.attach({
      stop: () => {
        this.#ending.abort();
        parts.apply.stop();
      },
      drain: () => this.#drain(),
      reload: (tables) => this.#reload(tables),
      retry: () => this.#retry(),
      replan: () => parts.apply.fail(new AttemptOutdated()),
    });
  }

  /** From now on drains and the stop time count; before, the apply has nearer goals. */
  begin(): void {
    this.#begun = true;
    this.#started.resolve();
    const { stopRule, draining } = this.#parts.control;
    this.#retry();
    if (draining || this.#parts.attempt.spec.untilCaughtUp) this.#drain();
    if (stopRule.kind === "server-time") this.#waitFor(stopRule.timeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#parts.control.detach([...this.#queued].flat());
    this.#ending.abort();
    this.#started.resolve();
    this.#parts.apply.abandon();
    this.#parts.values.tellAll();
    await Promise.all([this.#beside.ended, this.#checked]);
  }

  #reload(tables: readonly TableId[]): void {
    const { apply, rules } = this.#parts;
    const attempt = this.#attempt;
    this.#queued.add(tables);
    const taken = (): void => {
      this.#queued.delete(tables);
    };
    const work = (): Promise<void> => reloadBeside({ attempt, apply, rules, tables, taken });
    this.#doBeside(tables, this.#beside.inTurn(work));
  }

  /**
   * Before begin() not all tables have their rows, or it is not known yet what the target refuses of them. Each time that
   * changes stand still for it is a turn of its own: a table that is to be loaded again need not wait for all of them.
   */
  #retry(): void {
    const { apply, applier, control } = this.#parts;
    const book = control.retries;
    if (!this.#begun || book.wanted === undefined) return;
    const attempt = this.#attempt;
    const stand = standAmongChanges(attempt, apply, (work) => this.#beside.inTurn(work));
    this.#retries = this.#retries.then(() =>
      retryErrors({ attempt, applier, book, stand, overwrites: true }),
    );
    this.#doBeside([], this.#retries);
  }

  get #attempt(): Attempt {
    return { ...this.#parts.attempt, signal: this.signal };
  }

  #doBeside(tables: readonly TableId[], work: Promise<void>): void {
    const { reloads } = this.#parts;
    reloads.add(tables);
    void this.#beside.do(work.finally(() => reloads.delete(tables)));
  }

  #checkStream(): void {
    const { attempt, apply, watch, values, reloads } = this.#parts;
    const { source } = attempt;
    values.tellFirst();
    const { signal } = this;
    // One that waits for the stream may take longer than to the next.
    if (this.#checking) return;
    this.#checking = true;
    const passes = async (): Promise<void> => {
      const position = await source.currentPosition(signal);
      signal.throwIfAborted();
      await apply.between(async () => undefined, position);
    };
    this.#checked = watch
      .check({ takesNew: reloads.size === 0, passes, signal })
      .then(() => source.checkStream(publishedTables(attempt), signal))
      .catch((error) => {
        if (!signal.aborted) apply.fail(error);
      })
      .finally(() => {
        this.#checking = false;
      });
  }

  #drain(): void {
    if (!this.#begun) return;
    const { attempt, apply, control } = this.#parts;
    // A table that is being loaded again would be left half done.
    this.#beside.ended
      .then(() => attempt.source.currentPosition(this.signal))
      .then(
        (position) => apply.setGoal({ ...goalLimit(control.stopRule), position }),
        (error) => {
          if (!this.signal.aborted) apply.fail(error);
        },
      );
  }

  /** In pieces: timers are limited to 2^31 ms, and the clock may be set meanwhile. */
  #waitFor(timeMs: number): void {
    const left = timeMs - Date.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#waitFor(timeMs), Math.min(left, CLOCK_CHECK_MS));
      return;
    }
    this.timeReached = true;
    this.#drain();
  }
}
