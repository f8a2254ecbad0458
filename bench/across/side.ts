import type { EndpointConfig } from "../../src/core/engine.ts";
import { endpointOf } from "../../test/support/endpoint.ts";
import type { MysqlServer } from "../../test/support/mysql-server.ts";
import type { PostgresServer } from "../../test/support/postgres-server.ts";
import type { Context } from "../profile.ts";
import { serverSettings } from "../servers.ts";
import type { AcrossTable } from "./tables.ts";

/** The schema of all tables: a database in MariaDB, and in PostgreSQL a schema of a database of the same name. */
export const NAME = "bench";

/** A server that holds the benchmark's tables in `bench`. */
export interface BenchSide {
  readonly kind: "mariadb" | "postgres";
  readonly pid: number;
  /** For programs that move a database. */
  readonly url: string;
  readonly endpoint: EndpointConfig;
  /** What scripts want to know of it: by name of variable, which begins with `prefix`. */
  variables(prefix: string): Readonly<Record<string, string>>;
  /** Empties `bench` and runs these statements in it. */
  reset(sql: string): Promise<void>;
  run(sql: string): Promise<void>;
  /** The first row's values, as texts. */
  values(sql: string): Promise<readonly (string | null)[]>;
  createTable(table: AcrossTable): string;
  fill(table: AcrossTable, rows: number): Promise<void>;
  /** The number of its rows and the sum of their hashes. */
  checksum(name: string, texts: string): Promise<string>;
  /** Has nothing left to write afterwards, as far as its kind can be told to. */
  settle(): Promise<void>;
}

/** As durable as a server that somebody needs; nothing has to be read from the disk. */
const mariadbSettings: Readonly<Record<string, string | number>> = {
  innodb_flush_log_at_trx_commit: 1,
  innodb_flush_method: "O_DIRECT",
  innodb_buffer_pool_size: "1G",
  innodb_log_file_size: "512M",
  max_allowed_packet: "64M",
  gtid_strict_mode: 1,
};

export interface MariadbOptions {
  readonly binlog: boolean;
}

export async function startMariadb(stage: Context["stage"], { binlog }: MariadbOptions): Promise<BenchSide> {
  const settings = binlog ? mariadbSettings : { ...mariadbSettings, skip_log_bin: 1 };
  return new MariadbSide(await stage.mysqlServer({ flavour: "mariadb", settings }));
}

export async function startPostgresSide({ stage, serverVersion }: Context): Promise<BenchSide> {
  return new PostgresSide(
    await stage.server({ version: serverVersion, fsync: true, settings: serverSettings }),
  );
}

/** What is asked of a server of either kind in the same way. */
class ServerSide<Server extends MysqlServer | PostgresServer> {
  protected readonly server: Server;

  constructor(server: Server) {
    this.server = server;
  }

  get pid(): number {
    return this.server.pid;
  }

  get url(): string {
    return this.server.url(NAME);
  }

  async run(sql: string): Promise<void> {
    await this.server.query(sql, NAME);
  }
}

class MariadbSide extends ServerSide<MysqlServer> implements BenchSide {
  readonly kind = "mariadb";

  get endpoint(): EndpointConfig {
    return this.server.endpoint(NAME);
  }

  variables(prefix: string): Readonly<Record<string, string>> {
    const { port, user, password } = this.server;
    return { [`${prefix}_PORT`]: String(port), [`${prefix}_USER`]: user, MYSQL_PWD: password };
  }

  async reset(sql: string): Promise<void> {
    await this.server.query(`drop database if exists ${NAME}; create database ${NAME} character set utf8mb4`);
    await this.run(sql);
  }

  async values(sql: string): Promise<readonly (string | null)[]> {
    return Object.values((await this.server.query(sql, NAME))[0] ?? {});
  }

  createTable({ name, mariadb }: AcrossTable): string {
    return `create table ${name} (${mariadb.columns})`;
  }

  /** Not into the log: making the data is no change that anybody follows. */
  async fill({ name, mariadb }: AcrossTable, rows: number): Promise<void> {
    if (mariadb.row === undefined) throw new Error(`${name} has no rows of its own here.`);
    await this.run(
      `set sql_log_bin = 0; insert into ${name} select ${mariadb.row} from (select seq as g from seq_1_to_${rows}) as numbers;
       analyze table ${name}`,
    );
  }

  async checksum(name: string, texts: string): Promise<string> {
    const hash = `cast(conv(left(md5(concat_ws('|', ${texts})), 8), 16, 10) as unsigned)`;
    return (await this.values(`select count(*), sum(${hash}) from ${name}`)).join(" ");
  }

  async settle(): Promise<void> {
    await this.server.query("flush local tables");
  }
}

class PostgresSide extends ServerSide<PostgresServer> implements BenchSide {
  readonly kind = "postgres";

  get endpoint(): EndpointConfig {
    return endpointOf(this.server, NAME);
  }

  variables(): Readonly<Record<string, string>> {
    return {};
  }

  async reset(sql: string): Promise<void> {
    await this.server.query(`drop database if exists ${NAME} with (force)`);
    await this.server.query(`create database ${NAME}`);
    await this.server.query(`alter database ${NAME} set search_path = ${NAME}; create schema ${NAME}`, NAME);
    if (sql !== "") await this.run(sql);
  }

  async values(sql: string): Promise<readonly (string | null)[]> {
    const rows = await this.server.query(sql, NAME);
    return Object.values(rows[0] ?? {}).map((value) => (value === null ? null : String(value)));
  }

  createTable({ name, postgres }: AcrossTable): string {
    return `create table ${name} (${postgres.columns})`;
  }

  async fill({ name, postgres }: AcrossTable, rows: number): Promise<void> {
    if (postgres.row === undefined) throw new Error(`${name} has no rows of its own here.`);
    await this.run(`insert into ${name} select ${postgres.row} from generate_series(1::bigint, ${rows}) g`);
    await this.server.query("vacuum (freeze, analyze)", NAME);
  }

  async checksum(name: string, texts: string): Promise<string> {
    const hash = `('x' || left(md5(concat_ws('|', ${texts})), 8))::bit(32)::bigint`;
    return (await this.values(`select count(*), sum(${hash}) from ${name}`)).join(" ");
  }

  async settle(): Promise<void> {
    await this.server.query("checkpoint");
  }
}
