import type { EndpointConfig } from "../../../core/engine.ts";
import { loadExceptionTable } from "../../../core/journal.ts";
import type { TableId } from "../../../core/schema.ts";
import type { Loader } from "../../../core/target.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import type { LoadTallies } from "../../shared/load/load-tallies.ts";
import {
  openScreenedLoad,
  type ScreenedOpening,
  type ScreenedRequest,
  type ScreenedTarget,
} from "../../shared/load/screened-load.ts";
import { prepareApplySession, readRecordedErrors } from "../apply/apply-open.ts";
import { applyParts, beginSql } from "../apply/apply-parts.ts";
import { readTargetTables } from "../apply/apply-table.ts";
import { isNothingMarked, markPartitionDoneSql } from "../apply/journal-sql.ts";
import { openWire } from "../connection/connection.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { loadError, taken } from "./load-errors.ts";

export interface ScreenedLoaders {
  readonly endpoint: EndpointConfig;
  readonly tallies: LoadTallies;
}

/** Opens a session that writes one partition of whose rows some may be refused. */
export async function openScreenedLoader(
  { endpoint, tallies }: ScreenedLoaders,
  request: ScreenedRequest,
  signal: AbortSignal,
): Promise<Loader> {
  const describe = (error: unknown): unknown => loadError(error, endpoint, request);
  return await openScreenedLoad({ request, tallies, signal, describe }, async (opening) => {
    const wire = await openWire(endpoint, { side: "target", purpose: "tideway load" }, signal);
    try {
      return await connect(wire, request, opening);
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  });
}

async function connect(
  wire: WireSession,
  request: ScreenedRequest,
  { policies, hooks }: ScreenedOpening,
): Promise<ScreenedTarget> {
  const plans = [request.plan];
  const traits = await prepareApplySession(wire);
  const targets = await readTargetTables(wire, plans);
  const firm = traits.replica ? undefined : await firmConstraints(wire, request.plan.target.id);
  const { session, writer, exceptions } = applyParts({
    ...{ wire, plans, targets, traits, request },
    hooks: await hooks(() => readRecordedErrors(wire, request, { plans, policies })),
    screens: true,
    exceptions: loadExceptionTable(request),
  });
  for (const sql of beginSql(traits.replica)) await session.ask(sql);
  if (firm !== undefined) await session.ask(`set constraints ${firm} immediate`);
  return {
    ...{ session, writer, exceptions },
    async finish(rows) {
      try {
        await session.ask(`${markPartitionDoneSql(request, rows)}; commit`);
      } catch (error) {
        throw isNothingMarked(error) ? taken(request) : error;
      }
    },
  };
}

/** A table's constraints that could wait until the transaction ends, but that no later row can make hold; none: undefined. */
async function firmConstraints(wire: WireSession, id: TableId): Promise<string | undefined> {
  const { rows } = await wire.query(
    `select string_agg(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.conname), ', ')
       from pg_catalog.pg_constraint c join pg_catalog.pg_namespace n on n.oid = c.connamespace
      where c.conrelid = pg_catalog.to_regclass(${literal(qualified(id))}) and c.condeferrable and c.contype in ('p', 'u', 'x')`,
  );
  return rows[0]![0] ?? undefined;
}
