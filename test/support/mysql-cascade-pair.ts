import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "./compare.ts";
import { type AcrossOptions, compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide, type Side } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { mysqlCascadeRows, mysqlCascadeSchema, writeCascades } from "./mysql-cascade-schema.ts";
import type { MysqlFlavour, MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { assertStopped, ObservedTask, schemas, taskSpec } from "./task.ts";

export type CascadeServers = Readonly<Record<MysqlFlavour, MysqlServer> & { postgres: PostgresServer }>;

export interface Direction {
  readonly from: MysqlFlavour;
  readonly to: MysqlFlavour | "postgres";
}

/** A database of a MySQL or MariaDB server with the schema and its rows, and a task that moves it. */
export class CascadePair {
  readonly database: string;
  readonly spec: TaskSpec;
  /** The last one. */
  task: ObservedTask | undefined;
  readonly #servers: CascadeServers;
  readonly #direction: Direction;
  /** The target's database. */
  readonly #to: string;
  readonly #side: Side;

  private constructor(
    servers: CascadeServers,
    direction: Direction,
    names: { readonly from: string; readonly to: string },
    to: {
      readonly side: Side;
      readonly endpoint: EndpointConfig;
      readonly mappings: string;
      readonly settings: string;
    },
  ) {
    this.#servers = servers;
    this.#direction = direction;
    this.database = names.from;
    this.#to = names.to;
    this.#side = to.side;
    this.spec = taskSpec({
      type: "full-load-and-cdc",
      source: servers[direction.from].endpoint(),
      target: to.endpoint,
      tableMappings: to.mappings,
      settings: to.settings,
    });
  }

  static async make(
    servers: CascadeServers,
    direction: Direction,
    {
      schema = `${mysqlCascadeSchema}; ${mysqlCascadeRows}`,
      mappings = schemas,
      settings = "{}",
    }: {
      readonly schema?: string;
      readonly mappings?: (database: string) => string;
      readonly settings?: string;
    } = {},
  ): Promise<CascadePair> {
    const { from, to } = direction;
    const database = await servers[from].createDatabase(`cascade_${to}`);
    await servers[from].query(schema, database);
    if (to !== "postgres") {
      const side = mysqlSide(servers[to], database);
      const endpoint = servers[to].endpoint();
      return new CascadePair(
        servers,
        direction,
        { from: database, to: database },
        { side, endpoint, mappings: mappings(database), settings },
      );
    }
    const name = await servers.postgres.createDatabase("cascade");
    const side = postgresSide(servers.postgres, name);
    const endpoint = endpointOf(servers.postgres, name);
    return new CascadePair(
      servers,
      direction,
      { from: database, to: name },
      { side, endpoint, mappings: mappings(database), settings },
    );
  }

  query(sql: string): Promise<Record<string, string | null>[]> {
    return this.#servers[this.#direction.from].query(sql, this.database);
  }

  /** Tables' names have the source's database before them. */
  queryTarget(sql: string): Promise<Record<string, string | null>[]> {
    const { to } = this.#direction;
    return to === "postgres" ? this.#servers.postgres.query(sql, this.#to) : this.#servers[to].query(sql);
  }

  /** Foreign keys are made on the target at the end of the load, for which rows have to have what they refer to. */
  async write(seed: number, transactions: number, orphans = true): Promise<void> {
    const connection = await this.#servers[this.#direction.from].connect(this.database);
    try {
      await writeCascades(connection, { seed, transactions, orphans });
    } finally {
      await connection.end();
    }
  }

  /** Runs the task while `work` is done, and ends it when that is applied. */
  async during(
    work: () => Promise<void>,
    start: TaskSpec["start"] = "start-replication",
  ): Promise<ObservedTask> {
    const task = new ObservedTask({ ...this.spec, start });
    this.task = task;
    try {
      await task.until(({ phase }) => phase === "replicating");
      await work();
      task.running.drain();
      assertStopped(await task.running.outcome);
      return task;
    } finally {
      task.running.stop();
      task.running.stop();
      await task.running.outcome;
    }
  }

  async assertEqual(
    tables?: readonly string[],
    names: Pick<AcrossOptions, "targetName" | "targetColumn"> = {},
  ): Promise<void> {
    const { database } = this;
    const comparison = await compareAcross({
      source: mysqlSide(this.#servers[this.#direction.from], database),
      target: this.#side,
      ...names,
      ...(tables === undefined ? {} : { tables: tables.map((name) => ({ schema: database, name })) }),
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.ok(comparison.rows > 0);
    const { to } = this.#direction;
    const conflicts =
      to === "postgres"
        ? await this.#servers.postgres.query(
            `select "TABLE_NAME", "ERROR" from awsdms_apply_exceptions`,
            this.#to,
          )
        : await this.#servers[to].query(
            `select TABLE_NAME, ERROR from awsdms_control.awsdms_apply_exceptions where TABLE_OWNER like '%${database}'`,
          );
    assert.deepEqual(conflicts, []);
  }
}
