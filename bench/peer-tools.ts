import { executables, findTools, type Tool, versionOf } from "../test/support/debian-tools.ts";

/** Programs of others that are measured against, or that make load. */
export type ToolName = "psql" | "pg_dump" | "pg_restore" | "pgbench" | "pgcopydb" | "pgloader" | "mariadb";

const debianPackages: Readonly<Record<ToolName, string>> = {
  psql: "postgresql-client",
  pg_dump: "postgresql-client",
  pg_restore: "postgresql-client",
  pgbench: "postgresql-contrib",
  pgcopydb: "pgcopydb",
  pgloader: "pgloader",
  mariadb: "mariadb-client",
};

function tool(name: ToolName): Tool {
  return {
    name,
    variable: `TIDEWAY_BENCH_${name.toUpperCase()}`,
    debianPackage: debianPackages[name],
    find: () => executables(name).find((path) => versionOf(path).includes(name)),
  };
}

/** Where they are; what is not there says how to get it. */
export class PeerTools {
  readonly #paths: ReadonlyMap<string, string>;
  readonly missing: readonly string[];

  private constructor(paths: ReadonlyMap<string, string>, missing: readonly string[]) {
    this.#paths = paths;
    this.missing = missing;
  }

  static find(names: ReadonlySet<ToolName>, say: (line: string) => void): PeerTools {
    const { paths, missing } = findTools([...names].map(tool), say);
    return new PeerTools(paths, missing);
  }

  has(name: ToolName): boolean {
    return this.#paths.has(name);
  }

  path(name: ToolName): string {
    const path = this.#paths.get(name);
    if (path === undefined) throw new Error(this.whyNot([name]));
    return path;
  }

  /** Why a contender that needs these programs cannot run; undefined when it can. */
  whyNot(names: readonly ToolName[], serverVersion?: number): string | undefined {
    for (const name of names) {
      if (!this.has(name)) return this.missing.find((line) => line.startsWith(`${name}:`)) ?? `no ${name}`;
      const own = this.majorVersion(name);
      const limited = name === "pg_dump" || name === "pgcopydb";
      if (limited && serverVersion !== undefined && own < serverVersion) {
        return `${name} of version ${own} cannot read a server of version ${serverVersion}`;
      }
    }
    return undefined;
  }

  /** Of PostgreSQL: pgcopydb runs pg_dump, so it is as old as that. */
  majorVersion(name: ToolName): number {
    const text = versionOf(this.path(name === "pgcopydb" ? "pg_dump" : name));
    return Number(/\(PostgreSQL\) (\d+)/.exec(text)?.[1]);
  }

  /** Name to the first line in which the program tells its version. */
  versions(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#paths].map(([name, path]) => [name, /^.*\d.*$/m.exec(versionOf(path))?.[0] ?? "?"]),
    );
  }
}
