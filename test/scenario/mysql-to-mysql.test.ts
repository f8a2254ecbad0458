import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide } from "../support/compare-side.ts";
import { mysqlRentalChanges, mysqlRentalRows, mysqlRentalSchema } from "../support/mysql-rental-schema.ts";
import { type MysqlFlavour, startMysql } from "../support/mysql-server.ts";
import { samplesOf } from "../support/mysql-type-values.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";

/* Whole migrations between MySQL and MariaDB, and between two servers of one kind. */

const settings = { max_allowed_packet: "64M" };
const servers = {
  mariadb: await serverOfFile(startMysql({ flavour: "mariadb", settings })),
  mysql: await serverOfFile(startMysql({ flavour: "mysql", settings })),
};

interface Direction {
  readonly from: MysqlFlavour;
  readonly to: MysqlFlavour;
}

const directions: readonly Direction[] = [
  { from: "mysql", to: "mariadb" },
  { from: "mariadb", to: "mysql" },
];

function specOf({ from, to }: Direction, database: string): TaskSpec {
  return taskSpec({
    type: "full-load-and-cdc",
    source: servers[from].endpoint(),
    target: servers[to].endpoint(),
    tableMappings: schemas(database),
  });
}

async function assertEqual({ from, to }: Direction, database: string): Promise<void> {
  const comparison = await compareAcross({
    source: mysqlSide(servers[from], database),
    target: mysqlSide(servers[to], database),
  });
  assert.ok(comparison.equal, describeComparison(comparison));
  assert.ok(comparison.rows > 0);
  const conflicts = await servers[to].query(
    "select TABLE_NAME, ERROR, count(*) as n from awsdms_control.awsdms_apply_exceptions group by 1, 2",
  );
  assert.deepEqual(conflicts, []);
}

/** Loads what is there, makes the changes, applies them; both sides are equal each time. */
async function move(
  direction: Direction,
  sql: { readonly made: string; readonly changed: string },
): Promise<string> {
  const source = servers[direction.from];
  const database = await source.createDatabase(`to_${direction.to}`);
  await source.query(sql.made, database);
  const task = new ObservedTask(specOf(direction, database));
  try {
    await task.until(({ phase }) => phase === "replicating");
    await assertEqual(direction, database);
    await source.query(sql.changed, database);
    task.running.drain();
    assertStopped(await task.running.outcome);
    await assertEqual(direction, database);
    return database;
  } finally {
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
}

const SESSION = "set sql_mode = ''; set time_zone = '+00:00'";

function typeTables(flavour: MysqlFlavour): string {
  const statements = samplesOf(flavour).flatMap(({ type, values }, n) => [
    `create table t${n} (id int primary key auto_increment, v ${type})`,
    `insert into t${n} (v) values ${[...values, ...values, "null"].map((value) => `(${value})`).join(", ")}`,
  ]);
  return [SESSION, ...statements].join("; ");
}

/** New rows with all values, updates from each value to the next, and rows that go. */
function typeChanges(flavour: MysqlFlavour): string {
  const statements = samplesOf(flavour).flatMap(({ values }, n) => {
    const count = values.length;
    return [
      `insert into t${n} (v) values ${["null", ...values].map((value) => `(${value})`).join(", ")}`,
      ...values.map(
        (value, i) => `update t${n} set v = ${value} where id = ${count + 1 + ((i + 1) % count)}`,
      ),
      `update t${n} set v = null where id = ${2 * count + 2}`,
      `delete from t${n} where id = ${2 * count + 3}`,
    ];
  });
  return [SESSION, ...statements].join("; ");
}

for (const direction of directions) {
  const { from, to } = direction;
  test(`values of all types come over by load and by change: ${from} to ${to}`, async () => {
    await move(direction, { made: typeTables(from), changed: typeChanges(from) });
  });

  test(`a film rental moves with its keys, indexes and foreign keys: ${from} to ${to}`, async () => {
    const database = await move(direction, {
      made: `${mysqlRentalSchema}; ${mysqlRentalRows}`,
      changed: mysqlRentalChanges,
    });
    const parts = (flavour: MysqlFlavour): Promise<readonly Record<string, string | null>[]> =>
      servers[flavour].query(
        `select table_name as name, group_concat(distinct constraint_type order by 1) as kinds, count(*) as n
           from information_schema.table_constraints
          where table_schema = '${database}' and constraint_type <> 'CHECK' group by 1 order by 1`,
      );
    assert.deepEqual(await parts(to), await parts(from));
  });
}

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a server that two addresses lead to is not written over by itself: ${flavour}`, async () => {
    const server = servers[flavour];
    const database = await server.createDatabase("own");
    await server.query("create table t (id int primary key); insert into t values (1), (2)", database);
    const { outcome } = await runToEnd(
      taskSpec({
        type: "full-load-and-cdc",
        source: server.endpoint(),
        target: { ...server.endpoint(), host: server.socket },
        tableMappings: schemas(database),
      }),
    );
    assert.equal(outcome.error?.code, "target.same_tables");
    assert.deepEqual(await server.query("select id from t order by id", database), [
      { id: "1" },
      { id: "2" },
    ]);
  });
}
