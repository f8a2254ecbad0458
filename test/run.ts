import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { delimiter, join, relative } from "node:path";
import { type FileOutcome, runFile } from "./file-run.ts";
import { preparePrerequisites } from "./prerequisites.ts";
import { TEMPLATES } from "./support/data-template.ts";
import { temporaryRoot } from "./temporary-root.ts";

/*
 * The test command. Installs what is missing, checks the code, runs every test file in a process of
 * its own, and ends with a line `N passed, N failed, N skipped`.
 *
 *   node test/run.ts               everything
 *   node test/run.ts pgoutput api  files whose path contains one of the words; no checks of the code
 *   node test/run.ts --allow-missing  goes on without tools that cannot be installed
 */

/** One more than cores: files wait for servers, networks and locks a good part of their time. */
const LANES = Math.min(availableParallelism() + 1, 4);
/** The longest file takes a tenth of it on two cores: a slow machine has time. */
const FILE_TIMEOUT_MS = 20 * 60_000;
const TOTAL_TIMEOUT_MS = 80 * 60_000;
const STILL_RUNNING_MS = 60_000;
const SLOW_TEST_MS = 10_000;

const root = join(import.meta.dirname, "..");
const binaries = join(root, "node_modules", ".bin");

const checks: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "biome", command: [join(binaries, "biome"), "check", "."] },
  { name: "tsc", command: [join(binaries, "tsc"), "-p", "."] },
  { name: "generated reference", command: [process.execPath, "scripts/reference.ts", "--check"] },
];

async function main(): Promise<number> {
  const started = performance.now();
  const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const { environment, missing } = preparePrerequisites(say);
  for (const line of missing) say(`missing: ${line}`);
  if (missing.length > 0 && !process.argv.includes("--allow-missing")) {
    say("Install these (as root this command does it by itself), or go on without: --allow-missing");
    return summarize([], missing.length, started);
  }
  const cancel = new AbortController();
  const timer = setTimeout(() => {
    say(`taking longer than ${TOTAL_TIMEOUT_MS / 60_000} minutes: ending it`);
    cancel.abort();
  }, TOTAL_TIMEOUT_MS);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => cancel.abort());
  const directory = mkdtempSync(join(temporaryRoot(), "tideway-run-"));
  try {
    // Servers that run as another user must be able to pass through.
    await chmod(directory, 0o755);
    const failedChecks = words.length > 0 ? 0 : await runChecks(cancel.signal);
    const shared = await sharedDirectories(directory);
    const options = { directory, environment: { ...environment, ...shared }, signal: cancel.signal };
    const outcomes = await runAll(testFiles(words), options);
    return summarize(outcomes, failedChecks, started);
  } finally {
    clearTimeout(timer);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Directories for what all files would make again otherwise, as variables for them. */
async function sharedDirectories(parent: string): Promise<Readonly<Record<string, string>>> {
  const shared = { [TEMPLATES]: join(parent, "templates"), NODE_COMPILE_CACHE: join(parent, "compiled") };
  for (const path of Object.values(shared)) await mkdir(path);
  return shared;
}

async function runChecks(signal: AbortSignal): Promise<number> {
  let failed = 0;
  for (const { name, command } of checks) {
    const started = performance.now();
    const [program = "", ...parameters] = command;
    const child = spawn(program, parameters, { cwd: root, stdio: ["ignore", 2, 2], signal });
    const code = await new Promise<number | null>((resolve) => {
      child.once("error", () => resolve(null));
      child.once("exit", resolve);
    });
    if (code !== 0) failed++;
    say(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds(performance.now() - started)})`);
  }
  return failed;
}

/** Test files: scenarios first, which take longest, so that the end is not one file alone. */
function testFiles(words: readonly string[]): readonly string[] {
  const files = ["src", "test", "scripts", "demo", "bench", "soak", "bin"].flatMap((folder) =>
    filesBelow(join(root, folder)),
  );
  return files
    .map((path) => relative(root, path))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word.replace(/^\.\//, ""))))
    .sort((left, right) => weight(left) - weight(right) || (left < right ? -1 : 1));
}

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(path);
      return entry.name.endsWith(".test.ts") ? [path] : [];
    });
  } catch {
    return [];
  }
}

function weight(file: string): number {
  if (!file.startsWith("src/")) return 0;
  return /\.[a-z]+\.test\.ts$/.test(file) ? 1 : 2;
}

interface RunOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function runAll(files: readonly string[], options: RunOptions): Promise<readonly FileOutcome[]> {
  const waiting = [...files];
  const running = new Map<string, number>();
  const outcomes: FileOutcome[] = [];
  const ticker = setInterval(() => {
    for (const [file, since] of running) {
      const elapsed = performance.now() - since;
      if (elapsed > STILL_RUNNING_MS) say(`...  ${file} still runs (${seconds(elapsed)})`);
    }
  }, STILL_RUNNING_MS);
  const environment = {
    ...options.environment,
    PATH: [binaries, process.env["PATH"] ?? ""].join(delimiter),
  };
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      running.set(file, performance.now());
      const directory = join(options.directory, String(files.indexOf(file)));
      const request = { file, root, directory, environment, timeoutMs: FILE_TIMEOUT_MS };
      const outcome = await runFile(request, options.signal);
      running.delete(file);
      outcomes.push(outcome);
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  clearInterval(ticker);
  return outcomes;
}

function report(outcome: FileOutcome): void {
  const counts = `${outcome.passed} passed${outcome.failed > 0 ? `, ${outcome.failed} failed` : ""}`;
  const skipped = outcome.skips.length > 0 ? `, ${outcome.skips.length} skipped` : "";
  const word = outcome.failed > 0 ? "FAIL" : "ok  ";
  say(`${word} ${outcome.file}: ${counts}${skipped} (${seconds(outcome.milliseconds)})`);
  for (const { name, reason } of outcome.skips) say(`     skipped: ${name}${reason && ` (${reason})`}`);
  for (const { name, error } of outcome.failures) say(indent(`failed: ${name}\n${error}`));
  if (outcome.failed > 0 && outcome.output.trim() !== "") say(indent(`output:\n${outcome.output.trim()}`));
}

function summarize(outcomes: readonly FileOutcome[], otherFailures: number, started: number): number {
  const sum = (count: (outcome: FileOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  const passed = sum((outcome) => outcome.passed);
  const failed = sum((outcome) => outcome.failed) + otherFailures;
  const skipped = sum((outcome) => outcome.skips.length);
  const failures = outcomes.filter((outcome) => outcome.failed > 0);
  for (const line of slowest(outcomes)) say(line);
  if (failures.length > 0) say(`failed in: ${failures.map((outcome) => outcome.file).join(", ")}`);
  if (passed + failed === 0) say("no test ran, which is a failure");
  say(`${outcomes.length} files in ${seconds(performance.now() - started)}`);
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

/** What the running time went to: tests that took long, the longest first. */
function slowest(outcomes: readonly FileOutcome[]): readonly string[] {
  return outcomes
    .flatMap(({ file, times }) => times.map((one) => ({ file, ...one })))
    .filter(({ milliseconds }) => milliseconds >= SLOW_TEST_MS)
    .sort((left, right) => right.milliseconds - left.milliseconds)
    .map(({ file, name, milliseconds }) => `slow ${seconds(milliseconds)} ${file}: ${name}`);
}

function indent(text: string): string {
  return text.replace(/^/gm, "     ");
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main();
