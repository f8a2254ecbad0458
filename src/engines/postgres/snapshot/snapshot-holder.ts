import { randomBytes } from "node:crypto";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { SnapshotRequest } from "../../../core/source.ts";
import { openBulkSession, settingsSql } from "../connection/bulk-session.ts";
import { connect } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import { openReplication } from "../connection/replication-session.ts";
import { ServerError } from "../connection/server-error.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { checkPublication, ensurePublication, publishAlso } from "../log/publication.ts";
import { createSlot, dropStream, slotName, streamObjects } from "../log/slot.ts";
import { checkLog } from "../log/source-log.ts";

export const BEGIN_SNAPSHOT = "begin isolation level repeatable read read only";

/** The session that keeps a snapshot open: it does nothing else until it is closed. */
export interface Holder {
  readonly wire: WireSession;
  /** The server's name of the exported snapshot. */
  readonly name: string;
  readonly position: Position | undefined;
}

export function openHolder(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<Holder> {
  return request.anchor === "none"
    ? exportSnapshot(endpoint, signal)
    : exportFromSlot(endpoint, request, signal);
}

async function exportSnapshot(endpoint: EndpointConfig, signal: AbortSignal): Promise<Holder> {
  const wire = await openBulkSession(endpoint, "source", signal);
  try {
    await wire.query(BEGIN_SNAPSHOT);
    const { rows } = await wire.query("select pg_export_snapshot()");
    return { wire, name: rows[0]![0]!, position: undefined };
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw classify(error, { side: "source", endpoint });
  }
}

/** A slot's snapshot shows exactly what the slot will not send. It ends with the session's next command. */
async function exportFromSlot(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<Holder> {
  const fresh = request.anchor === "new-stream";
  await publish(endpoint, request, signal);
  // Two reloads of one task may run at once, and the slot of a reader that was killed lingers.
  const passing = `${slotName(request.taskId)}_${randomBytes(2).toString("hex")}`;
  const name = fresh ? slotName(request.taskId) : passing;
  const wire = await openReplication(endpoint, { purpose: "tideway snapshot" }, signal);
  try {
    await wire.query(settingsSql("source"));
    await checkLog(wire, endpoint, request.log);
    const slot = await createSlot(wire, { name, temporary: !fresh, exportSnapshot: true }, signal);
    if (slot.snapshotName === undefined) {
      throw new MigrationError("source.protocol", { message: "The slot came without a snapshot." });
    }
    return { wire, name: slot.snapshotName, position: slot.position };
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw signal.aborted ? signal.reason : classify(error, { side: "source", endpoint });
  }
}

/**
 * The publication has to be there before the slot: changes are decoded with the catalog of their time.
 * A table may join it later, or come back to it, when its rows are read from a snapshot taken after that.
 */
async function publish(
  endpoint: EndpointConfig,
  request: SnapshotRequest,
  signal: AbortSignal,
): Promise<void> {
  const client = await connect(endpoint, { side: "source", purpose: "tideway publication" }, signal);
  try {
    const objects = streamObjects(endpoint, request.taskId);
    if (!objects.own) await checkPublication(client, objects, request.tables);
    else if (request.anchor === "new-stream") await ensurePublication(client, request);
    else await publishAlso(client, request);
  } finally {
    await client.end();
  }
}

/** Drops a stream whose snapshot cannot be used. */
export async function giveUpStream(endpoint: EndpointConfig, request: SnapshotRequest): Promise<void> {
  const unaborted = new AbortController().signal;
  try {
    const client = await connect(endpoint, { side: "source", purpose: "tideway clean-up" }, unaborted);
    try {
      await dropStream(client, request, unaborted);
    } finally {
      await client.end();
    }
  } catch {
    // The first error says what is wrong; the slot is found and dropped when the task is deleted.
  }
}

/** What SET TRANSACTION SNAPSHOT fails with: 22023 until version 16, 42704 from 17 on, 55000. */
const SNAPSHOT_CODES: ReadonlySet<string> = new Set(["22023", "42704", "55000"]);

export function isOfSnapshot(error: unknown): boolean {
  return error instanceof ServerError && SNAPSHOT_CODES.has(error.fields.code);
}
