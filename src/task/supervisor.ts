import type { EndpointConfig, EndpointRole } from "../core/engine.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { limitsOfClass } from "./instance-class.ts";
import { InstanceStates } from "./instance-states.ts";
import type { Log } from "./log.ts";
import type { InstanceRecord, TaskRecord, WantedReload } from "./records.ts";
import { isActive } from "./state.ts";
import type { Store } from "./store.ts";
import type { RetryWish } from "./task.ts";
import { TaskAdvance } from "./task-advance.ts";
import { TaskLedger } from "./task-ledger.ts";
import { taskSpec } from "./task-spec.ts";
import { ReloadRelay } from "./wanted-reloads.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { WorkerNews } from "./worker-process.ts";
import type { WorkerAnswer } from "./worker-protocol.ts";

/** A worker that dies this often in a row, no task of it getting anywhere, takes its tasks with it. */
const DEATHS_TOO_MANY = 5;

/** A task that the present worker of its instance runs, or is about to. What is asked before that one knows of it waits here. */
interface Run {
  isTold: boolean;
  isStopped: boolean;
  retry: RetryWish | undefined;
}

export interface SupervisorOptions {
  readonly store: Store;
  /** The worker's main module. */
  readonly workerPath: string;
  readonly log: Log;
}

/**
 * Runs one worker process for each replication instance and the tasks on them, and one for each serverless task
 * as long as it runs. What ought to run stands in the store; the supervisor makes it so, again after the
 * death of a worker and after a restart of the server.
 */
export class Supervisor {
  readonly #store: Store;
  readonly #log: Log;
  readonly #ledger: TaskLedger;
  readonly #workers: WorkerPool;
  readonly #instances: InstanceStates;
  readonly #advance = new TaskAdvance();
  /** By TaskSpec.id. */
  readonly #taskArns = new Map<string, string>();
  /** Tasks that the present worker of their instance has been told to run. */
  readonly #running = new Map<string, Run>();
  readonly #reloads = new ReloadRelay();
  #closing = false;

