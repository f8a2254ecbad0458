import { createHash } from "node:crypto";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import { errorAddress } from "../connection/address.ts";
import type { Client } from "../connection/client.ts";
import { openWire } from "../connection/connection.ts";
import type { PacketReader } from "../connection/packet-reader.ts";
import { readServerError } from "../connection/server-error.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { BINLOG_KIND, gtidsOf, placeOf } from "./binlog-position.ts";
import { readRowFacts } from "./binlog-row-facts.ts";
import type { RowFacts } from "./binlog-row-plan.ts";
import { formatGtids, type GtidSet, isEmpty, uuidText } from "./gtid.ts";
import { type FoundCopies, findCopies } from "./table-copies.ts";
import { type DefinitionFacts, readDefinitionFacts } from "./table-notes.ts";

/** How often a server that has nothing to send says so. */
export const HEARTBEAT_MS = 5_000;

/** First bytes of a packet (manual, "COM_BINLOG_DUMP"): an event follows, the log has ended, an error. */
const EVENT = 0x00;
const END = 0xfe;
const ERROR = 0xff;

const COM_BINLOG_DUMP = 0x12;
const COM_BINLOG_DUMP_GTID = 0x1e;
const FIRST_BYTE = 4;
/** The form of a set of GTIDs with tags. */
const TAGGED = 1n;
/** What a reader of the log says that it understands: MariaDB's GTIDs. */
const MARIADB_CAPABILITY = 4;

export interface DumpRequest {
  readonly taskId: string;
  readonly after: Position;
  readonly tables: readonly TableSchema[];
  /** Copies of the tables are looked for, that may take their places. */
  readonly findsCopies?: boolean;
  /** Throws when the session is not at the server whose log is to be read. */
  readonly checkLog?: ((client: Client) => Promise<void>) | undefined;
}

export interface Dump {
  readonly wire: WireSession;
  readonly facts: RowFacts;
  readonly definitions: DefinitionFacts;
  readonly copies: FoundCopies | undefined;
  readonly hasChecksum: boolean;
}

/** A session over which the server sends its log after a position, each event as a packet. */
export async function openDump(
  endpoint: EndpointConfig,
  request: DumpRequest,
  signal: AbortSignal,
): Promise<Dump> {
  let facts: RowFacts | undefined;
  let definitions: DefinitionFacts | undefined;
  let copies: FoundCopies | undefined;
  let hasChecksum = false;
  const prepare = async (client: Client): Promise<void> => {
    await request.checkLog?.(client);
    facts = await readRowFacts(client, endpoint, request.tables);
    definitions = await readDefinitionFacts(client, endpoint);
    if (request.findsCopies === true) copies = await findCopies(client, request.tables, definitions.choices);
    await client.execute(sessionSql(client, request));
    const [row] = await client.query<{ readonly checksum: string | null }>(
      "select @master_binlog_checksum as checksum",
    );
    hasChecksum = row?.checksum?.toUpperCase() === "CRC32";
  };
  const wire = await openWire(endpoint, { side: "source", purpose: "tideway stream", prepare }, signal);
  await wire.command(dumpCommand(request, wire.facts.flavour === "mariadb"));
  return { wire, facts: facts!, definitions: definitions!, copies, hasChecksum };
}

/** Throws unless the packet that the reader has come to holds an event, which follows its first byte. */
export function checkEvent({ bytes, start, end }: PacketReader, endpoint: EndpointConfig): void {
  switch (bytes[start]) {
    case EVENT:
      return;
    case ERROR:
      throw readServerError(bytes, start, end);
    case END:
      throw new MigrationError("connect.lost", {
        message: "The source ended the change stream.",
        subject: errorAddress(endpoint),
      });
    default:
      throw new MigrationError("source.protocol", {
        message: "The change stream is malformed: unknown packet.",
      });
  }
}

/** What the server is told of this reader before the log is asked for: user variables of either name. */
function sessionSql({ facts }: Client, { taskId, after }: DumpRequest): string {
  const period = HEARTBEAT_MS * 1_000_000;
  const uuid = literal(readerUuid(taskId));
  const common = ["master", "source"].flatMap((name) => [
    `@${name}_binlog_checksum = @@global.binlog_checksum`,
    `@${name}_heartbeat_period = ${period}`,
  ]);
  // A reader of before that is still connected is cut by the server when the same one comes again.
  const names = [`@slave_uuid = ${uuid}`, `@replica_uuid = ${uuid}`];
  const isByGtid = facts.flavour === "mariadb" && after.kind !== BINLOG_KIND;
  const mariadb =
    facts.flavour === "mysql"
      ? []
      : [
          `@mariadb_slave_capability = ${MARIADB_CAPABILITY}`,
          ...(isByGtid
            ? [`@slave_connect_state = ${literal(connectState(after))}`, "@slave_gtid_strict_mode = 1"]
            : []),
        ];
  return `set ${[...common, ...names, ...mariadb].join(", ")}`;
}

