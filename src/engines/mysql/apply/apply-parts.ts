import type { JournalRequest } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import type { ApplyHooks } from "../../shared/apply/apply-parts.ts";
import type { WireSession } from "../connection/wire-session.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import { MysqlCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { type ExceptionTable, ExceptionWriter } from "./apply-exceptions.ts";
import { StatementFailure } from "./apply-failure.ts";
import { MysqlScreen } from "./apply-screen.ts";
import { ApplySession } from "./apply-session.ts";
import { ApplySets } from "./apply-sets.ts";
import type { ApplyTable } from "./apply-table.ts";
import { ApplyTables } from "./apply-tables.ts";

export interface ApplyPartsRequest {
  readonly wire: WireSession;
  readonly plans: readonly TablePlan[];
  /** What stands on the target, in the order of the plans. */
  readonly found: readonly (ApplyTable | undefined)[];
  readonly choices: OutOfRange;
  readonly request: JournalRequest;
  /** Rows that the target refuses are passed over. */
  readonly screens: boolean;
  /** Where they are recorded. */
  readonly exceptions: ExceptionTable;
  readonly hooks: ApplyHooks;
}

export interface ApplyParts {
  readonly session: ApplySession;
  readonly tables: ApplyTables;
  readonly writer: GroupWriter;
  readonly exceptions: ExceptionWriter;
}

/** What writes changes on a session that was prepared for it. */
export function applyParts(options: ApplyPartsRequest): ApplyParts {
  const { wire, plans, request, screens, hooks } = options;
  const { counts, completed } = hooks;
  const describe = describeFailure(hooks);
  const session = new ApplySession(wire, { completed, lost: (error) => hooks.fail(describe(error)) });
  const tables = new ApplyTables(plans, options.found, options.choices);
  const changes = new ApplyChanges({ plans, tables, session, counts });
  const sets = new ApplySets({ plans, tables, session, counts });
  const cascades = new Cascades(plans, new MysqlCascades(session, tables));
  const screen = screens ? new MysqlScreen({ session, counts, plans, tables, describe }) : undefined;
  const { withValues } = counts.errors.policies;
  const exceptions = new ExceptionWriter({ session, request, table: options.exceptions, withValues });
  const writer = new GroupWriter({ session, changes, sets, cascades, plans, counts, screens: screen });
  return { session, tables, writer, exceptions };
}

/** What is told of anything that a session throws. */
export function describeFailure({ describe }: ApplyHooks): (error: unknown) => unknown {
  return (error) => describe(error instanceof StatementFailure ? error : { error, table: -1 });
}
