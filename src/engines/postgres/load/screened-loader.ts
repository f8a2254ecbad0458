import type { EndpointConfig } from "../../../core/engine.ts";
import { loadExceptionTable } from "../../../core/journal.ts";
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
import { prepareApplySession, readRecordedErrors } from "../apply/apply-open.ts";
import { type ApplyParts, applyParts, beginSql } from "../apply/apply-parts.ts";
import { readTargetTables } from "../apply/apply-table.ts";
import { isNothingMarked, markPartitionDoneSql } from "../apply/journal-sql.ts";
import { openWire } from "../connection/connection.ts";
import { loadError, taken } from "./load-errors.ts";

export interface ScreenedRequest extends LoadRequest {
  readonly screens: RowErrorPolicies;
}

/** Opens a session that writes one partition of whose rows some may be refused. */
export async function openScreenedLoader(
  endpoint: EndpointConfig,
  request: ScreenedRequest,
  signal: AbortSignal,
): Promise<Loader> {
  const wire = await openWire(endpoint, { side: "target", purpose: "tideway load" }, signal);
  try {
    const { plan } = request;
    const plans = [plan];
    const traits = await prepareApplySession(wire);
    const targets = await readTargetTables(wire, plans);
    const policies = loadPolicies(request.screens);
    const recorded = await readRecordedErrors(wire, request, { plans, policies });
    const counts = new ApplyCounts(plans, new RowErrors(plans, policies, recorded));
    const hooks = screenedHooks(counts, (error) => loadError(error, endpoint, request));
    const parts = applyParts({
      ...{ wire, plans, targets, traits, request, hooks },
      screens: true,
      exceptions: loadExceptionTable(request),
    });
    for (const sql of beginSql(traits.replica)) await parts.session.ask(sql);
    return new ScreenedLoad(plan, new PostgresScreenedTarget({ parts, hooks, request, endpoint, signal }));
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw signal.aborted ? signal.reason : loadError(error, endpoint, request);
  }
}

interface TargetParts {
  readonly parts: ApplyParts;
  readonly hooks: ScreenedHooks;
  readonly request: LoadRequest;
  readonly endpoint: EndpointConfig;
  readonly signal: AbortSignal;
}

class PostgresScreenedTarget implements ScreenedTarget {
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
    const { parts, request } = this.#own;
    try {
      await parts.session.ask(`${markPartitionDoneSql(request, rows)}; commit`);
    } catch (error) {
      throw isNothingMarked(error) ? taken(request) : error;
    }
  }

  describe(error: unknown): unknown {
    const { hooks, request, endpoint, signal } = this.#own;
    if (signal.aborted) return signal.reason;
    return hooks.failure()?.error ?? loadError(error, endpoint, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own.parts.session[Symbol.asyncDispose]();
  }
}
