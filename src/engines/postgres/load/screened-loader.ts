import type { EndpointConfig } from "../../../core/engine.ts";
import { loadExceptionTable } from "../../../core/journal.ts";
import type { RowErrorPolicies } from "../../../core/row-errors.ts";
import type { Loader, LoadRequest } from "../../../core/target.ts";
import { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import type { ApplyGroup } from "../../shared/apply/apply-group.ts";
import { RowErrors } from "../../shared/apply/row-errors.ts";
import { loadPolicies, ScreenedLoad, type ScreenedTarget } from "../../shared/load/screened-load.ts";
import { prepareApplySession, readRecordedErrors } from "../apply/apply-open.ts";
import { type ApplyParts, applyParts, beginSql } from "../apply/apply-parts.ts";
import type { ApplyFailure } from "../apply/apply-session.ts";
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
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown): void => {
      failure ??= { error };
    };
    const describe = (thrown: unknown): unknown => {
      if (signal.aborted) return signal.reason;
      return failure?.error ?? loadError(thrown, endpoint, request);
    };
    const parts = applyParts({
      ...{ wire, plans, targets, traits, counts, request, fail },
      screens: true,
      exceptions: loadExceptionTable(request),
      describe: ({ error }: ApplyFailure) => loadError(error, endpoint, request),
    });
    for (const sql of beginSql(traits.replica)) await parts.session.ask(sql);
    return new ScreenedLoad(
      plan,
      new PostgresScreenedTarget({ parts, counts, request, describe, failed: () => failure }),
    );
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw signal.aborted ? signal.reason : loadError(error, endpoint, request);
  }
}

interface TargetParts {
  readonly parts: ApplyParts;
  readonly counts: ApplyCounts;
  readonly request: LoadRequest;
  describe(error: unknown): unknown;
  /** What a completed command was found to be. */
  failed(): { readonly error: unknown } | undefined;
}

class PostgresScreenedTarget implements ScreenedTarget {
  readonly counts: ApplyCounts;
  readonly #own: TargetParts;

  constructor(own: TargetParts) {
    this.counts = own.counts;
    this.#own = own;
  }

  async write(group: ApplyGroup): Promise<void> {
    const { writer, exceptions } = this.#own.parts;
    await writer.write(group);
    const failure = this.#own.failed();
    if (failure !== undefined) throw failure.error;
    await exceptions.write(this.counts.takeExceptions());
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
    return this.#own.describe(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own.parts.session[Symbol.asyncDispose]();
  }
}
