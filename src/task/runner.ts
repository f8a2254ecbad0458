import { Backoff, pause } from "../base/backoff.ts";
import type { EngineRegistry } from "../core/engine.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { TableErrors } from "../pipeline/table-errors.ts";
import { afterTableError } from "./after-table-error.ts";
import type { Attempt } from "./attempt.ts";
import { planTask } from "./planning.ts";
import { markForReload } from "./preparation.ts";
import { type ChangeControl, type ChangeListener, runChanges, startChangeOnly } from "./run-changes.ts";
import { finishBuilds, runLoad } from "./run-load.ts";
import { rowsKept } from "./run-reload.ts";
import { readTaskSettings, type TaskSettings } from "./settings.ts";
import { TaskStatistics } from "./statistics.ts";
import { parseStopPosition, type StopRule } from "./stop-rule.ts";
import type { RunningTask, StopReason, TaskListener, TaskOutcome, TaskSpec } from "./task.ts";

/** An attempt that lasted this long has worked: earlier failures no longer count. */
const LASTING_MS = 60_000;

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
  readonly #registry: EngineRegistry;
  readonly #listener: TaskListener;
  readonly #statistics: TaskStatistics;
  readonly #abort = new AbortController();
  readonly #reloads = new Map<string, TableId>();
  #changes: ChangeListener | undefined;
  #stopRequested = false;
  #draining = false;
  #stopRule: StopRule = { kind: "never" };
  /** Whether what an earlier run left is to be forgotten first. */
  #fresh: boolean;
  /** Both databases were reached and found fit, now or in an earlier run: failures to reach them are retried. */
  #underway: boolean;
  #suspended: readonly TableId[] = [];
  /** Of the attempt at work. */
  #errors: TableErrors | undefined;
  /** Tables that were set aside when the attempt began. */
  #asideAtStart: ReadonlySet<string> = new Set();
  #impatience: NodeJS.Timeout | undefined;
  #known: ReadonlySet<string> = new Set();

  constructor(spec: TaskSpec, registry: EngineRegistry, listener: TaskListener) {
    this.#spec = spec;
    this.#registry = registry;
    this.#listener = listener;
    this.#statistics = new TaskStatistics(listener);
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

  attach(listener: ChangeListener | undefined): void {
    this.#changes = listener;
    if (listener === undefined || this.#reloads.size === 0) return;
    const waiting = [...this.#reloads.values()];
    this.#reloads.clear();
    listener.reload(waiting);
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

  reloadTables(tables: readonly TableId[]): void {
    if (this.#spec.type === "cdc") {
      throw new MigrationError("usage.invalid", {
        message: "Tables of a task that only replicates changes (cdc) cannot be reloaded.",
        subject: this.#spec.name,
        remedy: "Use a task that loads and replicates.",
      });
    }
    for (const table of tables) {
      if (this.#known.has(tableKey(table))) continue;
      throw new MigrationError("usage.invalid", {
        message: `The task has no table ${displayTable(table)}.`,
        subject: displayTable(table),
        remedy: "Name tables as the task's table statistics list them.",
      });
    }
    // What was wrong with a table that is set aside may have been mended since: it is planned anew.
    const isAside = tables.some((table) => this.#errors?.isSuspended(table) === true);
    if (this.#changes !== undefined && !isAside) {
      this.#changes.reload(tables);
      return;
    }
    for (const table of tables) this.#reloads.set(tableKey(table), table);
    this.#changes?.replan();
  }

  async #run(): Promise<TaskOutcome> {
    // The caller gets the object before anything happens in its name.
    await Promise.resolve();
    let outcome: Pick<TaskOutcome, "state" | "stopReason" | "error">;
    try {
      const settings = readTaskSettings(this.#spec.settings);
      const stopReason = await this.#attempts(settings);
      outcome = { state: "stopped", stopReason, error: undefined };
    } catch (thrown) {
      const error = asMigrationError(thrown);
      this.#listener.log("error", "task failed", { code: error.code, subject: error.subject });
      if (error.code === "internal.unexpected") this.#logDefect(error);
      const stopReason = error.retry === "backoff" ? "RECOVERABLE_ERROR" : "FATAL_ERROR";
      outcome = this.#stopRequested
        ? { state: "stopped", stopReason: "NORMAL", error: undefined }
        : { state: "failed", stopReason, error: error.toJSON() };
    }
    clearTimeout(this.#impatience);
    this.#statistics.close();
    this.#statistics.loadEnded();
    const progress = this.#statistics.snapshot();
    return { ...outcome, suspendedTables: this.#suspended, progress };
  }

  /** A defect's stack tells where; its message may hold values and is left out. */
  #logDefect(error: MigrationError): void {
    const cause = error.cause instanceof Error ? error.cause : error;
    const where = (cause.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
    this.#listener.log("error", "unexpected error", { name: cause.name, where: where.slice(0, 8) });
  }

  async #attempts(settings: TaskSettings): Promise<StopReason> {
    const backoff = new Backoff(settings.recoverableErrors);
    for (;;) {
      const startedMs = Date.now();
      try {
        const reason = await this.#attempt(settings);
        if (reason !== "again") return reason;
      } catch (thrown) {
        if (this.#stopRequested) return "NORMAL";
        const error = asMigrationError(thrown);
        if (!this.#underway || error.retry === "never") throw error;
        if (Date.now() - startedMs > LASTING_MS) backoff.reset();
        const delayMs = backoff.failed();
        if (delayMs === undefined) {
          throw new MigrationError("task.retries_exhausted", {
            message: `Gave up after ${backoff.failures} retries: ${error.message}`,
            remedy: error.remedy,
            cause: error,
          });
        }
        this.#listener.log("warn", "task interrupted, trying again", { code: error.code, delayMs });
        await pause(delayMs, this.#abort.signal);
      }
    }
  }

  /** "again": tables were set aside or are to be loaded again; the next attempt takes it up. */
  async #attempt(settings: TaskSettings): Promise<StopReason | "again"> {
    const signal = this.#abort.signal;
    await using both = await openBoth(this.#spec, this.#registry, signal);
    const { source, target } = both;
    this.#stopRule = parseStopPosition(this.#spec.cdcStopPosition, source.positions);
    const planned = await this.#plan({ settings, source, target });
    const journalRequest = { taskId: this.#spec.id, controlSchema: settings.controlSchema };
    await using journal = await target.openJournal(journalRequest, signal);
    const errors = new TableErrors(journal, this.#statistics, settings.tableErrors);
    this.#errors = errors;
    const tables = planned.plan.tables.map((table) => table.source);
    const attempt: Attempt = {
      spec: this.#spec,
      settings,
      listener: this.#listener,
      statistics: this.#statistics,
      source,
      target,
      plan: planned.plan,
      journal,
      journalRequest,
      streamRequest: { taskId: this.#spec.id, tables },
      errors,
      refused: new Map(planned.refused.map(({ table, error }) => [tableKey(table), error])),
      signal,
    };
    this.#statistics.setTables(tables);
    this.#known = new Set(tables.map((table) => tableKey(table.id)));
    if (this.#fresh) await this.#forget(attempt);
    this.#underway = true;
    try {
      await this.#recall(attempt);
      for (const { table, error } of planned.refused) await errors.handle(table, error, signal);
      this.#asideAtStart = new Set(errors.suspended.map(tableKey));
      return await this.#phases(attempt);
    } catch (error) {
      return await afterTableError(attempt, error, this.#asideAtStart);
    } finally {
      this.#suspended = errors.suspended;
    }
  }

  async #plan(parts: { settings: TaskSettings; source: Source; target: Target }) {
    const signal = this.#abort.signal;
    this.#statistics.setPhase("assessing");
    const stream = { taskId: this.#spec.id, tables: [] };
    const keepsLog =
      this.#spec.type !== "full-load" && (await parts.source.findStream(stream, signal)) !== undefined;
    const resumes = !this.#fresh || keepsLog;
    const { settings, source, target } = parts;
    const told = this.#statistics;
    return planTask({ spec: this.#spec, settings, source, target, observer: told, resumes }, signal);
  }

  /** The journal first: without it a stream that is left over does no harm, the other way round it would. */
  async #forget(attempt: Attempt): Promise<void> {
    await attempt.journal.forget(attempt.signal);
    if (this.#spec.type !== "full-load") {
      await attempt.source.dropStream(attempt.streamRequest, attempt.signal);
    }
    this.#fresh = false;
  }

  /** Takes over what earlier attempts have left in the journal, and the reloads asked for since. */
  async #recall(attempt: Attempt): Promise<void> {
    const { journal, errors, statistics, signal } = attempt;
    for (const table of await journal.tables(signal)) {
      // A task that goes on with changes loads tables again beside them.
      if (this.#spec.type === "full-load" && this.#reloads.delete(tableKey(table.id))) {
        const finding = rowsKept(table);
        if (finding === undefined) {
          await markForReload(journal, [table], signal);
          statistics.reloading(table.id);
          continue;
        }
        statistics.finding(finding);
      }
      statistics.restore(table);
      if (table.state === "suspended") errors.remember(table.id);
    }
  }

  async #phases(attempt: Attempt): Promise<StopReason | "again"> {
    if (this.#spec.type === "cdc") await startChangeOnly(attempt);
    else await runLoad(attempt);
    if (this.#spec.type === "full-load") {
      await finishBuilds(attempt);
      return this.#reloads.size > 0 ? "again" : "FULL_LOAD_ONLY_FINISHED";
    }
    return await runChanges(attempt, this);
  }
}

/** Opens source and target at once. When one cannot be opened, the other is closed again. */
async function openBoth(
  { source: from, target: to }: TaskSpec,
  registry: EngineRegistry,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly source: Source; readonly target: Target }> {
  await using opened = new AsyncDisposableStack();
  const sides = [
    registry.find(from.engine).openSource(from, signal),
    registry.find(to.engine).openTarget(to, signal),
  ] as const;
  const settled = await Promise.allSettled(sides);
  for (const side of settled) if (side.status === "fulfilled") opened.use(side.value);
  const [source, target] = await Promise.all(sides);
  const kept = opened.move();
  return { source, target, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function stopped(): MigrationError {
  return new MigrationError("task.stopped_by_request", { message: "The task was stopped on request." });
}
