import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { exceptionTable } from "../../../core/journal.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { connectLoop } from "../../shared/apply/apply-parts.ts";
import { applyErrors, type RowErrors } from "../../shared/apply/row-errors.ts";
import type { Client } from "../connection/client.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { outOfRangeOf } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { ApplyDurability, type DurabilityKind } from "./apply-durability.ts";
import { madeTables } from "./apply-journal.ts";
import { prepareApplySession, readAppliedPosition, readRecordedErrors, takeApplyLock } from "./apply-open.ts";
import { applyParts, describeFailure } from "./apply-parts.ts";
import { type ApplyTable, readApplyTables } from "./apply-table.ts";
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
    const durability = await prepareApplySession(client, request.isOfLoad);
    const tables = await readApplyTables(client, request.plan.tables, await madeTables(client, request));
    const errors = await applyErrors(request, (of) => readRecordedErrors(client, request, of));
    found = { durability, tables, errors, applied: await readAppliedPosition(client, request) };
  };
  const options = { side: "target", purpose: "tideway apply", countsChanged: true, prepare } as const;
  const wire = await openWire(endpoint, options, signal);
  try {
    return connectParts({ wire, endpoint, request, replaced, signal, found: found! });
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw error;
  }
}

/** What was found out while the session was opened. */
interface Found {
  readonly durability: DurabilityKind;
  /** In the order of the plans. */
  readonly tables: readonly (ApplyTable | undefined)[];
  readonly errors: RowErrors | undefined;
  readonly applied: Position | undefined;
}

interface ApplierParts extends ApplyTarget {
  readonly wire: WireSession;
  readonly request: ApplyRequest;
  readonly signal: AbortSignal;
  readonly found: Found;
}

function connectParts({ wire, endpoint, request, replaced, signal, found }: ApplierParts): Applier {
  const { plan, screens = false, positions = NO_LOG } = request;
  const { errors, applied } = found;
  return connectLoop({ request, endpoint, signal, classify, errors, applied, positions }, (hooks) => {
    const describe = describeFailure(hooks);
    const { session, tables, writer, exceptions } = applyParts({
      ...{ wire, plans: plan.tables, found: found.tables, request, screens, hooks },
      choices: outOfRangeOf(endpoint),
      exceptions: exceptionTable(request),
    });
    return new MysqlTransactions({
      ...{ session, writer, tables, replaced, request, exceptions, describe, counts: hooks.counts },
      durability: new ApplyDurability(found.durability, session),
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
