import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { ChangeBatch } from "../../core/change-batch.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Position } from "../../core/position.ts";
import { type TableSchema, tableKey } from "../../core/schema.ts";
import type { ChangeStream, ChangeStreamRequest } from "../../core/source.ts";
import { identifier, literal } from "../shared/identifier.ts";
import { Backlog, type BacklogParts } from "./backlog.ts";
import { binaryForm } from "./binary-form.ts";
import { atLeastSql, settingsSql } from "./bulk-session.ts";
import { PostgresChangeStream } from "./change-stream-phases.ts";
import { openWire } from "./connection.ts";
import { classify } from "./errors.ts";
import { LiveStream } from "./live-stream.ts";
import { PgoutputDecoder } from "./pgoutput.ts";
import type { ColumnTypes } from "./pgoutput-relation.ts";
import { checkPublication, publishable } from "./publication.ts";
import { isFatal, ServerError } from "./server-error.ts";
import { findStream, SLOT_ACTIVE, streamObjects } from "./slot.ts";
import type { WireSession } from "./wire-session.ts";

/** How long a slot may still be held by the walsender of a worker that died. */
const SLOT_PATIENCE_MS = 10_000;
const SLOT_RETRY_MS = 100;
/** The server's replies wait for no longer than this; less when the server's own limit is short. */
const STATUS_INTERVAL_MS = 5_000;
/** From so much log on, a backlog is read as such. */
const BACKLOG_BYTES = 4 << 20;
const MAX_NAME = 63;
/**
 * A transaction that is larger than this is written to the source's disk while it is decoded and read
 * back, which takes several times as long. The server's default is 64 MB; version 12 has no such setting.
 */
const DECODING_MEMORY = atLeastSql("logical_decoding_work_mem", 256);
/** The binary option came with version 14. */
const BINARY_VERSION = 140_000;

/**
 * Opens the task's stream after a position. The server itself moves a position that lies before the
 * slot's up to it: whether that may be is for the caller to judge, with findStream(). The client is asked what
 * must be known before; the stream has connections of its own.
 */
export async function openChangeStream(
  client: pg.Client,
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
  signal: AbortSignal,
): Promise<ChangeStream> {
  const facts = await readFacts(client, endpoint, request);
  const decoder = new PgoutputDecoder({
    tables: request.tables,
    encoding: facts.encoding,
    after: request.after,
    types: facts.types,
  });
  const objects = streamObjects(endpoint, request.taskId);
  const options = pluginOptions(objects.name, facts.encoding);
  const openLive = async (after: Position): Promise<LiveStream> => {
    const command = startCommand(objects.name, after, options);
    const wire = await openLiveWire(endpoint, { command, slot: objects.name }, signal);
    return new LiveStream({ wire, decoder, after, statusIntervalMs: facts.statusIntervalMs });
  };
  const backlog = facts.isBehind
    ? await openBacklog(endpoint, { decoder, after: request.after, slot: objects.name, options }, signal)
    : undefined;
  const live = backlog === undefined ? await openLive(request.after) : undefined;
  return new PostgresChangeStream({ backlog, live, openLive, after: request.after, signal });
}

async function openLiveWire(
  endpoint: EndpointConfig,
  stream: { readonly command: string; readonly slot: string },
  signal: AbortSignal,
): Promise<WireSession> {
  const purpose = { side: "source", purpose: "tideway stream", replication: true, gulps: true } as const;
  const wire = await openWire(endpoint, purpose, signal);
  try {
    await wire.query(DECODING_MEMORY);
    await start(wire, stream.command, signal);
    return wire;
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw startError(error, stream.slot);
  }
}

/** undefined when the server does not allow it: then all is read as it is sent. */
async function openBacklog(
  endpoint: EndpointConfig,
  parts: Omit<BacklogParts, "wire" | "reader">,
  signal: AbortSignal,
): Promise<Backlog | undefined> {
  const wire = await openWire(endpoint, { side: "source", purpose: "tideway backlog", gulps: true }, signal);
  try {
    const reader = `${parts.slot.slice(0, MAX_NAME - 5)}_${randomBytes(2).toString("hex")}`;
    const backlog = new Backlog({ ...parts, wire, reader });
    await wire.query(settingsSql("source"));
    await wire.query(DECODING_MEMORY);
    await backlog.open();
    return backlog;
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    if (error instanceof ServerError && !isFatal(error)) return undefined;
    throw classify(error, { side: "source" });
  }
}

function pluginOptions(name: string, encoding: ChangeBatch["encoding"]): readonly string[] {
  const options = ["proto_version", "1", "publication_names", identifier(name)];
  return encoding === "pg-binary" ? [...options, "binary", "true"] : options;
}

