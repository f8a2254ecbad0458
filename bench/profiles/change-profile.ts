import { Backlog, SOURCE } from "../changes/backlog.ts";
import type { ChangeContender } from "../changes/contender.ts";
import { rowDifferences, SET_MARKER, untilMarked } from "../changes/databases.ts";
import type { Workload } from "../data/workloads.ts";
import type { Attempt, ContenderEntry, Context, Profile, Workbench } from "../profile.ts";
import { settle } from "../servers.ts";

export interface ChangeProfile extends Pick<Profile, "name" | "description" | "minutes" | "targets"> {
  readonly workload: Workload;
  readonly contenders: readonly ChangeContender[];
}

/** The newest that is there: native replication is at its best in it. */
export const CHANGES_SERVER_VERSION = 18;

const FAIRNESS =
  "Each run begins with the same backlog in the source's log and a slot of its own. Tideway's process has loaded its program and waits; the clock runs from the task's start, or from alter subscription enable, until the target holds the last change. Both commit on the target without waiting for its disk (synchronous_commit off) and confirm to the source only what is on it.";

const LIMIT_MS = 10 * 60_000;

/** A profile of catching up with what an application has done meanwhile. */
export function changeProfile(change: ChangeProfile): Profile {
  const { name, description, minutes, targets } = change;
  return {
    ...{ name, description, minutes, targets },
    fairness: FAIRNESS,
    shows: "throughput",
    serverVersion: CHANGES_SERVER_VERSION,
    mariadb: false,
    contenders: change.contenders.map(changeContenderEntry),
    warmUps: 1,
    prepare: (context) => prepare(change, context),
  };
}

export function changeContenderEntry(contender: ChangeContender): ContenderEntry {
  return {
    name: contender.name,
    needs: [],
    missing: ({ serverVersion }) => contender.missing(serverVersion),
  };
}

async function prepare({ workload, contenders }: ChangeProfile, context: Context): Promise<Workbench> {
  const backlog = await Backlog.create(context, workload.initial);
  const { source, target } = backlog.servers;
  await backlog.attachAll(contenders.filter(({ name }) => context.contenders.includes(name)));
  const units = Math.max(1, Math.round(workload.units * context.scale));
  await makeChanges(backlog, workload.changes(units));
  const limitMs = LIMIT_MS * Math.max(1, context.scale);
  return {
    volume: { rows: units * workload.rowsPerUnit, bytes: undefined },
    sourcePid: source.pid,
    targetPid: target.pid,
    open: (contender, round) => openAttempt(backlog, contender, round, limitMs),
  };
}

/** Nothing waits for the disk here; what the source makes durable at its end is all of it. */
async function makeChanges({ servers: { source } }: Backlog, sql: string): Promise<void> {
  const client = await source.connect(SOURCE);
  try {
    await client.query("set synchronous_commit = off");
    await client.query(sql);
    await client.query("set synchronous_commit = on");
    await client.query(SET_MARKER);
  } finally {
    await client.end();
  }
}

async function openAttempt(
  backlog: Backlog,
  contender: string,
  round: number,
  limitMs: number,
): Promise<Attempt> {
  const attached = backlog.take(contender, round);
  const { replication, target } = attached;
  await settle(backlog.servers);
  await replication.prepare();
  replication.measure();
  return {
    async run() {
      await replication.start();
      await Promise.race([untilMarked(backlog.servers.target, target, limitMs), replication.failed]);
      return { tool: replication.usage() };
    },
    check: async () =>
      (await replication.stop()) ??
      (await rowDifferences({ servers: backlog.servers, source: SOURCE, target })),
    [Symbol.asyncDispose]: () => backlog.remove(attached),
  };
}
