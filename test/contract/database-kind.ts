import type pg from "pg";
import type { EndpointConfig, Engine } from "../../src/core/engine.ts";
import type { Catalog, TableId } from "../../src/core/schema.ts";
import type { Source } from "../../src/core/source.ts";
import { postgresEngine } from "../../src/engines/postgres/engine.ts";
import { endpointOf } from "../support/endpoint.ts";
import { startPostgres } from "../support/postgres-server.ts";

/** A kind of database as the suites that every engine must hold to use it. */
export interface DatabaseKind {
  readonly name: string;
  readonly engine: Engine;
  /** Asks what a task has recorded of rows that were passed over. */
  exceptionsSql(taskId: string): string;
  /** Asks for TABLE_NAME, KEY, FAILURE_TYPE and DETAILS of rows that a task has recorded as different. */
  failuresSql(taskId: string): string;
  start(): Promise<RunningServer>;
}

export interface RunningServer extends AsyncDisposable {
  /** An empty schema of its own for a test. */
  newSchema(): Promise<TestSchema>;
}

/** One session for statements that follow each other closely: a session costs a server more than they do. */
export interface TestSession extends AsyncDisposable {
  run(sql: string): Promise<void>;
}

export interface TestSchema {
  readonly endpoint: EndpointConfig;
  readonly name: string;
  /** Statements that every kind of database understands, with unqualified names. */
  run(sql: string): Promise<void>;
  /** Values as text, in the order of the columns. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Statements as run() takes them, until it is disposed of. */
  session(): Promise<TestSession>;
}

export const unaborted = new AbortController().signal;

export const postgres: DatabaseKind = {
  name: "PostgreSQL",
  engine: postgresEngine,
  exceptionsSql: (task) =>
    `select "STATEMENT" from public.awsdms_apply_exceptions where "TASK_NAME" = '${task}'`,
  failuresSql: (task) =>
    `select "TABLE_NAME", "KEY", "FAILURE_TYPE", "DETAILS" from public.awsdms_validation_failures_v1
      where "TASK_NAME" = '${task}'`,
  async start() {
    const server = await startPostgres();
    return {
      async newSchema() {
        const database = await server.createDatabase("contract");
        await server.query("create schema shop", database);
        const connect = async (): Promise<pg.Client> => {
          const client = await server.connect(database);
          await client.query("set search_path to shop");
          return client;
        };
        const ask = async (sql: string): Promise<(string | null)[][]> => {
          const client = await connect();
          try {
            const types = {
              getTypeParser: () => (value: string | Buffer) => String(value),
            } as pg.CustomTypesConfig;
            const result: unknown = await client.query({ text: sql, rowMode: "array", types });
            return Array.isArray(result) ? [] : (result as pg.QueryArrayResult<(string | null)[]>).rows;
          } finally {
            await client.end();
          }
        };
        return {
          endpoint: endpointOf(server, database),
          name: "shop",
          run: async (sql) => void (await ask(sql)),
          rows: ask,
          async session() {
            const client = await connect();
            return {
              run: async (sql) => void (await client.query(sql)),
              [Symbol.asyncDispose]: () => client.end(),
            };
          },
        };
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** Describes tables of a schema, all of them by default. */
export async function describeTables(
  source: Source,
  schema: string,
  names?: readonly string[],
): Promise<Catalog> {
  const listed = await source.listTables(unaborted);
  const tables: readonly TableId[] =
    names?.map((name) => ({ schema, name })) ?? listed.filter((id) => id.schema === schema);
  return await source.describe(
    { tables, wholeSchemas: undefined, objects: false, rights: false, largeObjects: false },
    unaborted,
  );
}
