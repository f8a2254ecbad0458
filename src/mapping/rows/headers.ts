import { type ChangeTransaction, Op } from "../../core/change-batch.ts";
import type { ChangeHeader } from "../../core/plan.ts";
import type { Headers } from "./expression.ts";

/** A row of a full load is an insert at the moment at which it is read; the log does not tell of it. */
export class LoadHeaders implements Headers {
  #time = "";

  /** The rows that follow are read now. */
  now(): void {
    this.#time = utcText(Date.now());
  }

  value(header: ChangeHeader): string | null {
    switch (header) {
      case "operation":
        return "INSERT";
      case "operation-letter":
        return "I";
      case "timestamp":
      case "commit-timestamp":
        return this.#time;
      case "stream-position":
      case "change-seq":
        return "";
      case "user":
        return null;
    }
  }
}

const names: Readonly<Partial<Record<Op, string>>> = {
  [Op.insert]: "INSERT",
  [Op.update]: "UPDATE",
  [Op.delete]: "DELETE",
};

/** What `$AR_H_...` says of a change. Logs tell when a transaction committed, not when each of its changes was made. */
export class ChangeHeaders implements Headers {
  /** Counts changes of a task, on and on: it begins beyond all that an earlier run can have come to. */
  #number = BigInt(Date.now()) * 1_000_000n;
  #transaction: ChangeTransaction | undefined;
  #op: Op = Op.insert;
  #timeMs = Number.NaN;
  #time = "";

  /** The change that follows. */
  use(transaction: ChangeTransaction, op: Op): void {
    this.#transaction = transaction;
    this.#op = op;
    this.#number++;
  }

  value(header: ChangeHeader): string | null {
    switch (header) {
      case "operation":
        return names[this.#op] ?? null;
      case "operation-letter":
        return names[this.#op]?.[0] ?? null;
      case "stream-position":
        return this.#transaction!.position.text;
      case "timestamp":
      case "commit-timestamp":
        return this.#committed();
      case "change-seq":
        // The time to a hundredth of a second, and a number of 19 digits.
        return (
          this.#committed().replaceAll(/\D/g, "").slice(0, 16) + this.#number.toString().padStart(19, "0")
        );
      case "user":
        return null;
    }
  }

  #committed(): string {
    const { committedAtMs } = this.#transaction!;
    if (committedAtMs !== this.#timeMs) {
      this.#timeMs = committedAtMs;
      this.#time = utcText(committedAtMs);
    }
    return this.#time;
  }
}

/** A time of the day as `2026-02-28 23:59:59.999`, in UTC. */
export function utcText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("T", " ").slice(0, -1);
}
