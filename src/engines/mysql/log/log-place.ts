import type { Position } from "../../../core/position.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { GTID_KIND, gtidsOf, placeOf } from "./binlog-position.ts";
import { containsGtids, type GtidSet, parseGtids } from "./gtid.ts";
import { isNotAllowed, type LogFile, logFiles, readGtids } from "./log-state.ts";

/** Whether everything after a position is still in the log; true also where that cannot be asked. */
export async function isKept(client: Client, position: Position): Promise<boolean> {
  if (position.kind !== GTID_KIND) return await isFileKept(client, position);
  const seen = gtidsOf(position);
  if (client.facts.flavour === "mysql") return containsGtids(seen, await readGtids(client, "gtid_purged"));
  const [oldest] = (await logFiles(client)) ?? [];
  const before = oldest === undefined ? undefined : await gtidsBefore(client, oldest.name);
  return before === undefined || containsGtids(seen, before);
}

async function isFileKept(client: Client, position: Position): Promise<boolean> {
  const files = await logFiles(client);
  const { file, byte } = placeOf(position);
  return files === undefined || files.some(({ name, bytes }) => name === file && byte <= bytes);
}

/** Which of the log's files a reader stands in. */
export interface FilePlace {
  readonly files: readonly LogFile[];
  /** Index into files. */
  readonly at: number;
  /** Within the file; 0 where only the file is known. */
  readonly byte: number;
}

/**
 * Where a position lies in the log's files; undefined where that cannot be asked or the log does not reach there. Of
 * GTIDs the file is known that a reader begins with.
 */
export async function filePlace(client: Client, position: Position): Promise<FilePlace | undefined> {
  const files = await logFiles(client);
  if (files === undefined || files.length === 0) return undefined;
  if (position.kind === GTID_KIND) {
    const at = await gtidFile(client, files, gtidsOf(position));
    return at === undefined ? undefined : { files, at, byte: 0 };
  }
  const { file, byte } = placeOf(position);
  const at = files.findIndex(({ name }) => name === file);
  return at === -1 ? undefined : { files, at, byte };
}

/** The newest file before which nothing was logged that has not been seen. A reader is in the newest of all, mostly. */
async function gtidFile(
  client: Client,
  files: readonly LogFile[],
  seen: GtidSet,
): Promise<number | undefined> {
  const isSeenBefore = async (at: number): Promise<boolean> => {
    const before = await gtidsBefore(client, files[at]!.name);
    return before !== undefined && containsGtids(seen, before);
  };
  if (await isSeenBefore(files.length - 1)) return files.length - 1;
  let [low, high] = [-1, files.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (await isSeenBefore(middle)) low = middle;
    else high = middle;
  }
  return low === -1 ? undefined : low;
}

/** GTIDs of everything before a file of the log; undefined for a user who may not ask. */
async function gtidsBefore(client: Client, file: string): Promise<GtidSet | undefined> {
  try {
    return client.facts.flavour === "mariadb"
      ? await mariadbGtids(client, file)
      : await previousGtids(client, file);
  } catch (error) {
    if (isNotAllowed(error)) return undefined;
    throw error;
  }
}

async function mariadbGtids(client: Client, file: string): Promise<GtidSet | undefined> {
  const [row] = await client.query<{ value: string | null }>(
    `select binlog_gtid_pos(${literal(file)}, 4) as value`,
  );
  return row === undefined || row.value === null ? undefined : parseGtids(row.value);
}

/** MySQL writes them into the file's second event. */
async function previousGtids(client: Client, file: string): Promise<GtidSet | undefined> {
  const rows = await client.query<{ Event_type: string; Info: string | null }>(
    `show binlog events in ${literal(file)} limit 2`,
  );
  const event = rows.find((row) => row.Event_type === "Previous_gtids");
  return event === undefined ? undefined : parseGtids(event.Info ?? "");
}
