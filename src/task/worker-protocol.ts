import type { EndpointConfig, EndpointRole } from "../core/engine.ts";
import type { ErrorRecord } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { Assessment } from "./run-assessment.ts";
import type { ReloadWish, RetryWish, TaskOutcome, TaskProgress, TaskSpec } from "./task.ts";

/**
 * Messages between the control plane and a replication instance's worker process. Both ends speak
 * only these, so a worker may later run on another machine.
 */
export type ToWorker =
  | { readonly kind: "run"; readonly spec: TaskSpec }
  | { readonly kind: "stop"; readonly taskId: string }
  | { readonly kind: "reload"; readonly taskId: string; readonly tables: readonly ReloadWish[] }
  | { readonly kind: "retry"; readonly taskId: string; readonly wish: RetryWish }
  | WorkerRequest;

/** A call with one answer, matched by `request`. */
export type WorkerRequest = { readonly request: number } & (
  | { readonly kind: "test-connection"; readonly endpoint: EndpointConfig; readonly role: EndpointRole }
  | { readonly kind: "list-schemas"; readonly endpoint: EndpointConfig }
  /** Removes what the task left on both sides: slot, publication, journal rows. */
  | { readonly kind: "clean-up"; readonly spec: TaskSpec }
  /** Looks at what the task would meet, and changes nothing. */
  | { readonly kind: "assess"; readonly spec: TaskSpec }
);

/** Longest time for an answer: catalogs of many thousands of tables take minutes to be assessed. */
export function longestAnswerMs(kind: WorkerRequest["kind"]): number {
  return kind === "assess" ? 900_000 : 60_000;
}

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly taskId: string; readonly progress: TaskProgress }
  | { readonly kind: "finding"; readonly taskId: string; readonly finding: Finding }
  | {
      readonly kind: "log";
      readonly taskId: string;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "finished"; readonly taskId: string; readonly outcome: TaskOutcome }
  | { readonly kind: "answer"; readonly request: number; readonly answer: WorkerAnswer };

export type WorkerAnswer =
  | {
      readonly ok: true;
      readonly serverVersion?: string;
      readonly schemas?: readonly string[];
      readonly assessment?: Assessment;
    }
  | { readonly ok: false; readonly error: ErrorRecord };
