import type { TaskSpec } from "../../src/task/task.ts";
import { MysqlPair } from "./mysql-pair.ts";
import type { MysqlServer } from "./mysql-server.ts";
import { inSteps, OngoingWork } from "./ongoing-work.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ToMysqlPair } from "./postgres-to-mysql.ts";
import { TaskPair } from "./task-pair.ts";
import type { TaskRuns } from "./task-runs.ts";

type Rows = readonly Record<string, unknown>[];

/** A task whose target refuses rows of the source until it is mended. */
export interface RetryPair {
  readonly runs: TaskRuns;
  write(sql: string): Promise<unknown>;
  target(sql: string): Promise<Rows>;
  /** Every row is on both sides, and nothing is recorded. */
  assertEqual(): Promise<void>;
  /** How many records the target has of rows that were passed over. */
  recorded(): Promise<number>;
}

export interface RetryOptions extends Partial<TaskSpec> {
  /** Of both sides' tables, in the words that all servers know. */
  readonly tables: string;
  /** Makes the target's tables refuse rows. */
  readonly narrow: string;
  readonly names: readonly string[];
}

export interface RetryServers {
  readonly postgres: PostgresServer;
  readonly otherPostgres: PostgresServer;
  readonly mysql: MysqlServer;
}

const DO_NOTHING = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };

export function retrySettings(more: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...DO_NOTHING, ErrorBehavior: { RecoverableErrorInterval: 1 }, ...more });
}

const count = ([row]: Rows): number => Number(row?.n);

async function betweenPostgres(
  { postgres: source, otherPostgres: target }: RetryServers,
  { tables, narrow, names: _names, ...parts }: RetryOptions,
): Promise<RetryPair> {
  const schema = `create schema app; set search_path = app; ${tables}`;
  const pair = await TaskPair.make(
    { source, target },
    { name: "retry", schema, settings: retrySettings(), ...parts },
  );
  await pair.queryTarget(`${schema}; ${narrow}`);
  return {
    runs: pair,
    write: (sql) => pair.query(`set search_path = app; ${sql}`),
    target: (sql) => pair.queryTarget(`set search_path = app, public; ${sql}`),
    assertEqual: () => pair.assertEqual(),
    recorded: async () => count(await pair.queryTarget("select count(*) as n from awsdms_apply_exceptions")),
  };
}

async function toMysql(
  { postgres: source, mysql: target }: RetryServers,
  { tables, narrow, names, ...parts }: RetryOptions,
): Promise<RetryPair> {
  const sql = `create schema app; set search_path = app; ${tables}`;
  const options = { sql, schemas: ["app"], settings: retrySettings(), ...parts };
  const pair = await ToMysqlPair.make({ source, target }, options);
  await target.query(
    `create database app character set utf8mb4 collate utf8mb4_bin; use app; ${tables}; ${narrow}`,
  );
  return {
    runs: pair,
    write: (statements) => pair.query(`set search_path = app; ${statements}`),
    target: (statements) => pair.queryTarget(statements, "app"),
    assertEqual: () => pair.assertEqual(names.map((name) => ({ schema: "app", name }))),
    recorded: async () =>
      count(
        await pair.queryTarget(
          `select count(*) as n from awsdms_control.awsdms_apply_exceptions where TASK_NAME = '${pair.spec.id}'`,
          "app",
        ),
      ),
  };
}

async function fromMysql(
  { mysql: source, postgres: target }: RetryServers,
  { tables, narrow, names: _names, ...parts }: RetryOptions,
): Promise<RetryPair> {
  const pair = await MysqlPair.make(
    { source, target },
    { name: "retry", schema: tables, settings: retrySettings(), ...parts },
  );
  await target.query(
    `create schema ${pair.from}; set search_path = ${pair.from}; ${tables}; ${narrow}`,
    pair.to,
  );
  return {
    runs: pair,
    write: (sql) => pair.query(sql),
    target: (sql) => pair.queryTarget(sql),
    assertEqual: () => pair.assertEqual(),
    recorded: async () => count(await pair.queryTarget("select count(*) as n from awsdms_apply_exceptions")),
  };
}

export const retryKinds: readonly {
  readonly name: string;
  /** How a column of a target's table is given another type. */
  alter(column: string, type: string): string;
  make(servers: RetryServers, options: RetryOptions): Promise<RetryPair>;
}[] = [
  {
    name: "PostgreSQL to PostgreSQL",
    alter: (column, type) => `alter column ${column} type ${type}`,
    make: betweenPostgres,
  },
  { name: "PostgreSQL to MariaDB", alter: (column, type) => `modify ${column} ${type}`, make: toMysql },
  {
    name: "MariaDB to PostgreSQL",
    alter: (column, type) => `alter column ${column} type ${type}`,
    make: fromMysql,
  },
];

/** An application that writes one transaction after the other until it is disposed of. */
export class RetryWriter extends OngoingWork {
  readonly #counts: { transactions: number };

  constructor(pair: RetryPair, transaction: (i: number) => string) {
    const counts = { transactions: 0 };
    super(inSteps(() => pair.write(transaction(counts.transactions++))));
    this.#counts = counts;
  }

  get transactions(): number {
    return this.#counts.transactions;
  }
}

/** Of both sides. */
export const retryTables = `create table t (id int primary key, v varchar(40), n int);
  create table pair (a int, b varchar(40), v varchar(40), primary key (a, b))`;

const ROWS = 300;

/** Rows come, change, get other keys and go, and about half of their values are longer than the target takes. */
export function retryTransaction(i: number): string {
  const id = 1 + ((i * 37) % ROWS);
  const other = 1 + ((i * 53) % ROWS);
  const v = i % 2 === 0 ? "ok" : `much longer ${i}`;
  return `begin; delete from t where id = ${id}; insert into t values (${id}, '${v}', ${i});
    update t set v = '${v}', n = ${i} where id = ${other};
    update t set id = ${1000 + i}, n = ${i} where id = ${1 + ((i * 71) % ROWS)};
    delete from t where id = ${1000 + i - 40};
    delete from pair where a = ${id % 20}; insert into pair values (${id % 20}, 'k''"\\\\ü{}${other}', '${v}'); commit`;
}
