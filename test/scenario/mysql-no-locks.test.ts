import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { KillWriter, type Statement } from "../support/kill-writer.ts";
import { MysqlLife } from "../support/mysql-life.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { OngoingWork } from "../support/ongoing-work.ts";

/*
 * MySQL with GTIDs, and a user who may not lock: the load begins while many commit, and what its sessions show lies
 * between two places of the log.
 */

const WRITERS = 4;
const ROWS = 400;
/** A server that another one could be the replica of. */
const APPLIED = "aaaaaaaa-bbbb-11ee-8000-000000000001";
let gtids = 0;

const servers = await mysqlToPostgres({ flavour: "mysql" });
const source = servers.source;
// Commits stay for a while between their place in the log and the engine.
await source.query(
  `set global binlog_group_commit_sync_delay = 2000;
   create user plain identified by 'secret';
   grant select, show view, replication client, replication slave on *.* to plain`,
);

const pairs: MysqlPair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

const NUMBERS = Array.from({ length: ROWS }, (_, i) => i);
const KEYED = `
  create table item (id int primary key, code varchar(40) not null, n int not null, unique key code (code));
  create table part (id int auto_increment primary key, item_id int not null, v varchar(40),
    foreign key (item_id) references item (id));
  insert into item values ${NUMBERS.map((i) => `(${i}, 'code ${i}', 0)`).join(", ")};
  insert into part (item_id, v) values ${NUMBERS.map((i) => `(${i}, 'part ${i}')`).join(", ")}`;

async function pairOf(name: string, schema: string): Promise<MysqlPair> {
  const pair = await MysqlPair.make(servers, {
    ...{ name, schema, settings: JSON.stringify({ ErrorBehavior: { RecoverableErrorInterval: 1 } }) },
    source: { ...source.endpoint(), username: "plain", password: "secret" },
  });
  pairs.push(pair);
  return pair;
}

/** What one of several writers does to rows of its own: they change, get other keys, come and go. */
function keyedWork(writer: number): (i: number) => readonly Statement[] {
  return (i) => {
    const own = (i % (ROWS / WRITERS)) * WRITERS + writer;
    const added = 10_000 + i * WRITERS + writer;
    return [
      ["begin", []],
      ["update item set n = n + 1 where id = ?", [own]],
      ["insert into item values (?, ?, ?)", [added, `added ${added}`, i]],
      ["delete from item where id = ?", [added - 5 * WRITERS]],
      ["update part set v = ?, id = id + 100000 where id = ?", [`moved by ${writer}`, 1 + own]],
      ["insert into part (id, item_id, v) values (?, ?, 'new')", [10_000_000 + added, own]],
      ["delete from part where id = ?", [10_000_000 + added - 3 * WRITERS]],
      ["commit", []],
    ];
  };
}

/**
 * Writes as the applier of a replica does: each transaction has its GTID from its begin on, and the next one begins before
 * it commits, so that there is always one of which a snapshot may show all or nothing. `statement`: of the transaction of that
 * number.
 */
function overlapping(database: string, statement: (i: number) => string): OngoingWork {
  return new OngoingWork(async (isOn) => {
    const connections = [await source.connect(database), await source.connect(database)] as const;
    const begin = (i: number): Promise<unknown> =>
      connections[i % 2]!.query(
        `set gtid_next = '${APPLIED}:${++gtids}'; begin; ${statement(i)}; do sleep(0.05)`,
      );
    let last = 1;
    await begin(last);
    for (let i = 2; isOn(); i++) {
      await begin(i);
      await connections[(i - 1) % 2]!.query("commit");
      last = i;
    }
    await connections[last % 2]!.query("commit");
    for (const connection of connections) await connection.end();
  });
}

const applied = (i: number): string => `insert into item values (${1_000_000 + i}, 'applied ${i}', ${i})`;

async function startWriters(stack: AsyncDisposableStack, database: string): Promise<readonly KillWriter[]> {
  const connections = await Promise.all(Array.from({ length: WRITERS }, () => source.connect(database)));
  return connections.map((connection, i) => stack.use(new KillWriter(connection, keyedWork(i), "")));
}

test("killed while it loads and catches up, a task without rights to lock ends with equal databases", async () => {
  const pair = await pairOf("keyed", KEYED);
  const life = new MysqlLife(pair);
  {
    await using stack = new AsyncDisposableStack();
    const writers = await startWriters(stack, pair.from);
    stack.use(overlapping(pair.from, applied));
    const kills: readonly (readonly [Failpoint, number])[] = [
      // Before it commits, so that something is left for another snapshot.
      ["load.partition-written", 1],
      ["load.snapshot-adopted", 1],
      ["apply.changes-written", 1],
      ["build.tables-ready", 1],
    ];
    for (const [i, [failpoint, arrival]] of kills.entries()) {
      await life.kill({ failpoint, arrival }, { start: i === 0 ? "start-replication" : "resume-processing" });
    }
    assert.ok(writers.every(({ commits }) => commits > 0));
  }
  const [bounded] = await servers.target.query(
    "select count(*) as n from awsdms_load_state where snapshot_up_to <> snapshot_position",
    pair.to,
  );
  assert.ok(Number(bounded!["n"]) > 0, "no snapshot showed one moment");
  await life.finish();
  await life.assertEqual();
  // What the rows hold already was no conflict, and overwrote nothing.
  assert.deepEqual(await servers.target.query("select from awsdms_apply_exceptions", pair.to), []);
});

test("a table without a key that changes in every such moment is set aside alone, and comes with the right to lock", async () => {
  const schema = `${KEYED}; create table busy (i int); create table calm (i int); insert into calm values (1), (1), (2)`;
  const pair = await pairOf("keyless", schema);
  const writer = overlapping(pair.from, (i) => `insert into busy values (${i})`);
  const task = pair.run();
  await task.until(
    ({ phase, tables }) => phase === "replicating" && tables.some(({ error }) => error !== undefined),
  );
  assert.deepEqual(
    task.last!.tables.flatMap(({ id, error }) => (error === undefined ? [] : [[id.name, error.code]])),
    [["busy", "source.snapshot_not_exact"]],
  );
  await writer[Symbol.asyncDispose]();
  await source.query("grant lock tables on *.* to plain");
  {
    // Without a lock there would be no one moment, for these; the table's own writer lets a lock through.
    await using _others = overlapping(pair.from, applied);
    const connection = await source.connect(pair.from);
    await using short = new KillWriter(connection, (i) => [["insert into busy values (?)", [i]]], "");
    const before = short.commits;
    task.running.reloadTables([{ schema: pair.from, name: "busy" }]);
    await task.until(({ tables }) => tables.every(({ state }) => state === "Table completed"));
    assert.ok(short.commits > before);
  }
  const places = await servers.target.query(
    "select snapshot_position as at, snapshot_up_to as bound from awsdms_load_state where table_name = 'busy'",
    pair.to,
  );
  assert.ok(places.length > 0);
  assert.deepEqual(
    places.filter(({ at, bound }) => at === null || bound !== null),
    [],
  );
  await pair.drain(task);
  await pair.assertEqual();
});
