import type { BackoffOptions } from "../base/backoff.ts";
import type { RowErrorAction, RowErrorLimit, RowErrorPolicies } from "../core/row-errors.ts";
import type { TableErrorPolicy } from "../pipeline/table-errors.ts";
import type { SettingsDocument } from "./settings-document.ts";
import type { TIDEWAY_DEFAULTS } from "./settings-load.ts";

export interface ErrorSettings {
  readonly recoverableErrors: BackoffOptions;
  readonly tableErrors: TableErrorPolicy;
  readonly rowErrors: RowErrorPolicies;
  /** What a value leads to that is longer than large objects may be. */
  readonly cutValues: RowErrorAction;
}

/** What a checked and complete ErrorBehavior section comes to. */
export function errorSettings(errors: SettingsDocument, tideway: typeof TIDEWAY_DEFAULTS): ErrorSettings {
  const action = (name: string): RowErrorAction => ROW_ACTIONS[errors[name] as keyof typeof ROW_ACTIONS];
  const limit = (name: string): RowErrorLimit => ({
    count: errors[`${name}Count`] as number,
    action: action(`${name}Policy`),
  });
  return {
    recoverableErrors: recoverableErrors(errors),
    tableErrors: {
      onError: errors.TableErrorPolicy === "STOP_TASK" ? "stop-task" : "suspend-table",
      escalationCount: errors.TableErrorEscalationCount as number,
      stopsAtRefusedRow: errors.DataErrorPolicy === "STOP_TASK",
    },
    cutValues: action("DataTruncationErrorPolicy"),
    rowErrors: {
      refused: action("DataErrorPolicy"),
      refusedLimit: limit("DataErrorEscalation"),
      insertPresent:
        errors.ApplyErrorInsertPolicy === "INSERT_RECORD" ? "overwrite" : action("ApplyErrorInsertPolicy"),
      updateMissing:
        errors.ApplyErrorUpdatePolicy === "UPDATE_RECORD" ? "insert" : action("ApplyErrorUpdatePolicy"),
      deleteMissing: action("ApplyErrorDeletePolicy"),
      conflictLimit: limit("ApplyErrorEscalation"),
      withValues: tideway.ExceptionsWithValues,
    },
  };
}

const ROW_ACTIONS = {
  LOG_ERROR: "log",
  IGNORE_RECORD: "ignore",
  SUSPEND_TABLE: "suspend-table",
  STOP_TASK: "stop-task",
} as const satisfies Record<string, RowErrorAction>;

/** With DMS's defaults 5, 10, 20 ... 1280 seconds: the nine retries that its manual speaks of. */
function recoverableErrors(errors: SettingsDocument): BackoffOptions {
  const interval = Math.max(1, errors.RecoverableErrorInterval as number);
  const longest = Math.max(interval, errors.RecoverableErrorThrottlingMax as number);
  const doubling = errors.RecoverableErrorThrottling as boolean;
  const stopsAtLongest = doubling && (errors.RecoverableErrorStopRetryAfterThrottlingMax as boolean);
  const count = errors.RecoverableErrorCount as number;
  const limits = [
    ...(count >= 0 ? [count] : []),
    ...(stopsAtLongest ? [Math.floor(Math.log2(longest / interval)) + 1] : []),
  ];
  return {
    retries: limits.length === 0 ? undefined : Math.min(...limits),
    firstDelayMs: interval * 1000,
    doubling,
    longestDelayMs: (doubling ? longest : interval) * 1000,
  };
}
