import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide, postgresSide, type Side } from "../support/compare-side.ts";
import { endpointOf } from "../support/endpoint.ts";
import { mysqlRentalChanges, mysqlRentalRows, mysqlRentalSchema } from "../support/mysql-rental-schema.ts";
import { type MysqlFlavour, startMysql } from "../support/mysql-server.ts";
import {
  postgresRentalChanges,
  postgresRentalRows,
  postgresRentalSchema,
} from "../support/postgres-rental-schema.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { schemas, taskSpec } from "../support/task.ts";
import { TaskRuns } from "../support/task-runs.ts";

/* A film rental moves between servers of different kinds by each type of task, its views left out. */

const mysqls = {
  mariadb: await serverOfFile(startMysql({ flavour: "mariadb" })),
  mysql: await serverOfFile(startMysql({ flavour: "mysql" })),
};
const postgres = await serverOfFile(startPostgres());

type Kind = MysqlFlavour | "postgres";

interface Direction {
  readonly from: Kind;
  readonly to: Kind;
  /** What else the direction shows stands in mysql-rental.test.ts: a load with changes. */
  readonly onlyApart?: true;
}

const directions: readonly Direction[] = [
  { from: "postgres", to: "mariadb" },
  { from: "postgres", to: "mysql" },
  { from: "mariadb", to: "postgres", onlyApart: true },
  { from: "mysql", to: "postgres", onlyApart: true },
  { from: "mysql", to: "mariadb" },
  { from: "mariadb", to: "mysql" },
];

/** A database of the kind. `schema`: what the tables are in: a schema of PostgreSQL, or the database itself. */
interface Place {
  readonly endpoint: EndpointConfig;
  readonly side: Side;
  query(sql: string): Promise<unknown[]>;
}

/** Each server has its own count of databases: two of them must not give one name, as it is the same on the target. */
async function sourceOf({ from: kind, to }: Direction): Promise<Place & { readonly schema: string }> {
  if (kind !== "postgres") {
    const schema = await mysqls[kind].createDatabase(`rental_${kind}_${to}`);
    return { schema, ...mysqlPlace(kind, schema) };
  }
  const schema = await postgres.createDatabase(`rental_${kind}_${to}`);
  await postgres.query(
    `create schema ${schema}; alter database ${schema} set search_path = ${schema}`,
    schema,
  );
  return { schema, ...postgresPlace(schema) };
}

async function targetOf(kind: Kind, schema: string): Promise<Place> {
  return kind === "postgres"
    ? postgresPlace(await postgres.createDatabase("rental"))
    : mysqlPlace(kind, schema);
}

function mysqlPlace(kind: MysqlFlavour, database: string): Place {
  const server = mysqls[kind];
  return {
    endpoint: server.endpoint(),
    side: mysqlSide(server, database),
    query: (sql) => server.query(sql, database),
  };
}

function postgresPlace(database: string): Place {
  return {
    endpoint: endpointOf(postgres, database),
    side: postgresSide(postgres, database),
    query: (sql) => postgres.query(sql, database),
  };
}

class RentalPair extends TaskRuns {
  readonly source: Place & { readonly schema: string };
  readonly target: Place;
  readonly #changes: string;

  private constructor(parts: Pick<RentalPair, "source" | "target" | "spec"> & { readonly changes: string }) {
    super(parts.spec);
    this.source = parts.source;
    this.target = parts.target;
    this.#changes = parts.changes;
  }

  static async make(direction: Direction): Promise<RentalPair> {
    const { from, to } = direction;
    const source = await sourceOf(direction);
    const target = await targetOf(to, source.schema);
    const [schema, rows, changes] =
      from === "postgres"
        ? [postgresRentalSchema, postgresRentalRows, postgresRentalChanges]
        : [mysqlRentalSchema, mysqlRentalRows, mysqlRentalChanges];
    await source.query(`${schema}; ${rows}`);
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: source.endpoint,
      target: target.endpoint,
      tableMappings: schemas(source.schema),
    });
    return new RentalPair({ source, target, spec, changes });
  }

  /** Makes the changes while a task of the type replicates, and ends it when they are applied. */
  async replicateChanges(type: TaskSpec["type"]): Promise<void> {
    // Changes alone are another task's than the load before them.
    const id = type === "cdc" ? `${this.spec.id}_changes` : this.spec.id;
    const task = await this.replicate({ type, id });
    if (type !== "cdc") await this.assertEqual();
    await this.source.query(this.#changes);
    const { progress } = await this.drain(task);
    for (const { id, conflicts, error } of progress.tables) {
      assert.deepEqual([conflicts, error], [0, undefined], `${type} ${id.name}`);
    }
    await this.assertEqual();
  }

  /** All tables, and nothing but them. */
  async assertEqual(): Promise<void> {
    const { source, target } = this;
    const comparison = await compareAcross({ source: source.side, target: target.side });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.equal(comparison.tables, 11);
    const views = await target.query(
      `select table_name from information_schema.tables where table_schema = '${source.schema}' and table_name = 'film_list'`,
    );
    assert.deepEqual(views, []);
  }
}

for (const direction of directions) {
  const { from, to, onlyApart } = direction;
  const modes =
    onlyApart === true ? "full load and by changes alone" : "full load, by changes alone, and by both";
  test(`a film rental comes by ${modes}: ${from} to ${to}`, async () => {
    const apart = await RentalPair.make(direction);
    const together = onlyApart === true ? undefined : await RentalPair.make(direction);
    try {
      await apart.load();
      await apart.assertEqual();
      await apart.replicateChanges("cdc");
      await together?.replicateChanges("full-load-and-cdc");
    } finally {
      await apart.end();
      await together?.end();
    }
  });
}
