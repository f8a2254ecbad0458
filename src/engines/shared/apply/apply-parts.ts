import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { ApplyRequest } from "../../../core/target.ts";
import type { ErrorContext } from "../connection/error-context.ts";
import { ApplyCounts } from "./apply-counts.ts";
import { ApplyLoop, type ApplyTransactions } from "./apply-loop.ts";
import type { ChangePlace } from "./change-ring.ts";
import { NotedTransactions } from "./noted-transactions.ts";
import type { RowErrors } from "./row-errors.ts";

/** What went wrong with a statement. */
export interface ApplyFailure {
  readonly error: unknown;
  /** The plan's table that it was about; -1 when it was none's. */
  readonly table: number;
}

export interface ApplyLoopParts {
  readonly request: ApplyRequest;
  readonly endpoint: EndpointConfig;
  readonly signal: AbortSignal;
  readonly classify: (error: unknown, context: ErrorContext) => MigrationError;
  /** What is done about single rows that do not go as they should; see ApplyRequest.rowErrors. */
  readonly errors: RowErrors | undefined;
  /** Transactions up to here are in the target. */
  readonly applied: Position | undefined;
  readonly positions: PositionCodec;
}

/** What a session and its transactions tell the loop that they are made for. */
export interface ApplyHooks {
  readonly counts: ApplyCounts;
  /** A statement for the change at a place completed, which has touched so many rows. */
  readonly completed: (expectation: number, rows: number, place: ChangePlace) => void;
  /** What is told of a failure. */
  readonly describe: (failure: ApplyFailure) => unknown;
  /** Ends the applier. */
  readonly fail: (error: unknown) => void;
}

/** Puts an applier together: `connect` makes an engine's session, and the transactions that are written to it. */
export function connectLoop(
  parts: ApplyLoopParts,
  connect: (hooks: ApplyHooks) => ApplyTransactions,
): ApplyLoop {
  const { request, endpoint, signal, applied, positions } = parts;
  const plans = request.plan.tables;
  const counts = new ApplyCounts(plans, parts.errors);
  const transactions = connect({
    counts,
    completed: (expectation, rows, place) => {
      const error = counts.completed(expectation, rows, place);
      if (error !== undefined) loop.fail(error);
    },
    describe: ({ error, table }) => {
      if (signal.aborted) return signal.reason;
      const id = plans[table]?.source.id;
      return parts.classify(error, {
        side: "target",
        endpoint,
        phase: "apply",
        ...(id === undefined ? {} : { table: id }),
      });
    },
    fail: (error) => loop.fail(error),
  });
  const loop: ApplyLoop = new ApplyLoop(new NotedTransactions(transactions, plans), {
    ...{ applied, positions },
    groupLimits: request.groupLimits,
  });
  return loop;
}
