import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe as suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { MYSQL_LEFT_OUT, mysqlNastySchema } from "../../../../test/support/mysql-nasty-schema.ts";
import { type MysqlOptions, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { describe, listTables } from "../catalog/catalog.ts";
import { connect } from "../connection/connection.ts";
import { assessSource } from "./assess-source.ts";

const NOT_TRANSACTIONAL = "source.not_transactional";
const CHOICES = { booleans: false, timesOfDay: false };
const signal = new AbortController().signal;

/** Codes with their severities and subjects. */
type Told = readonly (readonly [string, string, string])[];

async function assessed(
  endpoint: EndpointConfig,
  type: SourceAssessment["type"] = "full-load-and-cdc",
  ownOnly = false,
  isMoved: (name: string) => boolean = () => true,
  longTransactionSeconds?: number,
): Promise<readonly Finding[]> {
  const client = await connect(endpoint, { side: "source", purpose: "test" }, signal);
  try {
    const ids = (await listTables(client, endpoint)).filter(({ name }) => isMoved(name));
    const { tables } = await describe(client, ids, CHOICES);
    const request: SourceAssessment = {
      ...{ taskId: "T1", type, tables, movesWhole: undefined, resumes: false, ownOnly },
      ...{ movesRights: false, movesLargeObjects: false },
    };
    return await assessSource(client, request, CHOICES, longTransactionSeconds);
  } finally {
    await client.end();
  }
}

function told(findings: readonly Finding[]): Told {
  return findings.map(({ code, severity, subject }) => [code, severity, subject]);
}

async function withServer(
  options: MysqlOptions,
  check: (server: MysqlServer) => Promise<void>,
): Promise<void> {
  await using server = await startMysql(options);
  await check(server);
}

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`assessment of ${flavour}`, () => {
    let server: MysqlServer;

    before(async () => {
      server = await startMysql({ flavour });
    });

    after(async () => {
      await server?.[Symbol.asyncDispose]();
    });

    test("nothing is said of a server that is fit to be read from", async () => {
      const database = await server.createDatabase();
      await server.query(
        "create table t (a int primary key, e enum('a','b')); insert into t values (1, 'a')",
        database,
      );
      assert.deepEqual(told(await assessed(server.endpoint(database))), []);
    });

    test("a server whose commits may be gone after a crash is told, with what mends it", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      await server.query("set global innodb_flush_log_at_trx_commit = 2");
      const [late] = await assessed(server.endpoint(database));
      assert.equal(late!.subject, "innodb_flush_log_at_trx_commit");
      assert.match(late!.message, /\(innodb_flush_log_at_trx_commit not 1\)/);
      await server.query("set global sync_binlog = 0");
      const findings = await assessed(server.endpoint(database));
      assert.deepEqual(told(findings), [["source.not_durable", "warning", "innodb_flush_log_at_trx_commit"]]);
      assert.match(findings[0]!.message, /\(innodb_flush_log_at_trx_commit and sync_binlog not 1\)/);
      assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
      for (const [statement] of findings[0]!.remedy.matchAll(/set global .*?;/g))
        await server.query(statement);
      assert.deepEqual(told(await assessed(server.endpoint(database))), []);
    });

    test("a transaction that keeps the load's lock waiting is told until it has ended", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      const isTold = async (): Promise<boolean> => {
        const findings = await assessed(server.endpoint(database), "full-load", false, undefined, 0);
        return findings.some(({ code }) => code === "source.long_transaction");
      };
      const writer = await server.connect(database);
      await writer.query("begin");
      await writer.query("insert into t values (1)");
      // MariaDB's snapshot takes no lock; MySQL shows transactions a tenth of a second late.
      if (flavour === "mysql") await eventually("the transaction", isTold);
      else assert.equal(await isTold(), false);
      await writer.query("commit");
      await eventually("its end", async () => !(await isTold()));
      await writer.end();
    });

    test("a task that sends only its own source's changes is refused", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      assert.deepEqual(told(await assessed(server.endpoint(database), "cdc", true)), [
        ["settings.unsupported", "error", "EnableLoopbackPrevention"],
      ]);
    });

    test("columns whose changes the log does not tell readably, and prepared transactions, are told", async () => {
      const database = await server.createDatabase();
      const column = flavour === "mariadb" ? "v varchar(1000) compressed" : "v varchar(100)";
      await server.query(`create table t (a int primary key, ${column})`, database);
      await server.queryAndLeave(
        "xa start 'x'; insert into t (a) values (1); xa end 'x'; xa prepare 'x'",
        database,
      );
      const compressed = ["source.column_compressed", "error", `${database}.t`] as const;
      assert.deepEqual(told(await assessed(server.endpoint(database))), [
        ["source.prepared_transactions", "info", "XA"],
        ...(flavour === "mariadb" ? [compressed] : []),
      ]);
      await server.query("xa rollback 'x'");
      assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
    });

    test("foreign keys that act by themselves are told where the log does not tell enough of that", async () => {
      const database = await server.createDatabase();
      await server.query(
        `create table a (id int primary key, code varchar(9) unique);
         create table b (id int primary key, a int, foreign key (a) references a (id) on delete cascade);
         create table c (code varchar(9), constraint by_code foreign key (code) references a (code) on delete set null);
         create table d (b int, constraint deep foreign key (b) references b (id) on delete cascade)`,
        database,
      );
      const subjects = async (isMoved = (_name: string): boolean => true): Promise<readonly string[]> =>
        (await assessed(server.endpoint(database), "cdc", false, isMoved))
          .filter(({ code }) => code === "source.cascades_unlogged")
          .map(({ subject, message }) => `${subject.split(".")[1]} ${/by_code|deep/.exec(message)}`);
      assert.deepEqual(await subjects(), []);
      // What a row of b goes for is told by a; a row of b that goes with one of a is in no log.
      assert.deepEqual(await subjects((name) => name !== "a"), []);
      assert.deepEqual(await subjects((name) => name !== "b"), ["d deep"]);
      await server.query("set global binlog_row_image = 'MINIMAL'");
      try {
        assert.deepEqual(await subjects(), ["c by_code"]);
      } finally {
        await server.query("set global binlog_row_image = 'FULL'");
      }
    });

    test("what is not moved is told by kind", async () => {
      const database = await server.createDatabase();
      await server.query(mysqlNastySchema(flavour), database);
      await server.query(MYSQL_LEFT_OUT, database);
      const kinds = told(await assessed(server.endpoint(database)))
        .filter(([code]) => code === "source.not_moved")
        .map(([, , subject]) => subject);
      const own = ["sequences", "histories of system-versioned tables"];
      assert.deepEqual(kinds, [
        ...["views", "triggers", "functions and procedures", "events", "partitionings of tables"],
        ...(flavour === "mariadb" ? own : []),
      ]);
    });

    test("a table whose engine has no transactions is told when it is loaded", async () => {
      const database = await server.createDatabase();
      await server.query("create table m (a int primary key) engine = myisam", database);
      const expected: Told = [["source.not_transactional", "warning", `${database}.m`]];
      assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), expected);
      assert.deepEqual(told(await assessed(server.endpoint(database), "cdc")), []);
    });

    test("labels that the server cannot show keep a table's changes out, unless they are logged", async () => {
      const database = await server.createDatabase();
      await server.query(
        "create table t (a int primary key, e enum('a', '😀') collate utf8mb4_bin)",
        database,
      );
      const expected: Told = [["source.labels_unreadable", "error", `${database}.t`]];
      assert.deepEqual(told(await assessed(server.endpoint(database))), expected);
      assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
      if (flavour !== "mariadb") return;
      await server.query("set global binlog_row_metadata = FULL");
      assert.deepEqual(told(await assessed(server.endpoint(database))), []);
      await server.query("set global binlog_row_metadata = NO_LOG");
    });

    test("a log of statements is refused", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      for (const format of ["MIXED", "STATEMENT"]) {
        await server.query(`set global binlog_format = ${format}`);
        assert.deepEqual(told(await assessed(server.endpoint(database))), [
          ["source.binary_log_format", "error", "binlog_format"],
        ]);
        assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
      }
      await server.query("set global binlog_format = ROW");
    });

    test("a log that is kept for less than a day is told", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      const [setting, value] =
        flavour === "mariadb" ? ["binlog_expire_logs_seconds", 3600] : ["expire_logs_days", 0];
      await server.query(`set global ${setting} = ${value}`);
      const expected: Told =
        flavour === "mariadb" ? [["source.binary_log_expires", "warning", setting as string]] : [];
      assert.deepEqual(told(await assessed(server.endpoint(database))), expected);
      await server.query(`set global ${setting} = 0`);
    });

    test("each privilege that is lacking is told with the grant that gives it", async () => {
      const database = await server.createDatabase();
      await server.query("create table a (x int primary key); create table b (x int primary key)", database);
      await server.query(
        `create user 'l''imited'@'%' identified by 'pw'; grant select on ${database}.a to 'l''imited'@'%';
         grant insert on ${database}.b to 'l''imited'@'%'`,
      );
      const endpoint = { ...server.endpoint(database), username: "l'imited", password: "pw" };
      const findings = await assessed(endpoint);
      const replica = [["source.privilege", "info", "l'imited"]] as const;
      assert.deepEqual(told(findings), [
        ...(flavour === "mariadb" ? replica : []),
        ["source.privilege", "error", "l'imited"],
        ["source.privilege", "warning", "l'imited"],
        ...(flavour === "mysql" ? ([["source.privilege", "info", "l'imited"]] as const) : []),
        ["source.table_privilege", "error", `${database}.b`],
        ["source.privilege", "info", `database ${database}`],
      ]);
      for (const { remedy } of findings) {
        const grant = /grant .*;/.exec(remedy)![0];
        await server.query(grant);
      }
      assert.deepEqual(told(await assessed(endpoint)), []);
      assert.equal((await assessed(endpoint, "full-load")).length, 0);
    });

    test("a table that the server does not read is told, and what keeps all from being read is thrown", async () => {
      const database = await server.createDatabase();
      await server.query(
        "create table good (a int primary key); create table bad (a int primary key) engine = MyISAM; flush tables",
        database,
      );
      await rm(join(server.directory, "data", database, "bad.MYI"));
      const found = (await assessed(server.endpoint(database))).filter(
        ({ code }) => code !== NOT_TRANSACTIONAL,
      );
      assert.deepEqual(told(found), [["source.table_unreadable", "error", `${database}.bad`]]);
      await server.query("drop table bad", database).catch(() => undefined);
      const owner = await server.connect(database);
      await server.query("set global lock_wait_timeout = 1");
      try {
        await owner.query("lock tables good write");
        await assert.rejects(assessed(server.endpoint(database)), { errno: 1205 });
      } finally {
        await server.query("set global lock_wait_timeout = default");
        await owner.end();
      }
    });

    test("a replica that does not log what it replicates is refused", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (a int primary key)", database);
      await server.query(
        "change master to master_host = '127.0.0.1', master_port = 1, master_user = 'nobody'",
      );
      assert.deepEqual(told(await assessed(server.endpoint(database))), [
        ["source.replica_unlogged", "error", "log_slave_updates"],
      ]);
      await server.query("reset slave all");
      assert.deepEqual(told(await assessed(server.endpoint(database))), []);
    });
  });
}

