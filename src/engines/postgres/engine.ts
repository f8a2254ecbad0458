import type { Engine } from "../../core/engine.ts";
import { endpointSettings } from "./settings.ts";
import { DEFAULT_PORT, parseUrl } from "./url.ts";

/** PostgreSQL 12 and newer, and what speaks its protocol and keeps its catalogs. */
export const postgresEngine: Engine = {
  name: "postgres",
  displayName: "PostgreSQL",
  aliases: [
    { name: "aurora-postgresql", displayName: "Amazon Aurora PostgreSQL" },
    { name: "aurora-postgresql-serverless", displayName: "Amazon Aurora PostgreSQL Serverless" },
  ],
  urlSchemes: ["postgresql", "postgres"],
  defaultPort: DEFAULT_PORT,
  reaches: "database",
  capabilities: { source: true, target: true, cdc: true, startsAtTime: false },
  settingsMember: "PostgreSQLSettings",
  endpointSettings,
  parseUrl,

  async load() {
    await Promise.all([
      import("./source.ts"),
      import("./target.ts"),
      import("./log/change-stream.ts"),
      import("./apply/applier.ts"),
    ]);
  },

  async testConnection(endpoint, role, signal) {
    const { connect } = await import("./connection/connection.ts");
    const client = await connect(endpoint, { side: role, purpose: "tideway test" }, signal);
    try {
      const { rows } = await client.query<{ server_version: string }>("show server_version");
      return { serverVersion: rows[0]!.server_version };
    } catch (error) {
      const { classify } = await import("./connection/errors.ts");
      throw signal.aborted ? signal.reason : classify(error, { side: role, endpoint });
    } finally {
      await client.end();
    }
  },

  async openSource(endpoint, signal) {
    const { PostgresSource } = await import("./source.ts");
    const source = new PostgresSource(endpoint);
    await source.check(signal);
    return source;
  },

  async openTarget(endpoint, signal) {
    const { PostgresTarget } = await import("./target.ts");
    const target = new PostgresTarget(endpoint);
    await target.check(signal);
    return target;
  },

  async findLeftovers(endpoint, signal) {
    const { findLeftovers } = await import("./leftovers.ts");
    return findLeftovers(endpoint, signal);
  },

  async removeLeftover(endpoint, leftover, signal) {
    const { removeLeftover } = await import("./leftovers.ts");
    await removeLeftover(endpoint, leftover, signal);
  },
};
