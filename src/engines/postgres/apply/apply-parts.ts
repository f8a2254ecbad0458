import type { JournalRequest } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import type { ApplyFailure, ApplyHooks } from "../../shared/apply/apply-parts.ts";
import { ServerError } from "../connection/server-error.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { PostgresCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { type ExceptionTable, ExceptionWriter } from "./apply-exceptions.ts";
import { DEFER_SQL, type SessionTraits } from "./apply-open.ts";
import { PostgresScreen } from "./apply-screen.ts";
import { ApplySession } from "./apply-session.ts";
import { ApplySets } from "./apply-sets.ts";
import type { TargetTable } from "./apply-table.ts";

export interface ApplyPartsRequest {
  readonly wire: WireSession;
  readonly plans: readonly TablePlan[];
  /** In the order of the plans. */
  readonly targets: readonly (TargetTable | undefined)[];
  readonly traits: SessionTraits;
  readonly request: JournalRequest;
  /** Rows that the target refuses are passed over. */
  readonly screens: boolean;
  /** Where they are recorded. */
  readonly exceptions: ExceptionTable;
  readonly hooks: ApplyHooks;
}

export interface ApplyParts {
  readonly session: ApplySession;
  readonly writer: GroupWriter;
  readonly exceptions: ExceptionWriter;
}

/** What writes changes on a session that was prepared for it. */
export function applyParts(options: ApplyPartsRequest): ApplyParts {
  const { wire, plans, targets, traits, request, screens, hooks } = options;
  const { counts, completed } = hooks;
  const describe = describeFailure(plans, hooks);
  const session = new ApplySession(wire, { completed, failed: (failure) => hooks.fail(describe(failure)) });
  const { replica, temporary } = traits;
  const changes = new ApplyChanges({ plans, targets, session, counts, replica });
  // Where triggers and foreign keys act, the order of changes of different tables is theirs to see.
  const sets = replica && temporary ? new ApplySets({ plans, targets, session, counts }) : undefined;
  const cascades = new Cascades(plans, new PostgresCascades({ plans, targets, session }));
  // Triggers of the user's own that act on replicas may be deferred, too.
  const defers = !replica || targets.some((target) => target?.plain === false);
  const screen = screens ? new PostgresScreen({ session, counts, plans, defers, sets, describe }) : undefined;
  const exceptions = new ExceptionWriter({
    ...{ session, request, table: options.exceptions, unicode: traits.unicode },
    withValues: counts.errors.policies.withValues,
    targetOf: ({ plan }) => targets[plans.indexOf(plan)],
  });
  const writer = new GroupWriter({ session, changes, sets, cascades, plans, counts, screens: screen });
  return { session, writer, exceptions };
}

/**
 * What is told of a failure. What is looked at only when a transaction ends is no statement's: the server names the table
 * whose row stands against a constraint.
 */
export function describeFailure(
  plans: readonly TablePlan[],
  { describe }: Pick<ApplyHooks, "describe">,
): (failure: ApplyFailure) => unknown {
  return ({ error, table }) => {
    const fields = error instanceof ServerError ? error.fields : undefined;
    if (table >= 0 || fields?.table === undefined) return describe({ error, table });
    const { schema, table: name } = fields;
    const named = plans.findIndex(({ target: { id } }) => id.schema === schema && id.name === name);
    return describe({ error, table: named });
  };
}

/** Statements that open a transaction. */
export function beginSql(replica: boolean): readonly string[] {
  const begin = "begin isolation level read committed";
  // Where foreign keys act, those that may wait do: order within a transaction is not theirs.
  return replica ? [begin] : [begin, DEFER_SQL];
}
