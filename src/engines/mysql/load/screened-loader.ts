import type { EndpointConfig } from "../../../core/engine.ts";
import { loadExceptionTable } from "../../../core/journal.ts";
import type { Loader } from "../../../core/target.ts";
import type { LoadTallies } from "../../shared/load/load-tallies.ts";
import {
  openScreenedLoad,
  type ScreenedHooks,
  type ScreenedRequest,
  type ScreenedTarget,
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

export interface ScreenedLoaders {
  readonly endpoint: EndpointConfig;
  /** Of values that have come as others. */
  readonly replaced: ValueCounts;
  readonly tallies: LoadTallies;
}

/** Opens a session that writes one partition of whose rows some may be refused. */
export async function openScreenedLoader(
  { endpoint, replaced, tallies }: ScreenedLoaders,
  request: ScreenedRequest,
  signal: AbortSignal,
): Promise<Loader> {
  const plans = [request.plan];
  const describe = (error: unknown): unknown =>
    loadError(error instanceof StatementFailure ? error.error : error, endpoint, request);
  return await openScreenedLoad({ request, tallies, signal, describe }, async (opening) => {
    let found: readonly (ApplyTable | undefined)[] = [];
    let hooks: ScreenedHooks | undefined;
    const prepare = async (client: Client): Promise<void> => {
      // Given back when the session ends.
      await takeLoadLock(client, request);
      await prepareApplySession(client);
      found = await readApplyTables(client, plans, await madeTables(client, request));
      const { policies } = opening;
      hooks = await opening.hooks(() => readRecordedErrors(client, request, { plans, policies }));
    };
    const options = { side: "target", purpose: "tideway load", countsChanged: true, prepare } as const;
    const wire = await openWire(endpoint, options, signal);
    try {
      const parts = applyParts({
        ...{ wire, plans, found, request, hooks: hooks! },
        choices: outOfRangeOf(endpoint),
        screens: true,
        exceptions: loadExceptionTable(request),
      });
      return screenedTarget(parts, request, replaced);
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  });
}

function screenedTarget(parts: ApplyParts, request: ScreenedRequest, replaced: ValueCounts): ScreenedTarget {
  const { session, tables, writer, exceptions } = parts;
  return {
    ...{ session, writer, exceptions },
    async finish(rows) {
      const waiting = await session.ask(isWaitingSql(request));
      if (waiting.length === 0) throw taken(request);
      session.statements(markPartitionDoneSql(request, rows), "commit");
      await session.drain();
      tables.count(replaced);
    },
  };
}
