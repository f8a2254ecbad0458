import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import type { Journal } from "../core/journal.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import type { PipelineObserver } from "./observer.ts";

export interface TableErrorPolicy {
  /** DMS's TableErrorPolicy. */
  readonly onError: "suspend-table" | "stop-task";
  /** DMS's TableErrorEscalationCount: this many suspended tables stop the task; 0 for never. */
  readonly escalationCount: number;
  /** DMS's DataErrorPolicy STOP_TASK: a row that the target refuses stops the task. */
  readonly stopsAtRefusedRow: boolean;
}

/** What an attempt has to say of errors of tables. */
export interface TableErrorRules extends TableErrorPolicy {
  /** A value that would be cut off stops the task. */
  readonly stopsAtCuts: boolean;
}

/** Sets failing tables aside, so that the others go on. */
export class TableErrors {
  readonly #journal: Journal;
  readonly #observer: PipelineObserver;
  readonly #policy: TableErrorRules;
  readonly #suspended = new Map<string, TableId>();
  #escalated = false;

  constructor(journal: Journal, observer: PipelineObserver, policy: TableErrorRules) {
    this.#journal = journal;
    this.#observer = observer;
    this.#policy = policy;
  }

  isSuspended(table: TableId): boolean {
    return this.#suspended.has(tableKey(table));
  }

  get suspended(): readonly TableId[] {
    return [...this.#suspended.values()];
  }

  /** Whether the policy has made a table's error the task's. */
  get escalated(): boolean {
    return this.#escalated;
  }

  /** For tables that the journal or the assessment has set aside already. */
  remember(table: TableId): void {
    this.#suspended.set(tableKey(table), table);
  }

  readmit(table: TableId): void {
    this.#suspended.delete(tableKey(table));
  }

  /** Rethrows what is not one table's own error, or what the policy makes the task's. */
  async handle(table: TableId, error: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!(error instanceof MigrationError) || error.scope !== "table") throw error;
    if (this.isSuspended(table)) return;
    if (error.isOfRow && this.#policy.stopsAtRefusedRow) throw error;
    if (error.code === "mapping.value_cut" && this.#policy.stopsAtCuts) throw error;
    this.remember(table);
    const reason = `${error.code}: ${error.message}`;
    await this.#journal.setTableStates([table], { state: "suspended", reason }, signal);
    failpoint("load.table-set-aside");
    this.#observer.tableFailed(table, error);
    const { onError, escalationCount } = this.#policy;
    this.#escalated =
      onError === "stop-task" || (escalationCount > 0 && this.#suspended.size >= escalationCount);
    if (this.#escalated) throw error;
  }
}
