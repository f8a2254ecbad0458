import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { StreamRequest } from "../../../core/source.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { EMPTY_MESSAGE } from "../catalog/schema-notes-sql.ts";
import { connect } from "../connection/connection.ts";
import { errorCode } from "../connection/error-code.ts";
import { classify } from "../connection/errors.ts";
import { openReplication } from "../connection/replication-session.ts";
import { ServerError } from "../connection/server-error.ts";
import { whenFree } from "../connection/when-free.ts";
import type { WireSession } from "../connection/wire-session.ts";
import {
  checkGivenPublication,
  dropPublication,
  ensurePublication,
  type StreamObjects,
} from "./publication.ts";
import { checkLog } from "./source-log.ts";

const PLUGIN = "pgoutput";

/** How long a slot's reader may linger after its process has died before it is ended, and before we give up. */
const READER_PATIENCE_MS = 4_000;
const DROP_PATIENCE_MS = 15_000;
/** How long the temporary slot of a session that has ended may still be counted. */
const SLOT_PATIENCE_MS = 10_000;

/** SQLSTATE undefined_object. */
const UNKNOWN = "42704";

const FAILOVER_VERSION = 170_000;

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
 * have ended. One that stays is a failover slot where the server knows those: its standbys may synchronise it.
 */
export async function createSlot(
  wire: WireSession,
  options: CreateSlotOptions,
  signal: AbortSignal,
): Promise<CreatedSlot> {
  const temporary = options.temporary ? " TEMPORARY" : "";
  // The replication grammar of older versions knows its keywords in upper case only.
  const command = `CREATE_REPLICATION_SLOT ${identifier(options.name)}${temporary} LOGICAL ${PLUGIN}`;
  try {
    const sql = `${command} ${await slotOptions(wire, options)}`;
    const { rows } = await whenFree(() => wire.query(sql), { patienceMs: SLOT_PATIENCE_MS, signal });
    failpoint(options.temporary ? "stream.snapshot-slot-made" : "stream.slot-made");
    const [, consistentPoint, snapshotName] = rows[0]!;
    return { position: lsnCodec.parse(consistentPoint!), snapshotName: snapshotName ?? undefined };
  } catch (error) {
    throw slotError(error, options.name);
  }
}

/** A failover slot cannot be temporary. The other syntax is the only one that 12 to 14 understand. */
async function slotOptions(
  wire: WireSession,
  { temporary, exportSnapshot }: CreateSlotOptions,
): Promise<string> {
  const { rows } = await wire.query("select current_setting('server_version_num')");
  const surviving = !temporary && Number(rows[0]![0]) >= FAILOVER_VERSION;
  if (surviving) return `(SNAPSHOT ${exportSnapshot ? "'export'" : "'nothing'"}, FAILOVER)`;
  return exportSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
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
  // One that is temporary is a standby's that has not been synchronised to its end.
  if (slot === undefined || slot.temporary) {
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
  await using wire = await openReplication(endpoint, { purpose: "tideway slot" }, signal);
  await checkLog(wire, endpoint, request.log);
  const slot = await createSlot(wire, { name, temporary: false, exportSnapshot: false }, signal);
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
export async function dropStream(
  client: pg.Client,
  { taskId }: Pick<StreamRequest, "taskId">,
  signal: AbortSignal,
): Promise<void> {
  const name = slotName(taskId);
  const waiting = async (waitedMs: number): Promise<void> => {
    if (waitedMs > READER_PATIENCE_MS) await client.query(END_READER, [name]).catch(() => undefined);
  };
  try {
    await whenFree(() => client.query(DROP_SLOT, [name]), { patienceMs: DROP_PATIENCE_MS, signal, waiting });
  } catch (error) {
    // Between being found and being dropped it may go by itself: a slot that is still made goes with its session.
    if (errorCode(error) !== UNKNOWN) {
      throw signal.aborted ? signal.reason : classify(error, { side: "source", subject: name });
    }
  }
  failpoint("stream.slot-dropped");
  try {
    await dropPublication(client, taskId);
    failpoint("stream.publication-dropped");
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}

const DROP_SLOT = `select pg_catalog.pg_drop_replication_slot(slot_name)
  from pg_catalog.pg_replication_slots where slot_name = $1`;
const END_READER = `select pg_catalog.pg_terminate_backend(active_pid)
  from pg_catalog.pg_replication_slots where slot_name = $1`;

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
      `begin; set local synchronous_commit = local; select ${EMPTY_MESSAGE} as lsn; commit`,
    )) as unknown as readonly pg.QueryResult<{ lsn: string }>[];
    failpoint("stream.end-marked");
    return lsnCodec.parse(results[2]!.rows[0]!.lsn);
  } catch (error) {
    throw classify(error, { side: "source" });
  }
}

/** A row of pg_replication_slots; columns that came with later versions are undefined in earlier ones. */
interface SlotRow {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly temporary: boolean;
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
