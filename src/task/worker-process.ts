import { type ChildProcess, fork } from "node:child_process";
import { type ErrorRecord, MigrationError } from "../core/error.ts";
import type { ProcessLimits } from "./instance-class.ts";
import type { FromWorker, ToWorker, WorkerAnswer, WorkerRequest } from "./worker-protocol.ts";

type WithoutNumber<T> = T extends { readonly request: number } ? Omit<T, "request"> : never;
/** A request without the number that matches its answer. */
export type WorkerCall = WithoutNumber<WorkerRequest>;

/** What a worker tells by itself: everything but answers. */
export type WorkerNews = Exclude<FromWorker, { readonly kind: "answer" }>;

export interface WorkerListener {
  message(message: WorkerNews): void;
  /** Once, whatever the reason; nothing follows. */
  exited(reason: string): void;
}

export interface WorkerOptions {
  /** The worker's main module, .ts in a clone and .js in the package. */
  readonly path: string;
  readonly limits: ProcessLimits;
  readonly listener: WorkerListener;
}

/** One worker process. It ends by itself when this process goes away, since its channel closes. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, (answer: WorkerAnswer) => void>();
  readonly #exit = Promise.withResolvers<void>();
  #nextRequest = 1;
  #began = false;
  #exited = false;

  constructor({ path, limits, listener }: WorkerOptions) {
    // Keys are the control plane's: that of the store, and that of the topics that hear of events.
    const {
      TIDEWAY_SECRET_KEY: _store,
      AWS_SECRET_ACCESS_KEY: _topics,
      AWS_SESSION_TOKEN: _session,
      ...environment
    } = process.env;
    this.#child = fork(path, [], {
      execArgv: [...limits.execArgv],
      env: { ...environment, ...limits.environment },
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // A process group of its own: Ctrl-C reaches the server only, which then ends its workers in order.
      detached: true,
    });
    this.#child.on("message", (message) => this.#receive(message as FromWorker, listener));
    this.#child.on("exit", (code, signal) => this.#ended(signal ?? `exit code ${code}`, listener));
    this.#child.on("error", (error: NodeJS.ErrnoException) =>
      this.#ended(error.code ?? "spawn failed", listener),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sent or not: a worker that is gone takes no message, and its exit is told to the listener. */
  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Resolves with the answer; a worker that dies or is silent too long answers with an error. */
  async call(call: WorkerCall, timeoutMs: number): Promise<WorkerAnswer> {
    if (this.#exited || !this.#child.connected) return { ok: false, error: workerGone() };
    const request = this.#nextRequest++;
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
    this.#calls.set(request, resolve);
    const timer = setTimeout(() => resolve({ ok: false, error: silent(timeoutMs) }), timeoutMs);
    this.send({ ...call, request } as WorkerRequest);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#calls.delete(request);
    }
  }

  /** Closes the channel, waits for the process to end, and kills it after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    // One that is still starting has nothing to end in order.
    if (!this.#began) this.#child.kill("SIGKILL");
    else if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.#exit.promise;
    clearTimeout(timer);
  }

  #receive(message: FromWorker, listener: WorkerListener): void {
    if (message.kind === "ready") this.#began = true;
    if (message.kind === "answer") this.#calls.get(message.request)?.(message.answer);
    else listener.message(message);
  }

  #ended(reason: string, listener: WorkerListener): void {
    if (this.#exited) return;
    this.#exited = true;
    for (const resolve of this.#calls.values()) resolve({ ok: false, error: workerGone() });
    this.#exit.resolve();
    listener.exited(reason);
  }
}

export function workerGone(): ErrorRecord {
  return new MigrationError("task.worker_died", {
    message: "The replication instance's process ended before it answered.",
    remedy: "Try again: the instance's process is started anew by itself.",
  }).toJSON();
}

function silent(timeoutMs: number): ErrorRecord {
  return new MigrationError("connect.timeout", {
    message: `The replication instance had no answer within ${Math.round(timeoutMs / 1000)} seconds.`,
  }).toJSON();
}
