import { capacityClass, type ProcessLimits, processLimits } from "./instance-class.ts";
import { type InstanceListener, InstanceWorker } from "./instance-worker.ts";
import type { TaskRecord } from "./records.ts";
import { type WorkerCall, workerGone } from "./worker-process.ts";
import { longestAnswerMs, type WorkerAnswer } from "./worker-protocol.ts";

/**
 * The worker processes by the ARN of what they serve: a replication instance, as long as there is one, or a
 * serverless task, as long as that runs or is cleaned up.
 */
export class WorkerPool {
  readonly #path: string;
  readonly #listenerOf: (arn: string) => InstanceListener;
  readonly #workers = new Map<string, InstanceWorker>();

  constructor(path: string, listenerOf: (arn: string) => InstanceListener) {
    this.#path = path;
    this.#listenerOf = listenerOf;
  }

  get(arn: string): InstanceWorker | undefined {
    return this.#workers.get(arn);
  }

  start(arn: string, limits: ProcessLimits): InstanceWorker {
    const worker = new InstanceWorker(this.#path, limits, this.#listenerOf(arn));
    this.#workers.set(arn, worker);
    return worker;
  }

  /** The worker of a task's instance, which there may not be; that of a serverless task, started if need be. */
  forTask({ arn, instanceArn, serverless }: TaskRecord): InstanceWorker | undefined {
    const worker = this.#workers.get(instanceArn);
    if (worker !== undefined || serverless === undefined) return worker;
    return this.start(arn, processLimits(capacityClass(serverless.compute.maxCapacityUnits)));
  }

  async remove(arn: string): Promise<void> {
    const worker = this.#workers.get(arn);
    this.#workers.delete(arn);
    await worker?.close();
  }

  /** Never rejects. */
  async call(arn: string, call: WorkerCall): Promise<WorkerAnswer> {
    const worker = this.#workers.get(arn);
    return worker === undefined
      ? { ok: false, error: workerGone() }
      : worker.call(call, longestAnswerMs(call.kind));
  }

  async close(): Promise<void> {
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.close()));
  }
}
