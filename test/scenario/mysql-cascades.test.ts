import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide, postgresSide, type Side } from "../support/compare-side.ts";
import { endpointOf } from "../support/endpoint.ts";
import { armingOf } from "../support/kills.ts";
import { mysqlCascadeRows, mysqlCascadeSchema, writeCascades } from "../support/mysql-cascade-schema.ts";

import { assertStopped } from "../support/mysql-pair.ts";
import { type MysqlFlavour, startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, schemas, TaskProcess, taskSpec } from "../support/task.ts";

/*
 * What foreign keys do by themselves is in no log. The source's own server is the oracle: whatever it has done to its
 * rows has to be on the target, for any order of changes, and done once.
 */

const servers = {
  mariadb: await startMysql({ flavour: "mariadb" }),
  mysql: await startMysql({ flavour: "mysql" }),
};
const postgres = await startPostgres();
after(async () => {
  await Promise.all([...Object.values(servers), postgres].map((server) => server[Symbol.asyncDispose]()));
});

interface Direction {
  readonly from: MysqlFlavour;
  readonly to: MysqlFlavour | "postgres";
}

const directions: readonly Direction[] = [
  { from: "mariadb", to: "postgres" },
  { from: "mysql", to: "postgres" },
  { from: "mariadb", to: "mysql" },
  { from: "mysql", to: "mariadb" },
];

/** A database with the schema and its rows, and a task that moves it. */
class CascadePair {
  readonly database: string;
  readonly spec: TaskSpec;
  readonly #direction: Direction;
  readonly #side: Side;

  private constructor(
    direction: Direction,
    database: string,
    to: { readonly side: Side; readonly endpoint: EndpointConfig; readonly mappings: string },
  ) {
    this.#direction = direction;
    this.database = database;
    this.#side = to.side;
    this.spec = taskSpec({
      type: "full-load-and-cdc",
      source: servers[direction.from].endpoint(),
      target: to.endpoint,
      tableMappings: to.mappings,
    });
  }

  static async make(
    direction: Direction,
    {
      schema = `${mysqlCascadeSchema}; ${mysqlCascadeRows}`,
      mappings = schemas,
    }: { readonly schema?: string; readonly mappings?: (database: string) => string } = {},
  ): Promise<CascadePair> {
    const { from, to } = direction;
    const database = await servers[from].createDatabase(`cascade_${to}`);
    await servers[from].query(schema, database);
    if (to !== "postgres") {
      const side = mysqlSide(servers[to], database);
      const endpoint = servers[to].endpoint();
      return new CascadePair(direction, database, { side, endpoint, mappings: mappings(database) });
    }
    const name = await postgres.createDatabase("cascade");
    const side = postgresSide(postgres, name);
    const endpoint = endpointOf(postgres, name);
    return new CascadePair(direction, database, { side, endpoint, mappings: mappings(database) });
  }

  query(sql: string): Promise<Record<string, string | null>[]> {
    return servers[this.#direction.from].query(sql, this.database);
  }

  async write(seed: number, transactions: number): Promise<void> {
    const connection = await servers[this.#direction.from].connect(this.database);
    try {
      await writeCascades(connection, { seed, transactions });
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

  async assertEqual(tables?: readonly string[]): Promise<void> {
    const { database } = this;
    const comparison = await compareAcross({
      source: mysqlSide(servers[this.#direction.from], database),
      target: this.#side,
      ...(tables === undefined ? {} : { tables: tables.map((name) => ({ schema: database, name })) }),
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.ok(comparison.rows > 0);
  }
}

for (const direction of directions) {
  test(`rows that foreign keys change are on the target, one change at a time or many: ${direction.from} to ${direction.to}`, async () => {
    const pair = await CascadePair.make(direction);
    await pair.during(() => pair.write(1, 150));
    await pair.assertEqual();
    // What has gathered meanwhile is applied as sets.
    for (const seed of [2, 3]) {
      await pair.write(seed, 400);
      await pair.during(() => pair.write(10 + seed, 50), "resume-processing");
      await pair.assertEqual();
    }
  });
}

test("killed between what foreign keys do and the commit, a task does it once", async () => {
  for (const direction of directions.slice(0, 3)) {
    const pair = await CascadePair.make(direction);
    const spec = { ...pair.spec, startId: "first", untilCaughtUp: true };
    const first = await new TaskProcess({ ...spec, start: "start-replication" }).ended();
    assertStopped(first.outcome!);
    const places: readonly Failpoint[] = ["apply.batch-taken", "apply.changes-written", "apply.committed"];
    for (const [seed, failpoint] of places.entries()) {
      await pair.write(20 + seed, 60);
      const kill = armingOf({ failpoint, arrival: 1 });
      const { signal } = await new TaskProcess({ ...spec, start: "resume-processing" }, kill).ended();
      assert.equal(signal, "SIGKILL");
    }
    const { outcome } = await new TaskProcess({ ...spec, start: "resume-processing" }).ended();
    assertStopped(outcome!);
    await pair.assertEqual();
  }
});

const someTables = (database: string, ...names: readonly string[]): string =>
  JSON.stringify({
    rules: names.map((name, i) => ({
      ...{ "rule-type": "selection", "rule-id": String(i + 1), "rule-name": name, "rule-action": "include" },
      "object-locator": { "schema-name": database, "table-name": name },
    })),
  });

test("a table follows the rows that it refers to, though these are not moved", async () => {
  for (const direction of directions.slice(0, 2)) {
    const tables = ["shop", "sale", "tag", "thing"];
    const pair = await CascadePair.make(direction, {
      mappings: (database) => someTables(database, ...tables),
    });
    const task = await pair.during(async () => {
      await pair.query("delete from region where id = 1; update region set id = 9 where id = 2");
      await pair.query("set foreign_key_checks = 0; delete from region where id = 3");
      await pair.query("update kind set code = 'new' where id = 2; update kind set raw = x'01' where id = 1");
      await pair.write(30, 60);
    });
    await pair.assertEqual(tables);
    assert.deepEqual(
      task.findings.filter(({ code }) => code === "source.cascades_unlogged"),
      [],
    );
  }
});
