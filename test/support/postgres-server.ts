import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { copyTree, fromTemplate, sharedDirectory } from "./data-template.ts";
import { serverBinaries } from "./server-packages.ts";
import { freePort, onFreePort, ServerProcess } from "./server-process.ts";
import { renewSystemIdentifier } from "./system-identifier.ts";

const PASSWORD = "tideway-test";

export interface PostgresOptions {
  readonly version?: number;
  /** Debian's server, which has PostGIS, in place of an npm package's; see postgisBinaries(). */
  readonly binaries?: string;
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

/** Instead of passwords, which cost more than most of a short session does: for tests with thousands of these. */
export const TRUSTING = ["all", "replication"].map((what) => `host ${what} all 127.0.0.1/32 trust`);

/** A real server in a temporary directory on a free loopback port, gone when disposed. */
export class PostgresServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly version: number;
  readonly password = PASSWORD;
  readonly #binaries: string;
  readonly #identity: Identity;
  readonly #process: ServerProcess;
  #databases = 0;

  constructor(directory: string, port: number, version: number, binaries: string, identity: Identity) {
    this.directory = directory;
    this.port = port;
    this.version = version;
    this.#binaries = binaries;
    this.#identity = identity;
    this.#process = new ServerProcess({
      program: join(binaries, "bin", "postgres"),
      parameters: ["-D", join(directory, "data")],
      environment: serverEnvironment(binaries),
      ...identity,
      ready: /database system is ready to accept (read[- ]only )?connections/,
    });
  }

  get pid(): number {
    return this.#process.pid;
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
      return await lastRows(client, sql);
    } finally {
      await client.end();
    }
  }

  /** A new empty database of its own for a test; resolves with its name. `encoding`: the server's own when left out. */
  async createDatabase(prefix = "test", encoding?: string): Promise<string> {
    const name = `${prefix}_${process.pid}_${++this.#databases}`;
    const options = encoding === undefined ? "" : `template template0 encoding '${encoding}'`;
    await this.query(`create database ${name} ${options}`);
    return name;
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  /** SIGINT: fast shutdown, SIGQUIT: immediate, as after a crash. Resolves when it has ended. */
  stop(signal: "SIGINT" | "SIGQUIT" = "SIGINT"): Promise<void> {
    return this.#process.stop(signal);
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
    copyTree(join(this.directory, "data"), data);
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

/** Runs one or several statements; rows of the last. */
// biome-ignore lint/suspicious/noExplicitAny: rows of arbitrary test queries
export async function lastRows(client: pg.Client, sql: string): Promise<any[]> {
  const result = (await client.query(sql)) as unknown as pg.QueryResult | pg.QueryResult[];
  return Array.isArray(result) ? result.at(-1)!.rows : result.rows;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const version = options.version ?? 18;
  const identity = unprivilegedIdentity();
  const directory = await mkdtemp(join(options.parent ?? tmpdir(), "tideway-pg-"));
  try {
    await chmod(directory, 0o755);
    const isOwn = options.binaries === undefined;
    const binaries = options.binaries ?? (await reachableBinaries(version, directory, identity));
    const knowsIterations = isOwn && version >= SCRAM_ITERATIONS_SINCE;
    await fromTemplate(join(directory, "data"), {
      name: isOwn ? `postgres-${version}` : binaries.replaceAll("/", "-"),
      make: (data) => initialize(data, { binaries, identity, words: knowsIterations ? CHEAP_PASSWORDS : [] }),
      renew: renewSystemIdentifier,
    });
    await mkdir(join(directory, "socket"));
    await give(join(directory, "socket"), identity);
    return await onFreePort(async (port) => {
      await configure(directory, port, options, identity);
      return new PostgresServer(directory, port, version, binaries, identity);
    });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

const SCRAM_ITERATIONS_SINCE = 16;
/** Thousands of sessions are opened, and their servers and clients would hash each one's password 4,096 times. */
const CHEAP_PASSWORDS = ["-c", "scram_iterations=1"];

interface Installation {
  readonly binaries: string;
  readonly identity: Identity;
  /** More words for initdb. */
  readonly words: readonly string[];
}

/** Makes the system's tables, with a password for the superuser. */
async function initialize(data: string, { binaries, identity, words }: Installation): Promise<void> {
  const password = join(dirname(data), "password");
  await mkdir(data);
  await writeFile(password, PASSWORD);
  for (const path of [data, password]) await give(path, identity);
  const made = spawnSync(
    join(binaries, "bin", "initdb"),
    [
      ...["-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--no-sync"],
      ...["--auth=scram-sha-256", `--pwfile=${password}`, ...words],
    ],
    { ...identity, env: serverEnvironment(binaries), encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
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
  const copy = (path: string): Promise<void> => cp(native, path, { recursive: true, verbatimSymlinks: true });
  const shared = await sharedDirectory({ name: `native-${version}`, make: copy });
  if (shared !== undefined) return shared;
  const own = join(directory, "native");
  await copy(own);
  return own;
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