function connectState(after: Position): string {
  const set = gtidsOf(after);
  return isEmpty(set) ? "" : formatGtids(set);
}

function dumpCommand({ taskId, after }: DumpRequest, isMariadb: boolean): Buffer {
  const server = readerId(taskId);
  if (after.kind === BINLOG_KIND) {
    const { file, byte } = placeOf(after);
    if (byte > 0xffffffff) throw tooFar(after);
    return dumpFrom(server, file, byte);
  }
  if (isMariadb) return dumpFrom(server, "", FIRST_BYTE);
  const set = gtidsOf(after);
  if (set.flavour === "mariadb") throw otherLog(after);
  return dumpAfter(server, set);
}

/** COM_BINLOG_DUMP: where to start, flags, this reader's number, the file. */
function dumpFrom(server: number, file: string, byte: number): Buffer {
  const name = Buffer.from(file);
  const payload = Buffer.alloc(11 + name.length);
  payload[0] = COM_BINLOG_DUMP;
  payload.writeUInt32LE(byte, 1);
  payload.writeUInt32LE(server, 7);
  name.copy(payload, 11);
  return payload;
}

/** COM_BINLOG_DUMP_GTID: flags, this reader's number, no file, its first byte, and the set that is not to be sent. */
function dumpAfter(server: number, set: Extract<GtidSet, { flavour: "mysql" }>): Buffer {
  const encoded = encodeGtids(set);
  const head = Buffer.alloc(23);
  head[0] = COM_BINLOG_DUMP_GTID;
  head.writeUInt32LE(server, 3);
  head.writeUInt32LE(FIRST_BYTE, 11);
  head.writeUInt32LE(encoded.length, 19);
  return Buffer.concat([head, encoded]);
}

/**
 * For each server its UUID and its intervals, the end of each being the first number that is not in it. Where some have
 * tags, the count that stands before them all says so, and each has its tag behind its UUID, which may be none.
 */
function encodeGtids({ servers }: Extract<GtidSet, { flavour: "mysql" }>): Buffer {
  const sources = [...servers].map(([source, intervals]) => {
    const [uuid, tag = ""] = source.split(":") as [string, string?];
    return { uuid: Buffer.from(uuid.replaceAll("-", ""), "hex"), tag: Buffer.from(tag), intervals };
  });
  const hasTags = sources.some(({ tag }) => tag.length > 0);
  const count = BigInt(sources.length);
  const parts: Buffer[] = [uint64(hasTags ? (TAGGED << 56n) | (count << 8n) | TAGGED : count)];
  for (const { uuid, tag, intervals } of sources) {
    parts.push(uuid);
    if (hasTags) parts.push(Buffer.from([tag.length << 1]), tag);
    parts.push(uint64(intervals.length / 2));
    for (let i = 0; i < intervals.length; i += 2) {
      parts.push(uint64(intervals[i]!), uint64(intervals[i + 1]! + 1));
    }
  }
  return Buffer.concat(parts);
}

function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** In the upper half of the range: servers are seldom numbered there, and two readers of one number cut each other off. */
function readerId(taskId: string): number {
  return (digest(taskId).readUInt32LE(0) | 0x80000000) >>> 0;
}

function readerUuid(taskId: string): string {
  return uuidText(digest(taskId).subarray(0, 16));
}

function digest(taskId: string): Buffer {
  return createHash("sha256").update(`tideway reader ${taskId}`).digest();
}

function otherLog(after: Position): MigrationError {
  return new MigrationError("source.position_unavailable", {
    message: `The position ${after.text} is one of a MariaDB server, and the source is none.`,
    subject: after.text,
  });
}

function tooFar(after: Position): MigrationError {
  return new MigrationError("source.position_unavailable", {
    message: `The source cannot be asked for its log after ${after.text}: the place lies behind 4 GB of a file.`,
    subject: after.text,
  });
}
