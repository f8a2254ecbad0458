import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** How often another port is tried when a server cannot be started. */
const PORTS = 3;

export interface ServerCommand {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Whom it runs as, when that is another user. */
  readonly uid?: number;
  readonly gid?: number;
  /** What it writes to stderr once it can be used. */
  readonly ready: RegExp;
}

/** A server of others, which may be started and stopped any number of times. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  /** Of the one that runs. */
  get pid(): number {
    return this.#child!.pid!;
  }

  /** Resolves when it can be used. Throws with what it wrote when it ends before that. */
  async start(): Promise<void> {
    const { program, parameters, environment, ready, ...identity } = this.#command;
    const child = spawn(program, parameters, {
      ...identity,
      env: environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    const log: string[] = [];
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${program} ended while starting:\n${log.join("\n")}`)));
      createInterface({ input: child.stderr! }).on("line", (line) => {
        if (log.length < 200) log.push(line);
        if (ready.test(line)) resolve();
      });
    });
    child.removeAllListeners("exit");
  }

  /** Resolves when it has ended. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}

/** Starts a server on a port of its own: on another one when somebody was faster. */
export async function onFreePort<Server extends { start(): Promise<void> }>(
  prepare: (port: number) => Promise<Server>,
): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(await freePort());
    try {
      await server.start();
      return server;
    } catch (error) {
      if (attempt === PORTS) throw error;
    }
  }
}

/**
 * A port on which nobody listens. Not one of those that the system gives to clients (from 32768 on with Linux's
 * defaults), so that none takes it while its server is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
