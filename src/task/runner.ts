import { MigrationError } from "../core/error.ts";
import type { JournaledTable } from "../core/journal.ts";
import { readTable } from "../core/plan.ts";
import { passesOver } from "../core/row-errors.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import { Rereads } from "../pipeline/rereads.ts";
import { Screening } from "../pipeline/screening.ts";
import { TableErrors } from "../pipeline/table-errors.ts";
import { afterTableError } from "./after-table-error.ts";
import type { Attempt } from "./attempt.ts";
import { AttemptWatches } from "./attempt-watches.ts";
import { taskEndpointFindings } from "./endpoint-findings.ts";
import { type Ending, failedOutcome } from "./failed-outcome.ts";
import { followSelection } from "./follow-selection.ts";
import { leavesColumnsOut } from "./followed-columns.ts";
import { stopsAtCuts } from "./lob-settings.ts";
import { checkLoops } from "./loop-check.ts";
import { NoteKeeping } from "./note-keeping.ts";
import { openSides, openTargetToRead } from "./open-sides.ts";
import { type PlannedTask, type PlanningRequest, planTask } from "./planning.ts";
import { markForReload } from "./preparation.ts";
import { checkWishes } from "./reload-refusal.ts";
import { retryAttempts } from "./retry-attempts.ts";
import { RetryBook } from "./retry-book.ts";
import { runChanges } from "./run-changes.ts";
import { runComparedChanges } from "./run-compared-changes.ts";
import { runFullLoad } from "./run-full-load.ts";
import { runLoad } from "./run-load.ts";
import { rowsKept } from "./run-reload.ts";
import { followSchemaChanges } from "./run-schema-changes.ts";
import { tablesToReplan } from "./schema-changes.ts";
import { readTaskSettings, type TaskSettings } from "./settings.ts";
import { followLog, noteLog } from "./source-log.ts";
import { startChangeOnly } from "./start-changes.ts";
import { beginAnew, hasBegun } from "./start-note.ts";
import { TaskStatistics } from "./statistics.ts";
import type { ChangeControl, ChangeListener } from "./steering.ts";
import { readStopRule, type StopRule } from "./stop-rule.ts";
import type { TaskSurroundings } from "./surroundings.ts";
import type {
  ReloadWish,
  RetryWish,
  RunningTask,
  StopReason,
  TaskListener,
  TaskOutcome,
  TaskSpec,
} from "./task.ts";
import { tellLockWaits } from "./tell-lock-waits.ts";
import { ValueFindings } from "./tell-values.ts";
import { ValidationBook } from "./validation-book.ts";
import { WaitingReloads } from "./waiting-reloads.ts";

/** Where a snapshot has shown no one moment, the next one may be no better: a table has as many besides the first. */
const SNAPSHOTS = 3;

/** How long a stop waits for a commit boundary before it gives up what is not committed. */
const STOP_PATIENCE_MS = 30_000;

/**
 * Runs one task in this process.
 *
 * There is one way to go on, after a crash, a lost connection, a table set aside or a reload: start
 * an attempt, read the journal, do what it shows as not done. An attempt therefore keeps no state
 * that the next one needs, and errors need no repair beyond throwing them.
 */
export class TaskRunner implements RunningTask, ChangeControl {
  readonly outcome: Promise<TaskOutcome>;
  readonly #spec: TaskSpec;
  readonly #around: TaskSurroundings;
  readonly #listener: TaskListener;
  readonly #statistics: TaskStatistics;
  readonly retries = new RetryBook();
  readonly #abort = new AbortController();
  readonly #reloads = new WaitingReloads();
  readonly #rereads = new Rereads();
  readonly #tornReads = new Rereads(SNAPSHOTS);
  #screening = new Screening(false);
  #changes: ChangeListener | undefined;
  #stopRequested = false;
  #draining = false;
  #stopRule: StopRule = { kind: "never" };
  /** Whether what an earlier run left is to be forgotten first. */
  #fresh: boolean;
  /** Both databases were reached and found fit, now or in an earlier run: failures to reach them may pass. */
  #underway: boolean;
  #suspended: readonly TableId[] = [];
  /** Of the attempt at work. */
  #errors: TableErrors | undefined;
  /** Tables that were set aside when the attempt began. */
  #asideAtStart: ReadonlySet<string> = new Set();
  #impatience: NodeJS.Timeout | undefined;
  #known: ReadonlySet<string> = new Set();
  readonly #notes = new NoteKeeping();
  readonly #watches = new AttemptWatches();
  readonly #validation: ValidationBook;

  constructor(spec: TaskSpec, around: TaskSurroundings, listener: TaskListener) {
    this.#spec = spec;
    this.#around = around;
    this.#listener = listener;
    this.#statistics = new TaskStatistics(listener, this.retries);
    this.#validation = new ValidationBook(this.#statistics);
    if (spec.retry !== undefined) this.retries.ask(spec.retry);
    this.#fresh = spec.start !== "resume-processing";
    this.#underway = !this.#fresh;
    this.outcome = this.#run();
  }

