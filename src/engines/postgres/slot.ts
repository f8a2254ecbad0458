import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Position } from "../../core/position.ts";
import type { StreamRequest } from "../../core/source.ts";
import { identifier, literal } from "../shared/identifier.ts";
import { connect, openWire } from "./connection.ts";
import { classify } from "./errors.ts";
import { lsnCodec } from "./lsn.ts";
import {
  checkGivenPublication,
  dropPublication,
  ensurePublication,
  type StreamObjects,
} from "./publication.ts";
import { ServerError } from "./server-error.ts";
import type { WireSession } from "./wire-session.ts";

const PLUGIN = "pgoutput";
/** SQLSTATE object_in_use: another process reads from the slot. */
export const SLOT_ACTIVE = "55006";

/** How long a slot's reader may linger after its process has died before it is ended, and before we give up. */
const READER_PATIENCE_MS = 4_000;
const DROP_TIMEOUT_MS = 15_000;
const DROP_RETRY_MS = 100;

export function slotName(taskId: string): string {
  return `tideway_${taskId}`;
}

/** What a task reads from: its own slot and publication, or those of the name that SlotName gives. */
export function streamObjects(endpoint: EndpointConfig, taskId: string): StreamObjects {
  const given = endpoint.settings["SlotName"];
  return typeof given === "string" && given !== ""
    ? { name: given, own: false }
    : { name: slotName(taskId), own: true };
}

export interface CreateSlotOptions {
  readonly name: string;
  /** Gone with the session. */
  readonly temporary: boolean;
  /** The snapshot lives until the session's next command. */
  readonly exportSnapshot: boolean;
}

export interface CreatedSlot {
  /** Boundary between what the snapshot holds and what the slot will send. */
  readonly position: Position;
  readonly snapshotName: string | undefined;
}

/**
 * Creates a logical slot on a replication session. Waits until the transactions that are writing now
 * have ended. The old option syntax is the only one that all of 12 to 18 understand.
 */
export async function createSlot(wire: WireSession, options: CreateSlotOptions): Promise<CreatedSlot> {
  const temporary = options.temporary ? " TEMPORARY" : "";
  const snapshot = options.exportSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
  // The replication grammar of older versions knows its keywords in upper case only.
  const command = `CREATE_REPLICATION_SLOT ${identifier(options.name)}${temporary} LOGICAL ${PLUGIN} ${snapshot}`;
  try {
    const { rows } = await wire.query(command);
    const [, consistentPoint, snapshotName] = rows[0]!;
    return { position: lsnCodec.parse(consistentPoint!), snapshotName: snapshotName ?? undefined };
  } catch (error) {
    throw slotError(error, options.name);
  }
}

function slotError(error: unknown, name: string): MigrationError {
  const code = error instanceof ServerError ? error.fields.code : undefined;
  const details = { subject: name, cause: error, ...(code === undefined ? {} : { nativeCode: code }) };
  switch (code) {
    case "42710":
      return new MigrationError("source.slot_exists", { message: `The slot ${name} exists.`, ...details });
    case "53400":
      return new MigrationError("source.no_free_slot", {
        message: "All replication slots of the source are taken.",
        ...details,
      });
    case "55000":
      return new MigrationError("source.wal_level", {
        message: "The source does not write a logical log.",
        ...details,
      });
    default:
      return classify(error, { side: "source" });
  }
}

/**
 * The position from which on the slot still has the log, or undefined when there is no slot. Throws
 * `source.slot_lost` when the server has given up on the slot; where SlotName names it also
 * `source.slot_missing`, `source.publication_missing`, and `endpoint.setting_invalid` for one that
 * cannot be used.
 */
export async function findStream(
  client: pg.Client,
  endpoint: EndpointConfig,
  request: StreamRequest,
): Promise<Position | undefined> {
  const { name, own } = streamObjects(endpoint, request.taskId);
  if (!own) await checkGivenPublication(client, name, request.tables);
  const slot = await readSlot(client, name);
  if (slot === undefined) {
    if (own) return undefined;
    throw givenSlotMissing(name);
  }
  if (slot.plugin !== PLUGIN || slot.database !== endpoint.database) {
    throw new MigrationError(own ? "source.slot_missing" : "endpoint.setting_invalid", {
      message: `The slot ${name} is not a ${PLUGIN} slot of the endpoint's database.`,
      subject: name,
      ...(own
        ? {}
        : { remedy: "Name a slot that pg_create_logical_replication_slot made there for pgoutput." }),
    });
  }
  const lost = slot.invalidation_reason ?? (slot.wal_status === "lost" ? "wal_removed" : undefined);
  if (lost !== undefined || slot.conflicting === true || slot.confirmed_flush_lsn === null) {
    throw new MigrationError("source.slot_lost", {
      message: `The source has given up the slot ${name} (${lost ?? "conflict"}).`,
      subject: name,
    });
  }
  return lsnCodec.parse(slot.confirmed_flush_lsn);
}

