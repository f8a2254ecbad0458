import { randomBytes } from "node:crypto";
import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { ChangeEncoding } from "../../../core/change-batch.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { type TableSchema, tableKey } from "../../../core/schema.ts";
import type { ChangeStream, ChangeStreamRequest } from "../../../core/source.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { binaryForm } from "../catalog/binary-form.ts";
import { atLeastSql, settingsSql } from "../connection/bulk-session.ts";
import { openWire } from "../connection/connection.ts";
import { askOnce } from "../connection/driver-client.ts";
import { classify } from "../connection/errors.ts";
import { openReplication } from "../connection/replication-session.ts";
import { isFatal, ServerError } from "../connection/server-error.ts";
import { whenFree } from "../connection/when-free.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { advanceSql, Backlog, type BacklogParts } from "./backlog.ts";
import { PostgresChangeStream } from "./change-stream-phases.ts";
import { readNotePrefix } from "./installed-notes.ts";
import { readLaterValues } from "./later-values.ts";
import { LiveStream } from "./live-stream.ts";
import { PgoutputDecoder } from "./pgoutput.ts";
import type { ColumnTypes } from "./pgoutput-relation.ts";
import { checkPublication, publishable } from "./publication.ts";
import { findStream, streamObjects } from "./slot.ts";
import { checkAddress, checkLog } from "./source-log.ts";

/** How long a slot may still be held by the walsender of a worker that died. */
const SLOT_PATIENCE_MS = 10_000;
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
/** So did the one that sends logical messages. */
const MESSAGES_VERSION = 140_000;
/** And the one that leaves out what has an origin with version 16. */
const ORIGIN_VERSION = 160_000;
/** How long the end of a task waits for its slot to be moved on, which the next run can do as well. */
const MOVE_PATIENCE_MS = 5_000;

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
  const { takes } = request;
  const decoder = new PgoutputDecoder({
    tables: request.tables,
    encoding: facts.encoding,
    after: request.after,
    types: facts.types,
    laterValues: facts.laterValues,
    ownOnly: request.ownOnly === true,
    notePrefix: facts.notePrefix,
    takes: takes && ((note, position) => takes(note, position) === "taken"),
  });
  const objects = streamObjects(endpoint, request.taskId);
  const options = pluginOptions(objects.name, facts, request);
  const openLive = async (after: Position): Promise<LiveStream> => {
    const command = startCommand(objects.name, after, options);
    const stream = { command, slot: objects.name, log: request.log };
    const wire = await openLiveWire(endpoint, stream, signal);
    return new LiveStream({ wire, decoder, after, statusIntervalMs: facts.statusIntervalMs });
  };
  const backlog = facts.isBehind
    ? await openBacklog(
        endpoint,
        { decoder, after: request.after, slot: objects.name, options, log: request.log },
        signal,
      )
    : undefined;
  const live = backlog === undefined ? await openLive(request.after) : undefined;
  const moveSlot = async (to: Position): Promise<void> => {
    // An open transaction may lie far back in the log, from where the server decodes. A cut connection would
    // leave it at that, with the slot in use.
    const question = { purpose: "tideway slot", sql: advanceSql(objects.name, to, 0), values: [] };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(2 * MOVE_PATIENCE_MS)]);
    await askOnce(endpoint, { ...question, limitMs: MOVE_PATIENCE_MS }, limit);
    failpoint("stream.backlog-advanced");
  };
  const lacksNotes = request.takes !== undefined && facts.notePrefix === undefined;
  return new PostgresChangeStream({
    backlog,
    live,
    openLive,
    moveSlot,
    after: request.after,
    lacksNotes,
    signal,
  });
}

async function openLiveWire(
  endpoint: EndpointConfig,
  stream: { readonly command: string; readonly slot: string; readonly log: string | undefined },
  signal: AbortSignal,
): Promise<WireSession> {
  const wire = await openReplication(endpoint, { purpose: "tideway stream", gulps: true }, signal);
  try {
    await checkLog(wire, endpoint, stream.log);
    await wire.query(DECODING_MEMORY);
    await whenFree(() => wire.copyBoth(stream.command), { patienceMs: SLOT_PATIENCE_MS, signal });
    failpoint("stream.started");
    return wire;
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw classify(error, { side: "source", subject: stream.slot });
  }
}

