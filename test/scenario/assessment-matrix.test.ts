import assert from "node:assert/strict";
import { test } from "node:test";
import { assessSource } from "../../src/engines/postgres/assess/assess-source.ts";
import { connect } from "../../src/engines/postgres/connection/connection.ts";
import { parseUrl } from "../../src/engines/postgres/url.ts";
import {
  POSTGRES_SOURCE_FAULTS,
  POSTGRES_TARGET_FAULTS,
  SELECTED_BADLY,
} from "../support/assessment-faults.ts";
import { columnRule, fixesOf, ShownAssessments, selected } from "../support/assessment-looks.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";

/*
 * Every individual assessment, shown failing and passing on real servers: faults are planted together, looked at once, mended by
 * the statements that the findings have, and looked at again. Whole sets are compared, so that nothing else is told.
 */

const shown = new ShownAssessments();
const POSTGRES = { family: "postgres", name: "postgres" };
const KEEPING = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
const CUTTING = { TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 1 } };

const postgres = await serverOfFile(startPostgres());

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

test("PostgreSQL: collations that the target lacks, or that sort by other rules there", async () => {
  const from = await postgres.createDatabase();
  await postgres.query(
    `create collation own (provider = libc, locale = 'C.utf8');
     create table a (id int primary key, t text collate "C.utf8", u text);
     create table b (t text collate own, u text); create index on b (u collate "C.utf8");
     create table c (t text collate "und-x-icu", u text collate "C");
     create table d (id int primary key)`,
    from,
  );
  await postgres.query("create database other template template0 locale_provider icu icu_locale 'de'");
  const looked = async (to: string): Promise<readonly string[]> => {
    const [source, target] = [from, to].map((name) => parseUrl(postgres.url(name)));
    const engines = { source: POSTGRES, target: POSTGRES };
    const order = { source: source!, target: target!, engines, rules: selected(["public"]) };
    const { told, findings } = await shown.look({ ...order, type: "full-load" });
    await run(postgres, to, fixesOf(findings, "target"));
    return told;
  };
  await run(postgres, "other", [
    "set allow_system_table_mods = on",
    "delete from pg_collation where collname = 'C.utf8'",
    "update pg_collation set collversion = '1' where collname = 'und-x-icu'",
  ]);
  const differing = ["info target.collation_differs und-x-icu", "warning target.collation_differs default"];
  assert.deepEqual(await looked("other"), [
    "error target.collation_missing public.a",
    ...Array(2).fill("error target.collation_missing public.b"),
    ...differing,
  ]);
  assert.deepEqual(await looked("other"), differing);
  assert.deepEqual(await looked(await postgres.createDatabase()), []);
});

test("PostgreSQL: a log that the source keeps for less time than the load takes", async () => {
  const [from, to] = [await postgres.createDatabase(), await postgres.createDatabase()];
  await postgres.query("create table t (id int primary key, b bytea); insert into t values (1, '')", from);
  const [source, target] = [from, to].map((name) => parseUrl(postgres.url(name)));
  const order = {
    ...{ source: source!, target: target!, engines: { source: POSTGRES, target: POSTGRES } },
    ...{ rules: selected(["public"]), watchSeconds: 1 },
  };
  const keeping = async (size: string): Promise<readonly string[]> => {
    await run(postgres, from, [
      `alter system set max_slot_wal_keep_size = '${size}'`,
      "select pg_reload_conf()",
    ]);
    const look = shown.look(order);
    let isOver = false;
    const over = look.finally(() => {
      isOver = true;
    });
    while (!isOver)
      await postgres.query(
        "insert into t (id) select 1 where false; select pg_logical_emit_message(false, 'x', repeat('x', 100000))",
        from,
      );
    return (await over).told;
  };
  // So many rows that no log outlasts them.
  await run(postgres, from, [
    "set allow_system_table_mods = on",
    "update pg_class set reltuples = 1e13, relpages = 1000000000 where relname = 't'",
  ]);
  const limit = "source.log_limit max_slot_wal_keep_size";
  assert.deepEqual(await keeping("64MB"), [`info ${limit}`, `warning ${limit}`]);
  assert.deepEqual(await keeping("-1"), []);
});
