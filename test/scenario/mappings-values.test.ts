import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  directions,
  type Kind,
  type MovedTables,
  mappedServers,
  moveMapped,
} from "../support/mapped-move.ts";

/* What rules make of values and rows, looked at in targets of each kind, in full load and in changes. */

const servers = await mappedServers();

const MADE = `
  create table people (
    id bigint primary key, name varchar(80) not null, ssn varchar(20), card varchar(20), zip varchar(10),
    age int, price decimal(10,2), secret varchar(20) not null);
  create table orders (nr int primary key, what varchar(20));
  create table items (id int primary key, kind varchar(10), qty int, at date);
  create table marks (id int primary key, n int, word varchar(10), seen int);
  insert into people values
    (1, 'Änn', '123-45-6789', '4000 1234', '10001', 31, 12.50, 's1'),
    (2, 'Bob', null, null, null, null, null, 's2'),
    (3, E'tab\\tquote''', 'x', '', 'A1', 5, -0.49, 's3');
  insert into orders values (1, 'one'), (2, 'two'), (3, 'three');
  insert into items values
    (1, 'a', 10, '2024-01-31'), (2, 'a', 9, '2024-01-31'), (3, 'x', 50, '2024-01-31'), (4, null, 50, '2024-01-31'),
    (5, 'b', 12, '2023-12-31'), (6, 'c', 99, null);
  insert into marks values
    (-1, 99, null, 15), (0, 99, null, 15), (1, 5, 'a', 9), (2, 2, 'b', 10), (3, 1, null, 9), (4, 3, 'd', 9), (5, 5, 'e', 21)`;

const CHANGED = `
  insert into people values (4, 'Dee', '9', 'new', '99', 44, 7, 's4');
  update people set age = 32, ssn = '000', name = 'Anna' where id = 1;
  update people set id = 30 where id = 3;
  update people set secret = 'other' where id = 2;
  insert into orders values (4, 'four');
  update orders set what = 'zwei' where nr = 2;
  delete from orders where nr = 3;
  update items set qty = 11 where id = 2;
  update items set qty = 1 where id = 1;
  update items set kind = 'y' where id = 3;
  insert into items values (7, 'd', 10, '2024-06-30'), (8, 'd', 9, '2024-06-30');
  delete from items where id in (4, 5);
  update marks set id = 10 where id = -1;
  update marks set n = 4 where id = 1;
  update marks set seen = 21 where id = 2;
  update marks set word = 'c' where id = 3;
  insert into marks values (6, 2, 'f', null), (7, -3, 'g', 0), (-2, 50, null, 12)`;

function rule(id: number, action: string, [table, column]: readonly string[], more: object = {}): object {
  const named = column === undefined ? {} : { "column-name": column };
  return {
    ...{ "rule-type": "transformation", "rule-id": id, "rule-target": "column", "rule-action": action },
    "object-locator": { "schema-name": "{source}", "table-name": table, ...named },
    ...more,
  };
}

/** Columns of orders and what each shows of the change that a row comes with. */
const HEADERS = {
  ...{ h_op: "$AR_H_OPERATION", h_place: "$AR_H_STREAM_POSITION", h_seq: "$AR_H_CHANGE_SEQ" },
  ...{ h_at: "$AR_H_TIMESTAMP", h_committed: "$AR_H_COMMIT_TIMESTAMP", h_user: "$AR_H_USER" },
};

const string = (length: number): object => ({ "data-type": { type: "string", length } });

