import { runPgbench } from "../../test/support/workload.ts";
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
import { pgbenchTables } from "../data/workloads.ts";
import type { Attempt, Context, LagFigures, Profile, Workbench } from "../profile.ts";
import { type ServerPair, settle, startServers } from "../servers.ts";
import { percentile } from "../statistics.ts";
import { CHANGES_SERVER_VERSION, changeContenderEntry } from "./change-profile.ts";

/** PostgreSQL to PostgreSQL, how far behind a target is while an application writes. */

const RAMP_UP_S = 2;
const SECONDS = 15;
/** For what a run has left behind at its end. */
const DRAIN_S = 120;

const contenders = [tidewayChanges, native({ name: "native", streaming: "off" })];

interface Load {
  readonly name: string;
  readonly description: string;
  /** Transactions a second at scale 1; as many as four clients can when left out. */
  readonly rate?: number;
}

function lagProfile(load: Load): Profile {
  return {
    name: load.name,
    description: load.description,
    fairness: `pgbench's four clients write for ${RAMP_UP_S + SECONDS} s on the same machine. A heartbeat is written 50 times a second with the source's clock in the last ${SECONDS} s, and a session of the target looks for it every millisecond: lag is commit, transport, apply and commit together.`,
    shows: "lag",
    serverVersion: CHANGES_SERVER_VERSION,
    minutes: 4,
    contenders: contenders.map((contender) => {
      const entry = changeContenderEntry(contender);
      return {
        name: entry.name,
        needs: ["pgbench"],
        missing: (context) => entry.missing(context) ?? context.tools.whyNot(["pgbench"]),
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
  lagProfile({ name: "pg-lag/1000", description: "lag at 1,000 pgbench transactions a second", rate: 1000 }),
  lagProfile({ name: "pg-lag/saturated", description: "lag while pgbench writes as fast as it can" }),
];

async function prepare(load: Load, context: Context): Promise<Workbench> {
  const servers = await startServers(context);
  await makeTemplates(servers, `${pgbenchTables}; ${heartbeatTable}`);
  const rate = load.rate === undefined ? undefined : Math.max(1, Math.round(load.rate * context.scale));
  return {
    volume: { rows: 0, bytes: undefined },
    sourcePid: servers.source.pid,
    targetPid: servers.target.pid,
    open: (name, round) => open({ servers, name, round, rate, context }),
  };
}

interface Opening {
  readonly servers: ServerPair;
  readonly name: string;
  readonly round: number;
  readonly rate: number | undefined;
  readonly context: Context;
}

/** Databases of its own on both sides, and a replication that has caught up. */
async function open({ servers, name, round, rate, context }: Opening): Promise<Attempt> {
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
      const loaded = underLoad(pair, rate);
      try {
        const lag = await Promise.race([loaded, replication.failed]);
        return { tool: replication.usage(), lag };
      } finally {
        // pgbench must not go on into the next run.
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

async function underLoad(pair: DatabasePair, rate: number | undefined): Promise<LagFigures> {
  const { servers, source, target } = pair;
  const watching = watchBeats(servers.target, target, RAMP_UP_S + SECONDS + DRAIN_S);
  const throttle = rate === undefined ? [] : ["-R", String(rate)];
  const load = runPgbench({
    url: servers.source.url(source),
    args: ["-n", "-c4", "-j1", `-T${RAMP_UP_S + SECONDS}`, "--random-seed=1", ...throttle],
  });
  const sending = new Promise((resolve) => setTimeout(resolve, RAMP_UP_S * 1000)).then(() =>
    sendBeats(servers.source, source, SECONDS),
  );
  const [sent, { output }] = await Promise.all([sending, load]);
  await lastBeat(servers.source, source);
  const lags = lagsOf(sent, await watching);
  return {
    p50Ms: percentile(lags, 0.5),
    p99Ms: percentile(lags, 0.99),
    maxMs: Math.max(...lags),
    transactionsPerS: Number(/^tps = ([\d.]+)/m.exec(output)?.[1]),
  };
}
