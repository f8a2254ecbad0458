import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Finding } from "../../src/core/finding.ts";
import type { MigrationType } from "../../src/core/source.ts";
import type { TableProgress } from "../../src/task/task.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres, TRUSTING } from "./postgres-server.ts";
import { serversOfFile } from "./server-pair.ts";
import { assertStopped, ObservedTask, taskSpec } from "./task.ts";

export interface MappedServers {
  readonly postgres: PostgresServer;
  readonly mariadb: MysqlServer;
}

export type Kind = keyof MappedServers;

export const directions: readonly (readonly [from: Kind, to: Kind])[] = [
  ["postgres", "postgres"],
  ["mariadb", "mariadb"],
  ["mariadb", "postgres"],
  ["postgres", "mariadb"],
];

/** One server of each kind, for all tests of a file. */
export async function mappedServers(): Promise<MappedServers> {
  const { source, target } = await serversOfFile({
    source: startPostgres({ hba: TRUSTING }),
    target: startMysql({ flavour: "mariadb" }),
  });
  return { postgres: source, mariadb: target };
}

export interface MappedMove {
  readonly from: Kind;
  readonly to: Kind;
  /** SQL that both kinds of server understand, in the source's schema. */
  readonly made: string;
  /** Run when the rows are loaded. Left out: the task is a full load. */
  readonly changed?: string;
  /** Rules of a document, in which `{source}` stands for the source's schema; one that selects all of it comes first. */
  readonly rules: readonly object[];
  readonly selection?: object;
  readonly settings?: object;
}

type TextRows = readonly (readonly (string | null)[])[];

export interface MovedTables {
  /** Rows of a query on the target in which `{target}` stands for its schema; values as texts. */
  readonly rows: (sql: string) => Promise<TextRows>;
  /** The same of a query on the source, in the source's schema. */
  readonly sourceRows: (sql: string) => Promise<TextRows>;
  readonly findings: readonly Finding[];
  readonly tables: readonly TableProgress[];
}

interface Place {
  readonly endpoint: EndpointConfig;
  readonly schema: string;
  readonly query: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Moves a schema by the rules, with the changes that follow; the target's schema has another name than the source's. */
export async function moveMapped(servers: MappedServers, move: MappedMove): Promise<MovedTables> {
  const source = await makeSource(servers, move.from);
  const target = await makeTarget(servers, move.to);
  await source.query(move.made);
  const type: MigrationType = move.changed === undefined ? "full-load" : "full-load-and-cdc";
  const task = new ObservedTask(
    taskSpec({
      ...{ type, source: source.endpoint, target: target.endpoint },
      tableMappings: documentOf(move, { source: source.schema, target: target.schema }),
      settings: JSON.stringify({ ErrorBehavior: { RecoverableErrorInterval: 1 }, ...move.settings }),
    }),
  );
  let tables: readonly TableProgress[] = [];
  try {
    if (move.changed !== undefined) {
      await task.until(({ phase }) => phase === "replicating");
      await source.query(move.changed);
      task.running.drain();
    }
    const outcome = await task.running.outcome;
    assertStopped(outcome);
    tables = outcome.progress.tables;
  } finally {
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
  assert.deepEqual(
    task.findings.filter(({ severity }) => severity === "error"),
    [],
  );
  return {
    rows: async (sql) => texts(await target.query(sql.replaceAll("{target}", target.schema))),
    sourceRows: async (sql) => texts(await source.query(sql)),
    ...{ findings: task.findings, tables },
  };
}

function texts(rows: readonly Readonly<Record<string, unknown>>[]): TextRows {
  return rows.map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
}

function documentOf(
  { rules, selection = {} }: MappedMove,
  { source, target }: { readonly source: string; readonly target: string },
): string {
  const locator = { "schema-name": source.replaceAll("_", "[_]"), "table-name": "%" };
  const all = {
    "rule-type": "selection",
    "rule-id": 1000,
    "rule-action": "include",
    "object-locator": locator,
  };
  const renamed = {
    ...{ "rule-type": "transformation", "rule-id": 1001, "rule-target": "schema", "rule-action": "rename" },
    ...{ "object-locator": { "schema-name": locator["schema-name"] }, value: target },
  };
  const document = JSON.stringify({ rules: [{ ...all, ...selection }, renamed, ...rules] });
  return document.replaceAll("{source}", source);
}

async function makeSource(servers: MappedServers, kind: Kind): Promise<Place> {
  if (kind === "mariadb") {
    const schema = await servers.mariadb.createDatabase("mapped");
    const query = (sql: string) => servers.mariadb.query(sql, schema);
    return { endpoint: servers.mariadb.endpoint(), schema, query };
  }
  const place = await postgresPlace(servers.postgres, "mapped");
  await servers.postgres.query("create schema mapped", place.endpoint.database);
  const query = (sql: string) =>
    servers.postgres.query(`set search_path = mapped; ${sql}`, place.endpoint.database);
  return { ...place, query };
}

async function makeTarget(servers: MappedServers, kind: Kind): Promise<Place> {
  if (kind === "postgres") return await postgresPlace(servers.postgres, "there");
  const schema = await servers.mariadb.createDatabase("there");
  return { endpoint: servers.mariadb.endpoint(), schema, query: (sql) => servers.mariadb.query(sql, schema) };
}

async function postgresPlace(server: PostgresServer, schema: string): Promise<Place> {
  const database = await server.createDatabase(schema);
  return { endpoint: endpointOf(server, database), schema, query: (sql) => server.query(sql, database) };
}
