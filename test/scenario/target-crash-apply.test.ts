import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

let source: PostgresServer;
let target: PostgresServer;

before(async () => {
  [source, target] = await Promise.all([
    startPostgres(),
    // Its log goes to the disk as late as possible, so that a crash takes back what had been committed.
    startPostgres({ settings: { wal_writer_delay: "10s", wal_writer_flush_after: "100MB" } }),
  ]);
});

after(async () => {
  await Promise.all([source?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
});

const ROUNDS = 4;

/** Rows without a key, which show when a change is applied twice; sums, which show when one is lost. */
const schema = `
  create schema app;
  create table app.log (writer int, n int, filler text); alter table app.log replica identity full;
  create table app.account (id int primary key, balance bigint not null, note text unique);
  insert into app.account select i, 0, 'n' || i from generate_series(1, 2000) i`;

async function writeUntil(database: string, writer: number, stopped: () => boolean): Promise<void> {
  const client = await source.connect(database);
  try {
    for (let n = 1; !stopped(); n++) {
      // Now many changes, which go as sets, now single ones, now a transaction that comes in parts; at a pace, so that
      // a slow machine has no more to apply in the end than a fast one.
      const many = n % 200 === 0 ? 8_000 : n % 10 === 0 ? 150 : 1;
      await client.query(`begin;
        insert into app.log select ${writer}, ${n}, repeat('f', 600) from generate_series(1, ${many}) i;
        update app.account set balance = balance + ${n} where id % 2 = ${writer} and id <= ${10 + many};
        delete from app.account where id = ${1_000 + 2 * (n % 500) + writer};
        insert into app.account values (${1_000 + 2 * (n % 500) + writer}, ${n}, 'w${writer} ${n}'); commit;
        select pg_sleep(0.005)`);
    }
  } finally {
    await client.end();
  }
}

/** The newest change of the log that the target shows; undefined while it cannot be asked. */
async function rowsOf(database: string): Promise<number> {
  return Number((await target.query("select count(*) from app.log", database))[0].count);
}

function growsBeyond(database: string, rows: number): Promise<number> {
  return eventually(`more than ${rows} rows`, async () => {
    const found = await rowsOf(database);
    return found > rows && found;
  });
}

test("a target that crashes takes back the last commits, and the task goes on with nothing lost or doubled", async () => {
  const from = await source.createDatabase("crash");
  const to = await target.createDatabase("crash");
  await source.query(schema, from);
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, to),
      tableMappings: schemas("app"),
    }),
  );
  await task.until(({ phase }) => phase === "replicating");
  let stop = false;
  const writing = [writeUntil(from, 0, () => stop), writeUntil(from, 1, () => stop)];
  let takenBack = 0;
  let rows = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      rows = await growsBeyond(to, rows + 500);
      await target.stop("SIGQUIT");
      await target.start();
      const left = await rowsOf(to);
      if (left < rows) takenBack++;
      rows = left;
    }
  } finally {
    stop = true;
    await Promise.all(writing);
  }
  assert.ok(takenBack > 0, "no crash took back a commit that others had seen");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
  const conflicts = await target.query("select count(*)::int as n from awsdms_apply_exceptions", to);
  assert.equal(conflicts[0].n, 0);
});
