import type { ServerProbe, SourceProbe } from "../../../core/server-probe.ts";
import { probeClock } from "../../shared/clock-probe.ts";
import type { Client } from "../connection/client.ts";
import { keepsFor } from "../log/log-expiry.ts";
import { logFiles } from "../log/log-state.ts";

const COUNTERS = ["Innodb_rows_inserted", "Innodb_rows_updated", "Innodb_rows_deleted"];

/** Rows are counted by InnoDB, for the whole server. A file of the log that goes while it is watched makes the difference too small. */
export async function probeSource(client: Client): Promise<SourceProbe> {
  const server = await probe(client);
  const files = await logFiles(client);
  const rows = await client.query<{ Value: string }>(
    `show global status where variable_name in (${COUNTERS.map((name) => `'${name}'`).join(", ")})`,
  );
  const seconds = await keepsFor(client);
  return {
    ...server,
    atMs: performance.now(),
    logBytes: files?.reduce((sum, { bytes }) => sum + bytes, 0),
    changedRows: rows.reduce((sum, { Value }) => sum + Number(Value), 0),
    logKept: seconds === undefined ? {} : { seconds },
  };
}

export async function probe(client: Client): Promise<ServerProbe> {
  const clock = await probeClock(async () => {
    const [row] = await client.query<{ now: string }>("select unix_timestamp(now(6)) * 1000 as now");
    return Number(row!.now);
  });
  return { server: client.facts.text, ...clock };
}
