import assert from "node:assert/strict";
import { test } from "node:test";
import { writtenNames } from "./written-names.ts";

/** Names as "schema.name" or "name", with "!" behind those that are emptied. */
const named = (sql: string): readonly string[] =>
  writtenNames(sql).map(
    ({ schema, name, empties }) => `${schema === undefined ? "" : `${schema}.`}${name}${empties ? "!" : ""}`,
  );

const writes: readonly (readonly [sql: string, ...names: string[]])[] = [
  ["insert into item values (1)", "item"],
  ["INSERT INTO Public.Item (a) SELECT a FROM other", "public.item"],
  ['insert into "Public"."My ""Item""" default values', 'Public.My "Item"'],
  ["insert into shop.public.item values (1)", "public.item"],
  ["/* one /* in */ another */ -- and a line\n update only item set a = 1", "item"],
  ["update item as i set a = o.a from other o where o.id = i.id", "item"],
  ["delete from item using other where other.id = item.id", "item"],
  ["merge into item using other on true when matched then delete", "item"],
  ['copy item (a, "b)") from stdin', "item"],
  ["truncate table only item, public.other * restart identity", "item!", "public.other!"],
  ["with a as (select ')' from other) insert into item select * from a", "item"],
  [
    "with recursive a(x) as not materialized (delete from other returning *), b as (select 1) update item set a = 1",
    "other",
    "item",
  ],
  ["begin; insert into item values ('; delete from other'); commit", "item"],
  [
    "set search_path = x; insert into item values (E'\\'; delete from other --', $$; truncate other$$)",
    "item",
  ],
];

const reads: readonly string[] = [
  "select * from item",
  "select 'insert into item'",
  "-- insert into item\nselect 1",
  "/* insert into item",
  "copy item to stdout",
  "copy (select * from item) to stdout",
  "with a as (select * from item) select * from a",
  "with a as (select * from item",
  "explain insert into item values (1)",
  "prepare p as insert into item values (1)",
  "create function f() returns void begin atomic; insert into item values (1); end",
  "create table x as select * from item",
  "do $$ begin insert into item values (1); end $$",
  'insert into U&"\\0069tem" values (1)',
  "insert into",
  "delete item",
  "begin",
  "",
];

test("a statement's text says which tables it writes to", () => {
  for (const [sql, ...names] of writes) assert.deepEqual(named(sql), names, sql);
});

test("a statement that reads a table, or names it in a text, writes to none", () => {
  for (const sql of reads) assert.deepEqual(named(sql), [], sql);
});

test("a text that is cut off anywhere tells of no other table than the whole one", () => {
  for (const [sql, ...names] of writes) {
    for (let end = 0; end < sql.length; end++) {
      // The last name itself may be cut.
      const whole = named(sql.slice(0, end)).slice(0, -1);
      assert.deepEqual(whole, names.slice(0, whole.length), sql.slice(0, end));
    }
  }
});
