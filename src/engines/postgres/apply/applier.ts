import type { EndpointConfig } from "../../../core/engine.ts";
import { exceptionTable } from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { connectLoop } from "../../shared/apply/apply-parts.ts";
import { applyErrors, type RowErrors } from "../../shared/apply/row-errors.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { markSession } from "../log/origin.ts";
import { type ActingKeys, letKeysAct } from "./acting-keys.ts";
import {
  prepareApplySession,
  readAppliedPosition,
  readRecordedErrors,
  type SessionTraits,
  takeApplyLock,
} from "./apply-open.ts";
import { applyParts, beginSql, describeFailure } from "./apply-parts.ts";
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
    const silent = await prepareApplySession(wire);
    const acting = request.isOfLoad === true && silent.replica ? await letKeysAct(wire, request) : undefined;
    const traits = acting === undefined ? silent : { ...silent, replica: false };
    if (request.marks === true) await markSession(wire, request.taskId, signal);
    const plans = request.plan.tables;
    const targets = await readTargetTables(wire, plans);
    const applied = await readAppliedPosition(wire, request);
    const errors = await applyErrors(request, (of) => readRecordedErrors(wire, request, of));
    await wire.query(preparePositionSql(request));
    return connectParts({ wire, request, targets, traits, acting, applied, errors, signal, endpoint });
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw classify(error, { side: "target", endpoint, phase: "apply" });
  }
}

interface ApplierParts {
  readonly wire: WireSession;
  readonly request: ApplyRequest;
  readonly targets: Awaited<ReturnType<typeof readTargetTables>>;
  readonly traits: SessionTraits;
  readonly acting: ActingKeys | undefined;
  readonly applied: Position | undefined;
  readonly errors: RowErrors | undefined;
  readonly signal: AbortSignal;
  readonly endpoint: EndpointConfig;
}

function connectParts(parts: ApplierParts): Applier {
  const { wire, request, targets, traits, acting, errors, applied, signal, endpoint } = parts;
  const { plan, screens = false, positions = lsnCodec } = request;
  return connectLoop({ request, endpoint, signal, classify, errors, applied, positions }, (hooks) => {
    const plans = plan.tables;
    const describe = describeFailure(plans, hooks);
    const { session, writer, exceptions } = applyParts({
      ...{ wire, plans, targets, traits, request, screens, hooks },
      exceptions: exceptionTable(request),
    });
    return new PostgresTransactions({
      ...{ session, writer, exceptions, request, acting, counts: hooks.counts },
      waitForDisk: traits.waitForDisk,
      begin: beginSql(traits.replica),
      describe: (error) => describe({ error, table: -1 }),
    });
  });
}
