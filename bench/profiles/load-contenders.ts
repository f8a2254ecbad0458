import { join } from "node:path";
import type { Command } from "../command.ts";
import type { ToolName } from "../peer-tools.ts";
import type { ContenderEntry } from "../profile.ts";

/** What copies a database: a command that a person would type. */
export interface LoadContender {
  readonly name: string;
  readonly needs: readonly ToolName[];
  /** Reads schemas with a program that must be as new as the server. */
  readonly dumps: boolean;
  /** May use $SOURCE and $TARGET (URLs) and $WORK (a directory that does not exist yet). */
  readonly script: string;
  /** More variables of it. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Where rules make other rows of the source's: queries of both sides that give the same rows. */
  readonly checks?: { readonly source: string; readonly target: string };
}

const launcher = join(import.meta.dirname, "..", "..", "bin", "tideway.js");
const tideway = `"$NODE" "$TIDEWAY" migrate "$SOURCE" "$TARGET" --type full-load --json --data-dir "$WORK"`;

/** Creates everything that is not there. */
export const tidewayWhole: LoadContender = { name: "tideway", needs: [], dumps: false, script: tideway };

/** Loads into tables that are there, and leaves them as they are. */
export const tidewayData: LoadContender = {
  name: "tideway",
  needs: [],
  dumps: false,
  script: `${tideway} --prep-mode do-nothing`,
};

/** pgcopydb leaves its semaphores behind; in a namespace of their own they go when it ends. */
const isolated = process.getuid?.() === 0 ? "unshare --ipc " : "";

export const pgcopydb: LoadContender = {
  name: "pgcopydb",
  needs: ["pg_dump", "pg_restore", "pgcopydb"],
  dumps: true,
  script: `${isolated}"$PGCOPYDB" clone --source "$SOURCE" --target "$TARGET" --dir "$WORK" --table-jobs 2 --index-jobs 2 \\
    --no-owner --no-acl --skip-large-objects`,
};

/** Without compression, which here would cost more than it saves. */
export const dumpRestore: LoadContender = {
  name: "dump/restore",
  needs: ["pg_dump", "pg_restore"],
  dumps: true,
  script: `"$PG_DUMP" -Fd -j2 -Z0 --no-owner --no-acl -f "$WORK" -d "$SOURCE" &&
    "$PG_RESTORE" -j2 --no-owner --no-acl -d "$TARGET" "$WORK"`,
};

/** One table through a pipe: what moving the rows costs at least. */
export function pipe(table: string): LoadContender {
  return { name: "pipe", needs: ["psql"], dumps: false, script: pipeline(`bench.${table}`, table) };
}

/** The same table by two pipes, each with one half of its blocks. */
export function twoPipes(table: string): LoadContender {
  const half = (from: string, to: string): string =>
    pipeline(`(select * from bench.${table} where ctid >= '(${from},0)' and ctid < '(${to},0)')`, table);
  const middle = `"$PSQL" -X -q -A -t -d "$SOURCE" -c "select relpages / 2 from pg_class where oid = 'bench.${table}'::regclass"`;
  return {
    name: "pipe x2",
    needs: ["psql"],
    dumps: false,
    script: `middle=$(${middle})
      ( ${half("0", "$middle")} ) & first=$!
      ( ${half("$middle", "4294967295")} ) & second=$!
      wait $first && wait $second`,
  };
}

function pipeline(from: string, table: string): string {
  return `"$PSQL" -X -q -d "$SOURCE" -c "copy ${from} to stdout (format binary)" |
    "$PSQL" -X -q -d "$TARGET" -c "copy bench.${table} from stdin (format binary)"`;
}

export function contenderEntry({ name, needs, dumps }: LoadContender): ContenderEntry {
  return {
    name,
    needs,
    missing: ({ tools, serverVersion }) => tools.whyNot(needs, dumps ? serverVersion : undefined),
  };
}

export interface LoadRequest {
  readonly source: string;
  readonly target: string;
  readonly work: string;
  /** Where a program is. */
  readonly path: (name: ToolName) => string;
}

export function loadCommand(contender: LoadContender, request: LoadRequest): Command {
  const programs = contender.needs.map((name) => [name.toUpperCase(), request.path(name)]);
  return {
    script: contender.script,
    variables: {
      SOURCE: request.source,
      TARGET: request.target,
      WORK: request.work,
      NODE: process.execPath,
      TIDEWAY: launcher,
      ...contender.variables,
      ...Object.fromEntries(programs),
    },
  };
}