const RULES = [
  rule(1, "remove-column", ["people", "secret"]),
  rule(2, "data-masking-digits-mask", ["people", "ssn"], { value: "#" }),
  rule(3, "data-masking-hash-mask", ["people", "card"]),
  rule(4, "change-data-type", ["people", "card"], string(64)),
  rule(5, "change-data-type", ["people", "price"], { "data-type": { type: "int8" } }),
  rule(6, "change-data-type", ["people", "age"], string(10)),
  rule(7, "add-column", ["people"], {
    ...{ value: "label", expression: "lower($name) || ':' || coalesce($age + 1, '?')" },
    ...string(100),
  }),
  rule(8, "add-column", ["people"], {
    value: "origin",
    expression: "$AR_M_SOURCE_TABLE_NAME",
    ...string(50),
  }),
  rule(9, "add-before-image-columns", ["people"], { "before-image-def": { "column-filter": "pk-only" } }),
  rule(10, "data-masking-digits-randomize", ["people", "zip"]),
  rule(11, "add-column", ["orders"], {
    value: "op",
    expression: "operation_indicator('D', 'U', 'I')",
    ...string(1),
  }),
  rule(12, "add-column", ["orders"], { value: "at", "data-type": { type: "datetime", precision: 6 } }),
  ...Object.entries(HEADERS).map(([value, expression], i) =>
    rule(100 + i, "add-column", ["orders"], { value, expression, ...string(100) }),
  ),
];

function filter(column: string, ...conditions: readonly object[]): object {
  return { "filter-type": "source", "column-name": column, "filter-conditions": conditions };
}

function filtered(id: number, table: string, filters: readonly object[]): object {
  return {
    ...{ "rule-type": "selection", "rule-id": id, "rule-action": "include", filters },
    "object-locator": { "schema-name": "{source}", "table-name": table },
  };
}

const FILTERED = [
  filtered(20, "items", [
    filter("qty", { "filter-operator": "gte", value: "10" }),
    filter("kind", { "filter-operator": "noteq", value: "x" }),
    filter(
      "at",
      { "filter-operator": "between", "start-value": "2024-01-01", "end-value": "2024-12-31" },
      { "filter-operator": "null" },
    ),
  ]),
  filtered(30, "marks", [
    filter("n", { "filter-operator": "eq", value: "5" }, { "filter-operator": "ste", value: "2" }),
    filter("word", { "filter-operator": "notnull" }),
    filter("seen", { "filter-operator": "notbetween", "start-value": "10", "end-value": "20" }),
  ]),
  filtered(31, "marks", [filter("id", { "filter-operator": "lte", value: "0" })]),
];

