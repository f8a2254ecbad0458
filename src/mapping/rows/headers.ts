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

/** A time of the day as `2026-02-28 23:59:59.999`, in UTC. */
export function utcText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("T", " ").slice(0, -1);
}
