import { compareDatabases, describeComparison } from "../../test/support/compare.ts";
import type { PostgresServer } from "../../test/support/postgres-server.ts";
import type { ServerPair } from "../servers.ts";

/** Databases of both sides that begin with the same rows. */

const TEMPLATE = "bench_template";

/** The last transaction of a workload sets `done`: a target that has it has everything. */
const MARKER =
  "create table bench_marker (id integer primary key, done integer not null); insert into bench_marker values (1, 0)";
export const SET_MARKER = "update bench_marker set done = 1 where id = 1";

export async function makeTemplates({ source, target }: ServerPair, initial: string): Promise<void> {
  await Promise.all([makeTemplate(source, initial), makeTemplate(target, initial)]);
}

async function makeTemplate(server: PostgresServer, initial: string): Promise<void> {
  await server.query(`create database ${TEMPLATE}`);
  await server.query(`${initial}; ${MARKER}`, TEMPLATE);
  await server.query("vacuum (freeze, analyze)", TEMPLATE);
}

/** Copied as files: written to the log, hundreds of megabytes would be part of what a run reads. */
export async function createFromTemplate(server: PostgresServer, name: string): Promise<void> {
  const strategy = server.version >= 15 ? " strategy file_copy" : "";
  await server.query(`create database ${name} template ${TEMPLATE}${strategy}`);
}

export async function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  // Versions below 13 know no force, and nothing is connected any more.
  await server.query(`drop database ${name}${server.version >= 13 ? " with (force)" : ""}`);
}

export interface DatabasePair {
  readonly servers: ServerPair;
  readonly source: string;
  readonly target: string;
}

/** How the target's rows differ from the source's; undefined when they do not. */
export async function rowDifferences({ servers, source, target }: DatabasePair): Promise<string | undefined> {
  const clients = {
    source: await servers.source.connect(source),
    target: await servers.target.connect(target),
  };
  try {
    const comparison = await compareDatabases(clients);
    return comparison.equal ? undefined : describeComparison(comparison);
  } finally {
    await Promise.allSettled([clients.source.end(), clients.target.end()]);
  }
}

const POLL_MS = 20;

/** Resolves when the target has the marker; the same polling for every contender. */
export async function untilMarked(server: PostgresServer, database: string, limitMs: number): Promise<void> {
  const client = await server.connect(database);
  try {
    for (const endMs = performance.now() + limitMs; performance.now() < endMs; ) {
      const { rows } = await client.query("select done from bench_marker");
      if (rows[0].done === 1) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await client.end();
  }
  throw new Error(`The target did not have everything after ${Math.round(limitMs / 1000)} s.`);
}
