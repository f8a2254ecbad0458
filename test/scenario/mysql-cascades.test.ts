import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { TableId } from "../../src/core/schema.ts";
import { armingOf } from "../support/kills.ts";
import { CascadePair, type Direction } from "../support/mysql-cascade-pair.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, TaskProcess } from "../support/task.ts";

/*
 * What foreign keys do by themselves is in no log. The source's own server is the oracle: whatever it has done to its
 * rows has to be on the target, for any order of changes, and done once.
 */

const servers = {
  mariadb: await serverOfFile(startMysql({ flavour: "mariadb" })),
  mysql: await serverOfFile(startMysql({ flavour: "mysql" })),
  postgres: await serverOfFile(startPostgres()),
};

const directions: readonly Direction[] = [
  { from: "mariadb", to: "postgres" },
  { from: "mysql", to: "postgres" },
  { from: "mariadb", to: "mysql" },
  { from: "mysql", to: "mariadb" },
];

for (const direction of directions) {
  test(`rows that foreign keys change are on the target, one change at a time or many: ${direction.from} to ${direction.to}`, async () => {
    const pair = await CascadePair.make(servers, direction);
    await pair.during(() => pair.write(1, 150));
    await pair.assertEqual();
    // What has gathered meanwhile is applied as sets.
    for (const seed of [2, 3]) {
      await pair.write(seed, 400);
      await pair.during(() => pair.write(10 + seed, 50), "resume-processing");
      await pair.assertEqual();
    }
  });
}

test("killed between what foreign keys do and the commit, a task does it once", async () => {
  for (const direction of directions.slice(1, 3)) {
    const pair = await CascadePair.make(servers, direction);
    const spec = { ...pair.spec, startId: "first", untilCaughtUp: true };
    // Parts of the tables are loaded before what foreign keys do, others after it.
    const places: readonly (readonly [Failpoint, number])[] = [
      ["load.partition-done", 5],
      ["load.table-loaded", 1],
      ["apply.changes-written", 1],
      ["apply.batch-taken", 1],
      ["apply.committed", 1],
    ];
    for (const [i, [failpoint, arrival]] of places.entries()) {
      const start = i === 0 ? "start-replication" : "resume-processing";
      const task = new TaskProcess({ ...spec, start }, armingOf({ failpoint, arrival }));
      assert.equal((await task.ended()).signal, "SIGKILL", failpoint);
      await pair.write(20 + i, 60, false);
    }
    const { outcome } = await new TaskProcess({ ...spec, start: "resume-processing" }).ended();
    assertStopped(outcome!);
    await pair.assertEqual();
  }
});

const someTables = (database: string, ...names: readonly string[]): string =>
  JSON.stringify({
    rules: names.map((name, i) => ({
      ...{ "rule-type": "selection", "rule-id": String(i + 1), "rule-name": name, "rule-action": "include" },
      "object-locator": { "schema-name": database, "table-name": name },
    })),
  });

test("a table follows the rows that it refers to, though these are not moved", async () => {
  for (const direction of directions.slice(0, 2)) {
    const tables = ["shop", "sale", "tag", "thing"];
    const pair = await CascadePair.make(servers, direction, {
      mappings: (database) => someTables(database, ...tables),
    });
    const task = await pair.during(async () => {
      await pair.query("delete from region where id = 1; update region set id = 9 where id = 2");
      await pair.query("set foreign_key_checks = 0; delete from region where id = 3");
      await pair.query("update kind set code = 'new' where id = 2; update kind set raw = x'01' where id = 1");
      await pair.write(30, 60);
    });
    await pair.assertEqual(tables);
    assert.deepEqual(
      task.findings.filter(({ code }) => code === "source.cascades_unlogged"),
      [],
    );
  }
});

