import type { Engine } from "../../core/engine.ts";
import { connect } from "./connection/connection.ts";
import { classify } from "./connection/errors.ts";
import { findLeftovers, removeLeftover } from "./leftovers.ts";
import { endpointSettings } from "./settings.ts";
import { PostgresSource } from "./source.ts";
import { PostgresTarget } from "./target.ts";
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
  capabilities: { source: true, target: true, cdc: true },
  settingsMember: "PostgreSQLSettings",
  endpointSettings,
  parseUrl,

  async testConnection(endpoint, role, signal) {
    const client = await connect(endpoint, { side: role, purpose: "tideway test" }, signal);
    try {
      const { rows } = await client.query<{ server_version: string }>("show server_version");
      return { serverVersion: rows[0]!.server_version };
    } catch (error) {
      throw signal.aborted ? signal.reason : classify(error, { side: role, endpoint });
    } finally {
      await client.end();
    }
  },

  async openSource(endpoint, signal) {
    const source = new PostgresSource(endpoint);
    await source.check(signal);
    return source;
  },

  async openTarget(endpoint, signal) {
    const target = new PostgresTarget(endpoint);
    await target.check(signal);
    return target;
  },

  findLeftovers,
  removeLeftover,
};