const OTHERS = ["people", "orders"].map((name, i) => filtered(21 + i, name, []));

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Of a row that was loaded, and of the three that changed, in the changes' order. */
async function assertHeaders(rows: MovedTables["rows"], from: Kind): Promise<void> {
  const names = Object.keys(HEADERS).join(", ");
  const found = await rows(`select nr, ${names} from {target}.orders order by h_seq`);
  assert.deepEqual(
    found.map(([nr, operation]) => [nr, operation]),
    [
      ["1", "INSERT"],
      ["4", "INSERT"],
      ["2", "UPDATE"],
      ["3", "DELETE"],
    ],
  );
  const place = from === "postgres" ? /^[\dA-F]+\/[\dA-F]+$/ : /^\d+-\d+-\d+$/;
  for (const [nr, , position, sequence, at, committed, user] of found) {
    assert.deepEqual([at, user], [committed, null]);
    assert.match(committed!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    const ageMs = Date.now() - Date.parse(`${committed}Z`);
    assert.ok(ageMs >= 0 && ageMs < 600_000, `${committed} is now, in UTC`);
    assert.match(position!, nr === "1" ? /^$/ : place);
    const number = nr === "1" ? "" : committed!.replaceAll(/\D/g, "").slice(0, 16);
    assert.ok(sequence!.startsWith(number) && sequence!.length === (nr === "1" ? 0 : 35), sequence!);
  }
}

for (const [from, to] of directions) {
  test(`rules make the same values from ${from} to ${to}, whether rows are loaded or change`, async () => {
    const { rows } = await moveMapped(servers, {
      ...{ from, to, changed: CHANGED },
      made: from === "postgres" ? MADE : MADE.replace("E'tab", "'tab"),
      rules: [...RULES, ...FILTERED, ...OTHERS],
      selection: {
        "rule-action": "exclude",
        "object-locator": { "schema-name": "{source}", "table-name": "none" },
      },
    });
    const quote = to === "postgres" ? '"' : "`";
    assert.deepEqual(
      await rows(
        `select id, name, ssn, card, age, price, ${quote}BI_id${quote}, label, origin from {target}.people order by id`,
      ),
      [
        ["1", "Anna", "###", sha256("4000 1234"), "32", "13", "1", "anna:33", "people"],
        ["2", "Bob", null, null, null, null, "2", "bob:?", "people"],
        ["4", "Dee", "#", sha256("new"), "44", "7", null, "dee:45", "people"],
        ["30", "tab\tquote'", "x", sha256(""), "5", "0", "3", "tab\tquote':6", "people"],
      ],
    );
    const zips = (await rows("select zip from {target}.people order by id")).map(([zip]) => zip);
    assert.match(zips.join(), /^\d{5},,\d\d,A\d$/);
    assert.deepEqual(await rows("select nr, what, op, at from {target}.orders order by nr"), [
      ["1", "one", "I", null],
      ["2", "zwei", "U", null],
      ["3", "three", "D", null],
      ["4", "four", "I", null],
    ]);
    assert.deepEqual(await rows("select id, kind, qty from {target}.items order by id"), [
      ["2", "a", "11"],
      ["3", "y", "50"],
      ["6", "c", "99"],
      ["7", "d", "10"],
    ]);
    assert.deepEqual((await rows("select id from {target}.marks order by id")).flat(), [
      ...["-2", "0", "2", "3", "5", "7"],
    ]);
    await assertHeaders(rows, from);
    await assert.rejects(rows("select secret from {target}.people"));
  });
}

const KINDS = `
  create table kinds (
    id int primary key, n decimal(8,3), f double precision, i int, yes varchar(5), born varchar(10), day date, at timestamp,
    word varchar(10), big varchar(30));
  insert into kinds values
    (1, 12.345, 2.5, 7, 'yes', '2024-02-29', '2024-02-29', '2024-02-29 23:59:59', 'añb', '-9223372036854775808'),
    (2, -0.5, -1.25, 0, 'F', null, '1999-12-31', '1999-12-31 00:00:00', '', '42'),
    (3, null, null, null, null, null, null, '2000-01-01 00:00:00', null, null)`;

const BECOMES = {
  n: { type: "string", length: 12 },
  f: { type: "int4" },
  i: { type: "boolean" },
  yes: { type: "boolean" },
  born: { type: "date" },
  day: { type: "datetime", precision: 0 },
  at: { type: "date" },
  word: { type: "bytes", length: 40 },
  big: { type: "int8" },
};

for (const [from, to] of directions) {
  test(`values become those of other types from ${from} to ${to}, whether rows are loaded or change`, async () => {
    const rules = Object.entries(BECOMES).map(([name, type], i) =>
      rule(i + 1, "change-data-type", ["kinds", name], { "data-type": type }),
    );
    const changed = `
      insert into kinds (id, n, f, i, yes, at) values (4, 1, 0.5, -1, 'on', '2020-05-05 05:05:05');
      update kinds set i = 0, born = '2023-01-01', word = 'z' where id = 1`;
    const { rows } = await moveMapped(servers, { from, to, made: KINDS, changed, rules });
    const hex = to === "postgres" ? "encode(word, 'hex')" : "lower(hex(word))";
    const truth = (name: string) => `case when ${name} then 'y' when not ${name} then 'n' end as is_${name}`;
    assert.deepEqual(
      await rows(
        `select id, n, f, ${truth("i")}, ${truth("yes")}, cast(born as char(10)), cast(day as char(19)),
           cast(at as char(10)), ${hex}, big from {target}.kinds order by id`,
      ),
      [
        [
          "1",
          "12.345",
          "3",
          "n",
          "y",
          "2023-01-01",
          "2024-02-29 00:00:00",
          "2024-02-29",
          "7a",
          "-9223372036854775808",
        ],
        ["2", "-0.500", "-1", "n", "n", null, "1999-12-31 00:00:00", "1999-12-31", "", "42"],
        ["3", null, null, null, null, null, null, "2000-01-01", null, null],
        ["4", "1.000", "1", "y", "y", null, null, "2020-05-05", null, null],
      ],
    );
  });
}
