import { rm } from "node:fs/promises";
import { join } from "node:path";
import { compareDatabases, describeComparison } from "../../test/support/compare.ts";
import { compareSchemas, describeSchemaDifferences } from "../../test/support/compare-schemas.ts";
import { runCommand } from "../command.ts";
import { createEmptyTables, type DataSet, makeData } from "../data/make-tables.ts";
import { textVolume } from "../data/text-volume.ts";
import type { Attempt, Context, Profile, Workbench } from "../profile.ts";
import { type ServerPair, settle, startServers } from "../servers.ts";
import { contenderEntry, type LoadContender, loadCommand } from "./load-contenders.ts";

export interface LoadProfile
  extends Pick<Profile, "name" | "description" | "fairness" | "minutes" | "targets"> {
  readonly set: DataSet;
  /** Tables are there before a run and only rows are moved; otherwise the target is an empty database. */
  readonly dataOnly: boolean;
  readonly contenders: readonly LoadContender[];
}

const SOURCE = "bench_source";
const TARGET = "bench_target";

/** Debian's pg_dump and pgcopydb are of this version and read no newer server. */
const SERVER_VERSION = 15;

/** A profile of full load: every contender is a command that copies one database. */
export function loadProfile(load: LoadProfile): Profile {
  const { name, description, fairness, minutes, targets } = load;
  return {
    ...{ name, description, fairness, minutes, targets },
    shows: "throughput",
    serverVersion: SERVER_VERSION,
    mariadb: false,
    contenders: load.contenders.map(contenderEntry),
    warmUps: 1,
    prepare: (context) => prepare(load, context),
  };
}

async function prepare(load: LoadProfile, context: Context): Promise<Workbench> {
  const servers = await startServers(context);
  const { source, target } = servers;
  await source.query(`create database ${SOURCE}`);
  const rows = await makeData(source, SOURCE, load.set, context.scale);
  const psql = context.tools.has("psql") ? context.tools.path("psql") : undefined;
  const bytes = psql === undefined ? undefined : await textVolume(psql, source, SOURCE);
  return {
    volume: { rows, bytes },
    sourcePid: source.pid,
    targetPid: target.pid,
    async open(name): Promise<Attempt> {
      const contender = load.contenders.find((one) => one.name === name)!;
      return await openAttempt(load, contender, servers, context);
    },
  };
}

async function openAttempt(
  load: LoadProfile,
  contender: LoadContender,
  servers: ServerPair,
  { stage, tools }: Context,
): Promise<Attempt> {
  const { source, target } = servers;
  const work = join(stage.directory, "work");
  await target.query(`drop database if exists ${TARGET} with (force)`);
  await target.query(`create database ${TARGET}`);
  if (load.dataOnly) await createEmptyTables(target, TARGET, load.set);
  await settle(servers);
  const command = loadCommand(contender, {
    source: source.url(SOURCE),
    target: target.url(TARGET),
    work,
    path: (tool) => tools.path(tool),
  });
  return {
    run: async () => ({ tool: await runCommand(command, stage) }),
    check: () => (contender.checks === undefined ? check(servers) : checkMapped(servers, contender.checks)),
    async [Symbol.asyncDispose]() {
      await rm(work, { recursive: true, force: true });
      await target.query(`drop database ${TARGET} with (force)`);
    },
  };
}

/** Rows, and keys, indexes and constraints too: who leaves them out is faster. */
async function check({ source, target }: ServerPair): Promise<string | undefined> {
  const clients = { source: await source.connect(SOURCE), target: await target.connect(TARGET) };
  try {
    const rows = await compareDatabases(clients);
    if (!rows.equal) return describeComparison(rows);
    const schemas = await compareSchemas({ ...clients, schemas: ["bench"] });
    return schemas.equal ? undefined : describeSchemaDifferences(schemas);
  } finally {
    await Promise.allSettled([clients.source.end(), clients.target.end()]);
  }
}

async function checkMapped(
  { source, target }: ServerPair,
  checks: NonNullable<LoadContender["checks"]>,
): Promise<string | undefined> {
  const rows = (query: string): string =>
    `select count(*)::text as count, sum(hashtextextended(q::text, 0))::text as sum from (${query}) q`;
  const [[wanted], [found]] = await Promise.all([
    source.query(rows(checks.source), SOURCE),
    target.query(rows(checks.target), TARGET),
  ]);
  const isSame = wanted.count === found.count && wanted.sum === found.sum;
  return isSame ? undefined : `${found.count} rows are not the ${wanted.count} that the rules make`;
}
