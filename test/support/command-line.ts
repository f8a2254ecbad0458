import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runCommandLine } from "../../src/cli/main.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "tideway.js");

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The Node to start it with; the one that runs the tests by default. */
  readonly node?: string;
  /** A file descriptor that takes what it writes to stderr, instead of the result. */
  readonly stderr?: number;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `tideway ...` process. Dispose ends it if it still runs. */
export class CommandLine implements AsyncDisposable {
  readonly result: Promise<CommandResult>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiters: {
    readonly wanted: (line: string) => boolean;
    readonly found: (line: string) => void;
  }[] = [];

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const child = spawn(options.node ?? process.execPath, [launcher, ...args], {
      stdio: ["ignore", "pipe", options.stderr ?? "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...options.env },
    });
    this.#child = child;
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const lines = createInterface({ input: child.stdout! }).on("line", (line) => this.#take(line));
    const read = new Promise((resolve) => lines.once("close", resolve));
    this.result = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        void read.then(() =>
          resolve({ code, stdout: this.#lines.map((line) => `${line}\n`).join(""), stderr }),
        );
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves with the first line of stdout, past or to come, that is wanted; rejects when it ends without. */
  async line(wanted: (line: string) => boolean): Promise<string> {
    const past = this.#lines.find(wanted);
    if (past !== undefined) return past;
    const coming = new Promise<string>((found) => this.#waiters.push({ wanted, found }));
    const ended = this.result.then(({ code, stdout, stderr }) => {
      throw new Error(`tideway ended with ${code} before that:\n${stdout}${stderr}`);
    });
    return await Promise.race([coming, ended]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.result.catch(() => undefined);
  }

  #take(line: string): void {
    this.#lines.push(line);
    for (const waiter of this.#waiters) if (waiter.wanted(line)) waiter.found(line);
  }
}

/** Runs `tideway ...` to its end. */
export async function tideway(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  await using command = new CommandLine(args, options);
  return await command.result;
}

/** As tideway(), in this process: without the time that another one takes to start. */
export async function tidewayHere(
  ...args: readonly string[]
): Promise<CommandResult & { readonly code: number }> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({ write: (text: string) => (written[name] += text) });
  const code = await runCommandLine(args, { stdout: stream("stdout"), stderr: stream("stderr") });
  return { code, ...written };
}
