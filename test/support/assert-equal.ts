import assert from "node:assert/strict";
import { compareDatabases, describeComparison, listUserTables } from "./compare.ts";
import { compareSchemas, type SchemaPart } from "./compare-schemas.ts";
import type { PostgresServer } from "./postgres-server.ts";

export interface DatabasePair {
  readonly source: PostgresServer;
  readonly from: string;
  readonly target: PostgresServer;
  readonly to: string;
  readonly schemas: readonly string[];
  /** Parts of the definition that are not compared. */
  readonly leaveOut?: readonly SchemaPart[];
}

/** Every row of every table and every definition in the schemas must be the same on both sides. */
export async function assertEqualDatabases(pair: DatabasePair): Promise<void> {
  const clients = {
    source: await pair.source.connect(pair.from),
    target: await pair.target.connect(pair.to),
  };
  try {
    const all = await listUserTables(clients.source);
    const tables = all.filter((table) => pair.schemas.includes(table.schema));
    const rows = await compareDatabases({ ...clients, tables });
    assert.ok(rows.equal, describeComparison(rows));
    const { schemas, leaveOut = [] } = pair;
    const definitions = await compareSchemas({ ...clients, schemas, leaveOut });
    assert.deepEqual(definitions.onlySource, []);
    assert.deepEqual(definitions.onlyTarget, []);
  } finally {
    await Promise.all([clients.source.end(), clients.target.end()]);
  }
}