test("databases that are left out of the log keep their tables out of it", async () => {
  const settings = { binlog_ignore_db: "left" };
  await withServer({ flavour: "mariadb", settings }, async (server) => {
    for (const database of ["left", "kept"]) {
      await server.query(`create database \`${database}\``);
      await server.query("create table t (a int primary key)", database);
    }
    assert.deepEqual(told(await assessed(server.endpoint())), [
      ["source.binary_log_filtered", "error", "left.t"],
    ]);
    assert.deepEqual(told(await assessed(server.endpoint(), "full-load")), []);
  });
});

test("a server without a log serves full loads alone", async () => {
  await withServer({ flavour: "mariadb", settings: { skip_log_bin: 1 } }, async (server) => {
    const database = await server.createDatabase();
    await server.query("create table t (a int primary key)", database);
    assert.deepEqual(told(await assessed(server.endpoint(database))), [
      ["source.binary_log_off", "error", "log_bin"],
    ]);
    assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
  });
});

test("a server that does not number its transactions is told to bind the task", async () => {
  const settings = { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" };
  await withServer({ flavour: "mysql", settings }, async (server) => {
    const database = await server.createDatabase();
    await server.query("create table t (a int primary key)", database);
    assert.deepEqual(told(await assessed(server.endpoint(database))), [
      ["source.no_gtids", "info", "gtid_mode"],
    ]);
  });
});

test("MariaDB's versioned tables are loaded as they are now, and their changes are not read", async () => {
  await withServer({ flavour: "mariadb" }, async (server) => {
    const database = await server.createDatabase();
    await server.query("create table v (a int primary key) with system versioning", database);
    const expected: Told = [["source.not_moved", "warning", "histories of system-versioned tables"]];
    assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), expected);
    assert.deepEqual(told(await assessed(server.endpoint(database))), [
      ["source.system_versioned", "error", `${database}.v`],
      ...expected,
    ]);
  });
});

test("MariaDB's fractions of seconds from before 10.1 keep a table's changes out until it is written anew", async () => {
  await withServer({ flavour: "mariadb", settings: { mysql56_temporal_format: "OFF" } }, async (server) => {
    const database = await server.createDatabase();
    await server.query("create table o (a int primary key, t time(3), d datetime, s datetime(6))", database);
    const findings = await assessed(server.endpoint(database));
    assert.deepEqual(told(findings), [
      ["source.old_temporal", "error", `${database}.o`],
      ["source.old_temporal", "error", `${database}.o`],
    ]);
    assert.deepEqual(told(await assessed(server.endpoint(database), "full-load")), []);
    for (const sql of findings[0]!.fix!.statements) await server.query(sql);
    assert.deepEqual(told(await assessed(server.endpoint(database))), []);
  });
});
