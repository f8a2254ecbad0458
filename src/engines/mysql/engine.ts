import type { Engine } from "../../core/engine.ts";
import { endpointSettings } from "./settings.ts";
import { DEFAULT_PORT, parseUrl } from "./url.ts";

/** MySQL from 5.7 on, MariaDB from 10.5 on, and what speaks their protocol and writes their binary log. */
export const mysqlEngine: Engine = {
  name: "mysql",
  displayName: "MySQL",
  aliases: [
    { name: "mariadb", displayName: "MariaDB" },
    { name: "aurora", displayName: "Amazon Aurora MySQL" },
    { name: "aurora-serverless", displayName: "Amazon Aurora MySQL Serverless" },
  ],
  urlSchemes: ["mysql", "mariadb"],
  defaultPort: DEFAULT_PORT,
  reaches: "server",
  capabilities: { source: true, target: true, cdc: true, startsAtTime: true },
  settingsMember: "MySQLSettings",
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
    await client.end();
    return { serverVersion: client.facts.text };
  },

  async openSource(endpoint, signal) {
    const { MysqlSource } = await import("./source.ts");
    const source = new MysqlSource(endpoint);
    await source.check(signal);
    return source;
  },

  async openTarget(endpoint, signal) {
    const { MysqlTarget } = await import("./target.ts");
    const target = new MysqlTarget(endpoint);
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
