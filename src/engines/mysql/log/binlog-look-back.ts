import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { errorAddress } from "../connection/address.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { BinlogDecoder } from "./binlog-decoder.ts";
import { checkEvent, openDump } from "./binlog-dump.ts";
import { type BinlogPlace, compareBinlogPlaces, placePosition } from "./binlog-position.ts";
import type { KeptEvent } from "./binlog-prepared.ts";
import { logFiles } from "./log-state.ts";

export interface LookBack {
  readonly taskId: string;
  /** Of which its changes are asked. */
  readonly tables: readonly TableSchema[];
  /** The transaction's name as the log writes it. */
  readonly xid: string;
  /** Where its commit begins. */
  readonly before: BinlogPlace;
  readonly checkLog: ((client: Client) => Promise<void>) | undefined;
}

const FIRST_BYTE = 4;

/**
 * What a transaction of two phases (XA) has changed that commits in a stream which began after it was prepared. It lies
 * before the stream's position, however long ago, so the log's files are read once more, the newest first: a name may have
 * been used before. Throws `source.prepared_transactions` when it is in none that is left.
 */
export async function findPrepared(
  endpoint: EndpointConfig,
  look: LookBack,
  signal: AbortSignal,
): Promise<readonly KeptEvent[]> {
  const { file: last } = look.before;
  const names = await fileNames(endpoint, look, signal);
  for (let at = names.indexOf(last); at >= 0; at--) {
    const found = await preparedIn(endpoint, { ...look, file: names[at]! }, signal);
    if (found !== undefined) return found;
  }
  throw new MigrationError("source.prepared_transactions", {
    message: `A transaction (XA) has committed on the source, and the log before ${last}:${look.before.byte} does not hold any more what it had prepared.`,
    subject: errorAddress(endpoint),
  });
}

async function fileNames(
  endpoint: EndpointConfig,
  { checkLog }: LookBack,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await using client = await connect(endpoint, { side: "source", purpose: "tideway look back" }, signal);
  await checkLog?.(client);
  return ((await logFiles(client)) ?? []).map(({ name }) => name);
}

/** What one file says of it, up to where its commit begins; undefined for nothing. */
async function preparedIn(
  endpoint: EndpointConfig,
  { taskId, tables, xid, file, before, checkLog }: LookBack & { readonly file: string },
  signal: AbortSignal,
): Promise<readonly KeptEvent[] | undefined> {
  const after = placePosition({ file, byte: FIRST_BYTE });
  // Under the stream's own number the server would end the stream.
  const dump = await openDump(endpoint, { taskId: `${taskId} look back`, after, tables, checkLog }, signal);
  const { hasChecksum } = dump;
  const { outside } = dump.facts;
  const facts = { ...dump.facts, outside: [] };
  const lookFor = { xid, tables: [...tables, ...outside] };
  const decoder = new BinlogDecoder({ tables: [], after, facts, hasChecksum, lookFor });
  const { packets } = dump.wire;
  const isOver = (): boolean =>
    decoder.place.file !== file || (file === before.file && compareBinlogPlaces(decoder.place, before) >= 0);
  try {
    while (!isOver()) {
      while (!isOver() && packets.next()) {
        checkEvent(packets, endpoint);
        decoder.decode(packets.bytes, packets.start + 1, packets.end);
        for (; decoder.pause !== undefined; decoder.resume()) {
          if (decoder.pause.kind === "payload") await decoder.pause.fill();
        }
      }
      if (!isOver()) await packets.fill();
    }
  } finally {
    dump.wire.destroy();
  }
  return decoder.prepared(xid);
}
