import assert from "node:assert/strict";
import { test } from "node:test";
import { directions, mappedServers, moveMapped } from "../support/mapped-move.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";

/* Rules about tables of whose rows the source's log tells more or less than usual. */

const servers = await mappedServers();

const { rule, selection } = new RuleNumbers("{source}");
const AT_LEAST_TEN = { "filter-operator": "gte", value: "10" };
const filtered = (table: string): object =>
  selection(table, [{ "filter-type": "source", "column-name": "n", "filter-conditions": [AT_LEAST_TEN] }]);
const NONE = {
  "rule-action": "exclude",
  "object-locator": { "schema-name": "{source}", "table-name": "none" },
};

const ROWS = "(1, 5, 'a1'), (2, 10, 'b2'), (3, 15, 'c3'), (4, 20, 'd4')";
const CHANGES = (table: string): string => `insert into ${table} values (5, 30, 'e5'), (6, 1, 'f6');
  update ${table} set n = 11 where id = 1; update ${table} set n = 2 where id = 2; update ${table} set v = 'z9' where id = 3;
  delete from ${table} where id = 4`;
/** What they leave of rows with n of at least 10, digits masked. */
const LEFT = [
  ["1", "11", "a#"],
  ["3", "15", "z#"],
  ["5", "30", "e#"],
];

const IDENTITIES = {
  by_key: "id int primary key, n int, v varchar(20)",
  whole: "id int primary key, n int, v varchar(20)",
  keyless: "id int, n int, v varchar(20)",
  by_index: "id int not null, n int, v varchar(20), constraint own unique (id)",
};
const names = Object.keys(IDENTITIES);

for (const to of ["postgres", "mariadb"] as const) {
  test(`rows come into filters and leave them, whatever PostgreSQL tells rows by, to ${to}`, async () => {
    const made = Object.entries(IDENTITIES).map(
      ([name, columns]) => `create table ${name} (${columns}); insert into ${name} values ${ROWS}`,
    );
    const { rows } = await moveMapped(servers, {
      ...{ from: "postgres", to, selection: NONE },
      made: `${made.join("; ")}; alter table whole replica identity full; alter table keyless replica identity full;
        alter table by_index replica identity using index own`,
      changed: names.map(CHANGES).join("; "),
      rules: [
        ...names.map(filtered),
        rule({ "table-name": "%", "column-name": "v" }, "data-masking-digits-mask", { value: "#" }),
      ],
    });
    for (const name of names) {
      assert.deepEqual(await rows(`select id, n, v from {target}.${name} order by id`), LEFT, name);
    }
  });
}

test("a table of which PostgreSQL tells no rows is set aside when it is to be masked and filtered, too", async () => {
  const move = moveMapped(servers, {
    ...{ from: "postgres", to: "mariadb", selection: NONE },
    made: `create table nothing (id int primary key, n int, v varchar(20)); alter table nothing replica identity nothing`,
    changed: "insert into nothing values (1, 10, 'a1')",
    rules: [filtered("nothing")],
  });
  await assert.rejects(move, /source\.no_key/);
});

for (const metadata of ["NO_LOG", "MINIMAL", "FULL"]) {
  test(`rules go by the names of columns, of which the binary log has some or none: ${metadata}`, async () => {
    await servers.mariadb.query(`set global binlog_row_metadata = '${metadata}'`);
    for (const [, to] of directions.slice(1, 3)) {
      const { rows } = await moveMapped(servers, {
        ...{ from: "mariadb", to, selection: NONE },
        made: `create table t (id int primary key, n int, v varchar(20)); insert into t values ${ROWS}`,
        changed: CHANGES("t"),
        rules: [
          filtered("t"),
          rule({ "table-name": "t", "column-name": "v" }, "data-masking-digits-mask", { value: "#" }),
          rule({ "table-name": "t", "column-name": "n" }, "rename", { value: "number" }),
        ],
      });
      assert.deepEqual(await rows("select id, number, v from {target}.t order by id"), LEFT, to);
    }
  });
}

/** One session may log rows in another way than the server that a task has looked at. */
function movedWith(image: string): ReturnType<typeof moveMapped> {
  return moveMapped(servers, {
    ...{ from: "mariadb", to: "postgres", selection: NONE },
    made: `create table t (id int primary key, n int, v varchar(20)); insert into t values ${ROWS}`,
    changed: `set session binlog_row_image = '${image}'; ${CHANGES("t")}`,
    rules: [
      filtered("t"),
      rule({ "table-name": "t", "column-name": "v" }, "data-masking-digits-mask", { value: "#" }),
    ],
  });
}

for (const image of ["FULL", "NOBLOB"]) {
  test(`what rules make of rows is the same where MariaDB logs rows as ${image}`, async () => {
    const { rows } = await movedWith(image);
    assert.deepEqual(await rows("select id, n, v from {target}.t order by id"), LEFT);
  });
}

test("a table is set aside when MariaDB logs less of a row than rules need", async () => {
  await assert.rejects(movedWith("MINIMAL"), /source\.row_image The source's log lacks the column n/);
});
