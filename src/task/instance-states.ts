import { type EventName, serviceEvent } from "./events.ts";
import type { Log } from "./log.ts";
import type { InstanceRecord } from "./records.ts";
import { type InstanceAction, nextInstanceStatus } from "./state.ts";
import type { Store } from "./store.ts";
import type { TaskLedger } from "./task-ledger.ts";

/** An instance whose process has not come up after so many tries is shown as failed. It is tried on. */
const STARTS_TOO_MANY = 3;

export interface InstanceStatesParts {
  readonly store: Store;
  readonly ledger: TaskLedger;
  readonly log: Log;
}

/** What becomes of replication instances as their workers come and go: their states, and the events that tell of it. */
export class InstanceStates {
  readonly #parts: InstanceStatesParts;
  /** Those whose worker died and has not been replaced yet. */
  readonly #lost = new Set<string>();

  constructor(parts: InstanceStatesParts) {
    this.#parts = parts;
  }

  /** The worker was ended on purpose: the next one is no replacement. */
  forget(arn: string): void {
    this.#lost.delete(arn);
  }

  /** `pid`: of the worker that is ready now. */
  ready({ arn, identifier, status }: InstanceRecord, pid: number | undefined): void {
    const event = this.#lost.delete(arn) ? "workerBack" : readyEvent[status];
    const { log, ledger } = this.#parts;
    this.#move(arn, "ready");
    log("info", "instance available", { instance: identifier, pid });
    if (event !== undefined) ledger.happened(serviceEvent(event, { identifier }));
  }

  /** `deaths`: how often in a row, no task getting anywhere. */
  died({ arn, identifier, status }: InstanceRecord, reason: string, deaths: number): void {
    const { ledger } = this.#parts;
    this.#lost.add(arn);
    const detail = `It ended with ${reason}.`;
    ledger.happened(serviceEvent("workerLost", { identifier, detail }));
    if (status === "available" || deaths !== STARTS_TOO_MANY) return;
    this.#move(arn, "broke");
    ledger.happened(serviceEvent("instanceFailed", { identifier }));
  }

  /** Where it has come to last is what counts. */
  #move(arn: string, action: InstanceAction): void {
    const { ledger, store } = this.#parts;
    ledger.inOrder(`state ${arn}`, () =>
      store.update("instance", arn, (record) => ({
        ...record,
        status: nextInstanceStatus(record.status, action) ?? record.status,
      })),
    );
  }
}

/** What a worker's becoming ready means, by the state the instance was in. */
const readyEvent: Readonly<Record<InstanceRecord["status"], EventName | undefined>> = {
  creating: "instanceCreated",
  available: undefined,
  modifying: "classChanged",
  upgrading: "online",
  rebooting: "online",
  failed: undefined,
  deleting: undefined,
};
