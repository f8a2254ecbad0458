import { runPgbench } from "../../test/support/workload.ts";
import { type BulkPace, writeBulks } from "../changes/bulk-writer.ts";
import type { Replication } from "../changes/contender.ts";
import {
  createFromTemplate,
  type DatabasePair,
  dropDatabase,
  makeTemplates,
  rowDifferences,
} from "../changes/databases.ts";
import { beatOnce, heartbeatTable, lagsOf, lastBeat, sendBeats, watchBeats } from "../changes/heartbeat.ts";
import { native } from "../changes/native.ts";
import { tidewayChanges } from "../changes/tideway.ts";
import { eventTable, pgbenchTables } from "../data/workloads.ts";
import type { ToolName } from "../peer-tools.ts";
import type { Attempt, Context, LagFigures, Profile, Workbench } from "../profile.ts";
import { type ServerPair, settle, startServers } from "../servers.ts";
import { percentile } from "../statistics.ts";
import { CHANGES_SERVER_VERSION, changeContenderEntry } from "./change-profile.ts";

/** PostgreSQL to PostgreSQL, how far behind a target is while an application writes. */

const RAMP_UP_S = 2;
/** For what a run has left behind at its end. */
const DRAIN_S = 120;

const contenders = [tidewayChanges, native({ name: "native", streaming: "off" })];

/** What an application does while lag is measured. */
interface Load {
  readonly name: string;
  readonly description: string;
  /** Who writes, for the report. */
  readonly writer: string;
  readonly tables: string;
  /** Programs that it takes. */
  readonly needs: readonly ToolName[];
  /** For how long lag is measured. */
  readonly seconds: number;
  /** Writes for some seconds; resolves with how many transactions a second there were. */
  readonly write: (pair: DatabasePair, seconds: number, scale: number) => Promise<number>;
}

/** TPC-B by pgbench, so many transactions a second at scale 1; as many as four clients can when left out. */
function pgbenchLoad(rate: number | undefined): Omit<Load, "name" | "description"> {
  return {
    writer: "pgbench's four clients write",
    tables: pgbenchTables,
    needs: ["pgbench"],
    seconds: 15,
    async write({ servers, source }, seconds, scale) {
      const throttle = rate === undefined ? [] : ["-R", String(Math.max(1, Math.round(rate * scale)))];
      const { output } = await runPgbench({
        url: servers.source.url(source),
        args: ["-n", "-c4", "-j1", `-T${seconds}`, "--random-seed=1", ...throttle],
      });
      return Number(/^tps = ([\d.]+)/m.exec(output)?.[1]);
    },
  };
}

/** Large transactions at a steady pace, which scale makes slower, not smaller. */
function bulkLoad(pace: Omit<BulkPace, "seconds">): Omit<Load, "name" | "description"> {
  return {
    writer: "One session inserts",
    tables: eventTable,
    needs: [],
    seconds: 20,
    write: ({ servers, source }, seconds, scale) =>
      writeBulks(servers.source, source, {
        ...pace,
        transactionsPerS: pace.transactionsPerS * scale,
        seconds,
      }),
  };
}

function lagProfile(load: Load): Profile {
  return {
    name: load.name,
    description: load.description,
    fairness: `${load.writer} for ${RAMP_UP_S + load.seconds} s on the same machine. A heartbeat is written 50 times a second with the source's clock in the last ${load.seconds} s, and a session of the target looks for it every millisecond: lag is commit, transport, apply and commit together.`,
    shows: "lag",
    serverVersion: CHANGES_SERVER_VERSION,
    mariadb: false,
    minutes: 4,
    contenders: contenders.map((contender) => {
      const entry = changeContenderEntry(contender);
      return {
        name: entry.name,
        needs: load.needs,
        missing: (context) => entry.missing(context) ?? context.tools.whyNot(load.needs),
      };
    }),
    targets: [
      { kind: "over", metric: "lagP50Ms", peers: ["native"], limit: 2 },
      { kind: "share", metric: "lagP99Ms", peers: ["native"], limit: 1 },
    ],
    warmUps: 0,
    prepare: (context) => prepare(load, context),
  };
}

