import { existsSync } from "node:fs";
import { executables, findTools, type Tool, versionOf } from "./support/debian-tools.ts";
import { mariadbServer } from "./support/mysql-packages.ts";
import { postgisServer } from "./support/postgis.ts";
import { installServers, SERVER_VERSIONS } from "./support/server-packages.ts";

/** What the tests need beyond `npm ci`. `environment` tells them where it is. */
export interface Prerequisites {
  readonly environment: Readonly<Record<string, string>>;
  /** What could not be had, with the command that installs it. */
  readonly missing: readonly string[];
}

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
  mariadbServer,
  {
    name: "openssl",
    variable: "TIDEWAY_TEST_OPENSSL",
    debianPackage: "openssl",
    find: () => executables("openssl").find((path) => existsSync(path)),
  },
];

/** Finds everything and installs what is missing where that is possible without asking. */
export function preparePrerequisites(say: (line: string) => void): Prerequisites {
  const missing: string[] = [];
  const servers = installServers(SERVER_VERSIONS, say, { mysql: true });
  if (servers !== undefined) missing.push(servers);
  const found = findTools(tools, say);
  missing.push(...found.missing);
  // By itself, because not every system has such a package; its tests are skipped then.
  for (const line of findTools([postgisServer], say, { isOptional: true }).missing)
    say(`without PostGIS: ${line}`);
  const environment: Record<string, string> = {};
  for (const tool of tools) {
    const path = found.paths.get(tool.name);
    if (path !== undefined) environment[tool.variable] = path;
  }
  return { environment, missing };
}
