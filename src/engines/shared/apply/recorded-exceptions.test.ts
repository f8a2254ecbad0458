import assert from "node:assert/strict";
import { test } from "node:test";
import { codesByTable, readExceptions } from "./recorded-exceptions.ts";

const keysOf = (statement: string) => readExceptions([["1", statement, "0", "1"]])[0]!.keys;

test("the keys of a record are read from what either server has written, whole or cut off behind them", () => {
  const nasty = { id: '1}"', "a\\b": "ü{}\n" };
  const own = JSON.stringify({ key: nasty, to: { ...nasty, id: "2" }, values: { id: "3" }, at: "0/1" });
  assert.deepEqual(keysOf(`update "s"."t" ${own}`), [nasty, { ...nasty, id: "2" }]);
  assert.deepEqual(keysOf(`update \`s\`.\`t\` ${own.slice(0, own.indexOf('"values"') + 3)}`), [
    nasty,
    { ...nasty, id: "2" },
  ]);
  const spaced = '{"key" : {"id" : "1", "n" : null}, "at" : "0/1"}';
  assert.deepEqual(keysOf(`insert into "s"."t" ${spaced}`), [{ id: "1", n: null }]);
});

test("a record says whether its change has taken the row from its key", () => {
  const key = '"s"."t" {"key":{"id":"1"},"at":"0/1"}';
  const moved = 'update "s"."t" {"key":{"id":"1"},"to":{"id":"2"},"at":"0/1"}';
  const records = readExceptions(
    [`insert into ${key}`, `update ${key}`, `delete from ${key}`, moved].map((text) => ["1", text, "0", "1"]),
  );
  assert.deepEqual(
    records.map(({ leaves }) => leaves),
    [false, false, true, true],
  );
});

test("a record without a key, or whose key is cut off, names no row", () => {
  assert.deepEqual(keysOf('insert into "s"."t" {"at":"0/1"}'), []);
  assert.deepEqual(
    keysOf('insert into "s"."t" {"values":{"v":" {\\"key\\":{\\"id\\":\\"1\\"}}"},"at":"0/1"}'),
    [],
  );
  assert.deepEqual(keysOf('insert into "s"."t" {"key":{"id":"12'), []);
  assert.deepEqual(keysOf('update "s"."t" {"key":{"id":"1"},"to":{"id":"2'), []);
});

test("error codes are gathered for each table", () => {
  const [one, other] = codesByTable([
    ["s", "t", "apply.rejected", "2"],
    ["s", "u", "load.rejected", "1"],
    ["s", "t", "apply.row_missing", "3"],
  ]);
  assert.deepEqual(
    [one!.table, [...one!.codes]],
    [
      { schema: "s", name: "t" },
      [
        ["apply.rejected", 2],
        ["apply.row_missing", 3],
      ],
    ],
  );
  assert.deepEqual([other!.table.name, other!.codes.get("load.rejected")], ["u", 1]);
});
