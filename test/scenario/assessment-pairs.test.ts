import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUrl } from "../../src/engines/postgres/url.ts";
import {
  fixesOf,
  type Look,
  type LookOrder,
  ShownAssessments,
  selected,
} from "../support/assessment-looks.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/*
 * What an assessment tells of two servers together, or of one over a time, until it is mended.
 */

const POSTGRES = { family: "postgres", name: "postgres" };
const postgres = await serverOfFile(startPostgres());

async function look(order: LookOrder): Promise<Look> {
  return await new ShownAssessments().look(order);
}

/** Each statement by itself, in one session. */
async function each(database: string, statements: readonly string[]): Promise<void> {
  const client = await postgres.connect(database);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

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
    const { told, findings } = await look({ ...order, type: "full-load" });
    await each(to, fixesOf(findings, "target"));
    return told;
  };
  await each("other", [
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
    await each(from, [`alter system set max_slot_wal_keep_size = '${size}'`, "select pg_reload_conf()"]);
    const looking = look(order);
    let isOver = false;
    const over = looking.finally(() => {
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
  await each(from, [
    "set allow_system_table_mods = on",
    "update pg_class set reltuples = 1e13, relpages = 1000000000 where relname = 't'",
  ]);
  const limit = "source.log_limit max_slot_wal_keep_size";
  assert.deepEqual(await keeping("64MB"), [`info ${limit}`, `warning ${limit}`]);
  assert.deepEqual(await keeping("-1"), []);
});

test("PostgreSQL: a server that is far away", async () => {
  const [from, to] = [await postgres.createDatabase(), await postgres.createDatabase()];
  await postgres.query("create table t (id int primary key)", from);
  await using proxy = await TcpProxy.start(postgres.port);
  const order = {
    ...{ source: parseUrl(postgres.url(from)), engines: { source: POSTGRES, target: POSTGRES } },
    ...{ target: { ...parseUrl(postgres.url(to)), port: proxy.port }, rules: selected(["public"]) },
  };
  proxy.delay(15);
  assert.deepEqual((await look(order)).told, ["info connect.slow_round_trip target"]);
  proxy.heal();
  assert.deepEqual((await look(order)).told, []);
});
