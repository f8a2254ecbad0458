import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type pg from "pg";
import { type DemoSizes, demoSizes } from "./demo-data.ts";
import { type RowCounts, Session, type TransactionKind, transactionKinds } from "./workload-transactions.ts";

export interface WorkloadOptions {
  readonly connect: () => Promise<pg.Client>;
  /** As createDemoData returned them. */
  readonly sizes?: DemoSizes;
  readonly clients?: number;
  /** Of all clients together; 0 for as fast as they can. */
  readonly transactionsPerSecond?: number;
  /** What it does; what the demo's shop does by default. */
  readonly kinds?: readonly TransactionKind[];
  /** Connects again when a connection breaks, as often as it takes; otherwise that ends it. */
  readonly reconnects?: boolean;
}

export interface WorkloadStatistics extends RowCounts {
  /** Transactions that the application knows to be committed. */
  readonly commits: number;
  readonly rollbacks: number;
  /** Transactions that the server refused because of another (deadlock, unique key); part of rollbacks. */
  readonly refused: number;
  /** Of Date.now(); undefined before the first commit. */
  readonly lastCommitMs: number | undefined;
}

const RECONNECT_MS = 200;

/** An application that goes on inserting, updating and deleting in the demo's schema until stopped. */
export class Workload implements AsyncDisposable {
  readonly #options: WorkloadOptions;
  readonly #stop = new AbortController();
  readonly #clients: pg.Client[] = [];
  readonly #totals = { inserts: 0, updates: 0, deletes: 0, commits: 0, rollbacks: 0, refused: 0 };
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  readonly #kinds: readonly TransactionKind[];
  readonly #sizes: DemoSizes;
  #lastCommitMs: number | undefined;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#kinds = options.kinds ?? transactionKinds;
    this.#sizes = options.sizes ?? demoSizes(1_000_000);
  }

  static async start(options: WorkloadOptions): Promise<Workload> {
    const workload = new Workload(options);
    try {
      for (let i = 0; i < (options.clients ?? 4); i++) workload.#clients.push(await options.connect());
    } catch (error) {
      await workload.#disconnect();
      throw error;
    }
    workload.#work = Promise.all(workload.#clients.map((_client, index) => workload.#go(index)));
    // Reported by stop(); without this a failure before that would end the process.
    workload.#work.catch(() => undefined);
    return workload;
  }

  get statistics(): WorkloadStatistics {
    return { ...this.#totals, lastCommitMs: this.#lastCommitMs };
  }

  /** Rejects when a connection broke, resolves when stopped. */
  get ended(): Promise<unknown> {
    return this.#work;
  }

  /** Resolves when that many transactions are committed in all; rejects when a connection broke. */
  async committed(count: number): Promise<void> {
    if (this.#totals.commits >= count) return;
    const reached = new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
    await Promise.race([reached, this.#work]);
    if (this.#totals.commits < count) throw new Error("The workload was stopped before that.");
  }

  /** Lets every connection end its transaction, disconnects, and resolves. Throws what broke a connection. */
  async stop(): Promise<WorkloadStatistics> {
    this.#stop.abort();
    try {
      await this.#work;
    } finally {
      await this.#disconnect();
    }
    return this.statistics;
  }

  /** Does not throw: the server may have gone already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  async #go(index: number): Promise<void> {
    let session = new Session(this.#clients[index]!, this.#sizes);
    const rate = this.#options.transactionsPerSecond ?? 200;
    const intervalMs = rate === 0 ? 0 : (1000 * this.#clients.length) / rate;
    let dueMs = performance.now() + Math.random() * intervalMs;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#transaction(session, chooseKind(this.#kinds));
      } catch (error) {
        if (this.#options.reconnects !== true || isAboutStatement(error)) throw error;
        await this.#connectAgain(index);
        session = new Session(this.#clients[index]!, this.#sizes);
      }
      dueMs += intervalMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 1) await sleep(waitMs, this.#stop.signal);
      else if (waitMs < -1000) dueMs = performance.now();
    }
  }

  async #transaction(session: Session, kind: TransactionKind): Promise<void> {
    session.counts = { inserts: 0, updates: 0, deletes: 0 };
    const own = [...session.ownProducts];
    try {
      await session.client.query("begin");
      await kind.run(session);
      await session.client.query(kind.rollsBack === true ? "rollback" : "commit");
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await session.client.query("rollback");
      session.ownProducts.splice(0, Infinity, ...own);
      this.#totals.refused++;
      this.#totals.rollbacks++;
      return;
    }
    if (kind.rollsBack === true) {
      this.#totals.rollbacks++;
      return;
    }
    this.#lastCommitMs = Date.now();
    this.#totals.commits++;
    this.#totals.inserts += session.counts.inserts;
    this.#totals.updates += session.counts.updates;
    this.#totals.deletes += session.counts.deletes;
    for (const waiter of this.#waiters) if (this.#totals.commits >= waiter.count) waiter.resolve();
  }

  /** Resolves when there is a connection in this place, or when the workload is to stop. */
  async #connectAgain(index: number): Promise<void> {
    await this.#clients[index]!.end().catch(() => undefined);
    while (!this.#stop.signal.aborted) {
      const client = await this.#options.connect().catch(() => undefined);
      if (client !== undefined) {
        this.#clients[index] = client;
        return;
      }
      await sleep(RECONNECT_MS, this.#stop.signal);
    }
  }

  async #disconnect(): Promise<void> {
    await Promise.allSettled(this.#clients.splice(0).map((client) => client.end()));
  }
}

function chooseKind(kinds: readonly TransactionKind[]): TransactionKind {
  let left = Math.random() * kinds.reduce((sum, kind) => sum + kind.weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return kinds[0]!;
}

/** What concurrent transactions do to each other: integrity violations and deadlocks. */
export function isRefusal(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? "";
  return code.startsWith("23") || code.startsWith("40");
}

/** Otherwise it is about the connection, or about a server that is starting or ending. */
export function isAboutStatement(error: unknown): boolean {
  return (error as { severity?: string }).severity === "ERROR";
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** The path of pgbench, of PATH or of Debian's packages; undefined when there is none. */
export function findPgbench(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...versions.map((version) => join(debian, version, "bin")),
  ];
  return folders.map((folder) => join(folder, "pgbench")).find((path) => existsSync(path));
}

export interface PgbenchOptions {
  /** Of the database. */
  readonly url: string;
  /** Command line arguments: `["-i", "-s", "10"]`, `["-c", "4", "-T", "60"]`. */
  readonly args: readonly string[];
  /** Ends it before its time; then it does not count as failed. */
  readonly signal?: AbortSignal;
}

/** Runs pgbench to its end. Throws with its last words when it fails or is not installed. */
export async function runPgbench(options: PgbenchOptions): Promise<{ readonly output: string }> {
  const path = findPgbench();
  if (path === undefined)
    throw new Error("pgbench is not installed (Debian: apt-get install postgresql-contrib).");
  const child = spawn(path, [...options.args, options.url], { stdio: ["ignore", "pipe", "pipe"] });
  const end = (): void => {
    child.kill("SIGINT");
  };
  options.signal?.addEventListener("abort", end, { once: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  options.signal?.removeEventListener("abort", end);
  if (code !== 0 && options.signal?.aborted !== true) throw new Error(`pgbench failed (${code}): ${output}`);
  return { output };
}
