import type { EndpointConfig } from "../../../core/engine.ts";
import type { Position } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import { connectLoop } from "../../shared/apply/apply-parts.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { markSession } from "../log/origin.ts";
import { PostgresCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { prepareApplySession, readAppliedPosition, type SessionTraits, takeApplyLock } from "./apply-open.ts";
import { ApplySession } from "./apply-session.ts";
import { ApplySets } from "./apply-sets.ts";
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
    await wire.query(preparePositionSql(request));
    return connectParts({ wire, request, targets, traits, applied, signal, endpoint });
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
  readonly applied: Position | undefined;
  readonly signal: AbortSignal;
  readonly endpoint: EndpointConfig;
}

function connectParts({ wire, request, targets, traits, applied, signal, endpoint }: ApplierParts): Applier {
  const plans = request.plan.tables;
  const { replica, temporary, waitForDisk } = traits;
  const { positions = lsnCodec } = request;
  return connectLoop({ request, endpoint, signal, classify, applied, positions }, (hooks) => {
    const { counts, completed, describe } = hooks;
    const session = new ApplySession(wire, { completed, failed: (failure) => hooks.fail(describe(failure)) });
    const changes = new ApplyChanges({ plans, targets, session, counts, replica });
    // Where triggers and foreign keys act, the order of changes of different tables is theirs to see.
    const sets = replica && temporary ? new ApplySets({ plans, targets, session, counts }) : undefined;
    const cascades = new Cascades(plans, new PostgresCascades({ plans, targets, session }));
    return new PostgresTransactions({
      session,
      writer: new GroupWriter({ session, changes, sets, cascades, plans }),
      counts,
      request,
      waitForDisk,
      begin: replica ? BEGIN : BEGIN_DEFERRED,
      describe: (error) => describe({ error, table: -1 }),
    });
  });
}

const BEGIN = ["begin isolation level read committed"];
/** Where foreign keys act, those that may wait do: order within a transaction is not theirs. */
const BEGIN_DEFERRED = [...BEGIN, "set constraints all deferred"];