/**
 * Publication first, then the slot: what a slot sends is judged by the catalog of that time. Where
 * SlotName names a slot nothing is made, and the stream starts where that slot stands.
 */
export async function createStream(
  endpoint: EndpointConfig,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<Position> {
  const { name, own } = streamObjects(endpoint, request.taskId);
  const client = await connect(endpoint, { side: "source", purpose: "tideway stream" }, signal);
  try {
    if (!own) return (await findStream(client, endpoint, request))!;
    await ensurePublication(client, request);
  } finally {
    await client.end();
  }
  const options = { side: "source", purpose: "tideway slot", replication: true } as const;
  await using wire = await openWire(endpoint, options, signal);
  const slot = await createSlot(wire, { name, temporary: false, exportSnapshot: false });
  return slot.position;
}

function givenSlotMissing(name: string): MigrationError {
  return new MigrationError("source.slot_missing", {
    message: `The slot ${name} that SlotName names does not exist.`,
    subject: name,
    remedy: `Run on the source: select pg_create_logical_replication_slot(${literal(name)}, '${PLUGIN}'); or leave SlotName out.`,
  });
}

/**
 * Drops the task's own slot and publication, if they exist. A reader that still holds the slot can
 * only be what is left of a worker of ours: it gets time to notice, then it is ended.
 */
export async function dropStream(client: pg.Client, request: StreamRequest): Promise<void> {
  const name = slotName(request.taskId);
  const start = Date.now();
  for (;;) {
    const slot = await readSlot(client, name);
    if (slot === undefined) break;
    const waited = Date.now() - start;
    if (!slot.active && (await dropSlot(client, name))) break;
    if (waited > DROP_TIMEOUT_MS) {
      throw new MigrationError("source.slot_in_use", {
        message: `The slot ${name} is still being read from.`,
        subject: name,
      });
    }
    if (waited > READER_PATIENCE_MS && slot.active_pid !== null) {
      await client.query("select pg_terminate_backend($1)", [slot.active_pid]).catch(() => undefined);
    }
    await delay(DROP_RETRY_MS);
  }
  try {
    await dropPublication(client, request.taskId);
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}

/** False when somebody took the slot in the meantime. */
async function dropSlot(client: pg.Client, name: string): Promise<boolean> {
  try {
    await client.query("select pg_drop_replication_slot($1)", [name]);
    return true;
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    if (code === "42704") return true;
    if (code === SLOT_ACTIVE) return false;
    throw classify(error, { side: "source" });
  }
}

/**
 * A boundary that everything committed before the call lies at or before, and that an idle stream
 * reaches. pg_current_wal_lsn() is no such boundary: with synchronous_commit off a commit may not be
 * written yet. Neither is the insert position: it skips the header of a page nothing is written to
 * yet, so a reader at the end of the log stays before it. So a message of our own goes into the log,
 * in a transaction: its end lies behind every earlier commit's record, and its commit makes the
 * server write the log past it. The slot's reader skips it. A standby writes no log: there the
 * replayed position serves.
 */
export async function currentPosition(client: pg.Client): Promise<Position> {
  try {
    const standby = await client.query<{ lsn: string | null }>(
      "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end as lsn",
    );
    const replayed = standby.rows[0]?.lsn;
    if (replayed != null) return lsnCodec.parse(replayed);
    const results = (await client.query(
      "begin; set local synchronous_commit = local; select pg_logical_emit_message(true, 'tideway', '') as lsn; commit",
    )) as unknown as readonly pg.QueryResult<{ lsn: string }>[];
    return lsnCodec.parse(results[2]!.rows[0]!.lsn);
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}

/** A row of pg_replication_slots; columns that came with later versions are undefined in earlier ones. */
interface SlotRow {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly active: boolean;
  readonly active_pid: number | null;
  readonly confirmed_flush_lsn: string | null;
  readonly wal_status?: string | null;
  readonly conflicting?: boolean | null;
  readonly invalidation_reason?: string | null;
}

async function readSlot(client: pg.Client, name: string): Promise<SlotRow | undefined> {
  try {
    const result = await client.query<{ slot: string }>(
      "select to_jsonb(s)::text as slot from pg_catalog.pg_replication_slots s where s.slot_name = $1",
      [name],
    );
    const row = result.rows[0];
    return row === undefined ? undefined : (JSON.parse(row.slot) as SlotRow);
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}
