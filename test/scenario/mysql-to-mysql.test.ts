import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { EnginePage } from "../engine-pages.ts";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide } from "../support/compare-side.ts";
import { mysqlRentalChanges, mysqlRentalRows, mysqlRentalSchema } from "../support/mysql-rental-schema.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../support/mysql-server.ts";
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

const page = new EnginePage(join(import.meta.dirname, "..", ".."), "mysql");

/** The same with users who may do what the page says, and no more. */
async function withGrants(spec: TaskSpec, { from, to }: Direction, database: string): Promise<TaskSpec> {
  const endpoint = async (side: "source" | "target", server: MysqlServer) => {
    const statements = page.statementsAfter(`## The ${side}: privileges and settings`);
    const named = statements.replaceAll("'tideway'", "'mover'").replaceAll("shop", `\`${database}\``);
    await server.query(`drop user if exists 'mover'@'%'; ${named.replaceAll("'...'", "'secret'")}`);
    return { ...server.endpoint(), username: "mover", password: "secret" };
  };
  return {
    ...spec,
    source: await endpoint("source", servers[from]),
    target: await endpoint("target", servers[to]),
  };
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
  sql: { readonly made: string; readonly changed: string; readonly hasOnlyGrants?: true },
): Promise<string> {
  const source = servers[direction.from];
  const database = await source.createDatabase(`to_${direction.to}`);
  await source.query(sql.made, database);
  const spec = specOf(direction, database);
  const task = new ObservedTask(
    sql.hasOnlyGrants === true ? await withGrants(spec, direction, database) : spec,
  );
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

/** Of a session whose quotes, backslashes and bars mean something else: what it makes means the same in every other. */
const modedTable = String.raw`set sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION';
  create table "moded" (id int primary key, "n" varchar(20) default 'a\b', e enum('a\n', 'b''c', '"') default 'a\n',
    a int unsigned default 5, b int unsigned default 2, d bigint as (a - b) stored, c varchar(60) as ("n" || '"x') stored, check ("n" || 'x' <> 'a\bx' or id < 9));
  insert into moded (id) values (1); insert into moded (id, n, e) values (2, 'x\', 'b''c'), (3, null, '"')`;
const modedChanges =
  "insert into moded (id) values (4); update moded set n = concat(n, n) where id in (2, 4)";

function typeTables(flavour: MysqlFlavour): string {
  const statements = samplesOf(flavour).flatMap(({ type, values }, n) => [
    `create table t${n} (id int primary key auto_increment, v ${type})`,
    `insert into t${n} (v) values ${[...values, ...values, "null"].map((value) => `(${value})`).join(", ")}`,
  ]);
  return [modedTable, SESSION, ...statements].join("; ");
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
  return [SESSION, ...statements, modedChanges].join("; ");
}

const ANY_DATE = "set sql_mode = 'ALLOW_INVALID_DATES'; set time_zone = '+00:00'";
const NO_DATES = ["0000-00-00", "2024-00-00", "2024-02-00", "2024-02-30", "0000-03-01", "2024-02-29"];

/** Rows with dates that no calendar has; `id`: from which number on. */
function oddDates(id: number): string {
  const rows = NO_DATES.map((date, i) => {
    const moment = `'${date} 10:20:30.5'`;
    return `(${id + i}, '${date}', '${date}', ${moment}, ${moment}, '${i === 0 ? "0000-00-00 00:00:00" : "2024-02-29 01:02:03.5"}')`;
  });
  return rows.join(", ");
}

const dateTables = `${ANY_DATE};
  create table keyed (id int primary key, d date, n date not null, t datetime(3) not null, u datetime(6), s timestamp(3) not null default '0000-00-00 00:00:00');
  create table bare like keyed; alter table bare drop primary key;
  create table dated (d date not null, t datetime(3) not null, v int, primary key (d, t));
  insert into keyed values ${oddDates(1)}; insert into bare select * from keyed;
  insert into dated select n, t, id from keyed`;

const dateChanges = `${ANY_DATE};
  insert into keyed values ${oddDates(101)}; insert into bare select * from keyed where id > 100;
  insert into dated select n, '2031-00-00 00:00:00', id from keyed where id > 100;
  update keyed set d = '0000-00-00', t = '2024-00-00 00:00:00', s = '0000-00-00 00:00:00' where id in (2, 6, 102);
  update bare set n = '2024-02-31', u = '0000-00-00 00:00:00' where id in (1, 3, 5, 104);
  update dated set v = -v where v % 2 = 0; update dated set d = '0000-00-00' where v = -4;
  delete from keyed where id in (1, 103); delete from bare where id in (2, 4, 101); delete from dated where d = '2024-00-00'`;

for (const direction of directions) {
  const { from, to } = direction;
  test(`dates that no calendar has come over as they are, by load and by change: ${from} to ${to}`, async () => {
    const database = await move(direction, { made: dateTables, changed: dateChanges });
    const zeros = await servers[to].query(
      "select count(*) as n from keyed where d = 0 or t = '2024-00-00' or s = 0 or n = '0000-03-01'",
      database,
    );
    assert.ok(Number(zeros[0]!["n"]) >= 6);
  });

  test(`values of all types come over by load and by change: ${from} to ${to}`, async () => {
    const database = await move(direction, { made: typeTables(from), changed: typeChanges(from) });
    for (const flavour of [from, to])
      await servers[flavour].query("insert into moded (id) values (5)", database);
    await assertEqual(direction, database);
  });

  test(`a film rental moves with its keys, indexes and foreign keys, by users of the page's privileges: ${from} to ${to}`, async () => {
    const database = await move(direction, {
      made: `${mysqlRentalSchema}; ${mysqlRentalRows}`,
      changed: mysqlRentalChanges,
      hasOnlyGrants: true,
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

const hiddenTables = `create table h (id int primary key, a int invisible default 5, b text invisible, n varchar(9) not null invisible default 'x',
    g int as (id + 1) virtual invisible, v int);
  insert into h (id, v) values (1, 1), (2, 2); insert into h (id, a, b, n, v) values (3, 30, 'three', 'y', 3), (4, null, '', '', 4)`;
const hiddenChanges = `insert into h (id, v) values (5, 5); insert into h (id, a, b, n) values (6, 60, 'six', 'z');
  update h set a = a + 1, b = concat('new', id) where id in (1, 3); update h set v = -v where id = 2; delete from h where id = 4`;

test("invisible columns come with their rows, and stay invisible where the target has such", async () => {
  const hidden = async (server: MysqlServer, database: string): Promise<string> => {
    const rows = await server.query(
      `select column_name as n from information_schema.columns
        where table_schema = '${database}' and extra like '%INVISIBLE%' order by 1`,
    );
    return rows.map(({ n }) => n).join();
  };
  const moved = await move({ from: "mariadb", to: "mysql" }, { made: hiddenTables, changed: hiddenChanges });
  assert.equal(await hidden(servers.mysql, moved), "");
  const server = servers.mariadb;
  const database = await server.createDatabase("hidden");
  await server.query(hiddenTables, database);
  const spec = specOf({ from: "mariadb", to: "mariadb" }, database);
  const target = `${database}_copy`;
  const settings = JSON.stringify({ TargetMetadata: { TargetSchema: target } });
  const task = new ObservedTask({ ...spec, settings });
  try {
    await task.until(({ phase }) => phase === "replicating");
    await server.query(hiddenChanges, database);
    task.running.drain();
    assertStopped(await task.running.outcome);
  } finally {
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
  const rows = "select id, a, b, n, g, v from h order by id";
  assert.deepEqual(await server.query(rows, target), await server.query(rows, database));
  assert.equal(await hidden(server, target), "a,b,g,n");
});

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
