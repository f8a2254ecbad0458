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
    unnoted: [],
  };
}

export async function probe(client: Client): Promise<ServerProbe> {
  const clock = await probeClock(async () => {
    const [row] = await client.query<{ now: string }>("select unix_timestamp(now(6)) * 1000 as now");
    return Number(row!.now);
  });
  const freeBytes = await freeSpace(client);
  return { server: client.facts.text, ...clock, ...(freeBytes === undefined ? {} : { freeBytes }) };
}

/** MariaDB tells it with its plugin DISKS, where somebody has installed that, to users with the privilege FILE. */
async function freeSpace(client: Client): Promise<number | undefined> {
  const active = await client.query(
    "select 1 from information_schema.plugins where plugin_name = 'DISKS' and plugin_status = 'ACTIVE'",
  );
  if (active.length === 0) return undefined;
  const [disk] = await client.query<{ free: string }>(
    `select available * 1024 as free from information_schema.disks
      where @@global.datadir like concat(path, '%') order by length(path) desc limit 1`,
  );
  return disk === undefined ? undefined : Number(disk.free);
}
