import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { TimeRequest } from "../../../core/source.ts";
import { errorAddress } from "../connection/address.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { checkEvent, openDump } from "./binlog-dump.ts";
import { EventKind } from "./binlog-event.ts";
import { type BinlogPlace, placePosition } from "./binlog-position.ts";
import { resolvePosition } from "./given-position.ts";
import { type LogFile, logFiles, logStatus } from "./log-state.ts";

const FIRST_BYTE = 4;
/** Where the common header has its fields (MySQL's "Binlog Event Header"). */
const Header = { timestamp: 0, kind: 4, length: 9, endsAt: 13, flags: 17 } as const;
/** Flag of an event that the server made up for this reader: it does not lie in the file. */
const ARTIFICIAL = 0x20;

/** With one of these each transaction begins. */
const BEGINS: ReadonlySet<number> = new Set([
  EventKind.gtid,
  EventKind.anonymousGtid,
  EventKind.gtidTagged,
  EventKind.mariadbGtid,
]);

/** Events of the log itself, whose times are those of no transaction. */
const OUTSIDE: ReadonlySet<number> = new Set([
  EventKind.stop,
  EventKind.rotate,
  EventKind.formatDescription,
  EventKind.heartbeat,
  EventKind.heartbeat2,
  EventKind.previousGtids,
  EventKind.binlogCheckpoint,
  EventKind.mariadbGtidList,
  EventKind.startEncryption,
]);

interface Search extends TimeRequest {
  readonly endpoint: EndpointConfig;
  readonly signal: AbortSignal;
}

interface Found {
  /** It does not lie in the file. */
  readonly isMadeUp: boolean;
  readonly seconds: number;
  readonly kind: number;
  readonly starts: number;
  readonly endsAt: number;
}

/**
 * See Source.positionAtTime. Files are told apart by when they were begun; of one the headers of all events are read,
 * for which the server sends the file. Times in the log are whole seconds.
 */
export async function positionAtTime(
  endpoint: EndpointConfig,
  request: TimeRequest,
  signal: AbortSignal,
): Promise<Position> {
  const search = { ...request, endpoint, signal };
  await using client = await connect(endpoint, { side: "source", purpose: "tideway source" }, signal);
  const files = await closedFiles(client);
  const first = files[0];
  if (first === undefined) {
    throw unavailable(search, "The source has no binary log, or its user may not ask for the log's files.");
  }
  const [clock] = await client.query<{ seconds: string }>("select unix_timestamp() as seconds");
  if (secondsOf(request) > Number(clock!.seconds)) {
    throw unavailable(search, `On the source's clock ${timeText(request)} has not come yet.`);
  }
  let at = await newestBegunBefore(files, search);
  if (at < 0) {
    // What was before the first file of all is nothing.
    if (!/\.0*1$/.test(first.name)) {
      throw unavailable(search, `The source's log does not reach back to ${timeText(request)}.`);
    }
    at = 0;
  }
  let place: BinlogPlace | undefined;
  for (; place === undefined && at < files.length; at++) place = await firstIn(files[at]!, search);
  const last = files.at(-1)!;
  place ??= { file: last.name, byte: last.bytes };
  return await resolvePosition(client, placePosition(place), errorAddress(endpoint));
}

/** The log's files as they are now: what is written later is left alone. */
async function closedFiles(client: Client): Promise<readonly LogFile[]> {
  const end = (await logStatus(client))?.place;
  const files = (await logFiles(client)) ?? [];
  const last = files.findIndex(({ name }) => name === end?.file);
  if (end === undefined || last < 0) return [];
  return [...files.slice(0, last), { name: end.file, bytes: end.byte }];
}

/** Index of the newest file that was begun before the time; -1 for none. */
async function newestBegunBefore(files: readonly LogFile[], search: Search): Promise<number> {
  let [low, high] = [-1, files.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    let begun = 0;
    await eachEvent(files[middle]!, search, ({ seconds }) => {
      begun = seconds;
      return true;
    });
    if (begun < secondsOf(search)) low = middle;
    else high = middle;
  }
  return low;
}

/** Where the first transaction of a file begins of which any event is of the time or later; undefined for none. */
async function firstIn(file: LogFile, search: Search): Promise<BinlogPlace | undefined> {
  const wanted = secondsOf(search);
  let begins: number | undefined;
  let found: BinlogPlace | undefined;
  await eachEvent(file, search, ({ seconds, kind, starts }) => {
    if (BEGINS.has(kind)) begins = starts;
    if (begins === undefined || seconds < wanted || OUTSIDE.has(kind)) return false;
    found = { file: file.name, byte: begins };
    return true;
  });
  return found;
}

/**
 * Tells of the events of one file in their order, until it is answered with true. A file of a server that went down has no
 * event that ends it; then the server announces the next one, as it has announced this.
 */
async function eachEvent(
  { name, bytes: size }: LogFile,
  { endpoint, taskId, signal }: Search,
  isEnough: (event: Found) => boolean,
): Promise<void> {
  const after = placePosition({ file: name, byte: FIRST_BYTE });
  // Under a stream's own number the server would end the stream.
  const { wire } = await openDump(endpoint, { taskId: `${taskId} time`, after, tables: [] }, signal);
  const { packets } = wire;
  let announced = 0;
  try {
    for (;;) {
      while (packets.next()) {
        checkEvent(packets, endpoint);
        const event = eventAt(packets.bytes, packets.start + 1);
        if (event.isMadeUp) {
          if (event.kind === EventKind.rotate && ++announced > 1) return;
          continue;
        }
        if (isEnough(event) || event.endsAt >= size || event.kind === EventKind.rotate) return;
      }
      await packets.fill();
    }
  } finally {
    wire.destroy();
  }
}

function eventAt(bytes: Buffer, start: number): Found {
  const seconds = bytes.readUInt32LE(start + Header.timestamp);
  const isMadeUp = (bytes.readUInt16LE(start + Header.flags) & ARTIFICIAL) !== 0 || seconds === 0;
  const kind = bytes[start + Header.kind]!;
  const endsAt = bytes.readUInt32LE(start + Header.endsAt);
  return { isMadeUp, seconds, kind, endsAt, starts: endsAt - bytes.readUInt32LE(start + Header.length) };
}

function secondsOf({ timeMs }: TimeRequest): number {
  return Math.floor(timeMs / 1000);
}

function timeText({ timeMs }: TimeRequest): string {
  return new Date(timeMs).toISOString().slice(0, 19);
}

function unavailable({ endpoint }: Search, message: string): MigrationError {
  return new MigrationError("source.position_unavailable", { message, subject: errorAddress(endpoint) });
}
