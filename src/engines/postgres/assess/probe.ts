import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { ServerProbe, SourceProbe } from "../../../core/server-probe.ts";
import { probeClock } from "../../shared/clock-probe.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { foreseeNotes } from "../log/foresee-notes.ts";

const BYTES_OF_MB = 1 << 20;

interface SourceCounters {
  readonly logBytes: number;
  readonly changedRows: number;
  /** In MB; null before version 13, where there is no limit, and -1 for none. */
  readonly keepSize: number | null;
}

/** The server's statistics are a second old at the most, which the length of a watch makes up for. */
export async function probeSource(client: pg.Client, endpoint: EndpointConfig): Promise<SourceProbe> {
  const server = await probe(client);
  const [counters] = await selectJson<SourceCounters>(
    client,
    `select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0')::float8 as "logBytes",
       (tup_inserted + tup_updated + tup_deleted)::float8 as "changedRows",
       (select setting::float8 from pg_settings where name = 'max_slot_wal_keep_size') as "keepSize"
     from pg_stat_database where datname = current_database()`,
  );
  const { logBytes, changedRows, keepSize } = counters!;
  const isLimited = keepSize !== null && keepSize >= 0;
  const logKept = isLimited ? { bytes: keepSize * BYTES_OF_MB } : {};
  const unnoted = await foreseeNotes(client, endpoint);
  return { ...server, atMs: performance.now(), logBytes, changedRows, logKept, unnoted };
}

export async function probe(client: pg.Client): Promise<ServerProbe> {
  const [version] = await selectJson<{ text: string }>(
    client,
    "select current_setting('server_version') as text",
  );
  const clock = await probeClock(async () => {
    const [row] = await selectJson<{ now: number }>(
      client,
      "select (extract(epoch from clock_timestamp()) * 1000)::float8 as now",
    );
    return row!.now;
  });
  return { server: `PostgreSQL ${version!.text}`, ...clock };
}
