import type { TaskSpec } from "../../src/task/task.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ToMysqlPair } from "./postgres-to-mysql.ts";
import { TaskPair } from "./task-pair.ts";

export type Pair = TaskPair | ToMysqlPair;

export interface RowErrorKind {
  readonly name: string;
  make(parts: Partial<TaskSpec> & { readonly schema: string; readonly targetSchema: string }): Promise<Pair>;
  ask(pair: Pair, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** SQL of a column of the tables of exceptions, and of such a table. */
  readonly column: (name: string) => string;
  readonly table: (name: string) => string;
}

export interface RowErrorServers {
  readonly source: PostgresServer;
  readonly toPostgres: PostgresServer;
  readonly toMysql: MysqlServer;
}

/** Between two PostgreSQL servers and to MariaDB. */
export function rowErrorKinds({ source, toPostgres, toMysql }: RowErrorServers): readonly RowErrorKind[] {
  return [
    {
      name: "PostgreSQL",
      async make({ schema, targetSchema, ...parts }) {
        const pair = await TaskPair.make({ source, target: toPostgres }, { name: "rows", schema, ...parts });
        await pair.queryTarget(`create schema app; ${targetSchema}`);
        return pair;
      },
      ask: (pair, sql) => (pair as TaskPair).queryTarget(sql),
      column: (name) => `"${name}"`,
      table: (name) => `public.${name}`,
    },
    {
      name: "MariaDB",
      async make({ schema, targetSchema, ...parts }) {
        const servers = { source, target: toMysql };
        const pair = await ToMysqlPair.make(servers, { sql: schema, schemas: ["app"], ...parts });
        await toMysql.query(`create database app; use app; ${targetSchema.replaceAll("app.", "")}`);
        return pair;
      },
      ask: (pair, sql) => (pair as ToMysqlPair).queryTarget(sql, "app"),
      column: (name) => name,
      table: (name) => `awsdms_control.${name}`,
    },
  ];
}

/** Into tables that are there; the members of ErrorBehavior and of others. */
export function settings(change: Record<string, unknown> = {}, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" },
    ErrorBehavior: { RecoverableErrorInterval: 1, ...change },
    ...more,
  });
}

/** Rows and changes that were passed over, with the kind of change, the table and the key, in order. */
export async function passedOver(
  { ask, column, table }: RowErrorKind,
  pair: Pair,
  name: string,
): Promise<readonly string[]> {
  const rows = await ask(
    pair,
    `select ${column("TABLE_NAME")} as t, ${column("STATEMENT")} as s from ${table(name)}
      where ${column("TASK_NAME")} = '${pair.spec.id}'`,
  );
  return rows
    .map(({ t, s }) => {
      const statement = String(s);
      const { key } = JSON.parse(statement.slice(statement.indexOf(" {")));
      return `${statement.split(" ")[0]} ${t} ${key.id}`;
    })
    .toSorted();
}
