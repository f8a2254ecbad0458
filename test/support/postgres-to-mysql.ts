import assert from "node:assert/strict";
import { after } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TableId } from "../../src/core/schema.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "./compare.ts";
import { compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import type { Arming } from "./killable.ts";
import { assertStopped } from "./mysql-pair.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { ObservedTask, TaskProcess, taskSpec } from "./task.ts";

export interface PostgresToMysql {
  readonly source: PostgresServer;
  readonly target: MysqlServer;
}

/** A PostgreSQL server and a MySQL or MariaDB server for the tests of a file, removed after them. */
export async function postgresToMysql(options: MysqlOptions): Promise<PostgresToMysql> {
  const [source, target] = await Promise.all([startPostgres(), startMysql(options)]);
  after(async () => {
    await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
  });
  return { source, target };
}

export interface PairOptions extends Partial<TaskSpec> {
  readonly sql: string;
  readonly schemas: readonly string[];
  /** Of the endpoints. */
  readonly endpointSettings?: Readonly<Partial<Record<"source" | "target", EndpointConfig["settings"]>>>;
}

/** A PostgreSQL database and a task that moves it to a server without it. Schemas become databases of their names. */
export class ToMysqlPair {
  readonly servers: PostgresToMysql;
  readonly database: string;
  readonly spec: TaskSpec;
  readonly #tasks: ObservedTask[] = [];

  private constructor(servers: PostgresToMysql, database: string, spec: TaskSpec) {
    this.servers = servers;
    this.database = database;
    this.spec = spec;
  }

  /** `sql` makes the source; the databases named in `schemas` are dropped from the target first. */
  static async make(
    servers: PostgresToMysql,
    { sql, schemas, endpointSettings, ...parts }: PairOptions,
  ): Promise<ToMysqlPair> {
    for (const schema of schemas) await servers.target.query(`drop database if exists \`${schema}\``);
    const database = await servers.source.createDatabase("source");
    await servers.source.query(sql, database);
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: { ...endpointOf(servers.source, database), settings: endpointSettings?.source ?? {} },
      target: { ...servers.target.endpoint(), settings: endpointSettings?.target ?? {} },
      ...parts,
    });
    return new ToMysqlPair(servers, database, spec);
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.servers.source.query(sql, this.database);
  }

  queryTarget(sql: string, database: string): ReturnType<MysqlServer["query"]> {
    return this.servers.target.query(sql, database);
  }

  run(parts: Partial<TaskSpec> = {}): ObservedTask {
    const task = new ObservedTask({ ...this.spec, ...parts });
    this.#tasks.push(task);
    return task;
  }

  /** Runs the task; resolves when it has caught up and goes on. */
  async replicate(parts: Partial<TaskSpec> = {}): Promise<ObservedTask> {
    const task = this.run(parts);
    await task.until(({ phase }) => phase === "replicating");
    return task;
  }

  /** Runs a full load to its end. */
  async load(parts: Partial<TaskSpec> = {}): Promise<ObservedTask> {
    const task = this.run({ type: "full-load", ...parts });
    assertStopped(await task.running.outcome);
    return task;
  }

  /** Applies what the source has until now, and ends the task. */
  async drain(task: ObservedTask): Promise<TaskOutcome> {
    task.running.drain();
    const outcome = await task.running.outcome;
    assertStopped(outcome);
    return outcome;
  }

  /** Runs the task in a process of its own until that kills itself there. */
  async killAt(arming: Arming, parts: Partial<TaskSpec> = {}): Promise<void> {
    const { signal, outcome } = await this.process(parts, arming).ended();
    assert.equal(
      signal,
      "SIGKILL",
      `not at ${arming}: ${JSON.stringify(outcome?.error ?? outcome?.stopReason)}`,
    );
  }

  process(parts: Partial<TaskSpec> = {}, arming?: Arming): TaskProcess {
    return new TaskProcess({ ...this.spec, start: "resume-processing", startId: "first", ...parts }, arming);
  }

  /** Ends what a test that failed has left at work, which would keep its file from ending. */
  async end(): Promise<void> {
    for (const { running } of this.#tasks) {
      running.stop();
      running.stop();
      await running.outcome;
    }
  }

  /** Every row of the tables is on both sides, and no change found another row than on the source. */
  async assertEqual(tables: readonly TableId[]): Promise<void> {
    const { source, target } = this.servers;
    const comparison = await compareAcross({
      source: postgresSide(source, this.database),
      target: mysqlSide(target),
      tables,
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.equal(comparison.tables, tables.length);
    assert.ok(comparison.rows > 0);
    const conflicts = await target.query(
      `select TABLE_NAME, ERROR, count(*) as n from awsdms_control.awsdms_apply_exceptions
        where TASK_NAME = '${this.spec.id}' group by 1, 2`,
    );
    assert.deepEqual(conflicts, []);
  }
}
