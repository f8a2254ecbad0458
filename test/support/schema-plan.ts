import type pg from "pg";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { PostLoadStage } from "../../src/core/post-load-step.ts";
import type { Catalog, TableId, TableSchema } from "../../src/core/schema.ts";
import type { PrepareMode } from "../../src/core/target.ts";
import { describe, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { connect } from "../../src/engines/postgres/connection/connection.ts";
import { buildSteps } from "../../src/engines/postgres/load/build-steps.ts";
import { postLoadSteps } from "../../src/engines/postgres/load/post-load.ts";
import { prepareSchema, prepareTables } from "../../src/engines/postgres/load/prepare.ts";
import { unwrap } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A client as the engine makes them; the caller ends it. */
export function connectTo(server: PostgresServer, database: string): Promise<pg.Client> {
  return connect(
    endpointOf(server, database),
    { side: "target", purpose: "test" },
    new AbortController().signal,
  );
}

/** New names for schemas, and for tables within their schema; identity where nothing is said. */
export interface Renaming {
  readonly schema?: (name: string) => string;
  readonly table?: (name: string) => string;
}

/** What table mappings that rename would make of a catalog. */
export function planFor(catalog: Catalog, renaming: Renaming = {}): MigrationPlan {
  const target = rename(catalog, renaming);
  return {
    tables: catalog.tables.map((source, i) => ({ source, target: target.tables[i]!, loadOrder: 0 })),
    sequences: catalog.sequences.map((source, i) => ({ source, target: target.sequences[i]! })),
    target,
  };
}

/** The plan for all tables of a new database in which `sql` was run. */
export async function planOf(
  server: PostgresServer,
  sql: string,
  renaming?: Renaming,
): Promise<MigrationPlan> {
  const database = await server.createDatabase("source");
  await server.query(sql, database);
  const client = await connectTo(server, database);
  try {
    return planFor(await describe(client, await listTables(client)), renaming);
  } finally {
    await client.end();
  }
}

export function rename(catalog: Catalog, renaming: Renaming): Catalog {
  const schema = renaming.schema ?? same;
  const table = renaming.table ?? same;
  const tableId = (id: TableId): TableId => ({ schema: schema(id.schema), name: table(id.name) });
  const inSchema = (id: TableId): TableId => ({ schema: schema(id.schema), name: id.name });
  return {
    ...catalog,
    schemas: catalog.schemas.map((one) => ({ ...one, name: schema(one.name) })),
    types: catalog.types.map((type) => ({ ...type, id: inSchema(type.id) })),
    sequences: catalog.sequences.map((sequence) => ({
      ...sequence,
      id: inSchema(sequence.id),
      ownedBy: sequence.ownedBy && { ...sequence.ownedBy, table: tableId(sequence.ownedBy.table) },
    })),
    tables: catalog.tables.map((one) => ({
      ...one,
      id: tableId(one.id),
      foreignKeys: one.foreignKeys.map((key) => ({ ...key, references: tableId(key.references) })),
    })),
  };
}

function same(name: string): string {
  return name;
}

const STAGES: readonly PostLoadStage[] = ["key", "index", "vacuum", "unique", "foreign-key", "analyze"];

export interface Target {
  readonly server: PostgresServer;
  readonly database: string;
}

/** Everything of the plan, as a full load of no rows creates it. */
export async function createAll(target: Target, plan: MigrationPlan, mode: PrepareMode): Promise<void> {
  await prepareAll(target, plan, mode);
  await buildAll(target, plan);
}

export async function prepareAll(target: Target, plan: MigrationPlan, mode: PrepareMode): Promise<void> {
  const client = await connectTo(target.server, target.database);
  try {
    await prepareSchema(client, { plan, replace: true });
    for (const table of plan.tables) await prepareTables(client, [{ migration: plan, plan: table, mode }]);
  } finally {
    await client.end();
  }
}

export async function buildAll(target: Target, plan: MigrationPlan): Promise<void> {
  const steps = plan.tables.flatMap(postLoadSteps);
  const client = await connectTo(target.server, target.database);
  try {
    for (const stage of STAGES) {
      const outcomes = await buildSteps(
        client,
        steps.filter((step) => step.stage === stage),
      );
      for (const outcome of outcomes) unwrap(outcome);
    }
  } finally {
    await client.end();
  }
}

/** A catalog without what two databases with the same schema may differ in; types in a fixed order. */
export function comparable(catalog: Catalog): Omit<Catalog, "serverVersion"> {
  const { serverVersion, ...rest } = catalog;
  const byId = (a: { readonly id: TableId }, b: { readonly id: TableId }): number =>
    JSON.stringify(a.id) < JSON.stringify(b.id) ? -1 : 1;
  return {
    ...rest,
    schemas: rest.schemas.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    types: rest.types.toSorted(byId),
    sequences: rest.sequences.toSorted(byId),
    tables: rest.tables
      .map(
        ({ shape, columns, ...table }): TableSchema => ({
          ...{ ...table, estimatedRows: 0, estimatedBytes: 0 },
          // Which generated columns a server sends is its version's.
          columns: columns.map(({ sends, ...column }) => column),
        }),
      )
      .toSorted(byId),
  };
}