/** Rules by which schema, tables and columns are called otherwise on the target. */
const renamed = (database: string): string => {
  const { rules } = JSON.parse(someTables(database, "%"));
  const inTables = { "schema-name": database, "table-name": "%" };
  const locators = {
    schema: { "schema-name": database },
    table: inTables,
    column: { ...inTables, "column-name": "%" },
  };
  for (const [i, [target, locator]] of Object.entries(locators).entries()) {
    rules.push({
      ...{ "rule-type": "transformation", "rule-id": String(i + 2), "rule-name": target },
      ...{ "rule-target": target, "rule-action": "add-prefix", value: "new_" },
      "object-locator": locator,
    });
  }
  return JSON.stringify({ rules });
};

test("rows that foreign keys change are found where tables and columns have other names on the target", async () => {
  for (const direction of directions.slice(1, 3)) {
    const pair = await CascadePair.make(servers, direction, { mappings: renamed });
    const names = {
      targetName: ({ schema, name }: TableId) => ({ schema: `new_${schema}`, name: `new_${name}` }),
      targetColumn: (name: string) => `new_${name}`,
    };
    await pair.during(() => pair.write(60, 60));
    await pair.assertEqual(undefined, names);
    await pair.write(61, 200);
    await pair.during(async () => {}, "resume-processing");
    await pair.assertEqual(undefined, names);
  }
});

/** Rows with the numbers from 1 to a power of two. */
function doubled(table: string, columns: string, values: string, times: number): string {
  let rows = 1;
  const statements = [`insert into ${table} (${columns}) values (1, ${values})`];
  for (let i = 0; i < times; i++, rows *= 2) {
    const [key, ...rest] = columns.split(", ");
    statements.push(
      `insert into ${table} (${columns}) select ${[`${key} + ${rows}`, ...rest].join(", ")} from ${table}`,
    );
  }
  return statements.join("; ");
}

test("many deletes are done in sets, and what one delete does to many rows in parts", async (t) => {
  const schema = `create table one (id int primary key, v int);
    create table many (id int primary key, one int, foreign key (one) references one (id) on delete cascade);
    create table more (id int primary key, many int, foreign key (many) references many (id) on delete cascade);
    ${doubled("one", "id, v", "0", 15)};
    ${doubled("many", "id, one", "1", 15)}; update many set one = id where id > 20000;
    insert into more select id, id from many`;
  for (const direction of [directions[0]!, directions[2]!]) {
    const pair = await CascadePair.make(servers, direction, { schema });
    let began = 0;
    const task = await pair.during(async () => {
      await pair.query("delete from one where id > 20000; delete from one where id = 1");
      began = performance.now();
    });
    const seconds = (performance.now() - began) / 1000;
    t.diagnostic(`${Math.round((3 * 2 ** 15 - 20_000) / seconds)} rows/s to ${direction.to}`);
    await pair.assertEqual(["one"]);
    const { tables } = (await task.running.outcome).progress;
    const deletes = (name: string): number | undefined =>
      tables.find(({ id }) => id.name === name)?.appliedDeletes;
    assert.deepEqual(["one", "many", "more"].map(deletes), [2 ** 15 - 20_000 + 1, 2 ** 15, 2 ** 15]);
  }
});

test("a table that is loaded again takes with it those of which rows refer to its own", async () => {
  for (const direction of directions.slice(1, 3)) {
    const pair = await CascadePair.make(servers, direction);
    await pair.during(async () => {
      await pair.write(40, 40);
      const task = pair.task!.running;
      task.reloadTables([{ schema: pair.database, name: "shop" }]);
      await pair.write(41, 80);
      await pair.task!.until(({ tables }) =>
        tables.some(({ id, reloaded }) => reloaded && id.name === "shop"),
      );
      await pair.write(42, 40);
    });
    await pair.assertEqual();
  }
});