function startCommand(slot: string, after: Position, options: readonly string[]): string {
  const list: string[] = [];
  for (let i = 0; i < options.length; i += 2) list.push(`${options[i]!} ${literal(options[i + 1]!)}`);
  return `START_REPLICATION SLOT ${identifier(slot)} LOGICAL ${after.text} (${list.join(", ")})`;
}

/** Starts the stream; waits for the server to notice that the slot's last reader has gone. */
async function start(wire: WireSession, command: string, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + SLOT_PATIENCE_MS; ; ) {
    try {
      return await wire.copyBoth(command);
    } catch (error) {
      const isActive = error instanceof ServerError && error.fields.code === SLOT_ACTIVE;
      if (!isActive || Date.now() > deadline) throw error;
      await delay(SLOT_RETRY_MS, undefined, { signal });
    }
  }
}

function startError(error: unknown, slot: string): unknown {
  if (!(error instanceof ServerError) || error.fields.code !== SLOT_ACTIVE) {
    return classify(error, { side: "source" });
  }
  return new MigrationError("source.slot_in_use", {
    message: `Another process reads from the slot ${slot}.`,
    subject: slot,
    nativeCode: SLOT_ACTIVE,
    cause: error,
  });
}

interface StreamFacts {
  /** There is enough log after the position to be read as a backlog, and nobody else reads from the slot. */
  readonly isBehind: boolean;
  readonly encoding: ChangeBatch["encoding"];
  readonly types: ReadonlyMap<string, ColumnTypes>;
  readonly statusIntervalMs: number;
}

/** What must be known before the stream starts; throws when its slot or publication is not fit. */
async function readFacts(
  client: pg.Client,
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
): Promise<StreamFacts> {
  const objects = streamObjects(endpoint, request.taskId);
  if ((await findStream(client, endpoint, request)) === undefined) {
    throw new MigrationError("source.slot_missing", {
      message: `The slot ${objects.name} does not exist.`,
      subject: objects.name,
    });
  }
  const aside = new Set((request.aside ?? []).map(tableKey));
  const needed = request.tables.filter((table) => !aside.has(tableKey(table.id)));
  await checkPublication(client, objects, needed);
  const server = await client.query<{ version: string; patience: string; behind: string }>(
    `select current_setting('server_version_num') as version,
            (select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout') as patience,
            exists (select from pg_catalog.pg_replication_slots
                     where slot_name = $1 and not active and not pg_catalog.pg_is_in_recovery()
                       and pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), $2) > $3) as behind`,
    [objects.name, request.after.text, BACKLOG_BYTES],
  );
  const { version, patience, behind } = server.rows[0]!;
  const patienceMs = Number(patience);
  return {
    isBehind: behind === "t",
    encoding: encodingFor(Number(version), request.tables),
    types: await columnTypes(client, request.tables),
    statusIntervalMs: patienceMs > 0 ? Math.min(STATUS_INTERVAL_MS, patienceMs / 4) : STATUS_INTERVAL_MS,
  };
}

/** One form for the whole stream: binary when every column's can be told in the target too. */
function encodingFor(version: number, tables: readonly TableSchema[]): ChangeBatch["encoding"] {
  if (version < BINARY_VERSION) return "text";
  const isKnown = (table: TableSchema): boolean =>
    table.columns.every((column) => column.generated !== undefined || binaryForm(column) !== undefined);
  return publishable(tables).every(isKnown) ? "pg-binary" : "text";
}

async function columnTypes(
  client: pg.Client,
  tables: readonly TableSchema[],
): Promise<ReadonlyMap<string, ColumnTypes>> {
  const result = await client.query<{
    schema: string;
    table: string;
    name: string;
    type: string;
    modifier: string;
  }>(
    `select n.nspname as schema, c.relname as table, a.attname as name, a.atttypid::int8 as type,
            a.atttypmod as modifier
       from unnest($1::text[], $2::text[]) as wanted (schema, name)
       join pg_catalog.pg_namespace n on n.nspname = wanted.schema
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
       join pg_catalog.pg_attribute a on a.attrelid = c.oid
      where a.attnum > 0 and not a.attisdropped`,
    [tables.map((table) => table.id.schema), tables.map((table) => table.id.name)],
  );
  const types = new Map<string, Map<string, { type: number; modifier: number }>>();
  for (const row of result.rows) {
    const key = tableKey({ schema: row.schema, name: row.table });
    const columns = types.get(key) ?? new Map<string, { type: number; modifier: number }>();
    types.set(key, columns);
    columns.set(row.name, { type: Number(row.type), modifier: Number(row.modifier) });
  }
  return types;
}
