import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

/*
 * Builds dist/ for `npm pack`: Node strips types everywhere but below node_modules, where an installed
 * package lies. Run by the `prepack` script; a clone needs no build.
 */

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

/** A path to a TypeScript file in a string, which tsc leaves as it is: no such file in the package. */
const LEFT_PATH = /["'`][^"'`\s]*[\w-](?<!\.d)\.ts["'`]/g;

rmSync(dist, { recursive: true, force: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const result = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
  cwd: root,
  // npm pack prints the package's name on stdout and nothing else may.
  stdio: ["ignore", 2, 2],
});
if (result.status !== 0) fail("tsc found errors");
if (!existsSync(join(dist, "cli", "main.js"))) fail("dist/cli/main.js was not built");
const left = readdirSync(dist, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".js"))
  .flatMap((name) => leftPaths(join(dist, name)));
if (left.length > 0) {
  fail(`paths to TypeScript files are left; make them from import.meta.filename:\n${left.join("\n")}`);
}

function leftPaths(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line))
    .flatMap((line) => line.match(LEFT_PATH) ?? [])
    .map((match) => `  ${relative(root, file)}: ${match}`);
}

function fail(reason: string): never {
  process.stderr.write(`build: ${reason}\n`);
  process.exit(1);
}