/** A type of texts, and what there is before the tables of the target, where the type takes "keep" and "KEEP" for the same. */
const foldingTargets = {
  postgres: [
    (database: string) => `create schema ${database};
      create collation ${database}.folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    (database: string) => `collate ${database}.folding`,
  ],
  mysql: [(database: string) => `create database ${database}`, () => "collate utf8mb4_general_ci"],
} as const;

test("what a foreign key does to the rows of a key stays off those that the target alone takes for the same", async () => {
  const types = ["varchar(20)", "char(20)"];
  const tables = (text: string, name: (table: string) => string, keys: boolean): string =>
    types
      .map((type, i) => {
        const refers = (columns: string, table: string, actions: string): string =>
          keys ? `, foreign key (${columns}) references ${table}${i} ${actions}` : "";
        return `create table ${name(`p${i}`)} (id ${type} ${text} primary key);
          create table ${name(`c${i}`)} (id int primary key, p ${type} ${text}
            ${refers("p", "p", "(id) on delete cascade on update cascade")});
          create table ${name(`q${i}`)} (a int, b ${type} ${text}, primary key (a, b));
          create table ${name(`d${i}`)} (id int primary key, a int, b ${type} ${text}
            ${refers("a, b", "q", "(a, b) on delete cascade")})`;
      })
      .join("; ");
  const each = (sql: (i: number) => string): string => types.map((_, i) => sql(i)).join("; ");
  const schema = `${tables("character set utf8mb4 collate utf8mb4_bin", (table) => table, true)};
    ${each(
      (i) => `insert into p${i} values ('keep'), ('move'); insert into c${i} values (1, 'keep'), (2, 'move');
        insert into q${i} values (1, 'keep'); insert into d${i} values (1, 1, 'keep')`,
    )}`;
  const settings = JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } });
  for (const direction of directions.slice(1, 3)) {
    const pair = await CascadePair.make(servers, direction, { schema, settings });
    const { database } = pair;
    const [begin, text] = foldingTargets[direction.to === "postgres" ? "postgres" : "mysql"];
    const name = (table: string): string => `${database}.${table}`;
    await pair.queryTarget(`${begin(database)}; ${tables(text(database), name, false)}`);
    // PostgreSQL tells values apart that MySQL's collations do not, where they have spaces at their end.
    const space = direction.to === "postgres" ? "" : " ";
    await pair.during(() =>
      pair
        .query(
          each(
            (i) => `insert into p${i} values ('KEEP'), ('MOVE'); insert into q${i} values (1, 'KEEP');
            insert into c${i} values (3, 'KEEP${space}'), (4, 'MOVE'); insert into d${i} values (2, 1, 'KEEP${space}');
            delete from p${i} where id = 'KEEP'; update p${i} set id = 'MOVED' where id = 'MOVE';
            delete from q${i} where b = 'KEEP'`,
          ),
        )
        .then(() => undefined),
    );
    for (const i of types.keys()) {
      const rows = await pair.queryTarget(
        `select id, p from ${name(`c${i}`)} union all select 10 * id, b from ${name(`d${i}`)} order by 1`,
      );
      assert.deepEqual(
        rows.map(({ id, p: value }) => `${id} ${value!.trimEnd()}`),
        ["1 keep", "2 move", "4 MOVED", "10 keep"],
        `${types[i]} ${direction.to}`,
      );
    }
  }
});

test("a foreign key that acts by itself and comes or goes meanwhile sets its table aside", async () => {
  const pair = await CascadePair.make(servers, directions[0]!);
  const task = new ObservedTask(pair.spec);
  try {
    await task.until(({ phase }) => phase === "replicating");
    await pair.query(`delete from region where id = 1; alter table note add n int, add constraint extra foreign key (n)
      references tree (id) on delete set null; delete from tree where id = 3; delete from region where id = 2`);
    await task.until(({ tables }) =>
      tables.some(({ id, error }) => id.name === "note" && error !== undefined),
    );
    task.running.drain();
    const { progress } = await task.running.outcome;
    assert.deepEqual(
      progress.tables.flatMap(({ id, error }) => (error === undefined ? [] : [[id.name, error.code]])),
      [["note", "source.table_changed"]],
    );
    await pair.assertEqual(["region", "shop", "sale", "tag", "tree", "leaf", "kind", "thing"]);
  } finally {
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
});
