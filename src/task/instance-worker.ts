import { Backoff } from "../base/backoff.ts";
import type { ProcessLimits } from "./instance-class.ts";
import { type WorkerCall, type WorkerListener, WorkerProcess, workerGone } from "./worker-process.ts";
import type { ToWorker, WorkerAnswer } from "./worker-protocol.ts";

/** A worker that lived this long has worked; what ends it afterwards is not the same trouble again. */
const HEALTHY_MS = 60_000;
/** How long a call waits for a worker that is being started. */
const START_WAIT_MS = 20_000;
/** How long a worker may take to end its tasks in order before it is killed. */
const GRACE_MS = 10_000;

export interface InstanceListener {
  /** The worker takes orders: at the start, and again after each death. */
  ready(): void;
  message: WorkerListener["message"];
  /** The worker ended by itself; another one follows. `deaths` counts those in a row, 1 and up. */
  died(reason: string, deaths: number): void;
}

/** Keeps one worker process alive for one replication instance, with longer pauses the more often it dies. */
export class InstanceWorker {
  readonly #path: string;
  readonly #listener: InstanceListener;
  readonly #backoff = new Backoff({
    retries: undefined,
    firstDelayMs: 100,
    doubling: true,
    longestDelayMs: 30_000,
  });
  #limits: ProcessLimits;
  #worker: WorkerProcess | undefined;
  #ready = Promise.withResolvers<WorkerProcess>();
  /** The end of a worker that another one takes the place of. */
  #retired: Promise<void> | undefined;
  #isReady = false;
  #startedMs = 0;
  #respawn: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, limits: ProcessLimits, listener: InstanceListener) {
    this.#path = path;
    this.#limits = limits;
    this.#listener = listener;
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  send(message: ToWorker): void {
    this.#worker?.send(message);
  }

  /** A task got somewhere: earlier deaths no longer count. */
  worked(): void {
    this.#backoff.reset();
  }

  /** Waits for a worker that is being started, then asks it. Never rejects. */
  async call(call: WorkerCall, timeoutMs: number): Promise<WorkerAnswer> {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, START_WAIT_MS, undefined);
    const worker = await Promise.race([this.#ready.promise, late]);
    clearTimeout(timer);
    return worker === undefined ? { ok: false, error: workerGone() } : worker.call(call, timeoutMs);
  }

  /** Ends the worker and starts another with other limits. Its tasks are told to the listener by ready(). */
  async restart(limits: ProcessLimits): Promise<void> {
    this.#limits = limits;
    clearTimeout(this.#respawn);
    const old = this.#worker;
    this.#forget();
    this.#retired = old?.close(GRACE_MS);
    await this.#retired;
    // Two restarts at once, or a closing, leave one worker or none.
    if (!this.#closed && this.#worker === undefined) this.#spawn();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#respawn);
    await this.#retired;
    await this.#worker?.close(GRACE_MS);
  }

  #spawn(): void {
    this.#startedMs = performance.now();
    const worker: WorkerProcess = new WorkerProcess({
      path: this.#path,
      limits: this.#limits,
      listener: {
        message: (message) => {
          if (this.#worker !== worker) return;
          if (message.kind !== "ready") return this.#listener.message(message);
          this.#isReady = true;
          this.#ready.resolve(worker);
          this.#listener.ready();
        },
        exited: (reason) => {
          if (this.#worker === worker && !this.#closed) this.#died(reason);
        },
      },
    });
    this.#worker = worker;
  }

  #died(reason: string): void {
    this.#forget();
    if (performance.now() - this.#startedMs > HEALTHY_MS) this.#backoff.reset();
    const pause = this.#backoff.failed();
    this.#respawn = setTimeout(() => this.#spawn(), pause);
    this.#listener.died(reason, this.#backoff.failures);
  }

  #forget(): void {
    this.#worker = undefined;
    this.#isReady = false;
    this.#ready = Promise.withResolvers();
  }
}
