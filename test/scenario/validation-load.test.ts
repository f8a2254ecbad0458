import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type DatabaseKind, postgres, type TestSchema } from "../contract/database-kind.ts";
import { mariadb } from "../contract/mysql-kinds.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";
import { differenceLine, type Validated, validated } from "../support/validation.ts";

/*
 * Both databases are compared again and again while an application writes and a task brings its changes: nothing is said
 * to differ but what somebody has changed on the target.
 */

const target = await serverOfFile(postgres.start());

const schema = `
  create table counter (id int primary key, n int not null, state varchar(3) not null);
  insert into counter values (1, 0, 'on'), (2, 0, 'off'), (3, 0, 'on');
  create table item (id int primary key, word varchar(50));
  insert into item values ${Array.from({ length: 500 }, (_, i) => `(${i + 1}, 'word ${i}')`).join(", ")};
  create table log (n int, word varchar(50))`;

/** Rows above this are written all the time, those up to it never. */
const QUIET = 100;

/** What writes at full speed takes the processor from what is to be tested. */
const PACE_MS = 20;

/** An application: a few rows are written in each transaction, others now and then, and some come and go. */
async function write(source: TestSchema, signal: AbortSignal): Promise<number> {
  await using session = await source.session();
  let commits = 0;
  for (let i = 0; !signal.aborted; i++) {
    const id = QUIET + 1 + (i % 400);
    await session.run(
      [
        "begin",
        "update counter set n = n + 1 where id = 1",
        `update counter set state = '${i % 2 === 0 ? "off" : "on"}' where id = ${2 + (i % 2)}`,
        `update item set word = 'changed ${i}' where id = ${id}`,
        i % 3 === 0
          ? `delete from item where id = ${id + 1}`
          : `update item set id = id + 1000 where id = ${id + 2}`,
        `insert into item (id, word) values (${10_000 + i}, 'new')`,
        `insert into log values (${i % 7}, 'entry')`,
        i % 5 === 0 ? "delete from log where n = 3" : "update log set n = 4 where n = 2",
        "commit",
      ].join("; "),
    );
    commits++;
    await setTimeout(PACE_MS);
  }
  return commits;
}

const kinds: readonly (readonly [DatabaseKind, number])[] = [
  [postgres, 10_000],
  [mariadb, 8_000],
];

for (const [kind, forMs] of kinds) {
  test(`nothing but what is planted differs while ${kind.name} is written and replicated`, async () => {
    const server = await serverOfFile(kind.start());
    const from = await server.newSchema();
    const to = await target.newSchema();
    await from.run(schema);
    if (kind === postgres) await from.run("alter table log replica identity full");
    const spec = taskSpec({
      type: "full-load-and-cdc",
      source: from.endpoint,
      target: to.endpoint,
      tableMappings: schemas(from.name),
      settings: JSON.stringify({ TargetMetadata: { TargetSchema: to.name } }),
    });
    const task = new ObservedTask(spec);
    await task.until(({ phase }) => phase === "replicating");
    const stop = new AbortController();
    const writing = write(from, stop.signal);
    const planted: string[] = [];
    const assertLeftAlone = async (): Promise<void> => {
      const rows = await to.rows("select * from item order by id");
      const applying = validated(spec, { repair: { kind: "apply" } });
      await assert.rejects(applying, { code: "validation.repair_under_task", subject: spec.id });
      assert.deepEqual(await to.rows("select * from item order by id"), rows);
    };
    const plant = async (line: string, sql: string): Promise<void> => {
      await to.run(sql);
      planted.push(line);
    };
    try {
      const compare = async (): Promise<Validated> => {
        const found = await validated(spec);
        assert.deepEqual(found.differences.map(differenceLine).sort(), [...planted].sort());
        for (const { table, undecided, verdict, error } of found.tables.values()) {
          const said = `${table.name}: ${verdict} ${error?.code} ${error?.message}`;
          assert.ok(verdict === "equal" || verdict === "different", said);
          assert.equal(undecided, 0, said);
        }
        return found;
      };
      const startedMs = performance.now();
      await plant("item different 7: word", "update item set word = 'other' where id = 7");
      await compare();
      await plant("item missing 8", "delete from item where id = 8");
      await plant("log extra 1 of no key", "insert into log values (99, 'stray')");
      do await compare();
      while (performance.now() - startedMs < forMs);
      stop.abort();
      assert.ok((await writing) > 20);
      const { tables } = await compare();
      assert.equal(tables.get("counter")?.verdict, "equal");
      await assertLeftAlone();
    } finally {
      stop.abort();
      await writing.catch(() => undefined);
      task.running.stop();
      task.running.stop();
      await task.running.outcome;
    }
    await assertLeftAlone();
  });
}
