import assert from "node:assert/strict";
import { test } from "node:test";
import { assessSource } from "../../src/engines/postgres/assess/assess-source.ts";
import { connect } from "../../src/engines/postgres/connection/connection.ts";
import { parseUrl } from "../../src/engines/postgres/url.ts";
import {
  FOREIGN_FAULTS,
  MARIADB_SOURCE_FAULTS,
  MARIADB_TARGET_FAULTS,
  POSTGRES_SOURCE_FAULTS,
  POSTGRES_TARGET_FAULTS,
  SELECTED_BADLY,
} from "../support/assessment-faults.ts";
import { columnRule, fixesOf, ShownAssessments, selected } from "../support/assessment-looks.ts";
import { type MysqlServer, startMysql } from "../support/mysql-server.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";

/*
 * Every individual assessment, shown failing and passing on real servers: faults are planted together, looked at once, mended by
 * the statements that the findings have, and looked at again. Whole sets are compared, so that nothing else is told.
 */

const shown = new ShownAssessments();
const POSTGRES = { family: "postgres", name: "postgres" };
const MARIADB = { family: "mysql", name: "mariadb" };
const MYSQL = { family: "mysql", name: "mysql" };
const KEEPING = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
const CUTTING = { TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 1 } };

const postgres = await serverOfFile(startPostgres());
const mariadb = await serverOfFile(
  startMysql({
    flavour: "mariadb",
    settings: {
      ...{ binlog_format: "STATEMENT", binlog_row_image: "MINIMAL", binlog_expire_logs_seconds: 3600 },
      ...{ sync_binlog: 0, local_infile: 0, max_allowed_packet: 1 << 20, lower_case_table_names: 1 },
    },
  }),
);
const mysql = await serverOfFile(startMysql({ flavour: "mysql" }));

