import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { ErrorCode, MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "../../shared/connection/error-context.ts";
import { parseUrl } from "../url.ts";
import { connect, openWire } from "./connection.ts";
import { classify } from "./errors.ts";

const never = new AbortController().signal;
const table = { schema: "public", name: "t" };
const server = await serverOfFile(startPostgres());

/** What a statement's failure comes to, once by the driver and once by a wire session. */
async function failures(
  sql: string,
  context: Partial<ErrorContext> & { readonly database?: string } = {},
): Promise<readonly MigrationError[]> {
  const endpoint = parseUrl(server.url(context.database));
  const whole: ErrorContext = { side: "target", endpoint, ...context };
  const options = { side: whole.side, purpose: "errors test" };
  const client = await connect(endpoint, options, never);
  const byDriver: unknown = await client.query(sql).then(
    () => undefined,
    (error: unknown) => error,
  );
  await client.end();
  await using wire = await openWire(endpoint, options, never);
  const byWire: unknown = await wire.query(sql).then(
    () => undefined,
    (error: unknown) => error,
  );
  return [classify(byDriver, whole), classify(byWire, whole)];
}

test("driver and wire session classify a server's error alike", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table t (id int primary key, note varchar(4) not null, constraint short check (id < 100));
     insert into t values (1, 'x')`,
    database,
  );
  const cases: readonly (readonly [string, ErrorCode, RegExp])[] = [
    [
      "insert into t values (1, 'y')",
      "load.rejected",
      /unique_violation.*table public\.t, constraint t_pkey/,
    ],
    ["insert into t values (2, null)", "load.rejected", /not_null_violation.*table public\.t, column note/],
    ["insert into t values (4711, 'y')", "load.rejected", /check_violation.*constraint short/],
    ["insert into t values (2, 'XsecretX')", "load.rejected", /string_data_right_truncation \(22001\)\./],
    ["insert into t values ('Xsecret', 'y')", "load.rejected", /invalid_text_representation \(22P02\)\./],
    ["insert into t (nothing) values (1)", "target.table_mismatch", /column "nothing"/],
    ["insert into u values (1)", "load.rejected", /relation "u" does not exist/],
    ["set transaction read only; delete from t", "target.read_only", /read-only transaction/],
    ["do $$ begin raise 'Xsecret'; end $$", "load.rejected", /raise_exception \(P0001\)\./],
    ["do $$ begin raise 'Xsecret' using errcode = '42501'; end $$", "load.rejected", /privilege \(42501\)\./],
    ["select 'Xsecret' Xsecret Xsecret", "load.rejected", /syntax_error \(42601\)\./],
  ];
  for (const [sql, code, message] of cases) {
    const [driver, wire] = await failures(sql, { table, phase: "load", database });
    assert.equal(driver!.code, code, sql);
    assert.match(driver!.message, message);
    assert.deepEqual(driver!.toJSON(), wire!.toJSON());
    assert.doesNotMatch(inspect([driver, wire], { depth: 9 }), /Xsecret|4711|XsecretX/);
    assert.equal(driver!.subject, code === "target.read_only" ? `127.0.0.1:${server.port}` : "public.t");
    assert.deepEqual(driver!.table, code === "target.read_only" ? undefined : table);
  }
});

test("a deadlock's loser is tried again", async () => {
  const database = await server.createDatabase();
  await server.query(
    "create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
    database,
  );
  const endpoint = parseUrl(server.url(database));
  const [a, b] = await Promise.all(
    [1, 2].map(() => connect(endpoint, { side: "target", purpose: "errors test" }, never)),
  );
  await a!.query("begin; update t set n = 1 where id = 1");
  await b!.query("begin; update t set n = 1 where id = 2");
  const results = await Promise.allSettled([
    a!.query("update t set n = 1 where id = 2"),
    b!.query("update t set n = 1 where id = 1"),
  ]);
  await a!.end();
  await b!.end();
  const lost = results.find((result) => result.status === "rejected");
  const error = classify(lost?.reason, { side: "target", endpoint, table, phase: "apply" });
  assert.deepEqual([error.code, error.retry], ["target.busy", "once-worked"]);
});

test("the replication commands' failures have codes of their own", async () => {
  const endpoint = parseUrl(server.url());
  const options = { side: "source", purpose: "errors test", replication: true } as const;
  const run = async (sql: string): Promise<MigrationError> => {
    await using wire = await openWire(endpoint, options, never);
    const error: unknown = await wire.query(sql).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return classify(error, { side: "source", endpoint });
  };
  const start = (slot: string): string =>
    `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'p')`;
  const missing = await run(start("nobody"));
  assert.deepEqual([missing.code, missing.subject], ["source.slot_missing", "nobody"]);
  await server.query("select pg_create_logical_replication_slot('taken', 'pgoutput')");
  const exists = await run("CREATE_REPLICATION_SLOT taken LOGICAL pgoutput");
  assert.deepEqual([exists.code, exists.subject], ["source.slot_exists", "taken"]);
  await using reader = await openWire(endpoint, options, never);
  await reader.copyBoth(start("taken"));
  const busy = await run(start("taken"));
  assert.deepEqual([busy.code, busy.retry, busy.subject], ["source.slot_in_use", "once-worked", "taken"]);
});

test("a role without REPLICATION, and one without any privilege, are told the statement that helps", async () => {
  await server.query("create role plain login password 'Xsecret'; create table private (id int)");
  const endpoint = { ...parseUrl(server.url()), username: "plain", password: "Xsecret" };
  const options = { side: "source", purpose: "errors test", replication: true } as const;
  await assert.rejects(openWire(endpoint, options, never), (error: unknown) => {
    const { code, remedy } = error as MigrationError;
    assert.equal(code, "source.privilege");
    assert.match(remedy, /alter role plain replication/);
    return true;
  });
  await using wire = await openWire(endpoint, { side: "source", purpose: "errors test" }, never);
  const denied: unknown = await wire.query("select from private").catch((error: unknown) => error);
  const error = classify(denied, { side: "source", endpoint, table: { schema: "public", name: "private" } });
  assert.equal(error.code, "source.table_privilege");
  assert.match(error.remedy, /grant select on "public"."private" to "plain"/);
});

for (const version of [13, 16, 18]) {
  test(`version ${version} says when it has no slot left, no logical log, or gave the slot up`, async () => {
    await using own = await startPostgres({
      version,
      settings: {
        max_replication_slots: 1,
        max_slot_wal_keep_size: "1MB",
        min_wal_size: "32MB",
        max_wal_size: "32MB",
      },
    });
    const endpoint = parseUrl(own.url());
    const run = async (sql: string): Promise<MigrationError> => {
      const client = await connect(endpoint, { side: "source", purpose: "errors test" }, never);
      const error: unknown = await client.query(sql).catch((reason: unknown) => reason);
      await client.end();
      return classify(error, { side: "source", endpoint });
    };
    await own.query("select pg_create_logical_replication_slot('lagging', 'pgoutput')");
    assert.equal(
      (await run("select pg_create_logical_replication_slot('b', 'pgoutput')")).code,
      "source.no_free_slot",
    );
    await own.query("create table t (a text)");
    await own.query(
      "select pg_switch_wal(); insert into t select repeat('x', 1000) from generate_series(1, 40000)",
    );
    await own.query("select pg_switch_wal()");
    await own.query("checkpoint");
    const lost = await run(
      "select * from pg_logical_slot_get_binary_changes('lagging', null, null, 'proto_version', '1', 'publication_names', 'p')",
    );
    assert.deepEqual([lost.code, lost.subject], ["source.slot_lost", "lagging"], lost.message);
    await own.query("select pg_drop_replication_slot('lagging')");
    await own.query("alter system set wal_level = replica");
    await own.stop();
    await own.start();
    assert.equal(
      (await run("select pg_create_logical_replication_slot('b', 'pgoutput')")).code,
      "source.wal_level",
    );
    const gone = await run(
      "begin isolation level repeatable read; set transaction snapshot '00000003-00000002-1'",
    );
    assert.deepEqual([gone.code, gone.retry], ["source.snapshot_lost", "backoff"]);
  });
}
