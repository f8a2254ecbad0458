import type { EndpointConfig } from "../../../core/engine.ts";
import type { Position } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import { ApplyLoop } from "../../shared/apply/apply-loop.ts";
import { RowErrors } from "../../shared/apply/row-errors.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { markSession } from "../log/origin.ts";
import {
  prepareApplySession,
  readAppliedPosition,
  readRecordedErrors,
  type SessionTraits,
  takeApplyLock,
} from "./apply-open.ts";
import { applyParts, beginSql } from "./apply-parts.ts";
import type { ApplyFailure } from "./apply-session.ts";
import { readTargetTables } from "./apply-table.ts";
import { PostgresTransactions } from "./apply-transactions.ts";
import { preparePositionSql } from "./journal-sql.ts";

/**
 * Opens the task's applier: one session, the only one that applies for the task. Transactions that
 * the journal holds already are left out, whatever position the stream starts from.
 */
export async function openApplier(
  endpoint: EndpointConfig,
  request: ApplyRequest,
  signal: AbortSignal,
): Promise<Applier> {
  const wire = await openWire(endpoint, { side: "target", purpose: "tideway apply" }, signal);
  try {
    await takeApplyLock(wire, request);
    const traits = await prepareApplySession(wire);
    if (request.marks === true) await markSession(wire, request.taskId, signal);
    const plans = request.plan.tables;
    const targets = await readTargetTables(wire, plans);
    const applied = await readAppliedPosition(wire, request);
    const errors = await rowErrors(wire, request);
    await wire.query(preparePositionSql(request));
    return connectParts({ wire, request, targets, traits, applied, errors, signal, endpoint });
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw classify(error, { side: "target", endpoint, phase: "apply" });
  }
}

async function rowErrors(wire: WireSession, request: ApplyRequest): Promise<RowErrors | undefined> {
  const { rowErrors: policies, plan } = request;
  if (policies === undefined) return undefined;
  const plans = plan.tables;
  return new RowErrors(plans, policies, await readRecordedErrors(wire, request, { plans, policies }));
}

interface ApplierParts {
  readonly wire: WireSession;
  readonly request: ApplyRequest;
  readonly targets: Awaited<ReturnType<typeof readTargetTables>>;
  readonly traits: SessionTraits;
  readonly applied: Position | undefined;
  readonly errors: RowErrors | undefined;
  readonly signal: AbortSignal;
  readonly endpoint: EndpointConfig;
}

function connectParts(parts: ApplierParts): Applier {
  const { wire, request, targets, signal, endpoint } = parts;
  const plans = request.plan.tables;
  const { screens = false } = request;
  const counts = new ApplyCounts(plans, parts.errors);
  const describe = ({ error, table }: ApplyFailure): unknown => {
    if (signal.aborted) return signal.reason;
    const id = plans[table]?.source.id;
    return classify(error, {
      side: "target",
      endpoint,
      phase: "apply",
      ...(id === undefined ? {} : { table: id }),
    });
  };
  const { replica, waitForDisk } = parts.traits;
  const { session, writer, exceptions } = applyParts({
    ...{ wire, plans, targets, traits: parts.traits, counts, describe, request },
    screens,
    exceptions: "awsdms_apply_exceptions",
    fail: (error) => loop.fail(error),
  });
  const transactions = new PostgresTransactions({
    ...{ session, writer, counts, exceptions, waitForDisk },
    begin: beginSql(replica),
    describe: (error) => describe({ error, table: -1 }),
  });
  const { positions = lsnCodec } = request;
  const loop: ApplyLoop = new ApplyLoop(transactions, { applied: parts.applied, positions });
  return loop;
}
