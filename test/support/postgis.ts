import { existsSync } from "node:fs";
import { join } from "node:path";
import { executables, type Tool } from "./debian-tools.ts";

/** The server's program of a PostgreSQL that has PostGIS, which no npm package brings along. */
function findServer(): string | undefined {
  return executables("postgres").find((path) => hasPostgis(path));
}

/** Debian keeps what a version has in /usr/lib/postgresql/15 and /usr/share/postgresql/15. */
function hasPostgis(program: string): boolean {
  const version = /^\/usr\/lib\/postgresql\/(\d+)\/bin\//.exec(program)?.[1];
  return (
    version !== undefined &&
    existsSync(join("/usr/share/postgresql", version, "extension", "postgis.control"))
  );
}

export const postgisServer: Tool = {
  name: "PostgreSQL with PostGIS",
  variable: "TIDEWAY_TEST_POSTGIS",
  debianPackage: "postgresql-postgis",
  find: findServer,
};

/** The directory with the server's bin and lib; undefined where there is none. */
export function postgisBinaries(): string | undefined {
  const program = process.env[postgisServer.variable] ?? findServer();
  return program === undefined ? undefined : join(program, "..", "..");
}
