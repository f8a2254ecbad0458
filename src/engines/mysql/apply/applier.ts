import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import { connectLoop } from "../../shared/apply/apply-parts.ts";
import type { Client } from "../connection/client.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { outOfRangeOf } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { MysqlCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { ApplyDurability, type DurabilityKind } from "./apply-durability.ts";
import { StatementFailure } from "./apply-failure.ts";
import { madeTables } from "./apply-journal.ts";
import { prepareApplySession, readAppliedPosition, takeApplyLock } from "./apply-open.ts";
import { ApplySession } from "./apply-session.ts";
import { ApplySets } from "./apply-sets.ts";
import { type ApplyTable, readApplyTables } from "./apply-table.ts";
import { ApplyTables } from "./apply-tables.ts";
import { MysqlTransactions } from "./apply-transactions.ts";

export interface ApplyTarget {
  readonly endpoint: EndpointConfig;
  /** Counts values that have come as others. */
  readonly replaced: ValueCounts;
}

/**
 * Opens the task's applier: one session, the only one that applies for the task. Transactions that
 * the journal holds already are left out, whatever position the stream starts from.
 */
export async function openApplier(
  { endpoint, replaced }: ApplyTarget,
  request: ApplyRequest,
  signal: AbortSignal,
): Promise<Applier> {
  let found: Found | undefined;
  const prepare = async (client: Client): Promise<void> => {
    await takeApplyLock(client, request);
    const durability = await prepareApplySession(client);
    const tables = await readApplyTables(client, request.plan.tables, await madeTables(client, request));
    found = { durability, tables, applied: await readAppliedPosition(client, request) };
  };
  const options = { side: "target", purpose: "tideway apply", countsChanged: true, prepare } as const;
  const wire = await openWire(endpoint, options, signal);
  return connectParts({ wire, endpoint, request, replaced, signal, found: found! });
}

/** What was found out while the session was opened. */
interface Found {
  readonly durability: DurabilityKind;
  /** In the order of the plans. */
  readonly tables: readonly (ApplyTable | undefined)[];
  readonly applied: Position | undefined;
}

interface ApplierParts extends ApplyTarget {
  readonly wire: WireSession;
  readonly request: ApplyRequest;
  readonly signal: AbortSignal;
  readonly found: Found;
}

function connectParts({ wire, endpoint, request, replaced, signal, found }: ApplierParts): Applier {
  const plans = request.plan.tables;
  const { applied } = found;
  const positions = request.positions ?? NO_LOG;
  return connectLoop({ request, endpoint, signal, classify, applied, positions }, (hooks) => {
    const { counts, completed } = hooks;
    const describe = (error: unknown): unknown =>
      hooks.describe(error instanceof StatementFailure ? error : { error, table: -1 });
    const session = new ApplySession(wire, { completed, lost: (error) => hooks.fail(describe(error)) });
    const tables = new ApplyTables(plans, found.tables, outOfRangeOf(endpoint));
    const changes = new ApplyChanges({ plans, tables, session, counts });
    const sets = new ApplySets({ plans, tables, session, counts });
    const cascades = new Cascades(plans, new MysqlCascades(session, tables));
    return new MysqlTransactions({
      session,
      writer: new GroupWriter({ session, changes, sets, cascades, plans }),
      counts,
      ...{ tables, replaced },
      request,
      durability: new ApplyDurability(found.durability, session),
      describe,
    });
  });
}

/** A request that does not say how positions compare starts where the journal ends. */
const NO_LOG: PositionCodec = {
  parse() {
    throw new MigrationError("position.malformed", { message: "The source's log is not known." });
  },
  compare: (a, b) => (a.kind === b.kind && a.text === b.text ? 0 : undefined),
};
