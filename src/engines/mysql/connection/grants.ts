import type { Client } from "./client.ts";

/** What SHOW GRANTS tells of the session's user. */
export class Grants {
  readonly #grants: readonly Grant[];
  /** Roles give rights that are not seen here. */
  readonly #hasRoles: boolean;

  constructor(lines: readonly string[]) {
    this.#grants = lines.flatMap((line) => readGrant(line) ?? []);
    this.#hasRoles = lines.some((line) => /^grant (?!.* on ).+ to /i.test(line));
  }

  /** Whether the user may do that in all of a database; true when that cannot be known. */
  has(privilege: string, schema: string): boolean {
    return (
      this.#hasRoles ||
      this.#grants.some(
        ({ names, covers }) => covers(schema) && (names.has(privilege) || names.has("ALL PRIVILEGES")),
      )
    );
  }

  /** Whether the user may do that everywhere. */
  hasGlobal(privilege: string): boolean {
    return this.#grants.some(
      ({ isGlobal, names }) => isGlobal && (names.has(privilege) || names.has("ALL PRIVILEGES")),
    );
  }
}

interface Grant {
  readonly names: ReadonlySet<string>;
  readonly isGlobal: boolean;
  readonly covers: (schema: string) => boolean;
}

export async function readGrants(client: Client): Promise<Grants> {
  const rows = await client.query<Record<string, string>>("show grants");
  return new Grants(rows.flatMap((row) => Object.values(row)));
}

const GRANT = /^grant (.+?) on (?:table )?(\*|`(?:[^`]|``)+`)\.(\*|`(?:[^`]|``)+`) to /i;

/** Grants on single tables say nothing about those that are to be made. */
function readGrant(line: string): Grant | undefined {
  const match = GRANT.exec(line);
  if (match === null || match[3] !== "*") return undefined;
  const names = new Set(match[1]!.split(",").map((name) => name.trim().toUpperCase()));
  const isGlobal = match[2] === "*";
  if (isGlobal) return { names, isGlobal, covers: () => true };
  const pattern = patternOf(match[2]!.slice(1, -1).replaceAll("``", "`"));
  return { names, isGlobal, covers: (schema) => pattern.test(schema) };
}

/** `%` and `_` stand for other characters, unless a backslash is before them. */
function patternOf(name: string): RegExp {
  const text = name.replace(/\\([%_])|[%_]|[.*+?^${}()|[\]\\]/g, (part, escaped?: string) => {
    if (escaped !== undefined) return escaped;
    if (part === "%") return ".*";
    return part === "_" ? "." : `\\${part}`;
  });
  return new RegExp(`^${text}$`, "s");
}
