import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errorTable } from "../src/core/error-table.ts";
import { type Import, places, readSources, type SourceFile } from "./source-text.ts";

/*
 * The rules of ARCHITECTURE.md that a program can check.
 */

interface Rule {
  /** Folders (or files) of src that may be imported. */
  readonly may: readonly string[];
  /** Folders whose types alone may be imported. */
  readonly types?: readonly string[];
  /** Packages that may be imported; node:* always may. */
  readonly packages?: readonly string[];
}

/** Who may import whom. A folder may always import itself. Longer names come first. */
const rules: Readonly<Record<string, Rule>> = {
  "engines/shared": { may: ["base", "core"] },
  "engines/mysql": { may: ["base", "core", "engines/shared"], packages: ["mysql2"] },
  "engines/postgres": { may: ["base", "core", "engines/shared"], packages: ["pg"] },
  base: { may: [], packages: ["pino"] },
  core: { may: ["base"] },
  mapping: { may: ["base", "core"] },
  comparison: { may: ["base", "core", "mapping"] },
  pipeline: { may: ["base", "core", "mapping", "comparison"] },
  task: { may: ["base", "core", "mapping", "pipeline"] },
  // task/store.ts is the interface that a store implements.
  store: { may: ["base", "core", "task/store.ts"], types: ["task"] },
  api: {
    may: ["base", "core", "mapping", "task"],
    packages: ["@aws-sdk/client-database-migration-service", "@smithy/signature-v4"],
  },
  notify: { may: ["base", "core", "task"] },
  report: { may: ["base", "core"] },
  cli: {
    may: ["base", "core", "api/shapes.ts", "mapping/selection.ts", "report", "server"],
    types: ["task"],
    packages: ["commander", "pino", "@aws-sdk/client-database-migration-service"],
  },
  server: {
    may: ["base", "core", "mapping", "engines", "pipeline", "task", "store", "notify", "api"],
    packages: ["fastify", "pino"],
  },
};

