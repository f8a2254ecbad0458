import type { EndpointConfig } from "../../../core/engine.ts";
import type { Position } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { Cascades } from "../../shared/apply/apply-cascades.ts";
import { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import { GroupWriter } from "../../shared/apply/apply-group-writer.ts";
import { ApplyLoop } from "../../shared/apply/apply-loop.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { markSession } from "../log/origin.ts";
import { PostgresCascades } from "./apply-cascades.ts";
import { ApplyChanges } from "./apply-changes.ts";
import { prepareApplySession, readAppliedPosition, type SessionTraits, takeApplyLock } from "./apply-open.ts";
import { type ApplyFailure, ApplySession } from "./apply-session.ts";
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

function connectParts(parts: ApplierParts): Applier {
  const { wire, request, targets, signal, endpoint } = parts;
  const plans = request.plan.tables;
  const counts = new ApplyCounts(plans);
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
  const session = new ApplySession(wire, {
    completed(expectation, rows) {
      const error = counts.completed(expectation, rows);
      if (error !== undefined) loop.fail(error);
    },
    failed: (failure) => loop.fail(describe(failure)),
  });
  const { replica, temporary, waitForDisk } = parts.traits;
  const changes = new ApplyChanges({ plans, targets, session, counts, replica });
  // Where triggers and foreign keys act, the order of changes of different tables is theirs to see.
  const sets = replica && temporary ? new ApplySets({ plans, targets, session, counts }) : undefined;
  const cascades = new Cascades(plans, new PostgresCascades({ plans, targets, session }));
  const transactions = new PostgresTransactions({
    session,
    writer: new GroupWriter({ session, changes, sets, cascades, plans }),
    counts,
    request,
    waitForDisk,
    begin: replica ? BEGIN : BEGIN_DEFERRED,
    describe: (error) => describe({ error, table: -1 }),
  });
  const { positions = lsnCodec } = request;
  const loop: ApplyLoop = new ApplyLoop(transactions, { applied: parts.applied, positions });
  return loop;
}

const BEGIN = ["begin isolation level read committed"];
/** Where foreign keys act, those that may wait do: order within a transaction is not theirs. */
const BEGIN_DEFERRED = [...BEGIN, "set constraints all deferred"];