  get stopRequested(): boolean {
    return this.#stopRequested;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get stopRule(): StopRule {
    return this.#stopRule;
  }

  detach(queued: readonly TableId[]): void {
    this.#changes = undefined;
    this.#reloads.add(queued);
  }

  attach(listener: ChangeListener): void {
    this.#changes = listener;
    this.#reloads.handTo(listener);
  }

  stop(): void {
    const again = this.#stopRequested;
    this.#stopRequested = true;
    if (this.#changes === undefined || again) {
      this.#abort.abort(stopped());
      return;
    }
    this.#changes.stop();
    this.#impatience = setTimeout(() => this.#abort.abort(stopped()), STOP_PATIENCE_MS);
  }

  drain(): void {
    this.#draining = true;
    this.#changes?.drain();
  }

  reloadTables(wishes: readonly ReloadWish[]): void {
    checkWishes(wishes, this.#known, this.#spec);
    const revalidated = wishes.filter(({ validateOnly }) => validateOnly);
    for (const wish of revalidated) this.#validation.wishes.ask(wish);
    if (revalidated.length > 0) this.#changes?.revalidate();
    const reloaded = wishes.filter(({ validateOnly }) => !validateOnly);
    if (reloaded.length > 0) this.#reload(reloaded);
  }

  #reload(tables: readonly ReloadWish[]): void {
    for (const table of tables) {
      this.#statistics.reloadAsked(table);
      this.#tornReads.forget(table);
    }
    // What was wrong with a table that is set aside may have been mended since, and what was left out comes:
    // it is planned anew.
    const isPlanned = tables.every(
      (table) => this.#errors?.isSuspended(table) !== true && !this.#reloads.hasToReplan(table),
    );
    if (this.#changes === undefined || !isPlanned) this.#reloads.add(tables);
    if (isPlanned) this.#changes?.reload(tables);
    else this.#changes?.replan();
  }

  retryErrors(wish: RetryWish): void {
    this.retries.ask(wish);
    this.#changes?.retry();
    this.#statistics.report();
  }

  async #run(): Promise<TaskOutcome> {
    // The caller gets the object before anything happens in its name.
    await Promise.resolve();
    let outcome: Ending;
    try {
      const settings = readTaskSettings(this.#spec.settings);
      this.#screening = new Screening(passesOver(settings.rowErrors.refused));
      const stopReason = await retryAttempts(() => this.#attempt(settings), {
        limits: settings.recoverableErrors,
        listener: this.#listener,
        signal: this.#abort.signal,
        stopRequested: () => this.#stopRequested,
        isUnderway: () => this.#underway,
      });
      outcome = { state: "stopped", stopReason, error: undefined };
    } catch (thrown) {
      outcome = failedOutcome(thrown, this.#stopRequested, this.#listener);
    }
    clearTimeout(this.#impatience);
    this.#statistics.close();
    this.#statistics.loadEnded();
    const progress = this.#statistics.snapshot();
    return { ...outcome, suspendedTables: this.#suspended, progress };
  }

  /** "again": tables were set aside or are to be loaded again; the next attempt takes it up. */
  async #attempt(settings: TaskSettings): Promise<StopReason | "again"> {
    const signal = this.#abort.signal;
    await using both = await openSides(this.#spec, this.#around.registry, signal);
    const { source, target } = both;
    using _telling = tellLockWaits({ source, target, spec: this.#spec, listener: this.#listener }, signal);
    this.#stopRule = await readStopRule(this.#spec.cdcStopPosition, source, signal);
    const { controlSchema, optionalTables } = settings;
    const journalRequest = { taskId: this.#spec.id, controlSchema, optionalTables };
    if (this.#fresh && (await hasBegun(this.#spec, { target, journal: journalRequest }, signal))) {
      this.#fresh = false;
      this.#underway = true;
    }
    await using opened = new AsyncDisposableStack();
    const openJournal = async () => opened.use(await target.openJournal(journalRequest, signal));
    // A task that starts changes nothing before it is planned, and what it left in an earlier run does not count.
    const earlier = this.#fresh ? undefined : await openJournal();
    const journaled = ((await earlier?.tables(signal)) ?? []).map((table) => {
      const isToLoad = this.#isLoadedFirst(table) && rowsKept(table) === undefined;
      return isToLoad ? { ...table, state: "prepared" as const } : table;
    });
    // First, because what another server says of its tables would be taken for changes of them.
    const sides = { spec: this.#spec, source, journal: earlier, journaled };
    const followed = earlier === undefined ? undefined : await followLog(sides, signal);
    const largeObjectsDone = (await earlier?.largeObjects(signal))?.done === true;
    const applied = await earlier?.appliedPosition(signal);
    const planned = await this.#plan({ settings, source, target, journaled, applied, largeObjectsDone });
    const log = followed ?? (await followLog(sides, signal));
    const journal = earlier ?? (await openJournal());
    const errors = new TableErrors(journal, this.#statistics, {
      ...settings.tableErrors,
      stopsAtCuts: stopsAtCuts(settings, source),
    });
    this.#errors = errors;
    const tables = planned.plan.tables.map(readTable);
    const unnoted: Attempt = {
      ...{ spec: this.#spec, settings, listener: this.#listener, statistics: this.#statistics },
      ...{ source, target, plan: planned.plan },
      selected: new Set(planned.selected.map(tableKey)),
      ...{ journal, journalRequest },
      notes: { ...planned.notes, kept: false },
      streamRequest: { taskId: this.#spec.id, tables, log },
      errors,
      ...{ rereads: this.#rereads, tornReads: this.#tornReads, screening: this.#screening },
      validation: settings.validation.enabled ? this.#validation : undefined,
      readTarget: (opening) => openTargetToRead(this.#spec, this.#around.registry, opening),
      findPlaces: this.#around.findPlaces,
      refused: new Map(planned.refused.map(({ table, error }) => [tableKey(table), error])),
      signal,
    };
    const gone = planned.gone.map((id) => ({ id, estimatedRows: -1, estimatedBytes: 0 }));
    this.#statistics.setTables([...tables, ...gone]);
    this.#known = new Set(tables.map((table) => tableKey(table.id)));
    this.#reloads.planned(tablesToReplan(tables, planned.changes));
    await checkLoops(unnoted, journaled);
    if (this.#fresh) await beginAnew(unnoted);
    if (settings.validation.only) await journal.noteOnlyCompares(signal);
    this.#fresh = false;
    this.#underway = true;
    const attempt = await this.#notes.begin(unnoted);
    try {
      await noteLog(attempt);
      await using _watching = this.#watches.begin(attempt);
      await followSelection(attempt);
      await this.#recall(attempt);
      for (const { table, error } of planned.refused) await errors.handle(table, error, signal);
      this.#asideAtStart = new Set(errors.suspended.map(tableKey));
      await followSchemaChanges(attempt, planned.changes);
      return await this.#phases(attempt);
    } catch (error) {
      if (this.#notes.isUntold(attempt, error)) return "again";
      return await afterTableError(attempt, error, this.#asideAtStart);
    } finally {
      // Also of rows that tables had before they were altered.
      new ValueFindings(attempt, [target, this.#statistics]).tellAll();
      this.#suspended = errors.suspended;
    }
  }

  async #plan(
    parts: Omit<PlanningRequest, "spec" | "observer" | "resumes" | "untold">,
  ): Promise<PlannedTask> {
    const signal = this.#abort.signal;
    this.#statistics.setPhase("assessing");
    for (const one of taskEndpointFindings(this.#spec, this.#around.registry)) this.#statistics.finding(one);
    const stream = { taskId: this.#spec.id, tables: [] };
    const keepsLog =
      this.#spec.type !== "full-load" &&
      (await parts.source.findStream({ ...stream, applied: parts.applied }, signal)) !== undefined;
    const resumes = !this.#fresh || keepsLog;
    const { untold } = this.#notes;
    return planTask({ ...parts, untold, spec: this.#spec, observer: this.#statistics, resumes }, signal);
  }

  /** Takes over what earlier attempts have left in the journal, and the reloads asked for since. */
  async #recall(attempt: Attempt): Promise<void> {
    const { journal, errors, plan, statistics, signal } = attempt;
    const recorded = await journal.recordedErrors(signal);
    const targets = new Map(plan.tables.map(({ source, target }) => [tableKey(source.id), target.id]));
    for (const table of await journal.tables(signal)) {
      if (this.#isLoadedFirst(table)) {
        this.#reloads.remove(table.id);
        const finding = rowsKept(table);
        if (finding === undefined) {
          await markForReload(attempt, [table]);
          statistics.reloading(table.id);
          continue;
        }
        statistics.finding(finding);
        statistics.reloadAnswered(table.id);
      }
      const target = targets.get(tableKey(table.id));
      statistics.restore(table, target && recorded.get(tableKey(target)));
      if (table.state === "suspended") errors.remember(table.id);
    }
  }

  /**
   * A task that goes on with changes loads tables again beside them, but not with more columns than its stream
   * was opened for.
   */
  #isLoadedFirst(table: JournaledTable): boolean {
    if (!this.#reloads.has(table.id)) return false;
    return this.#spec.type === "full-load" || (table.shape !== undefined && leavesColumnsOut(table.shape));
  }

  async #phases(attempt: Attempt): Promise<StopReason | "again"> {
    if (this.#spec.type === "full-load") {
      await runFullLoad(attempt, this.retries);
      return this.#reloads.isEmpty ? "FULL_LOAD_ONLY_FINISHED" : "again";
    }
    if (this.#spec.type === "cdc") await startChangeOnly(attempt);
    else await runLoad(attempt);
    const run = attempt.settings.validation.only ? runComparedChanges : runChanges;
    return await this.#notes.follow(attempt, () => run(attempt, this));
  }
}

function stopped(): MigrationError {
  return new MigrationError("task.stopped_by_request", { message: "The task was stopped on request." });
}
