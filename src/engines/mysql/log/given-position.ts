import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { StopPosition } from "../../../core/source.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { BINLOG_KIND, type BinlogPlace, gtidPosition, gtidPositionOf, placeOf } from "./binlog-position.ts";
import { addToIntervals, parseGtids } from "./gtid.ts";
import { logFiles } from "./log-state.ts";

/** Events of the log that are asked for at once. */
const EVENTS = 20_000;

/** What the event sets GTID_NEXT to: a UUID, maybe a tag, and a number. */
const GTID = /'([0-9a-f-]{36}(?::[a-z_]\w*)?):(\d+)'/i;

interface EventRow {
  readonly Event_type: string;
  readonly End_log_pos: string;
  readonly Info: string | null;
}

/**
 * See Source.resolvePosition: a file and a byte as the GTIDs of what is logged before, on a server that has them. A
 * transaction counts when its first event ends there or before. Throws `source.position_unavailable` for what is not in
 * the log's files. MySQL's answer takes reading the file up to there.
 */
export async function resolvePosition(
  client: Client,
  position: Position,
  address: string,
): Promise<Position> {
  const unavailable = (message: string): MigrationError =>
    new MigrationError("source.position_unavailable", { message, subject: address });
  const isPlace = position.kind === BINLOG_KIND;
  if (isPlace !== client.facts.hasGtids) return position;
  if (!isPlace) {
    throw unavailable(
      `The source does not number its transactions: ${position.text} cannot be found in its log.`,
    );
  }
  const place = placeOf(position);
  const file = (await logFiles(client))?.find(({ name }) => name === place.file);
  if (file === undefined || place.byte > file.bytes) {
    throw unavailable(`The source's log has no place ${position.text}, of which the GTIDs are asked.`);
  }
  const found =
    client.facts.flavour === "mariadb" ? await mariadbGtids(client, place) : await mysqlGtids(client, place);
  if (found === undefined) throw unavailable(`The source does not tell the GTIDs of ${position.text}.`);
  return found;
}

/**
 * See Source.stopPosition. A server with GTIDs tells those of a file and a byte only once it has written so far, and the
 * stream reads past both anyway.
 */
export async function stopPosition(
  client: Client,
  position: Position,
  address: string,
): Promise<StopPosition> {
  const isPlace = position.kind === BINLOG_KIND;
  if (!isPlace || !client.facts.hasGtids) {
    return { position: await resolvePosition(client, position, address), compares: true };
  }
  const newest = (await logFiles(client))?.at(-1);
  const { file } = placeOf(position);
  if (newest !== undefined && baseOf(file) !== baseOf(newest.name)) {
    throw new MigrationError("source.position_unavailable", {
      message: `The source's log is called ${newest.name}: it will not come to ${position.text}.`,
      subject: address,
    });
  }
  return { position, compares: false };
}

function baseOf(file: string): string {
  return file.slice(0, file.lastIndexOf("."));
}

async function mariadbGtids(client: Client, { file, byte }: BinlogPlace): Promise<Position | undefined> {
  const [row] = await client.query<{ value: string | null }>(
    `select binlog_gtid_pos(${literal(file)}, ${byte}) as value`,
  );
  return row === undefined || row.value === null ? undefined : gtidPositionOf(row.value);
}

async function mysqlGtids(client: Client, { file, byte }: BinlogPlace): Promise<Position | undefined> {
  const servers = new Map<string, number[]>();
  let isKnown = false;
  for (let from = 4; from < byte; ) {
    const rows = await client.query<EventRow>(
      `show binlog events in ${literal(file)} from ${from} limit ${EVENTS}`,
    );
    for (const { Event_type: kind, End_log_pos: end, Info: info } of rows) {
      if (Number(end) > byte) return isKnown ? positionOf(servers) : undefined;
      if (kind === "Previous_gtids") {
        isKnown = true;
        const before = parseGtids(info ?? "");
        if (before.flavour !== "mysql") return undefined;
        for (const [uuid, intervals] of before.servers) servers.set(uuid, [...intervals]);
      } else if (/^gtid/i.test(kind)) {
        const [, source, number] = GTID.exec(info ?? "") ?? [];
        if (source === undefined) return undefined;
        const intervals = servers.get(source.toLowerCase()) ?? [];
        servers.set(source.toLowerCase(), intervals);
        addToIntervals(intervals, Number(number));
      }
    }
    const last = Number(rows.at(-1)?.End_log_pos ?? 0);
    if (last <= from) break;
    from = last;
  }
  return isKnown ? positionOf(servers) : undefined;
}

function positionOf(servers: ReadonlyMap<string, number[]>): Position {
  const sorted = [...servers].sort(([a], [b]) => (a < b ? -1 : 1));
  return gtidPosition({ flavour: "mysql", servers: new Map(sorted) });
}
