import { everything } from "../../test/support/task.ts";
import { TidewayReplication } from "../changes/tideway-process.ts";
import type { Attempt, Context, Profile, Workbench } from "../profile.ts";
import { type AcrossWorkload, marker, SET_MARKER } from "./change-tables.ts";
import { type BenchSide, startMariadb, startPostgresSide } from "./side.ts";
import type { AcrossTable } from "./tables.ts";

export interface AcrossChanges extends Pick<Profile, "name" | "description" | "minutes"> {
  readonly workload: AcrossWorkload;
  readonly to: BenchSide["kind"];
}

const FAIRNESS =
  "Each run begins with the same binary log of MariaDB and a target with the rows from before it. Tideway's process has loaded its program and waits; the clock runs from the task's start until the target holds the last change.";

const SERVER_VERSION = 18;
const ROWS_PER_S = 50_000;
const LIMIT_MS = 10 * 60_000;
const POLL_MS = 100;

/** A profile of catching up with a binary log. There is no peer: a rate is what counts. */
export function acrossChangeProfile(changes: AcrossChanges): Profile {
  const { name, description, minutes } = changes;
  return {
    ...{ name, description, minutes },
    fairness: FAIRNESS,
    shows: "throughput",
    serverVersion: SERVER_VERSION,
    mariadb: true,
    contenders: [{ name: "tideway", needs: [], missing: () => undefined }],
    targets: [{ kind: "rate", metric: "wallS", peers: [], limit: ROWS_PER_S }],
    warmUps: 1,
    prepare: (context) => prepare(changes, context),
  };
}

interface Bench {
  readonly source: BenchSide;
  readonly target: BenchSide;
  readonly tables: readonly AcrossTable[];
  /** Where the changes begin. */
  readonly position: string;
  readonly context: Context;
}

async function prepare({ workload, to }: AcrossChanges, context: Context): Promise<Workbench> {
  const { stage, scale } = context;
  const [source, target] = await Promise.all([
    startMariadb(stage, { binlog: true }),
    to === "mariadb" ? startMariadb(stage, { binlog: false }) : startPostgresSide(context),
  ]);
  const tables = [...workload.tables, marker];
  await makeTables(source, tables);
  const [position] = await source.values("select @@gtid_binlog_pos");
  const units = Math.max(1, Math.round(workload.units * scale));
  // Nothing waits for the disk here.
  await source.run("set global innodb_flush_log_at_trx_commit = 0");
  await source.run(workload.changes(units));
  await source.run(`set global innodb_flush_log_at_trx_commit = 1; ${SET_MARKER}`);
  const bench: Bench = { source, target, tables, position: position!, context };
  return {
    volume: { rows: units * workload.rowsPerUnit, bytes: undefined },
    sourcePid: source.pid,
    targetPid: target.pid,
    open: (name, round) => openAttempt(bench, `bench_${name}_${round}`),
  };
}

async function makeTables(side: BenchSide, tables: readonly AcrossTable[]): Promise<void> {
  await side.reset(tables.map((table) => side.createTable(table)).join("; "));
  for (const table of tables) await side.fill(table, table.rows);
}

async function openAttempt(bench: Bench, id: string): Promise<Attempt> {
  const { source, target, tables, position, context } = bench;
  await makeTables(target, tables);
  await Promise.all([source.settle(), target.settle()]);
  const replication = new TidewayReplication(
    {
      ...{ id, name: id, type: "cdc", source: source.endpoint, target: target.endpoint },
      ...{ tableMappings: everything, settings: "{}", start: "start-replication", startId: undefined },
      ...{ cdcStartPosition: position, cdcStopPosition: undefined, untilCaughtUp: false },
    },
    context.stage,
  );
  await replication.prepare();
  replication.measure();
  return {
    async run() {
      replication.start();
      await Promise.race([untilMarked(target, LIMIT_MS * Math.max(1, context.scale)), replication.failed]);
      return { tool: replication.usage() };
    },
    check: async () => (await replication.stop()) ?? (await differences(bench)),
    [Symbol.asyncDispose]: () => replication[Symbol.asyncDispose](),
  };
}

async function untilMarked(target: BenchSide, limitMs: number): Promise<void> {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; ) {
    const [done] = await target.values("select n from marker");
    if (done === "1") return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`The target did not have everything after ${Math.round(limitMs / 1000)} s.`);
}

async function differences({ source, target, tables }: Bench): Promise<string | undefined> {
  for (const table of tables) {
    const [ours, theirs] = await Promise.all(
      [source, target].map((side) => side.checksum(table.name, table[side.kind].texts)),
    );
    if (ours !== theirs) {
      return `${table.name}: the source's rows come to ${ours}, the target's to ${theirs} (count and sum of hashes)`;
    }
  }
  return undefined;
}
