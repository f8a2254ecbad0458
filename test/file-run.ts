import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { EventLine } from "./events.ts";

const KILL_GRACE_MS = 5_000;
const EXIT_GRACE_MS = 2_000;
const OUTPUT_LIMIT = 20_000;

export interface FileRequest {
  /** Relative to the project. */
  readonly file: string;
  readonly root: string;
  /** A directory for this file alone: its TMPDIR. Removed afterwards. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface FileOutcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly { readonly name: string; readonly reason: string }[];
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  /** Each test that ran. */
  readonly times: readonly { readonly name: string; readonly milliseconds: number }[];
  /** What the file wrote to stdout and stderr, shortened. */
  readonly output: string;
  readonly milliseconds: number;
}

/**
 * Runs one test file as a process group of its own, so that whatever it starts can be found and ended
 * when it is over. A file fails as a whole when it has no tests, ends otherwise than its tests say,
 * takes too long, or leaves processes behind.
 */
export async function runFile(request: FileRequest, signal: AbortSignal): Promise<FileOutcome> {
  const started = performance.now();
  await mkdir(request.directory, { recursive: true });
  // Servers run as another user when the tests run as root, and must get at their files.
  await chmod(request.directory, 0o777);
  const events = `${request.directory}.events`;
  const child = start(request, events);
  const output = collect(child);
  const ending = await endOf(child, request.timeoutMs, signal);
  const left = await endGroup(child.pid, request.directory, ending.kind === "exited");
  const lines = existsSync(events) ? await readLines(events) : [];
  await rm(request.directory, { recursive: true, force: true, maxRetries: 3 });
  await rm(events, { force: true });
  const tests = lines.filter((line) => !line.suite);
  const failures = tests
    .filter((line) => line.kind === "fail" && line.skipped === null)
    .map((line) => ({ name: line.name, error: line.error ?? "" }));
  const ended = tests.filter(({ kind }) => kind === "pass" || kind === "fail");
  const skips = ended
    .filter(({ skipped }) => skipped !== null)
    .map(({ name, skipped }) => ({ name, reason: skipped ?? "" }));
  const times = ended.map(({ name, milliseconds }) => ({ name, milliseconds }));
  const passed = tests.filter((line) => line.kind === "pass" && line.skipped === null).length;
  const wrong = fileFailure({ ending, lines, left, ran: passed + failures.length + skips.length, failures });
  if (wrong !== undefined) failures.push({ name: request.file, error: wrong });
  return {
    file: request.file,
    passed,
    failed: failures.length,
    skips,
    failures,
    times,
    output: output(),
    milliseconds: performance.now() - started,
  };
}

function start(request: FileRequest, events: string): ChildProcess {
  return spawn(
    process.execPath,
    [
      `--test-reporter=${join(import.meta.dirname, "events.ts")}`,
      `--test-reporter-destination=${events}`,
      request.file,
    ],
    {
      cwd: request.root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...request.environment,
        TMPDIR: request.directory,
        // Of a test that runs this one: its children would tell their results to it instead.
        NODE_TEST_CONTEXT: undefined,
      },
    },
  );
}

/** The last of what the process wrote, as a function to be called at the end. */
function collect(child: ChildProcess): () => string {
  let text = "";
  const add = (chunk: string): void => {
    text += chunk;
    if (text.length > 2 * OUTPUT_LIMIT) text = text.slice(-OUTPUT_LIMIT);
  };
  child.stdout?.setEncoding("utf8").on("data", add);
  child.stderr?.setEncoding("utf8").on("data", add);
  return () => text.slice(-OUTPUT_LIMIT);
}

type Ending =
  | { readonly kind: "exited"; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: "timeout" }
  | { readonly kind: "aborted" };

async function endOf(child: ChildProcess, timeoutMs: number, signal: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: "timeout" }), timeoutMs);
    const abort = (): void => resolve({ kind: "aborted" });
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    child.once("error", () => resolve({ kind: "exited", code: null, signal: "could not be started" }));
    child.once("exit", (code, by) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve({ kind: "exited", code, signal: by });
    });
  });
}

/** Ends what is left of a file's processes; resolves with their command lines. */
async function endGroup(
  group: number | undefined,
  directory: string,
  mayFinish: boolean,
): Promise<readonly string[]> {
  if (group === undefined) return [];
  const find = (): readonly Left[] => leftProcesses(group, directory);
  if (mayFinish) await until(() => find().length === 0, EXIT_GRACE_MS);
  const left = find();
  if (left.length === 0) return [];
  // For PostgreSQL SIGINT is the fast shutdown, which also gives its shared memory back.
  for (const { pid } of left) end(pid, "SIGINT");
  await until(() => find().length === 0, KILL_GRACE_MS);
  for (const { pid } of find()) end(pid, "SIGKILL");
  await until(() => find().length === 0, KILL_GRACE_MS);
  return left.map(({ command }) => command);
}

interface Left {
  readonly pid: number;
  readonly command: string;
}

/** Members of the process group, and processes that name its directory in arguments or environment. */
function leftProcesses(group: number, directory: string): readonly Left[] {
  if (!existsSync("/proc/self/stat")) return groupLives(group) ? [{ pid: -group, command: "?" }] : [];
  const found: Left[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      // "pid (command) state parent group ...": the command may itself hold blanks and brackets.
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
      const belongs =
        Number(processGroup) === group ||
        command.includes(`${directory}/`) ||
        readFileSync(`/proc/${pid}/environ`, "latin1").includes(`TMPDIR=${directory}\0`);
      if (belongs) found.push({ pid, command: command.slice(0, 200) });
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}

async function until(condition: () => boolean, milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!condition() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readLines(path: string): Promise<readonly EventLine[]> {
  const lines: EventLine[] = [];
  for (const text of (await readFile(path, "utf8")).split("\n")) {
    try {
      if (text !== "") lines.push(JSON.parse(text) as EventLine);
    } catch {
      // The last line of a process that was killed.
    }
  }
  return lines;
}

interface FileFacts {
  readonly ending: Ending;
  readonly lines: readonly EventLine[];
  readonly left: readonly string[];
  readonly ran: number;
  readonly failures: readonly unknown[];
}

/** Why the file as a whole failed, beyond its single tests; undefined when it did not. */
function fileFailure({ ending, lines, left, ran, failures }: FileFacts): string | undefined {
  if (ending.kind === "timeout") return `took too long; unfinished: ${unfinished(lines)}`;
  if (ending.kind === "aborted") return `given up; unfinished: ${unfinished(lines)}`;
  if (ending.code === null) return `ended by ${ending.signal}; unfinished: ${unfinished(lines)}`;
  if (ending.code !== 0 && failures.length === 0) return `ended with exit code ${ending.code}`;
  if (ran === 0) return "holds no tests";
  if (left.length > 0) return `left processes running:\n  ${left.join("\n  ")}`;
  return undefined;
}

function unfinished(lines: readonly EventLine[]): string {
  const open = new Map<string, number>();
  for (const { kind, name, nesting } of lines) {
    const key = `${nesting} ${name}`;
    if (kind === "begin") open.set(key, (open.get(key) ?? 0) + 1);
    if (kind === "end") open.set(key, (open.get(key) ?? 0) - 1);
  }
  const names = [...open].filter(([, count]) => count > 0).map(([key]) => key.slice(key.indexOf(" ") + 1));
  return names.length === 0 ? "no test that is known of" : names.join(" > ");
}
