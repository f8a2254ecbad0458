import { existsSync } from "node:fs";
import { join } from "node:path";
import { executables, findTools, quietly, type Tool, versionOf } from "./support/debian-tools.ts";

/** What the tests need beyond `npm ci`. `environment` tells them where it is. */
export interface Prerequisites {
  readonly environment: Readonly<Record<string, string>>;
  /** What could not be had, with the command that installs it. */
  readonly missing: readonly string[];
}

const OLDER_SERVERS = [12, 13, 14, 15, 16, 17];

const tools: readonly Tool[] = [
  {
    name: "aws, version 2",
    variable: "TIDEWAY_TEST_AWS",
    debianPackage: "awscli",
    // Another aws, of version 1, may come first in PATH.
    find: () => executables("aws").find((path) => /^aws-cli\/2\./.test(versionOf(path))),
  },
  {
    name: "pgbench",
    variable: "TIDEWAY_TEST_PGBENCH",
    debianPackage: "postgresql-contrib",
    find: () => executables("pgbench").find((path) => versionOf(path).startsWith("pgbench")),
  },
  {
    name: "psql",
    variable: "TIDEWAY_TEST_PSQL",
    debianPackage: "postgresql-client",
    find: () => executables("psql").find((path) => versionOf(path).startsWith("psql")),
  },
  {
    name: "openssl",
    variable: "TIDEWAY_TEST_OPENSSL",
    debianPackage: "openssl",
    find: () => executables("openssl").find((path) => existsSync(path)),
  },
];

/** Finds everything and installs what is missing where that is possible without asking. */
export function preparePrerequisites(root: string, say: (line: string) => void): Prerequisites {
  const missing: string[] = [];
  if (!installOlderServers(root, say)) missing.push("older PostgreSQL servers: npm ci --prefix test/servers");
  const found = findTools(tools, say);
  missing.push(...found.missing);
  const environment: Record<string, string> = {};
  for (const tool of tools) {
    const path = found.paths.get(tool.name);
    if (path !== undefined) environment[tool.variable] = path;
  }
  return { environment, missing };
}

function installOlderServers(root: string, say: (line: string) => void): boolean {
  const directory = join(root, "test", "servers");
  const complete = (): boolean =>
    OLDER_SERVERS.every((version) =>
      existsSync(join(directory, "node_modules", `pg${version}`, "native", "bin", "postgres")),
    );
  if (complete()) return true;
  say("installing PostgreSQL 12 to 17 (npm ci --prefix test/servers)");
  const npm = process.env["npm_execpath"];
  const command = ["ci", "--prefix", directory, "--no-audit", "--no-fund"];
  if (npm === undefined) quietly("npm", command, say);
  else quietly(process.execPath, [npm, ...command], say);
  return complete();
}
