import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "./compare.ts";
import { type AcrossOptions, compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { type Servers, serversOfFile } from "./server-pair.ts";
import { schemas, taskSpec } from "./task.ts";
import { assertNoConflicts } from "./task-pair.ts";
import { TaskRuns } from "./task-runs.ts";

export type MysqlServers = Servers<MysqlServer, PostgresServer>;

/** A MySQL or MariaDB server and a PostgreSQL server for the tests of a file, removed after them. */
export function mysqlToPostgres(options: MysqlOptions): Promise<MysqlServers> {
  return serversOfFile({ source: startMysql(options), target: startPostgres() });
}

export interface MysqlPairParts extends Partial<TaskSpec> {
  readonly name: string;
  /** Run in the source's database before the task. */
  readonly schema: string;
  readonly sourceSettings?: EndpointConfig["settings"];
  /** All of the database's tables when left out. */
  readonly mappings?: (schema: string) => string;
}

/** A database of a MySQL or MariaDB server, an empty PostgreSQL database, and a task that moves the one into the other. */
export class MysqlPair extends TaskRuns {
  readonly servers: MysqlServers;
  /** The source's database, which is the target's schema. */
  readonly from: string;
  readonly to: string;

  private constructor(servers: MysqlServers, { from, to }: { from: string; to: string }, spec: TaskSpec) {
    super(spec);
    this.servers = servers;
    this.from = from;
    this.to = to;
  }

  static async make(
    servers: MysqlServers,
    { name, schema, sourceSettings = {}, mappings = schemas, ...parts }: MysqlPairParts,
  ): Promise<MysqlPair> {
    const from = await servers.source.createDatabase(name);
    const to = await servers.target.createDatabase(name);
    if (schema !== "") await servers.source.query(schema, from);
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: servers.source.endpoint("", sourceSettings),
      target: endpointOf(servers.target, to),
      tableMappings: mappings(from),
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
    await assertNoConflicts(target, this.to);
  }
}
