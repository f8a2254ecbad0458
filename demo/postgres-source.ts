import { count } from "../src/cli/human.ts";
import { compareDatabases, describeComparison } from "../test/support/compare.ts";
import { compareSchemas, describeSchemaDifferences } from "../test/support/compare-schemas.ts";
import { createDemoData, type DemoSizes } from "../test/support/demo-data.ts";
import type { PostgresServer } from "../test/support/postgres-server.ts";
import { Workload } from "../test/support/workload.ts";
import type { DemoSource } from "./demo-source.ts";

/** The demo's shop in an empty database of a PostgreSQL server. */
export function postgresSource(server: PostgresServer, database: string): DemoSource {
  const connect = () => server.connect(database);
  let sizes: DemoSizes | undefined;
  return {
    kind: "PostgreSQL",
    url: server.url(database),
    shell: `psql ${server.url(database)}`,
    patterns: ["shop.*", "audit.*"],
    async fill(rows) {
      sizes = await createDemoData(connect, rows);
    },
    startApplication: (load) =>
      Workload.start({ connect, ...(sizes === undefined ? {} : { sizes }), ...load }),
    async verify(target, targetDatabase) {
      const clients = { source: await connect(), target: await target.connect(targetDatabase) };
      try {
        const rows = await compareDatabases(clients);
        const schemas = await compareSchemas({ ...clients, schemas: ["shop", "audit"] });
        const differences = [
          rows.equal ? "" : describeComparison(rows),
          schemas.equal ? "" : describeSchemaDifferences(schemas),
        ];
        return {
          equal: rows.equal && schemas.equal,
          compared: `${count(rows.rows)} rows of ${rows.tables} tables, columns, keys, indexes, sequences`,
          differences: differences.filter((text) => text !== "").join("\n"),
        };
      } finally {
        await Promise.allSettled([clients.source.end(), clients.target.end()]);
      }
    },
  };
}
