import type { JournalRequest } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import type { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import type { WireSession } from "../connection/wire-session.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import { MysqlCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { type ExceptionTable, ExceptionWriter } from "./apply-exceptions.ts";
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
  readonly counts: ApplyCounts;
  readonly request: JournalRequest;
  /** Rows that the target refuses are passed over. */
  readonly screens: boolean;
  /** Where they are recorded. */
  readonly exceptions: ExceptionTable;
  describe(error: unknown): unknown;
  /** Called for what makes the transaction at work one that must not be committed. */
  fail(error: unknown): void;
}

export interface ApplyParts {
  readonly session: ApplySession;
  readonly tables: ApplyTables;
  readonly writer: GroupWriter;
  readonly exceptions: ExceptionWriter;
}

/** What writes changes on a session that was prepared for it. */
export function applyParts(options: ApplyPartsRequest): ApplyParts {
  const { wire, plans, counts, request, screens, describe, fail } = options;
  const session = new ApplySession(wire, {
    completed(expectation, rows, place) {
      const error = counts.completed(expectation, rows, place);
      if (error !== undefined) fail(error);
    },
    lost: (error) => fail(describe(error)),
  });
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
