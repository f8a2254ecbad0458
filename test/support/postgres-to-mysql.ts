import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TableId } from "../../src/core/schema.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "./compare.ts";
import { compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { type Servers, serversOfFile } from "./server-pair.ts";
import { taskSpec } from "./task.ts";
import { TaskRuns } from "./task-runs.ts";

export type PostgresToMysql = Servers<PostgresServer, MysqlServer>;

/** A PostgreSQL server and a MySQL or MariaDB server for the tests of a file, removed after them. */
export function postgresToMysql(options: MysqlOptions): Promise<PostgresToMysql> {
  return serversOfFile({ source: startPostgres(), target: startMysql(options) });
}

export interface PairOptions extends Partial<TaskSpec> {
  readonly sql: string;
  readonly schemas: readonly string[];
  /** Of the endpoints. */
  readonly endpointSettings?: Readonly<Partial<Record<"source" | "target", EndpointConfig["settings"]>>>;
}

/** A PostgreSQL database and a task that moves it to a server without it. Schemas become databases of their names. */
export class ToMysqlPair extends TaskRuns {
  readonly servers: PostgresToMysql;
  readonly database: string;

  private constructor(servers: PostgresToMysql, database: string, spec: TaskSpec) {
    super(spec);
    this.servers = servers;
    this.database = database;
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