  constructor({ store, workerPath, log }: SupervisorOptions) {
    this.#store = store;
    this.#log = log;
    this.#ledger = new TaskLedger(store, log);
    this.#instances = new InstanceStates({ store, ledger: this.#ledger, log });
    this.#workers = new WorkerPool(workerPath, (arn) => ({
      ready: () => this.#run(this.#ready(arn)),
      message: (message) => this.#heard(arn, message),
      died: (reason, deaths) => this.#run(this.#died(arn, reason, deaths)),
    }));
  }

  get ledger(): TaskLedger {
    return this.#ledger;
  }

  /** The process id of an instance's worker, for diagnosis and tests. */
  workerPid(instanceArn: string): number | undefined {
    return this.#workers.get(instanceArn)?.pid;
  }

  /** Starts the worker; the instance becomes available when it is ready. */
  startInstance(record: InstanceRecord): void {
    this.#workers.start(record.arn, limitsOfClass(record.instanceClass));
  }

  /** Ends the worker and starts one with the record's class. Tasks on it resume. */
  async restartInstance(record: InstanceRecord): Promise<void> {
    this.#instances.forget(record.arn);
    await this.#forgetRuns(record.arn);
    await this.#workers.get(record.arn)?.restart(limitsOfClass(record.instanceClass));
  }

  removeInstance(arn: string): Promise<void> {
    return this.#workers.remove(arn);
  }

  /** Whether the worker that is to run a task takes orders. */
  hasWorkerFor({ instanceArn }: TaskRecord): boolean {
    return this.#workers.get(instanceArn)?.isReady === true;
  }

  /**
   * Hands a task to its instance's worker; its record says how (`run.mode`). A worker that is just
   * being started, as that of a serverless task is by this, gets it when it is ready. One that waits for an
   * assessment gets a worker for that alone.
   */
  async runTask(record: TaskRecord): Promise<void> {
    if (record.run === undefined || this.#running.has(record.arn)) return;
    if (this.#ledger.hasEnded(record.arn)) return;
    const worker = this.#workers.forTask(record);
    if (!worker?.isReady || record.serverless?.awaits !== undefined) return;
    const run: Run = { isTold: false, isStopped: false, retry: undefined };
    this.#running.set(record.arn, run);
    this.#taskArns.set(record.taskId, record.arn);
    try {
      // What has been asked since the record was read stands in the store, or comes to the run.
      const now = (await this.#store.get("task", record.arn)) ?? record;
      const spec = await taskSpec(this.#store, now, (now.run ?? record.run).mode);
      const tables = await this.#store.tableStatistics(record.arn);
      // Meanwhile the worker may have died, and then this run is another call's business.
      if (this.#running.get(record.arn) !== run) return;
      if (run.isStopped || now.status === "stopping") return this.#abandon(record.arn, undefined);
      this.#ledger.begins(now, tables);
      this.#reloads.begins(now.arn, now.reloads);
      worker.send({ kind: "run", spec: { ...spec, retry: run.retry ?? spec.retry } });
      run.isTold = true;
    } catch (error) {
      this.#abandon(record.arn, asMigrationError(error));
    }
  }

  stopTask(record: TaskRecord): void {
    const run = this.#running.get(record.arn);
    if (run === undefined) this.#abandon(record.arn, undefined);
    else if (!run.isTold) run.isStopped = true;
    else this.#workers.get(record.instanceArn)?.send({ kind: "stop", taskId: record.taskId });
  }

  /** Tells the task's worker of the last wishes, as soon as it can be told; the record has them until they are answered. */
  reloadTables({ arn, instanceArn, taskId, reloads = [], lastReload }: TaskRecord): void {
    const last = reloads.filter(({ number }) => number === lastReload);
    this.#tellReloads(instanceArn, taskId, this.#reloads.asked(arn, last));
  }

  /** Tells the task's worker of the wish; one that is not running yet gets it with the task. */
  retryErrors({ arn, instanceArn, taskId, retry }: TaskRecord): void {
    const run = this.#running.get(arn);
    if (retry === undefined || run === undefined) return;
    if (!run.isTold) run.retry = retry.wish;
    else this.#workers.get(instanceArn)?.send({ kind: "retry", taskId, wish: retry.wish });
  }

  testConnection(instanceArn: string, endpoint: EndpointConfig, role: EndpointRole): Promise<WorkerAnswer> {
    return this.#workers.call(instanceArn, { kind: "test-connection", endpoint, role });
  }

  listSchemas(instanceArn: string, endpoint: EndpointConfig): Promise<WorkerAnswer> {
    return this.#workers.call(instanceArn, { kind: "list-schemas", endpoint });
  }

  /** Ends a start that has not reached the worker, since what it waited for keeps it from going on. */
  refuseStart({ arn }: TaskRecord, error: MigrationError): void {
    this.#abandon(arn, error);
  }

  /** Has the worker of the task's instance look at what the task would meet. */
  async assess(record: TaskRecord): Promise<WorkerAnswer> {
    try {
      const spec = await taskSpec(this.#store, record, "start-replication");
      return await this.#workers.call(record.instanceArn, { kind: "assess", spec });
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error;
      return { ok: false, error: error.toJSON() };
    }
  }

  /** Removes what a task that has run left on both sides. */
  async cleanUp(record: TaskRecord): Promise<WorkerAnswer> {
    this.#taskArns.delete(record.taskId);
    this.#workers.forTask(record);
    try {
      const spec = await taskSpec(this.#store, record, "resume-processing");
      if (record.run?.streamed && spec.type === "full-load") {
        // Its type was changed after it had replicated: the stream it had is to go as well.
        return await this.#workers.call(record.instanceArn, {
          kind: "clean-up",
          spec: { ...spec, type: "full-load-and-cdc" },
        });
      }
      return await this.#workers.call(record.instanceArn, { kind: "clean-up", spec });
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error;
      return { ok: false, error: error.toJSON() };
    } finally {
      this.#releaseWorkerOf(record.arn);
    }
  }

  /** It is ending its workers: what they no longer answer is not about what they were asked. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Ends all workers. Tasks keep their states: they resume when a supervisor is opened on the store again. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#workers.close();
    await this.#ledger.close();
  }

  /** A worker that was started for this task alone has nothing more to do. */
  #releaseWorkerOf(arn: string): void {
    this.#run(this.#workers.remove(arn));
  }

  #tellReloads(instanceArn: string, taskId: string, tables: readonly WantedReload[]): void {
    if (tables.length > 0) this.#workers.get(instanceArn)?.send({ kind: "reload", taskId, tables });
  }

  /** Ends a run that no worker has: as stopped, or as failed with an error that somebody must mend. */
  #abandon(arn: string, error: MigrationError | undefined): void {
    this.#running.delete(arn);
    this.#reloads.ended(arn);
    this.#ledger.abandoned(arn, error === undefined ? "NORMAL" : "FATAL_ERROR", error?.toJSON());
    this.#releaseWorkerOf(arn);
  }

  #heard(instanceArn: string, message: WorkerNews): void {
    if (message.kind === "ready") return;
    const arn = this.#taskArns.get(message.taskId);
    if (arn === undefined) return;
    switch (message.kind) {
      case "progress":
        // What a worker tells of a run that has been taken from it comes too late.
        if (!this.#running.has(arn)) break;
        this.#ledger.progress(arn, message.progress);
        this.#tellReloads(instanceArn, message.taskId, this.#reloads.heard(arn, message.progress));
        if (this.#advance.advanced(arn, message.progress)) this.#workers.get(instanceArn)?.worked();
        break;
      case "log":
        this.#log(message.level, message.message, { task: arn, ...message.fields });
        break;
      case "finding":
        this.#logFinding(arn, message.finding);
        break;
      case "finished":
        this.#running.delete(arn);
        this.#advance.forget(arn);
        this.#reloads.ended(arn);
        this.#ledger.finished(arn, message.outcome);
        this.#releaseWorkerOf(arn);
    }
  }

  #logFinding(arn: string, { severity, ...finding }: Finding): void {
    const level = severity === "warning" ? "warn" : severity;
    this.#log(level, "finding", { task: arn, ...finding });
  }

  async #ready(arn: string): Promise<void> {
    const instance = await this.#store.get("instance", arn);
    if (instance !== undefined) this.#instances.ready(instance, this.workerPid(arn));
    for (const task of await this.#activeTasks(arn)) await this.runTask(task);
  }

  async #died(arn: string, reason: string, deaths: number): Promise<void> {
    const instance = await this.#store.get("instance", arn);
    const served = instance ?? (await this.#store.get("task", arn));
    if (served === undefined) return;
    const { identifier } = served;
    const of = instance === undefined ? { task: identifier } : { instance: identifier };
    this.#log("error", "worker died", { ...of, reason, deaths });
    if (instance !== undefined) this.#instances.died(instance, reason, deaths);
    await this.#forgetRuns(arn);
    // A new worker may have come up meanwhile that runs the tasks.
    if (deaths < DEATHS_TOO_MANY || this.#workers.get(arn)?.isReady) return;
    const error = new MigrationError("task.worker_died", {
      message: `The process of ${identifier} ended ${deaths} times in a row, last with ${reason}.`,
      subject: identifier,
      remedy: `Give it ${instance === undefined ? "more capacity units" : "a larger class"}, then start the task with resume-processing.`,
    });
    for (const task of await this.#activeTasks(arn)) {
      this.#ledger.abandoned(task.arn, "RECOVERABLE_ERROR", error.toJSON());
      this.#releaseWorkerOf(task.arn);
    }
  }

  /** No worker runs the instance's tasks now; those that were being stopped are stopped. */
  async #forgetRuns(instanceArn: string): Promise<void> {
    for (const task of await this.#activeTasks(instanceArn)) {
      this.#running.delete(task.arn);
      if (task.status === "stopping") this.#abandon(task.arn, undefined);
    }
  }

  async #activeTasks(instanceArn: string): Promise<readonly TaskRecord[]> {
    const tasks = await this.#store.list("task");
    return tasks.filter(
      ({ arn, status, ...task }) =>
        task.instanceArn === instanceArn && isActive(status) && !this.#ledger.hasEnded(arn),
    );
  }

  /** For what no request waits for: a failure is the program's defect and goes to the log. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      const name = error instanceof Error ? error.stack : String(error);
      this.#log("error", "supervisor step failed", { error: name });
    });
  }
}
