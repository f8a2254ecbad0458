import type { EndpointConfig } from "../../src/core/engine.ts";
import { MigrationError } from "../../src/core/error.ts";
import type { Finding } from "../../src/core/finding.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import { openJournal } from "../../src/engines/mysql/apply/journal.ts";
import { clientPool } from "../../src/engines/mysql/connection/client-pool.ts";
import { convertPlan } from "../../src/engines/mysql/convert/convert.ts";
import { buildSteps } from "../../src/engines/mysql/load/build-steps.ts";
import { LoaderPool } from "../../src/engines/mysql/load/load-sessions.ts";
import { postLoadSteps } from "../../src/engines/mysql/load/post-load.ts";
import { prepareSchema, prepareTables } from "../../src/engines/mysql/load/prepare.ts";
import { outOfRangeOf } from "../../src/engines/mysql/values/out-of-range.ts";
import { ValueCounts } from "../../src/engines/mysql/values/value-counts.ts";
import { describe, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { openSnapshot } from "../../src/engines/postgres/snapshot/snapshot.ts";
import { unaborted } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { connectTo, planFor } from "./schema-plan.ts";

export interface MovedTables {
  /** Of PostgreSQL, with the tables that the SQL has made. */
  readonly database: string;
  /** The schema's name on both sides. */
  readonly schema: string;
  readonly plan: MigrationPlan;
  readonly findings: readonly Finding[];
  /** What went wrong with a table, by its name. */
  readonly failures: ReadonlyMap<string, MigrationError>;
}

export interface MoveRequest {
  readonly source: PostgresServer;
  readonly target: MysqlServer;
  /** Makes the schema `schema` and tables in it. */
  readonly sql: string;
  readonly schema: string;
}

/** Full load of all tables of one schema from PostgreSQL, with all that the engine's target does for it. */
export async function moveTables({ source, target, sql, schema }: MoveRequest): Promise<MovedTables> {
  const database = await source.createDatabase("source");
  await source.query(sql, database);
  const catalog = await connectTo(source, database);
  const given = await listTables(catalog)
    .then((ids) =>
      describe(
        catalog,
        ids.filter((id) => id.schema === schema),
      ),
    )
    .finally(() => catalog.end());
  const endpoint = target.endpoint();
  await using pool = clientPool(endpoint, { side: "target", purpose: "test" });
  const facts = await pool.use(unaborted, async (client) => client.facts);
  const { plan, findings } = convertPlan(planFor(given), facts, outOfRangeOf(endpoint));
  const failures = new Map<string, MigrationError>();
  await pool.use(unaborted, (client) => prepareSchema(client, { plan, replace: true }));
  const requests = plan.tables.map((table) => {
    return { migration: plan, plan: table, mode: "drop-and-create" as const };
  });
  const outcomes = await pool.use(unaborted, (client) => prepareTables(client, requests));
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome instanceof MigrationError) failures.set(plan.tables[i]!.source.id.name, outcome);
  }
  const tables = plan.tables.filter((table) => !failures.has(table.source.id.name));
  await loadAll({ source: endpointOf(source, database), endpoint, plan: { ...plan, tables }, failures });
  for (const table of tables) {
    if (failures.has(table.source.id.name)) continue;
    for (const outcome of await pool.use(unaborted, (client) => buildSteps(client, postLoadSteps(table)))) {
      if (outcome instanceof MigrationError) failures.set(table.source.id.name, outcome);
    }
  }
  return { database, schema, plan, findings, failures };
}

interface LoadAll {
  readonly source: EndpointConfig;
  readonly endpoint: EndpointConfig;
  readonly plan: MigrationPlan;
  readonly failures: Map<string, MigrationError>;
}

async function loadAll({ source, endpoint, plan, failures }: LoadAll): Promise<void> {
  const request = { taskId: "move", controlSchema: undefined };
  const tables = plan.tables.map((table) => table.source);
  await using snapshot = await openSnapshot(source, { taskId: "move", tables, anchor: "none" }, unaborted);
  await using journal = await openJournal(endpoint, request, unaborted);
  await using loaders = new LoaderPool(endpoint, new ValueCounts());
  const partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 1 } as const;
  for (const table of plan.tables) {
    const { id } = table.source;
    const partitions = [partition];
    await journal.planTables([{ id, created: true, snapshot: undefined, partitions }], unaborted);
    try {
      const format = "pg-copy-text" as const;
      await using loader = await loaders.open({ ...request, plan: table, partition, format }, unaborted);
      for await (const chunk of snapshot.read({ table: table.source, partition, format }, unaborted)) {
        await loader.write(chunk);
      }
      await loader.finish();
    } catch (error) {
      if (!(error instanceof MigrationError)) throw error;
      failures.set(id.name, error);
    }
  }
}
