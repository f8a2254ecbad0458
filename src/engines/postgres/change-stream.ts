import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { ChangeBatch } from "../../core/change-batch.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import { type TableSchema, tableKey } from "../../core/schema.ts";
import type { ChangeStream, ChangeStreamRequest } from "../../core/source.ts";
import { identifier, literal } from "../shared/identifier.ts";
import { binaryForm } from "./binary-form.ts";
import { PostgresChangeStream } from "./change-stream-session.ts";
import { connect, openWire } from "./connection.ts";
import { classify } from "./errors.ts";
import { PgoutputDecoder } from "./pgoutput.ts";
import type { ColumnTypes } from "./pgoutput-relation.ts";
import { checkPublication, publishable } from "./publication.ts";
import { ServerError } from "./server-error.ts";
import { findStream, SLOT_ACTIVE, streamObjects } from "./slot.ts";
import type { WireSession } from "./wire-session.ts";

/** How long a slot may still be held by the walsender of a worker that died. */
const SLOT_PATIENCE_MS = 10_000;
const SLOT_RETRY_MS = 100;
/** The server's replies wait for no longer than this; less when the server's own limit is short. */
const STATUS_INTERVAL_MS = 5_000;
/** The binary option came with version 14. */
const BINARY_VERSION = 140_000;

/**
 * Opens the task's stream after a position. The server itself moves a position that lies before the
 * slot's up to it: whether that may be is for the caller to judge, with findStream().
 */
export async function openChangeStream(
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
  signal: AbortSignal,
): Promise<ChangeStream> {
  const facts = await readFacts(endpoint, request, signal);
  const purpose = { side: "source", purpose: "tideway stream", replication: true } as const;
  const wire = await openWire(endpoint, purpose, signal);
  try {
    await start(wire, startCommand(endpoint, request, facts.encoding), signal);
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw startError(error, streamObjects(endpoint, request.taskId).name);
  }
  const decoder = new PgoutputDecoder({
    tables: request.tables,
    encoding: facts.encoding,
    after: request.after,
    types: facts.types,
  });
  const { after } = request;
  return new PostgresChangeStream({
    wire,
    decoder,
    signal,
    after,
    statusIntervalMs: facts.statusIntervalMs,
  });
}

function startCommand(
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
  encoding: ChangeBatch["encoding"],
): string {
  const { name } = streamObjects(endpoint, request.taskId);
  const publication = literal(identifier(name));
  const binary = encoding === "pg-binary" ? ", binary 'true'" : "";
  return (
    `START_REPLICATION SLOT ${identifier(name)} LOGICAL ${request.after.text} ` +
    `(proto_version '1', publication_names ${publication}${binary})`
  );
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
  readonly encoding: ChangeBatch["encoding"];
  readonly types: ReadonlyMap<string, ColumnTypes>;
  readonly statusIntervalMs: number;
}

/** What must be known before the stream starts; throws when its slot or publication is not fit. */
async function readFacts(
  endpoint: EndpointConfig,
  request: ChangeStreamRequest,
  signal: AbortSignal,
): Promise<StreamFacts> {
  const client = await connect(endpoint, { side: "source", purpose: "tideway stream" }, signal);
  try {
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
    const server = await client.query<{ version: string; patience: string }>(
      `select current_setting('server_version_num') as version,
              (select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout') as patience`,
    );
    const { version, patience } = server.rows[0]!;
    const patienceMs = Number(patience);
    return {
      encoding: encodingFor(Number(version), request.tables),
      types: await columnTypes(client, request.tables),
      statusIntervalMs: patienceMs > 0 ? Math.min(STATUS_INTERVAL_MS, patienceMs / 4) : STATUS_INTERVAL_MS,
    };
  } catch (error) {
    throw classify(error, { side: "source" });
  } finally {
    await client.end();
  }
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
