import assert from "node:assert/strict";
import { after } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "./compare.ts";
import { type AcrossOptions, compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "./task.ts";

export interface MysqlServers {
  readonly source: MysqlServer;
  readonly target: PostgresServer;
}

/** A MySQL or MariaDB server and a PostgreSQL server for the tests of a file, removed after them. */
export async function mysqlToPostgres(options: MysqlOptions): Promise<MysqlServers> {
  const [source, target] = await Promise.all([startMysql(options), startPostgres()]);
  after(async () => {
    await Promise.all([source[Symbol.asyncDispose](), target[Symbol.asyncDispose]()]);
  });
  return { source, target };
}

export interface MysqlPairParts extends Partial<TaskSpec> {
  readonly name: string;
  /** Run in the source's database before the task. */
  readonly schema: string;
  readonly sourceSettings?: EndpointConfig["settings"];
}

/** A database of a MySQL or MariaDB server, an empty PostgreSQL database, and a task that moves the one into the other. */
export class MysqlPair {
  readonly servers: MysqlServers;
  /** The source's database, which is the target's schema. */
  readonly from: string;
  readonly to: string;
  readonly spec: TaskSpec;
  readonly #tasks: ObservedTask[] = [];

  private constructor(servers: MysqlServers, names: { from: string; to: string }, spec: TaskSpec) {
    this.servers = servers;
    this.from = names.from;
    this.to = names.to;
    this.spec = spec;
  }

  static async make(
    servers: MysqlServers,
    { name, schema, sourceSettings = {}, ...parts }: MysqlPairParts,
  ): Promise<MysqlPair> {
    const from = await servers.source.createDatabase(name);
    const to = await servers.target.createDatabase(name);
    if (schema !== "") await servers.source.query(schema, from);
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: servers.source.endpoint("", sourceSettings),
      target: endpointOf(servers.target, to),
      tableMappings: schemas(from),
      ...parts,
    });
    return new MysqlPair(servers, { from, to }, spec);
  }

  query(sql: string): ReturnType<MysqlServer["query"]> {
    return this.servers.source.query(sql, this.from);
  }

  queryTarget(sql: string): ReturnType<PostgresServer["query"]> {
    return this.servers.target.query(`set search_path = ${this.from}, public; ${sql}`, this.to);
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

  /** Ends what a test that failed has left at work, which would keep its file from ending. */
  async end(): Promise<void> {
    for (const { running } of this.#tasks) {
      running.stop();
      running.stop();
      await running.outcome;
    }
  }

  /** Every row of every table is on both sides, and no change found another row than on the source. */
  async assertEqual(options: Partial<AcrossOptions> = {}): Promise<void> {
    const { source, target } = this.servers;
    const comparison = await compareAcross({
      source: mysqlSide(source, this.from),
      target: postgresSide(target, this.to),
      ...options,
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.ok(comparison.tables > 0);
    const [{ there }] = await target.query(
      "select to_regclass('public.awsdms_apply_exceptions') is not null as there",
      this.to,
    );
    const conflicts = there
      ? await target.query(
          `select "TABLE_NAME", "ERROR", count(*)::int from awsdms_apply_exceptions group by 1, 2`,
          this.to,
        )
      : [];
    assert.deepEqual(conflicts, []);
  }
}

/** It ended by itself and set no table aside. */
export function assertStopped(outcome: TaskOutcome): void {
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const aside = outcome.progress.tables.filter(({ error }) => error !== undefined);
  assert.deepEqual(
    aside.map(({ id, error }) => `${id.name}: ${error!.code} ${error!.message}`),
    [],
  );
}
