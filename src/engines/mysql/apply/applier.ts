import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { Applier, ApplyRequest } from "../../../core/target.ts";
import { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import { ApplyLoop } from "../../shared/apply/apply-loop.ts";
import { RowErrors } from "../../shared/apply/row-errors.ts";
import type { Client } from "../connection/client.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { outOfRangeOf } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { ApplyDurability, type DurabilityKind } from "./apply-durability.ts";
import { StatementFailure } from "./apply-failure.ts";
import { madeTables } from "./apply-journal.ts";
import { prepareApplySession, readAppliedPosition, readRecordedErrors, takeApplyLock } from "./apply-open.ts";
import { applyParts } from "./apply-parts.ts";
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
    const durability = await prepareApplySession(client);
    const tables = await readApplyTables(client, request.plan.tables, await madeTables(client, request));
    const errors = await rowErrors(client, request);
    found = { durability, tables, errors, applied: await readAppliedPosition(client, request) };
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
  readonly errors: RowErrors | undefined;
  readonly applied: Position | undefined;
}

async function rowErrors(client: Client, request: ApplyRequest): Promise<RowErrors | undefined> {
  const { rowErrors: policies, plan } = request;
  if (policies === undefined) return undefined;
  const plans = plan.tables;
  return new RowErrors(plans, policies, await readRecordedErrors(client, request, { plans, policies }));
}

interface ApplierParts extends ApplyTarget {
  readonly wire: WireSession;
  readonly request: ApplyRequest;
  readonly signal: AbortSignal;
  readonly found: Found;
}

function connectParts({ wire, endpoint, request, replaced, signal, found }: ApplierParts): Applier {
  const plans = request.plan.tables;
  const { screens = false } = request;
  const counts = new ApplyCounts(plans, found.errors);
  const describe = (error: unknown): unknown => {
    if (signal.aborted) return signal.reason;
    const id = error instanceof StatementFailure ? plans[error.table]?.source.id : undefined;
    const failure = classify(error instanceof StatementFailure ? error.error : error, {
      side: "target",
      endpoint,
      phase: "apply",
      ...(id === undefined ? {} : { table: id }),
    });
    if (id === undefined || failure.scope !== "table" || failure.table !== undefined) return failure;
    return MigrationError.fromJSON({ ...failure.toJSON(), table: id });
  };
  const { session, tables, writer, exceptions } = applyParts({
    ...{ wire, plans, found: found.tables, counts, request, screens, describe },
    choices: outOfRangeOf(endpoint),
    exceptions: "awsdms_apply_exceptions",
    fail: (error) => loop.fail(error),
  });
  const transactions = new MysqlTransactions({
    ...{ session, writer, counts, tables, replaced, request, exceptions, describe },
    durability: new ApplyDurability(found.durability, session),
  });
  const { applied } = found;
  const loop: ApplyLoop = new ApplyLoop(transactions, { applied, positions: request.positions ?? NO_LOG });
  return loop;
}

/** A request that does not say how positions compare starts where the journal ends. */
const NO_LOG: PositionCodec = {
  parse() {
    throw new MigrationError("position.malformed", { message: "The source's log is not known." });
  },
  compare: (a, b) => (a.kind === b.kind && a.text === b.text ? 0 : undefined),
};