/** Each statement in a session of a superuser that may write. */
async function run(server: PostgresServer, database: string, statements: readonly string[]): Promise<void> {
  const client = await server.connect(database);
  try {
    await client.query("set default_transaction_read_only = off");
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function runAll(server: MysqlServer, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await server.query(statement);
}

test("PostgreSQL to PostgreSQL: each fault is told, and nothing once it is mended", async () => {
  await using unfit = await startPostgres({
    settings: {
      ...{ wal_level: "replica", max_replication_slots: 1, max_wal_senders: 1 },
      ...{ max_slot_wal_keep_size: 64, logical_decoding_work_mem: "64kB" },
    },
  });
  const [from, to] = [await unfit.createDatabase("shop"), await postgres.createDatabase("target")];
  await unfit.query(POSTGRES_SOURCE_FAULTS, from);
  await postgres.query(POSTGRES_TARGET_FAULTS, to);
  await postgres.query(`alter database ${to} set default_transaction_read_only = on`);
  const order = {
    source: { ...parseUrl(unfit.url(from)), username: "reader", password: "p" },
    target: { ...parseUrl(postgres.url(to)), username: "writer", password: "p" },
    engines: { source: POSTGRES, target: POSTGRES },
  };
  const rules = [
    ...SELECTED_BADLY,
    columnRule("data-masking-hash-mask", ["app", "masked", "hashed"]),
    columnRule("data-masking-digits-mask", ["app", "masked", "masked"], { value: "*" }),
    columnRule("data-masking-digits-randomize", ["app", "masked", "random"]),
    {
      ...{ "rule-type": "transformation", "rule-target": "table", "rule-action": "rename", value: "one" },
      "object-locator": { "schema-name": "app", "table-name": "two" },
    },
  ];
  const before = await shown.look({
    ...{ ...order, rules: selected(["app"], ...rules), settings: { ...KEEPING, ...CUTTING }, freeBytes: 1 },
  });
  assert.deepEqual(before.told, [
    "error load.rejected app.kept",
    ...Array(3).fill("error mapping.rule_impossible app.masked"),
    "error mapping.target_clash app.one",
    "error source.no_key app.keyless",
    "error source.not_logged app.fleeting",
    ...Array(2).fill("error source.privilege reader"),
    "error source.row_security app.guarded",
    ...Array(2).fill("error source.table_privilege app.hidden"),
    "error source.wal_level wal_level",
    "error target.privilege schema app",
    "error target.privilege schema public",
    `error target.read_only ${to}`,
    `info source.changes_unnoted ${from}`,
    "info source.decoding_memory logical_decoding_work_mem",
    "info source.log_limit max_slot_wal_keep_size",
    "info target.indexes_kept app.kept",
    "warning mapping.rule_unmatched rule 2",
    "warning mapping.value_cut app.kept",
    "warning mapping.value_cut app.keyless",
    "warning plan.reference_left_out app.child",
    "warning source.no_free_slot max_replication_slots",
    "warning source.no_free_slot max_wal_senders",
    "warning source.not_moved values of types that take no input",
    "warning target.extension_missing file_fdw",
    "warning target.no_key app.kept",
    "warning target.space_short target",
    "warning target.trigger_privilege writer",
    "warning target.triggers app.kept",
  ]);

  await run(unfit, from, fixesOf(before.findings, "source"));
  await run(postgres, to, fixesOf(before.findings, "target"));
  await unfit.stop();
  await unfit.start();
  const mended = { ...order, rules: selected(["app"]), settings: KEEPING };
  const fixed = await shown.look(mended);
  // For these somebody has to decide.
  assert.deepEqual(fixed.told, [
    `error target.read_only ${to}`,
    `info source.changes_unnoted ${from}`,
    "info source.log_limit max_slot_wal_keep_size",
    "info target.indexes_kept app.kept",
    "warning source.not_moved values of types that take no input",
  ]);

  await run(unfit, from, [
    "alter system set max_slot_wal_keep_size = -1",
    "select pg_reload_conf()",
    "alter table app.trees drop column tree",
    "alter role reader superuser",
  ]);
  await run(postgres, to, [
    "drop index app.also",
    `alter database ${to} reset default_transaction_read_only`,
  ]);
  assert.deepEqual(await shown.look(mended), { findings: [], told: [], raised: {} });
});

test("PostgreSQL: what keeps a slot from being made, and a version that is too old", async () => {
  const database = await postgres.createDatabase();
  await postgres.query(
    `create table t (id int primary key); create role old superuser login password 'p';
     create schema posing; create function posing.current_setting(text) returns text language sql as
       $$ select case when $1 = 'server_version_num' then '110022' else pg_catalog.current_setting($1) end $$;
     alter role old set search_path = posing, pg_catalog`,
    database,
  );
  const endpoint = { ...parseUrl(postgres.url(database)), username: "old", password: "p" };
  const pair = { source: POSTGRES, target: POSTGRES, type: "cdc" } as const;
  const look = async (): Promise<readonly string[]> => {
    const client = await connect(endpoint, { side: "source", purpose: "test" }, new AbortController().signal);
    try {
      const request = {
        taskId: "t",
        type: "cdc",
        tables: [],
        movesWhole: undefined,
        resumes: false,
      } as const;
      const findings = await assessSource(
        client,
        { ...request, movesRights: false, movesLargeObjects: false },
        { longTransactionSeconds: 0 },
      );
      return Object.entries(shown.judge(findings, pair).raised).flat();
    } finally {
      await client.end();
    }
  };
  const writer = await postgres.connect(database);
  await writer.query("begin; insert into t values (1)");
  await postgres.query("begin; insert into t values (2); prepare transaction 'half way'", database);
  assert.deepEqual(await look(), [
    ...["postgres-check-dbversion", "failed", "postgres-check-longrunningtxn", "warning"],
    ...["postgres-check-preparedtxn", "warning"],
  ]);
  await writer.end();
  await postgres.query("rollback prepared 'half way'", database);
  await postgres.query("alter role old reset search_path");
  assert.deepEqual(await look(), []);
});

test("PostgreSQL to MariaDB: each fault is told, and nothing once it is mended", async () => {
  const from = await postgres.createDatabase();
  await postgres.query(FOREIGN_FAULTS, from);
  await mariadb.query(MARIADB_TARGET_FAULTS);
  const order = {
    source: parseUrl(postgres.url(from)),
    target: { ...mariadb.endpoint(), username: "writer", password: "p" },
    ...{ engines: { source: POSTGRES, target: MARIADB }, rules: selected(["app"]), settings: KEEPING },
  };
  const ofTables = [
    "error convert.name app.same",
    "error convert.row_length app.wide",
    "error source.no_key app.wide",
  ];
  const left = [
    ...Array(4).fill("warning convert.index app.wide"),
    ...["warning convert.object composite", "warning convert.type app.texts"],
  ];
  await mariadb.query("set global read_only = on");
  const before = await shown.look(order);
  assert.deepEqual(before.told, [
    ...ofTables,
    "error target.privilege records in database awsdms_control",
    "error target.read_only read_only",
    "info convert.type geometry to longtext",
    "info target.local_infile local_infile",
    ...left,
    "warning target.out_of_resources max_allowed_packet",
    "warning target.privilege database app",
    "warning target.privilege triggers of database app",
  ]);
  await runAll(mariadb, ["set global read_only = off", ...fixesOf(before.findings, "target")]);
  // With the privileges it sees what is there.
  const seen = await shown.look(order);
  assert.deepEqual(seen.told, [
    ...ofTables,
    ...["info convert.type geometry to longtext", "info target.indexes_kept app.kept"],
    ...left,
    ...["warning target.no_key app.kept", "warning target.triggers app.kept"],
  ]);
  await runAll(mariadb, [
    ...fixesOf(seen.findings, "target"),
    ...["alter table app.kept drop index also", "drop trigger app.acts"],
  ]);
  await postgres.query(
    'drop table app.shapes, app.texts, app."Same", app.wide; drop type app.geometry',
    from,
  );
  assert.deepEqual(await shown.look(order), { findings: [], told: [], raised: {} });
});

test("MariaDB to PostgreSQL and MySQL: each fault is told, and nothing once it is mended", async () => {
  const from = await mariadb.createDatabase("shop");
  await mariadb.query(MARIADB_SOURCE_FAULTS, from);
  await mariadb.queryAndLeave(
    "xa start 'x'; insert into kept (id) values (2); xa end 'x'; xa prepare 'x'",
    from,
  );
  await mariadb.query("set global init_connect = 'set timestamp = 1700000000'");
  const to = await postgres.createDatabase();
  const order = {
    source: { ...mariadb.endpoint(from), username: "reader", password: "p" },
    ...{ target: parseUrl(postgres.url(to)), engines: { source: MARIADB, target: POSTGRES } },
  };
  const rules = [
    ...SELECTED_BADLY.slice(0, 1),
    columnRule("data-masking-hash-mask", [from, "masked", "hashed"]),
    columnRule("data-masking-digits-mask", [from, "masked", "masked"], { value: "*" }),
    columnRule("data-masking-digits-randomize", [from, "masked", "random"]),
  ];
  const before = await shown.look({ ...order, rules: selected([from], ...rules) });
  const told = (look: { readonly told: readonly string[] }): readonly string[] =>
    look.told.map((line) => line.replace(`${from}.`, ""));
  const foreign = ["warning convert.collation c", "warning convert.generated computed"];
  assert.deepEqual(told(before), [
    ...Array(3).fill("error mapping.rule_impossible masked"),
    "error source.binary_log_format binlog_format",
    "error source.column_compressed squeezed",
    "error source.privilege reader",
    "error source.system_versioned versioned",
    "error source.table_privilege hidden",
    "info convert.collation collations",
    "info convert.type invisible",
    "info source.prepared_transactions XA",
    `info source.privilege database ${from}`,
    "info source.privilege reader",
    "warning connect.clock_differs source",
    ...foreign,
    "warning mapping.rule_unmatched rule 2",
    "warning source.binary_log_expires binlog_expire_logs_seconds",
    "warning source.cascades_unlogged c",
    "warning source.not_durable sync_binlog",
    "warning source.not_moved histories of system-versioned tables",
    "warning source.not_moved partitionings of tables",
    "warning source.not_transactional old",
    "warning source.privilege reader",
  ]);
  await runAll(mariadb, [...fixesOf(before.findings, "source"), "set global init_connect = ''"]);
  const fixed = await shown.look({ ...order, rules: selected([from]) });
  assert.deepEqual(told(fixed), [
    "error source.column_compressed squeezed",
    "error source.replica_unlogged log_slave_updates",
    "info convert.collation collations",
    "info convert.type invisible",
    "info source.prepared_transactions XA",
    ...foreign,
    "warning source.not_moved partitionings of tables",
  ]);
  await mariadb.query(
    `reset slave all; xa rollback 'x'; drop table c; alter table squeezed modify v varchar(1000);
     alter table unseen modify v int; alter table parted remove partitioning`,
    from,
  );
  const toMysql = { ...order, target: mysql.endpoint(), engines: { source: MARIADB, target: MYSQL } };
  const small = await shown.look({ ...toMysql, rules: selected([from]) });
  assert.deepEqual(small.told, ["warning target.out_of_resources max_allowed_packet"]);
  await runAll(mysql, fixesOf(small.findings, "target"));
  assert.deepEqual((await shown.look({ ...toMysql, rules: selected([from]) })).told, []);
});

test("MySQL and MariaDB: a server that sends no log, and a version that is too old", async () => {
  const settings = { skip_log_bin: 1, version: "10.4.33-MariaDB" };
  await using old = await startMysql({ flavour: "mariadb", settings });
  const order = {
    target: parseUrl(postgres.url(await postgres.createDatabase())),
    rules: selected(["shop"]),
  };
  const mute = [
    [old, MARIADB, ["error source.binary_log_off log_bin", "error source.version_unsupported"]],
    [mysql, MYSQL, ["error source.binary_log_off server_id"]],
  ] as const;
  await mysql.query("set global server_id = 0");
  for (const [server, source, expected] of mute) {
    await server.query("create database shop; create table shop.t (id int primary key)");
    const look = { ...order, source: server.endpoint("shop"), engines: { source, target: POSTGRES } };
    const { told } = await shown.look(look);
    assert.deepEqual(
      told.map((line) => line.replace(/ MariaDB .*/, "")),
      expected,
    );
  }
  await mysql.query("set global server_id = 1");
  const look = { ...order, source: mysql.endpoint("shop"), engines: { source: MYSQL, target: POSTGRES } };
  assert.deepEqual((await shown.look(look)).told, []);
});

test("each individual assessment has been seen failing and passing", () => {
  assert.deepEqual(shown.unseen, { failing: [], passing: [] });
});