export const pgLagProfiles: readonly Profile[] = [
  lagProfile({
    name: "pg-lag/1000",
    description: "lag at 1,000 pgbench transactions a second",
    ...pgbenchLoad(1000),
  }),
  lagProfile({
    name: "pg-lag/saturated",
    description: "lag while pgbench writes as fast as it can",
    ...pgbenchLoad(undefined),
  }),
  lagProfile({
    name: "pg-lag/bulk",
    description: "lag at 20,000 rows a second, inserted in transactions of 2,000",
    ...bulkLoad({ rowsPerTransaction: 2000, transactionsPerS: 10 }),
  }),
];

async function prepare(load: Load, context: Context): Promise<Workbench> {
  const servers = await startServers(context);
  await makeTemplates(servers, `${load.tables}; ${heartbeatTable}`);
  return {
    volume: { rows: 0, bytes: undefined },
    sourcePid: servers.source.pid,
    targetPid: servers.target.pid,
    open: (name, round) => open({ servers, name, round, load, context }),
  };
}

interface Opening {
  readonly servers: ServerPair;
  readonly name: string;
  readonly round: number;
  readonly load: Load;
  readonly context: Context;
}

/** Databases of its own on both sides, and a replication that has caught up. */
async function open({ servers, name, round, load, context }: Opening): Promise<Attempt> {
  const contender = contenders.find((one) => one.name === name)!;
  const id = `bench_${name}_${round}`;
  const pair: DatabasePair = { servers, source: id, target: id };
  await Promise.all([createFromTemplate(servers.source, id), createFromTemplate(servers.target, id)]);
  const replication = await contender.attach({ ...pair, id, stage: context.stage });
  await settle(servers);
  await replication.prepare();
  await replication.start();
  await beatOnce(servers.source, id, 0);
  await Promise.race([untilRow(pair), replication.failed]);
  replication.measure();
  return {
    async run() {
      const loaded = underLoad(pair, load, context.scale);
      try {
        const lag = await Promise.race([loaded, replication.failed]);
        return { tool: replication.usage(), lag };
      } finally {
        // The load must not go on into the next run.
        await loaded.catch(() => undefined);
      }
    },
    check: async () => (await replication.stop()) ?? (await rowDifferences(pair)),
    [Symbol.asyncDispose]: () => close(pair, replication),
  };
}

async function close({ servers, source, target }: DatabasePair, replication: Replication): Promise<void> {
  await replication[Symbol.asyncDispose]();
  await Promise.all([dropDatabase(servers.source, source), dropDatabase(servers.target, target)]);
}

async function untilRow({ servers, target }: DatabasePair): Promise<void> {
  for (const endMs = performance.now() + DRAIN_S * 1000; performance.now() < endMs; ) {
    const rows = await servers.target.query("select 1 from heartbeat where id = 0", target);
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Replication did not begin.");
}

async function underLoad(pair: DatabasePair, load: Load, scale: number): Promise<LagFigures> {
  const { servers, source, target } = pair;
  const seconds = RAMP_UP_S + load.seconds;
  const watching = watchBeats(servers.target, target, seconds + DRAIN_S);
  const writing = load.write(pair, seconds, scale);
  const sending = new Promise((resolve) => setTimeout(resolve, RAMP_UP_S * 1000)).then(() =>
    sendBeats(servers.source, source, load.seconds),
  );
  const [sent, transactionsPerS] = await Promise.all([sending, writing]);
  await lastBeat(servers.source, source);
  const lags = lagsOf(sent, await watching);
  return {
    p50Ms: percentile(lags, 0.5),
    p99Ms: percentile(lags, 0.99),
    maxMs: Math.max(...lags),
    transactionsPerS,
  };
}
