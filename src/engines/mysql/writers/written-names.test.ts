import assert from "node:assert/strict";
import { test } from "node:test";
import { writtenName } from "./written-names.ts";

const named = (sql: string): string | undefined => {
  const found = writtenName(sql, "shop");
  return found && `${found.schema}.${found.name}${found.empties ? "!" : ""}`;
};

const writes: readonly (readonly [sql: string, name: string])[] = [
  ["insert into item values (1)", "shop.item"],
  ["INSERT LOW_PRIORITY IGNORE other.`my ``item```(a) select a from t", "other.my `item`"],
  ["/* from the shop */ replace item set a = 1", "shop.item"],
  ["# a line\ninsert /* here */ into `item` values (';')", "shop.item"],
  ["update low_priority item set a = 1", "shop.item"],
  ["update item as i set i.a = 1 where i.b in (select b from t)", "shop.item"],
  ["delete quick from item where a = 1", "shop.item"],
  ["delete from item", "shop.item"],
  ["delete from item i limit 1", "shop.item"],
  ["load data local infile 'into table t' replace into table item fields terminated by ','", "shop.item"],
  ["truncate table item", "shop.item!"],
  ["truncate item", "shop.item!"],
];

const others: readonly string[] = [
  "select * from item",
  "select 'insert into item'",
  "-- insert into item\nselect 1",
  "update item, other set item.a = other.a",
  "update item join other using (id) set other.a = 1",
  "update item i join other using (id) set other.a = 1",
  "delete item from item join other using (id)",
  "delete from item using item join other using (id)",
  "delete from item, other using item join other using (id)",
  "load data infile 'x'",
  "create table item as select 1",
  "call item()",
  "insert",
  "",
];

test("a statement's text says which table it writes to", () => {
  for (const [sql, name] of writes) assert.equal(named(sql), name, sql);
  assert.equal(writtenName("insert into item values (1)", null), undefined);
});

test("a statement that reads a table, or one that names several, tells of none", () => {
  for (const sql of others) assert.equal(named(sql), undefined, sql);
});