/** undefined when the server does not allow it: then all is read as it is sent. */
async function openBacklog(
  endpoint: EndpointConfig,
  { log, ...parts }: Omit<BacklogParts, "wire" | "reader"> & { readonly log: string | undefined },
  signal: AbortSignal,
): Promise<Backlog | undefined> {
  const wire = await openWire(endpoint, { side: "source", purpose: "tideway backlog", gulps: true }, signal);
  try {
    await checkAddress(endpoint, log, signal);
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

function pluginOptions(
  name: string,
  { version, encoding }: Pick<StreamFacts, "version" | "encoding">,
  { ownOnly, takes }: Pick<ChangeStreamRequest, "ownOnly" | "takes">,
): readonly string[] {
  return [
    ...["proto_version", "1", "publication_names", identifier(name)],
    ...(encoding === "pg-binary" ? ["binary", "true"] : []),
    // An older server sends all, and the decoder leaves out what has an origin.
    ...(ownOnly === true && version >= ORIGIN_VERSION ? ["origin", "none"] : []),
    ...(takes !== undefined && version >= MESSAGES_VERSION ? ["messages", "true"] : []),
  ];
}

function startCommand(slot: string, after: Position, options: readonly string[]): string {
  const list: string[] = [];
  for (let i = 0; i < options.length; i += 2) list.push(`${options[i]!} ${literal(options[i + 1]!)}`);
  return `START_REPLICATION SLOT ${identifier(slot)} LOGICAL ${after.text} (${list.join(", ")})`;
}

interface StreamFacts {
  /**
   * There is enough log after the position to be read as a backlog, nobody else reads from the slot, and it is not
   * one from which only what named standbys have may be read: its copy, which a backlog is read from, would not wait for them.
   */
  readonly isBehind: boolean;
  readonly version: number;
  readonly encoding: ChangeEncoding;
  readonly types: ReadonlyMap<string, ColumnTypes>;
  readonly laterValues: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  readonly notePrefix: string | undefined;
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
            exists (select from pg_catalog.pg_replication_slots s
                     where slot_name = $1 and not active and not pg_catalog.pg_is_in_recovery()
                       and not (to_jsonb(s) @> '{"failover": true}'
                                and pg_catalog.current_setting('synchronized_standby_slots', true) <> '')
                       and pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), $2) > $3) as behind`,
    [objects.name, request.after.text, BACKLOG_BYTES],
  );
  const { version, patience, behind } = server.rows[0]!;
  const patienceMs = Number(patience);
  const encoding = encodingFor(Number(version), request);
  return {
    isBehind: behind === "t",
    version: Number(version),
    encoding,
    types: columnTypes(request.tables),
    laterValues: await readLaterValues(client, request.tables, encoding),
    notePrefix: request.takes === undefined ? undefined : await readNotePrefix(client),
    statusIntervalMs: patienceMs > 0 ? Math.min(STATUS_INTERVAL_MS, patienceMs / 4) : STATUS_INTERVAL_MS,
  };
}

/** One form for the whole stream: binary when every column's can be told in the target too. */
function encodingFor(
  version: number,
  { tables, encodings }: Pick<ChangeStreamRequest, "tables" | "encodings">,
): ChangeEncoding {
  if (version < BINARY_VERSION || encodings?.includes("pg-binary") === false) return "text";
  const isKnown = (table: TableSchema): boolean =>
    table.columns.every((column) => column.generated !== undefined || binaryForm(column) !== undefined);
  return publishable(tables).every(isKnown) ? "pg-binary" : "text";
}

/** As the tables were described: what the catalog says now may lie ahead of the stream. */
function columnTypes(tables: readonly TableSchema[]): ReadonlyMap<string, ColumnTypes> {
  return new Map(
    tables.flatMap(({ id, shape }) => {
      if (shape === undefined) return [];
      const types = shape.columns.map(({ name, type: text }) => {
        const [type, modifier] = text.split(" ").map(Number);
        return [name, { type: type!, modifier: modifier! }] as const;
      });
      return [[tableKey(id), new Map(types)]];
    }),
  );
}
