import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import type { Attempt, Context, Profile, Workbench } from "../profile.ts";
import { contenderEntry, type LoadContender, loadCommand } from "../profiles/load-contenders.ts";
import { type BenchSide, startMariadb, startPostgresSide } from "./side.ts";
import type { AcrossTable } from "./tables.ts";

export interface AcrossLoad extends Pick<Profile, "name" | "description" | "minutes" | "targets"> {
  readonly table: AcrossTable;
  readonly from: BenchSide["kind"];
  readonly contenders: readonly LoadContender[];
}

const FAIRNESS =
  "One table between MariaDB and PostgreSQL. The target's exists before the run, with MariaDB's primary key where MariaDB is the target and without any key in PostgreSQL, and stays as it is (do-nothing). Only Tideway reads from a snapshot, and only it writes a journal and analyzes.";

/** Debian's pg_dump is of this version and reads no newer server. */
const SERVER_VERSION = 15;

/** A profile of full load between two kinds of servers: every contender is a command that copies one table. */
export function acrossLoadProfile(load: AcrossLoad): Profile {
  const { name, description, minutes, targets } = load;
  return {
    ...{ name, description, minutes, targets },
    fairness: FAIRNESS,
    shows: "throughput",
    serverVersion: SERVER_VERSION,
    mariadb: true,
    contenders: load.contenders.map(contenderEntry),
    warmUps: 1,
    prepare: (context) => prepare(load, context),
  };
}

interface Pair {
  readonly source: BenchSide;
  readonly target: BenchSide;
}

async function prepare(load: AcrossLoad, context: Context): Promise<Workbench> {
  const { table } = load;
  const [mariadb, postgres] = await Promise.all([
    startMariadb(context.stage, { binlog: load.from === "mariadb" }),
    startPostgresSide(context),
  ]);
  const pair =
    load.from === "mariadb" ? { source: mariadb, target: postgres } : { source: postgres, target: mariadb };
  const rows = Math.max(1, Math.ceil(table.rows * context.scale));
  await pair.source.reset(pair.source.createTable(table));
  await pair.source.fill(table, rows);
  const bytes = await textBytes(pair.source, table);
  return {
    volume: { rows, bytes },
    sourcePid: pair.source.pid,
    targetPid: pair.target.pid,
    open: (name) => openAttempt({ load, pair, context }, load.contenders.find((one) => one.name === name)!),
  };
}

interface Bench {
  readonly load: AcrossLoad;
  readonly pair: Pair;
  readonly context: Context;
}

async function openAttempt({ load, pair, context }: Bench, contender: LoadContender): Promise<Attempt> {
  const { source, target } = pair;
  const { stage, tools } = context;
  const work = join(stage.directory, "work");
  await target.reset(target.createTable(load.table));
  await Promise.all([source.settle(), target.settle()]);
  const command = loadCommand(contender, {
    source: source.url,
    target: target.url,
    work,
    path: (tool) => tools.path(tool),
  });
  const mariadb = source.kind === "mariadb" ? source : target;
  const variables = { ...command.variables, ...mariadb.variables("MARIADB") };
  return {
    run: async () => ({ tool: await runCommand({ ...command, variables }, stage) }),
    check: () => check(pair, load.table),
    [Symbol.asyncDispose]: () => rm(work, { recursive: true, force: true }),
  };
}

async function check({ source, target }: Pair, table: AcrossTable): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all(
    [source, target].map((side) => side.checksum(table.name, table[side.kind].texts)),
  );
  return ours === theirs
    ? undefined
    : `the source's rows come to ${ours}, the target's to ${theirs} (count and sum of hashes)`;
}

/** About what COPY's text form takes: the texts with what stands between them, without escapes. */
async function textBytes(side: BenchSide, { name, mariadb, postgres }: AcrossTable): Promise<number> {
  const { texts } = side.kind === "mariadb" ? mariadb : postgres;
  const length = side.kind === "mariadb" ? "length" : "octet_length";
  const [bytes] = await side.values(`select sum(${length}(concat_ws('|', ${texts})) + 1) from ${name}`);
  return Number(bytes);
}
