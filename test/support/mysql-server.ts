import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import mysql from "mysql2/promise";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { fromTemplate } from "./data-template.ts";
import { eventually } from "./eventually.ts";
import { type MysqlFlavour, mysqlBinaries } from "./mysql-packages.ts";
import { onFreePort, ServerProcess } from "./server-process.ts";

export type { MysqlFlavour } from "./mysql-packages.ts";

const USER = "tideway";
const PASSWORD = "tideway-test";

export interface MysqlOptions {
  /** "mariadb": the distribution's MariaDB; "mysql": MySQL 5.7. */
  readonly flavour: MysqlFlavour;
  /** Options of the server as in its option file, with or without dashes: `{ binlog_row_image: "MINIMAL" }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** PEM texts; turns TLS on. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Where the data directory is made; the system's temporary directory by default. */
  readonly parent?: string;
}

/** A real server in a temporary directory on a free loopback port, gone when disposed. */
export class MysqlServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly flavour: MysqlFlavour;
  readonly user = USER;
  readonly password = PASSWORD;
  readonly #process: ServerProcess;
  #databases = 0;

  constructor(directory: string, port: number, flavour: MysqlFlavour) {
    this.directory = directory;
    this.port = port;
    this.flavour = flavour;
    this.#process = new ServerProcess({
      program: mysqlBinaries(flavour).server,
      parameters: [`--defaults-file=${join(directory, "my.cnf")}`],
      environment: SERVER_ENVIRONMENT,
      ready: /ready for connections/,
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  get socket(): string {
    return join(this.directory, "socket");
  }

  /** A connection URL for a user with all privileges. */
  url(database = ""): string {
    return `${this.flavour}://${USER}:${PASSWORD}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** This server as an engine is given it, for the same user. */
  endpoint(database = "", settings: EndpointConfig["settings"] = {}): EndpointConfig {
    return {
      engine: "mysql",
      host: "127.0.0.1",
      port: this.port,
      database,
      username: USER,
      password: PASSWORD,
      sslMode: "none",
      caCertificate: undefined,
      settings,
    };
  }

  /** A driver connection that the caller ends; several statements in one text, values with the driver's types. */
  async connect(database = "", options: mysql.ConnectionOptions = {}): Promise<mysql.Connection> {
    const connection = await mysql.createConnection({
      host: "127.0.0.1",
      port: this.port,
      user: USER,
      password: PASSWORD,
      charset: "utf8mb4",
      multipleStatements: true,
      ...(database === "" ? {} : { database }),
      ...options,
    });
    connection.on("error", () => undefined);
    return connection;
  }

  /** One or several statements; rows of the last that returns some, every value as text or null. */
  async query(sql: string, database = ""): Promise<Record<string, string | null>[]> {
    const connection = await this.connect(database);
    try {
      return await rowsOf(connection, sql);
    } finally {
      await connection.end();
    }
  }

  /** Statements in a session that the server, too, has ended: another one may commit what they prepared (XA). */
  async queryAndLeave(sql: string, database = "", options: mysql.ConnectionOptions = {}): Promise<void> {
    const connection = await this.connect(database, options);
    const session = connection.threadId;
    try {
      await rowsOf(connection, sql);
    } finally {
      await connection.end();
    }
    await eventually(`the end of session ${session}`, async () => {
      const left = await this.query(`select 1 from information_schema.processlist where id = ${session}`);
      return left.length === 0;
    });
  }

  /** A new empty database of its own for a test; resolves with its name. */
  async createDatabase(prefix = "test"): Promise<string> {
    const name = `${prefix}_${process.pid}_${++this.#databases}`;
    await this.query(`create database \`${name}\` character set utf8mb4`);
    return name;
  }

  start(): Promise<void> {
    return this.#process.start();
  }

  /** SIGTERM: in order, SIGKILL: as a crash. Resolves when it has ended. */
  stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    return this.#process.stop(signal);
  }

  /** Stops it and starts it on the same port with the same data. */
  async restart(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function rowsOf(connection: mysql.Connection, sql: string): Promise<Record<string, string | null>[]> {
  const [results, fields] = await connection.query({ sql, typeCast: (field) => field.string("utf8") });
  const several = Array.isArray(fields) && fields.some((one) => one === undefined || Array.isArray(one));
  const lists = (several ? results : [results]) as unknown[];
  return (lists.findLast((list) => Array.isArray(list)) ?? []) as Record<string, string | null>[];
}

export async function startMysql(options: MysqlOptions): Promise<MysqlServer> {
  const { flavour } = options;
  const directory = await mkdtemp(join(options.parent ?? tmpdir(), "tideway-my-"));
  try {
    // Their own: a server that starts removes what it takes for leftovers of others there.
    await mkdir(join(directory, "tmp"));
    await fromTemplate(join(directory, "data"), {
      name: flavour,
      make: (data) => install(flavour, data),
      renew: removeUuid,
    });
    return await onFreePort(async (port) => {
      await configure(directory, port, options);
      return new MysqlServer(directory, port, flavour);
    });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** MySQL makes itself another; MariaDB has none. */
async function removeUuid(data: string): Promise<void> {
  await rm(join(data, "auto.cnf"), { force: true });
}

/** Files are small from the beginning, and the tables' never wait for the disk: tests do not cut the power. */
const STORAGE = {
  innodb_log_file_size: "8M",
  innodb_buffer_pool_size: "64M",
  innodb_flush_method: "nosync",
};

/** Each commit counts as durable at once: whoever waits for a server's disk would wait up to a second else. */
const DURABLE = { innodb_flush_log_at_trx_commit: 1, sync_binlog: 1 };

/** Settings of a server whose commits become durable a moment later. */
export const RELAXED = { innodb_flush_log_at_trx_commit: 0, sync_binlog: 0 };

/** Makes the system tables. */
async function install(flavour: MysqlFlavour, data: string): Promise<void> {
  const { server, installer, base } = mysqlBinaries(flavour);
  await mkdir(data);
  const options = Object.entries({
    datadir: data,
    tmpdir: dirname(data),
    ...STORAGE,
    ...AS_ROOT,
  });
  const common = ["--no-defaults", ...options.map(([name, value]) => `--${name}=${value}`)];
  const [program, words] =
    installer === undefined
      ? [server, [...base, "--initialize-insecure"]]
      : [
          installer,
          ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force"],
        ];
  const made = spawnSync(program, [...common, ...words], { env: SERVER_ENVIRONMENT, encoding: "utf8" });
  if (made.status !== 0)
    throw new Error(`the server's tables could not be made: ${made.stdout}${made.stderr}`);
}

async function configure(directory: string, port: number, options: MysqlOptions): Promise<void> {
  const settings: Record<string, string | number> = {
    datadir: join(directory, "data"),
    tmpdir: join(directory, "tmp"),
    socket: join(directory, "socket"),
    pid_file: join(directory, "pid"),
    port,
    bind_address: "127.0.0.1",
    skip_name_resolve: 1,
    server_id: port,
    log_bin: "bin",
    binlog_format: "ROW",
    max_connections: 200,
    character_set_server: "utf8mb4",
    local_infile: 1,
    init_file: join(directory, "init.sql"),
    ...STORAGE,
    ...DURABLE,
    ...AS_ROOT,
    ...(options.flavour === "mysql"
      ? {
          gtid_mode: "ON",
          enforce_gtid_consistency: "ON",
          log_syslog: 0,
          performance_schema: 0,
          secure_file_priv: "NULL",
        }
      : { log_bin_index: "bin.index" }),
    ...mysqlBinaries(options.flavour).settings,
  };
  if (options.tls !== undefined) {
    const { ca, certificate, key } = options.tls;
    for (const [name, text] of Object.entries({ ca, cert: certificate, key })) {
      const file = join(directory, `${name}.pem`);
      await writeFile(file, text, { mode: 0o600 });
      settings[`ssl_${name}`] = file;
    }
  } else if (options.flavour === "mysql") {
    settings["skip_ssl"] = 1;
  }
  for (const [name, value] of Object.entries(options.settings ?? {}))
    settings[name.replaceAll("-", "_")] = value;
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  await writeFile(join(directory, "my.cnf"), `[mysqld]\n${lines.join("\n")}\n`);
  await writeFile(join(directory, "init.sql"), INIT_SQL);
}

/** Run at every start; each statement on a line of its own. None of it enters the binary log. */
const INIT_SQL = [
  "set sql_log_bin = 0;",
  `create user if not exists '${USER}'@'%' identified by '${PASSWORD}';`,
  `grant all privileges on *.* to '${USER}'@'%' with grant option;`,
  "",
].join("\n");

const SERVER_ENVIRONMENT: NodeJS.ProcessEnv = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };

/** As root the servers run only when they are told to. */
const AS_ROOT = process.getuid?.() === 0 ? { user: "root" } : {};
