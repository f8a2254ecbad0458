import assert from "node:assert/strict";
import { test } from "node:test";
import { directions, mappedServers, moveMapped } from "../support/mapped-move.ts";

/* Rules of table mappings, looked at as rows of a target: between databases of each kind, in full load and in changes. */

const servers = await mappedServers();

const MADE = `
  create table people (id bigint primary key, name varchar(80) not null, age int, zip char(5), check (age > 0));
  create index by_name on people (name, age);
  create table orders (nr int primary key, person bigint references people (id) on delete cascade, unique (person, nr));
  insert into people values (1, 'Ann', 31, '10001'), (2, 'Bob', null, '20002'), (3, 'Cy', 5, null);
  insert into orders values (10, 1), (11, 2)`;

const CHANGED = `
  insert into people values (4, 'Dee', 44, '40004');
  update people set name = 'Anna', age = 32 where id = 1;
  update people set id = 30 where id = 3;
  insert into orders values (12, 4);
  delete from people where id = 2`;

function rule(id: number, action: string, column: string, more: object = {}, table = "people"): object {
  return {
    ...{ "rule-type": "transformation", "rule-id": id, "rule-target": "column", "rule-action": action },
    "object-locator": { "schema-name": "{source}", "table-name": table, "column-name": column },
    ...more,
  };
}

for (const [from, to] of directions) {
  test(`columns come under other names from ${from} to ${to}, with what speaks of them`, async () => {
    const rules = [
      rule(1, "rename", "name", { value: "full_name" }),
      rule(2, "convert-uppercase", "age"),
      rule(3, "add-prefix", "%", { value: "p_" }),
      rule(4, "rename", "person", { value: "who" }, "orders"),
    ];
    const { rows } = await moveMapped(servers, { from, to, made: MADE, changed: CHANGED, rules });
    const quote = to === "postgres" ? '"' : "`";
    const columns = ["p_id", "full_name", "AGE", "p_zip"].map((name) => quote + name + quote).join(", ");
    assert.deepEqual(await rows(`select ${columns} from {target}.people order by 1`), [
      ["1", "Anna", "32", "10001"],
      ["4", "Dee", "44", "40004"],
      ["30", "Cy", "5", null],
    ]);
    assert.deepEqual(await rows("select nr, who from {target}.orders order by 1"), [
      ["10", "1"],
      ["12", "4"],
    ]);
    await assert.rejects(rows("insert into {target}.orders values (13, 99)"), "the foreign key is there");
    const young = `insert into {target}.people (${columns}) values (9, 'Eve', -1, null)`;
    await assert.rejects(rows(young), "the check is there");
  });
}

const PARTS = `
  create table sums (id int primary key, a int not null, b int, total int generated always as (a + b) stored);
  create table logs (nr int not null, what varchar(20));
  create table wide (id int primary key, x int, y varchar(5) unique, z int default 3);
  insert into sums (id, a, b) values (1, 2, 3), (2, 5, null);
  insert into logs values (1, 'one'), (2, 'two');
  insert into wide values (1, 10, 'a', 100), (2, 20, 'b', 200)`;

const KEY = {
  ...{
    "rule-type": "transformation",
    "rule-id": 5,
    "rule-target": "table",
    "rule-action": "define-primary-key",
  },
  "object-locator": { "schema-name": "{source}", "table-name": "logs" },
  "primary-key-def": { name: "logs_key", columns: ["nr"], origin: "primary-key" },
};

for (const [from, to] of directions) {
  test(`columns that stay behind take along what needs them, and a key is made, from ${from} to ${to}`, async () => {
    const rules = [
      rule(1, "remove-column", "b", {}, "sums"),
      rule(2, "include-column", "id", {}, "wide"),
      rule(3, "include-column", "y", {}, "wide"),
      rule(4, "rename", "what", { value: "text" }, "logs"),
      KEY,
    ];
    const { rows } = await moveMapped(servers, { from, to, made: PARTS, rules });
    assert.deepEqual(await rows("select id, a, total from {target}.sums order by 1"), [
      ["1", "2", "5"],
      ["2", "5", null],
    ]);
    await rows("insert into {target}.sums (id, a, total) values (3, 1, 99)");
    assert.deepEqual(await rows("select * from {target}.wide order by 1"), [
      ["1", "a"],
      ["2", "b"],
    ]);
    await assert.rejects(rows("insert into {target}.wide values (3, 'b')"), "the unique constraint is there");
    assert.deepEqual(await rows("select * from {target}.logs order by 1"), [
      ["1", "one"],
      ["2", "two"],
    ]);
    await assert.rejects(rows("insert into {target}.logs values (2, 'again')"), "the key is there");
  });
}
