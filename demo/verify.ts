import { compareDatabases, describeComparison } from "../test/support/compare.ts";
import { compareSchemas, describeSchemaDifferences } from "../test/support/compare-schemas.ts";
import type { PostgresServer } from "../test/support/postgres-server.ts";

export interface Verdict {
  readonly equal: boolean;
  readonly tables: number;
  readonly rows: number;
  /** What differs; empty when nothing does. */
  readonly differences: string;
}

/** Every row of every table, and every column, key, index, sequence and comment, on both sides. */
export async function verify(
  source: PostgresServer,
  target: PostgresServer,
  database: string,
): Promise<Verdict> {
  const clients = { source: await source.connect(database), target: await target.connect(database) };
  try {
    const rows = await compareDatabases(clients);
    const schemas = await compareSchemas({ ...clients, schemas: ["shop", "audit"] });
    const differences = [
      rows.equal ? "" : describeComparison(rows),
      schemas.equal ? "" : describeSchemaDifferences(schemas),
    ];
    return {
      equal: rows.equal && schemas.equal,
      tables: rows.tables,
      rows: rows.rows,
      differences: differences.filter((text) => text !== "").join("\n"),
    };
  } finally {
    await Promise.allSettled([clients.source.end(), clients.target.end()]);
  }
}
