import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { LogRequest } from "../../../core/source.ts";
import { literal } from "../../shared/identifier.ts";
import { errorAddress } from "../connection/address.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { streamObjects } from "./slot.ts";
import { identify, logName, openLogSession, parseLogName, partedLogs, type SourceLog } from "./source-log.ts";

/** See Source.followLog. */
export async function followLog(
  endpoint: EndpointConfig,
  { taskId, known, reached }: LogRequest,
  signal: AbortSignal,
): Promise<string> {
  await using wire = await openLogSession(endpoint, signal);
  try {
    const now = await identify(wire, endpoint);
    if (reached === undefined) return logName(now);
    const before = known === undefined ? undefined : parseLogName(known);
    const isPromoted = before?.system === now.system && before.timeline !== now.timeline;
    const parted = partedLogs(before, now, reached);
    if (parted !== undefined) {
      throw new MigrationError(parted.code, { message: parted.message, subject: errorAddress(endpoint) });
    }
    if (isPromoted) await checkSlotCame(wire, streamObjects(endpoint, taskId).name, now);
    return logName(now);
  } catch (error) {
    throw signal.aborted ? signal.reason : classify(error, { side: "source", endpoint });
  }
}

/** A slot that was not synchronised to its end when the standby was promoted is temporary, and goes away. */
async function checkSlotCame(wire: WireSession, name: string, { timeline }: SourceLog): Promise<void> {
  const { rows } = await wire.query(
    `select 1 from pg_catalog.pg_replication_slots where slot_name = ${literal(name)} and not temporary`,
  );
  if (rows.length > 0) return;
  throw new MigrationError("source.slot_missing", {
    message: `The source was promoted (its timeline is ${timeline}) and does not have the slot ${name}: it had not been synchronised from the primary before.`,
    subject: name,
    remedy:
      "Start the task again with reload-target. For the next time let the standbys of a source of version 17 or newer synchronise slots (sync_replication_slots = on).",
  });
}