const MAX_LINES = 350;
const WARN_LINES = 300;
/** Tables, not programs: they grow by a row at a time and are read by looking a row up. */
const tablesOfRows = [/^src\/core\/errors\//];

/** Where the time of day is stored, shown, or compared with one: all other places use performance.now(). */
const timesOfDay = [
  /^src\/api\//,
  /^src\/cli\//,
  /^src\/task\/(?:control-reports|events|statistics|task-ledger)\.ts$/,
  // What `$AR_H_TIMESTAMP` says of rows that are loaded.
  /^src\/mapping\/rows\/headers\.ts$/,
  // How old an event is, and the date of a signature.
  /^src\/notify\//,
  // A stop at a time of the day.
  /^src\/task\/steering\.ts$/,
  // A field of the replication protocol.
  /^src\/engines\/postgres\/log\/live-stream\.ts$/,
];

const root = join(import.meta.dirname, "..");
const sources = readSources(root, ["src"]);
const others = readSources(root, ["test", "scripts", "demo", "bench", "soak", "bin"]);
const program = sources.filter((file) => !file.isTest);

test("there is a program to check", () => {
  assert.ok(program.length > 20, `only ${program.length} files found`);
});

test("every folder imports only what ARCHITECTURE.md lets it import", () => {
  const wrong = program.flatMap((file) =>
    file.imports.flatMap((one) => {
      const reason = forbidden(file, one);
      return reason === undefined ? [] : [`${file.path}:${one.line}: ${reason}`];
    }),
  );
  assertNone(wrong);
});

test("folders, and the rooms of an engine, do not import each other in a circle", () => {
  for (const placeOf of [folderOf, roomOf]) {
    const edges = new Map<string, Set<string>>();
    for (const file of program) {
      const from = placeOf(file.path);
      for (const one of file.imports) {
        const to = one.file === undefined ? undefined : placeOf(one.file);
        if (from === undefined || to === undefined || from === to) continue;
        edges.set(from, (edges.get(from) ?? new Set()).add(to));
      }
    }
    assertNone([...edges.keys()].flatMap((place) => circleFrom(place, edges)));
  }
});

test("an engine shows the rest of the program nothing but its engine.ts", () => {
  const wrong = program.flatMap((file) =>
    file.imports
      .filter(({ file: target }) => {
        const engine = /^src\/engines\/(?!shared\/)([^/]+)\/(.*)$/.exec(target ?? "");
        if (engine === null || file.path.startsWith(`src/engines/${engine[1]}/`)) return false;
        return engine[2] !== "engine.ts";
      })
      .map((one) => `${file.path}:${one.line}: ${one.file}`),
  );
  assertNone(wrong);
});

test("what is shipped imports nothing from tests, scripts or the demo", () => {
  const wrong = program.flatMap((file) =>
    file.imports
      .filter((one) => one.file !== undefined && !one.file.startsWith("src/"))
      .map((one) => `${file.path}:${one.line}: ${one.file}`),
  );
  assertNone(wrong);
});

test("no file is so long that it holds a second idea", (context) => {
  const wrong: string[] = [];
  for (const file of [...sources, ...others]) {
    if (tablesOfRows.some((pattern) => pattern.test(file.path))) continue;
    const lines = file.text.split("\n").length - 1;
    if (lines > MAX_LINES) wrong.push(`${file.path}: ${lines} lines, at most ${MAX_LINES}`);
    else if (lines > WARN_LINES && !file.isTest) context.diagnostic(`${file.path} has ${lines} lines`);
  }
  assertNone(wrong);
});

test("no type is any, and nothing is written to the console", () => {
  const wrong = program.flatMap((file) => [
    ...places(file, file.code, /(?::\s*|\bas\s+|<)any\b(?!\s*(?:[:(]|=>))/g),
    ...places(file, file.code, /\bconsole\./g),
  ]);
  assertNone(wrong);
});

test("intervals are measured by a clock that nobody can set", () => {
  const wrong = program
    .filter((file) => !timesOfDay.some((pattern) => pattern.test(file.path)))
    .flatMap((file) => places(file, file.code, /\bDate\.now\b|\bnew Date\(\)/g));
  assertNone(wrong);
});

test("nothing is left to be done later", () => {
  // Written so that this file does not find itself.
  const marks = new RegExp(
    `\\b(?:${["TO", "DO"].join("")}|${["FIX", "ME"].join("")}|${["XX", "X"].join("")})\\b`,
    "g",
  );
  assertNone([...sources, ...others].flatMap((file) => places(file, file.text, marks)));
});

test("a test that is left out says why", () => {
  const silent = /\b(?:test|it|describe|suite)\.(?:skip|todo)\b|\b(?:skip|todo):\s*true\b|\.skip\(\s*\)/g;
  const wrong = [...sources, ...others]
    .filter((file) => file.isTest && file.path !== "test/architecture.test.ts")
    .flatMap((file) => places(file, file.code, silent));
  assertNone(wrong);
});

test("no test runs alone", () => {
  const alone = /\b(?:test|it|describe|suite)\.only\b|\bonly:\s*true\b/g;
  const wrong = [...sources, ...others]
    .filter((file) => file.isTest && file.path !== "test/architecture.test.ts")
    .flatMap((file) => places(file, file.code, alone));
  assertNone(wrong);
});

test("every error code is used", () => {
  const texts = program.filter((file) => !file.path.startsWith("src/core/errors/")).map((file) => file.code);
  // The launcher is plain JavaScript and writes its one code as text.
  texts.push(readFileSync(join(root, "bin", "tideway.js"), "utf8").replace(/error ([a-z_.]+):/g, '"$1"'));
  const unused = Object.keys(errorTable).filter((code) => !texts.some((text) => text.includes(`"${code}"`)));
  assertNone(unused);
});

test("names say what a file holds", () => {
  const vague =
    /(?:^|\/)(?:utils?|common|helpers?|types|misc|index)(?:\.test)?\.ts$|(?:^|\/)(?:utils?|common|helpers?|misc)\//;
  assertNone([...sources, ...others].map((file) => file.path).filter((path) => vague.test(path)));
});

/** The folder a rule speaks of: "engines/postgres", "core". */
function folderOf(path: string): string | undefined {
  const inside = path.startsWith("src/") ? path.slice("src/".length) : undefined;
  if (inside === undefined) return undefined;
  const parts = inside.split("/");
  return parts[0] === "engines" ? parts.slice(0, 2).join("/") : parts[0];
}

/** The room of an engine in which a file lies, "engines/postgres/apply", or else its folder. */
function roomOf(path: string): string | undefined {
  const room = /^src\/(engines\/[^/]+\/[^/]+)\//.exec(path);
  return room?.[1] ?? folderOf(path);
}

function forbidden(file: SourceFile, one: Import): string | undefined {
  const folder = folderOf(file.path) ?? "";
  const rule = rules[folder];
  if (rule === undefined) return `there is no rule for src/${folder}: add one here and in ARCHITECTURE.md`;
  if (one.module !== undefined) {
    const allowed = one.module.startsWith("node:") || rule.packages?.includes(one.module) === true;
    return allowed ? undefined : `${folder} may not import the package ${one.module}`;
  }
  const target = (one.file ?? "").replace(/^src\//, "");
  const within = (place: string): boolean => target === place || target.startsWith(`${place}/`);
  if (within(folder) || rule.may.some(within)) return undefined;
  if (one.typeOnly && rule.types?.some(within) === true) return undefined;
  return `${folder} may not import ${target}${rule.types?.some(within) === true ? " but for its types" : ""}`;
}

/** One circle that leads from the folder back to it, as text; none when there is none. */
function circleFrom(start: string, edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const seen = new Set<string>();
  const walk = (folder: string, way: readonly string[]): string | undefined => {
    for (const next of edges.get(folder) ?? []) {
      if (next === start) return [...way, next].join(" -> ");
      if (seen.has(next)) continue;
      seen.add(next);
      const circle = walk(next, [...way, next]);
      if (circle !== undefined) return circle;
    }
    return undefined;
  };
  const circle = walk(start, [start]);
  return circle === undefined ? [] : [circle];
}

function assertNone(found: readonly string[]): void {
  assert.equal(found.length, 0, `\n  ${found.join("\n  ")}`);
}
