import assert from "node:assert/strict";
import { after, test } from "node:test";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide, postgresSide } from "../support/compare-side.ts";
import { eventually } from "../support/eventually.ts";
import { MysqlPair } from "../support/mysql-pair.ts";
import { type MysqlServer, startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { assertNoConflicts } from "../support/task-pair.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/*
 * The source's address leads to a replica that was promoted, by the replication of the servers themselves. Transactions
 * have their GTIDs on every copy, so the task goes on there, unless the copy lacks what the target has.
 */

const target = await startPostgres();
after(() => target[Symbol.asyncDispose]());

const SCHEMA = `create table t (id int primary key auto_increment, n int not null default 0, v varchar(200));
  insert into t (v) values ('loaded'), ('too')`;
const settings = JSON.stringify({
  ErrorBehavior: { RecoverableErrorInterval: 1, RecoverableErrorThrottling: false },
});

const START: Readonly<Record<MysqlServer["flavour"], string>> = {
  mariadb: "master_use_gtid = slave_pos",
  mysql: "master_auto_position = 1",
};

class Replicated implements AsyncDisposable {
  readonly primary: MysqlServer;
  readonly replica: MysqlServer;
  readonly proxy: TcpProxy;
  readonly pair: MysqlPair;

  private constructor(primary: MysqlServer, replica: MysqlServer, proxy: TcpProxy, pair: MysqlPair) {
    this.primary = primary;
    this.replica = replica;
    this.proxy = proxy;
    this.pair = pair;
  }

  static async make(flavour: MysqlServer["flavour"], name: string): Promise<Replicated> {
    const options = { flavour, settings: { log_slave_updates: 1 } };
    const primary = await startMysql(options);
    const replica = await startMysql(options);
    await replica.query(
      `change master to master_host = '127.0.0.1', master_port = ${primary.port}, master_user = '${primary.user}',
        master_password = '${primary.password}', ${START[flavour]}; start slave; set global read_only = 1`,
    );
    const proxy = await TcpProxy.start(primary.port);
    const pair = await MysqlPair.make({ source: primary, target }, { name, schema: SCHEMA, settings });
    return new Replicated(primary, replica, proxy, pair);
  }

  replicate(): ReturnType<MysqlPair["replicate"]> {
    return this.pair.replicate({ source: { ...this.pair.spec.source, port: this.proxy.port } });
  }

  /** Many small transactions; their last row has this text. */
  async write(server: MysqlServer, text: string): Promise<void> {
    const one = `insert into t (v) values ('${text}'); update t set n = n + 1 where id % 7 = 1; delete from t where id % 11 = 5;`;
    await server.query(`${one.repeat(100)} insert into t (v) values ('${text} last')`, this.pair.from);
  }

  async arrived(text: string, where: "replica" | "target"): Promise<void> {
    const sql = `select 1 as one from t where v = '${text} last'`;
    await eventually(`what was written to be on the ${where}`, async () => {
      const rows =
        where === "target" ? await this.pair.queryTarget(sql) : await this.replica.query(sql, this.pair.from);
      return rows.length === 1;
    });
  }

  /** The primary is gone for good, and the replica takes its place. */
  async failOver(): Promise<void> {
    await this.primary.stop("SIGKILL");
    await this.replica.query("stop slave; reset slave all; set global read_only = 0");
    this.proxy.redirect(this.replica.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pair.end();
    await this.proxy[Symbol.asyncDispose]();
    await this.primary[Symbol.asyncDispose]();
    await this.replica[Symbol.asyncDispose]();
  }
}

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a task goes on at a promoted replica of ${flavour}, and applies each change once`, async () => {
    await using servers = await Replicated.make(flavour, "promoted");
    const { primary, replica, pair } = servers;
    const task = await servers.replicate();
    await servers.write(primary, "before");
    await servers.arrived("before", "replica");
    await servers.failOver();
    await servers.write(replica, "after");
    await servers.arrived("after", "target");
    await servers.write(replica, "later");
    await pair.drain(task);
    const comparison = await compareAcross({
      source: mysqlSide(replica, pair.from),
      target: postgresSide(target, pair.to),
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.equal(comparison.tables, 1);
    await assertNoConflicts(target, pair.to);
  });

  test(`a task refuses a promoted replica of ${flavour} that lacks what the target has`, async () => {
    await using servers = await Replicated.make(flavour, "lagging");
    const { primary, replica, pair } = servers;
    const task = await servers.replicate();
    await servers.write(primary, "before");
    await servers.arrived("before", "replica");
    await replica.query("stop slave");
    await servers.write(primary, "lost");
    await servers.arrived("lost", "target");
    await servers.failOver();
    await servers.write(replica, "other");
    const outcome = await task.running.outcome;
    assert.equal(outcome.state, "failed");
    assert.equal(outcome.error?.code, "source.set_back");
    assert.deepEqual(await pair.queryTarget("select v from t where v like 'other%'"), []);
  });
}
