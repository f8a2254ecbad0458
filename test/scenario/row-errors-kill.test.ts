import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { KilledTask } from "../support/killed-task.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres, TRUSTING } from "../support/postgres-server.ts";
import { type Pair, passedOver, rowErrorKinds, settings } from "../support/row-error-pairs.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { schemas } from "../support/task.ts";

/*
 * A task whose target refuses rows is killed at each step of its load and of its changes, and goes on: in the end all
 * other rows are there, and each that is refused is recorded once.
 */

const [source, toPostgres, toMysql] = await Promise.all([
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);

const pairs: Pair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

/** Tables whose parts the mappings say: by their key, and by a column that may be NULL. */
const TABLES = ["keyed", "numbered"] as const;
const ROWS = 600;
const COLUMNS = "id int primary key, n int, v";
const SCHEMA = `create schema app;
  create table app.keyed (${COLUMNS} varchar(20)); create table app.numbered (${COLUMNS} varchar(20));
  insert into app.keyed select i, case when i % 10 <> 7 then i end, case when i % 100 = 7 then 'secret' else 'v' || i % 100 end
    from generate_series(1, ${ROWS}) i;
  insert into app.numbered select * from app.keyed`;
const NARROW = TABLES.map((name) => `create table app.${name} (${COLUMNS} varchar(4))`).join("; ");

const MAPPINGS = JSON.stringify({
  rules: [
    ...JSON.parse(schemas("app")).rules,
    ...["id", "n"].map((column, i) => ({
      ...{ "rule-type": "table-settings", "rule-id": `1${i}`, "rule-name": `parts ${i}` },
      "object-locator": { "schema-name": "app", "table-name": TABLES[i] },
      "parallel-load": { type: "ranges", columns: [column], boundaries: [["200"], ["400"]] },
    })),
  ],
});

const whileLoading: readonly (readonly [Failpoint, number])[] = [
  ["load.tables-cut", 1],
  ["load.partition-read", 2],
  ["load.partition-written", 1],
  ["load.partition-done", 1],
  ["load.partition-written", 2],
  ["load.partition-done", 2],
  ["load.table-loaded", 1],
  ["build.tables-ready", 1],
];

/** After a change that was refused, all of it is taken again and screened: then the steps are come by once more. */
const whileReplicating: readonly (readonly [Failpoint, number])[] = [
  ["apply.batch-taken", 1],
  ["apply.batch-taken", 2],
  ["apply.changes-written", 1],
  ["apply.committed", 1],
  ["apply.durable", 1],
];

for (const kind of rowErrorKinds({ source, toPostgres, toMysql })) {
  test(`killed at each step while ${kind.name} refuses rows, a task leaves out these alone and records each once`, async () => {
    const pair = await kind.make({
      ...{ schema: SCHEMA, targetSchema: NARROW, tableMappings: MAPPINGS, startId: "first" },
      settings: settings({}, { ControlTablesSettings: { FullLoadExceptionTableEnabled: true } }),
    });
    pairs.push(pair);
    const task = new KilledTask(pair.spec);
    const refused = async (): Promise<readonly string[]> => {
      const rows = await pair.query(
        TABLES.map(
          (name) => `select 'insert ${name} ' || id as row from app.${name} where length(v) > 4`,
        ).join(" union all "),
      );
      return rows.map(({ row }) => String(row)).toSorted();
    };
    const assertRows = async (): Promise<void> => {
      for (const name of TABLES) {
        const query = `select id, n, v from app.${name} where length(v) <= 4`;
        const [wanted, found] = await Promise.all([pair.query(query), kind.ask(pair, query)]);
        const [there, all] = [found, wanted].map((rows) => rows.map(({ id, n, v }) => `${id} ${n} ${v}`)) as [
          string[],
          string[],
        ];
        const missing = new Set(all).difference(new Set(there)).size;
        const others = new Set(there).difference(new Set(all)).size;
        assert.deepEqual([missing, others, there.length], [0, 0, all.length], `${name}, ${task.history}`);
      }
    };

    for (const [i, [failpoint, arrival]] of whileLoading.entries()) {
      await task.kill({ failpoint, arrival }, { start: i === 0 ? "start-replication" : "resume-processing" });
    }
    await task.finish();
    await assertRows();
    const whileLoaded = await refused();
    assert.equal(whileLoaded.length, 12);
    assert.deepEqual(await passedOver(kind, pair, "awsdms_full_load_exceptions"), whileLoaded, task.history);
    assert.deepEqual(await passedOver(kind, pair, "awsdms_apply_exceptions"), []);

    for (const [i, [failpoint, arrival]] of whileReplicating.entries()) {
      const id = 10_000 + 10 * i;
      await pair.query(`begin; insert into app.keyed values (${id}, 0, 'fit'), (${id + 1}, 0, 'refused');
        insert into app.numbered values (${id}, 0, 'fit'), (${id + 1}, 0, 'refused'); commit`);
      await task.kill({ failpoint, arrival });
    }
    await task.finish();
    await assertRows();
    const whileChanged = (await refused()).filter((row) => !whileLoaded.includes(row));
    assert.equal(whileChanged.length, 2 * whileReplicating.length);
    assert.deepEqual(await passedOver(kind, pair, "awsdms_apply_exceptions"), whileChanged, task.history);
    assert.deepEqual(await passedOver(kind, pair, "awsdms_full_load_exceptions"), whileLoaded, task.history);
  });
}
