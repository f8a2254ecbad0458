import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { serverBinaries } from "./server-packages.ts";

const PASSWORD = "tideway-test";

export interface PostgresOptions {
  readonly version?: number;
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** PEM texts; turns TLS on. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Replaces pg_hba.conf; without it every local user needs the password. */
  readonly hba?: readonly string[];
  /** Durable like a production server; off by default, because tests do not cut the power. */
  readonly fsync?: boolean;
  /** Where the data directory is made; the system's temporary directory by default. */
  readonly parent?: string;
}

/** A real server in a temporary directory on a free loopback port, gone when disposed. */
export class PostgresServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly version: number;
  readonly password = PASSWORD;
  readonly #binaries: string;
  readonly #identity: Identity;
  #process: ChildProcess | undefined;
  #databases = 0;

  constructor(directory: string, port: number, version: number, binaries: string, identity: Identity) {
    this.directory = directory;
    this.port = port;
    this.version = version;
    this.#binaries = binaries;
    this.#identity = identity;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  /** A connection URL for the superuser. */
  url(database = "postgres"): string {
    return `postgresql://postgres:${PASSWORD}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** A driver client that the caller ends, or `await using` through query(). */
  async connect(database = "postgres"): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  /** One or several statements; rows of the last as objects with the driver's default types. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of arbitrary test queries
  async query(sql: string, database = "postgres"): Promise<any[]> {
    const client = await this.connect(database);
    try {
      const result = (await client.query(sql)) as unknown as pg.QueryResult | pg.QueryResult[];
      return Array.isArray(result) ? result.at(-1)!.rows : result.rows;
    } finally {
      await client.end();
    }
  }

  /** A new empty database of its own for a test; resolves with its name. */
  async createDatabase(prefix = "test"): Promise<string> {
    const name = `${prefix}_${process.pid}_${++this.#databases}`;
    await this.query(`create database ${name}`);
    return name;
  }

  async start(): Promise<void> {
    const child = spawn(join(this.#binaries, "bin", "postgres"), ["-D", join(this.directory, "data")], {
      ...this.#identity,
      env: serverEnvironment(this.#binaries),
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    const log: string[] = [];
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`postgres ended while starting:\n${log.join("\n")}`)));
      createInterface({ input: child.stderr! }).on("line", (line) => {
        if (log.length < 200) log.push(line);
        if (/database system is ready to accept (read[- ]only )?connections/.test(line)) resolve();
      });
    });
    child.removeAllListeners("exit");
  }

  /** SIGINT: fast shutdown, SIGQUIT: immediate, as after a crash. Resolves when it has ended. */
  async stop(signal: "SIGINT" | "SIGQUIT" = "SIGINT"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /**
   * A server with a copy of this one's files, of which this one must be stopped: not started yet. Replication
   * slots stay behind when it is to be a standby, as with pg_basebackup. One that is recovered goes on, once it has
   * started, on a timeline of its own.
   */
  async copy(
    settings: PostgresOptions["settings"],
    { standby = false, recovered = false } = {},
  ): Promise<PostgresServer> {
    const directory = await mkdtemp(join(dirname(this.directory), "tideway-pg-"));
    await chmod(directory, 0o755);
    const data = join(directory, "data");
    const copied = spawnSync("cp", ["-a", join(this.directory, "data"), data], { encoding: "utf8" });
    if (copied.status !== 0) throw new Error(`cp failed: ${copied.stderr}`);
    if (standby) {
      await writeFile(join(data, "standby.signal"), "");
      await give(join(data, "standby.signal"), this.#identity);
      for (const slot of await readdir(join(data, "pg_replslot"))) {
        await rm(join(data, "pg_replslot", slot), { recursive: true });
      }
    }
    if (recovered) {
      await writeFile(join(data, "recovery.signal"), "");
      await give(join(data, "recovery.signal"), this.#identity);
    }
    await mkdir(join(directory, "socket"));
    await give(join(directory, "socket"), this.#identity);
    const port = await freePort();
    const all = { ...settings, ...(recovered ? { restore_command: "false" } : {}) };
    await configure(directory, port, { settings: all }, this.#identity);
    return new PostgresServer(directory, port, this.version, this.#binaries, this.#identity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGQUIT");
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const version = options.version ?? 18;
  const identity = unprivilegedIdentity();
  const directory = await mkdtemp(join(options.parent ?? tmpdir(), "tideway-pg-"));
  try {
    await chmod(directory, 0o755);
    const binaries = await reachableBinaries(version, directory, identity);
    const data = join(directory, "data");
    await mkdir(data);
    await mkdir(join(directory, "socket"));
    await writeFile(join(directory, "password"), PASSWORD);
    for (const name of ["data", "socket", "password"]) await give(join(directory, name), identity);
    const made = spawnSync(
      join(binaries, "bin", "initdb"),
      [
        "-D",
        data,
        "-U",
        "postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--auth=scram-sha-256",
      ].concat(`--pwfile=${join(directory, "password")}`),
      { ...identity, env: serverEnvironment(binaries), encoding: "utf8" },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      await configure(directory, port, options, identity);
      const server = new PostgresServer(directory, port, version, binaries, identity);
      try {
        await server.start();
        return server;
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function configure(
  directory: string,
  port: number,
  options: PostgresOptions,
  identity: Identity,
): Promise<void> {
  const data = join(directory, "data");
  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: join(directory, "socket"),
    wal_level: "logical",
    max_connections: 200,
    max_wal_senders: 20,
    max_replication_slots: 20,
    max_prepared_transactions: 10,
    shared_buffers: "128MB",
    max_wal_size: "2GB",
    log_min_messages: "warning",
    ...(options.fsync === true ? {} : { fsync: "off" }),
    ...options.settings,
  };
  if (options.tls !== undefined) {
    settings["ssl"] = "on";
    await writeFile(join(data, "server.crt"), options.tls.certificate);
    await writeFile(join(data, "server.key"), options.tls.key, { mode: 0o600 });
    await give(join(data, "server.crt"), identity);
    await give(join(data, "server.key"), identity);
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  await writeFile(join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  if (options.hba !== undefined) await writeFile(join(data, "pg_hba.conf"), `${options.hba.join("\n")}\n`);
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** postgres refuses to run as root; then it runs as `postgres` or `nobody`. */
function unprivilegedIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(":");
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error("Running as root, and there is no user postgres or nobody to run PostgreSQL as.");
}

async function give(path: string, identity: Identity): Promise<void> {
  if (identity.uid !== undefined && identity.gid !== undefined) await chown(path, identity.uid, identity.gid);
}

/** A version's binaries, copied when the unprivileged user could not reach them where they are. */
async function reachableBinaries(version: number, directory: string, identity: Identity): Promise<string> {
  const native = serverBinaries(version);
  if (identity.uid === undefined || openToAll(native)) return native;
  const copy = join(directory, "native");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

function openToAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function serverEnvironment(binaries: string): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], LD_LIBRARY_PATH: join(binaries, "lib"), LC_ALL: "C", TZ: "UTC" };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
