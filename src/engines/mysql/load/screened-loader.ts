import type { EndpointConfig } from "../../../core/engine.ts";
import { loadExceptionTable, type RecordedErrors } from "../../../core/journal.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import type { Loader, LoadRequest } from "../../../core/target.ts";
import { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import type { ApplyGroup } from "../../shared/apply/apply-group.ts";
import { RowErrors } from "../../shared/apply/row-errors.ts";
import {
  loadPolicies,
  type ScreenedHooks,
  ScreenedLoad,
  type ScreenedTarget,
  screenedHooks,
} from "../../shared/load/screened-load.ts";
import { StatementFailure } from "../apply/apply-failure.ts";
import { madeTables } from "../apply/apply-journal.ts";
import { prepareApplySession, readRecordedErrors } from "../apply/apply-open.ts";
import { type ApplyParts, applyParts } from "../apply/apply-parts.ts";
import { type ApplyTable, readApplyTables } from "../apply/apply-table.ts";
import { isWaitingSql, markPartitionDoneSql } from "../apply/journal-sql.ts";
import { takeLoadLock } from "../apply/load-lock.ts";
import type { Client } from "../connection/client.ts";
import { openWire } from "../connection/connection.ts";
import { outOfRangeOf } from "../values/out-of-range.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { loadError, taken } from "./loader.ts";

export interface ScreenedRequest extends LoadRequest {
  readonly screens: RowErrorPolicies;
}

export interface ScreenedOptions {
  readonly endpoint: EndpointConfig;
  /** Of values that have come as others. */
  readonly replaced: ValueCounts;
}

/** Opens a session that writes one partition of whose rows some may be refused. */
export async function openScreenedLoader(
  { endpoint, replaced }: ScreenedOptions,
  request: ScreenedRequest,
  signal: AbortSignal,
): Promise<Loader> {
  const { plan } = request;
  const plans = [plan];
  const policies = loadPolicies(request.screens);
  let found: readonly (ApplyTable | undefined)[] = [];
  let recorded: readonly RecordedErrors[] = [];
  const prepare = async (client: Client): Promise<void> => {
    // Given back when the session ends.
    await takeLoadLock(client, request);
    await prepareApplySession(client);
    found = await readApplyTables(client, plans, await madeTables(client, request));
    recorded = await readRecordedErrors(client, request, { plans, policies });
  };
  const options = { side: "target", purpose: "tideway load", countsChanged: true, prepare } as const;
  const wire = await openWire(endpoint, options, signal);
  const counts = new ApplyCounts(plans, new RowErrors(plans, policies, recorded));
  const described = (error: unknown): unknown =>
    loadError(error instanceof StatementFailure ? error.error : error, endpoint, request);
  const hooks = screenedHooks(counts, described);
  const parts = applyParts({
    ...{ wire, plans, found, request, hooks },
    choices: outOfRangeOf(endpoint),
    screens: true,
    exceptions: loadExceptionTable(request),
  });
  return new ScreenedLoad(
    plan,
    new MysqlScreenedTarget({ parts, hooks, request, replaced, described, signal }),
  );
}

interface TargetParts {
  readonly parts: ApplyParts;
  readonly hooks: ScreenedHooks;
  readonly request: LoadRequest;
  readonly replaced: ValueCounts;
  readonly signal: AbortSignal;
  described(error: unknown): unknown;
}

class MysqlScreenedTarget implements ScreenedTarget {
  readonly counts: ApplyCounts;
  readonly #own: TargetParts;

  constructor(own: TargetParts) {
    this.counts = own.hooks.counts;
    this.#own = own;
  }

  async write(group: ApplyGroup): Promise<void> {
    const { parts, hooks } = this.#own;
    await parts.writer.write(group);
    const failure = hooks.failure();
    if (failure !== undefined) throw failure.error;
    await parts.exceptions.write(this.counts.takeExceptions());
  }

  async finish(rows: number): Promise<void> {
    const { parts, request, replaced } = this.#own;
    const { session, tables } = parts;
    const waiting = await session.ask(isWaitingSql(request));
    if (waiting.length === 0) throw taken(request);
    session.statements(markPartitionDoneSql(request, rows), "commit");
    await session.drain();
    tables.count(replaced);
  }

  describe(error: unknown): unknown {
    const { hooks, described, signal } = this.#own;
    if (signal.aborted) return signal.reason;
    return hooks.failure()?.error ?? described(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own.parts.session[Symbol.asyncDispose]();
  }
}
