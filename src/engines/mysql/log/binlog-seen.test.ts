import assert from "node:assert/strict";
import { test } from "node:test";
import { gtidPositionOf } from "./binlog-position.ts";
import { SeenTransactions } from "./binlog-seen.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const OTHER = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

test("domains and servers of MariaDB that take turns leave the last number of each domain", () => {
  const seen = new SeenTransactions(gtidPositionOf("0-1-5,2-1-7"));
  const told: string[] = [];
  for (const [domain, server, sequence] of [
    [0, 1, 6],
    [0, 1, 7],
    [2, 1, 8],
    [0, 1, 9],
    [0, 3, 10],
    [0, 3, 11],
    [2, 1, 12],
    [12, 1, 1],
    [12, 1, 2],
    [2, 1, 13],
  ] as const) {
    assert.equal(seen.addMariadb(domain, server, sequence), true);
    told.push(seen.point.position.text);
  }
  assert.deepEqual(told, [
    "0-1-6,2-1-7",
    "0-1-7,2-1-7",
    "0-1-7,2-1-8",
    "0-1-9,2-1-8",
    "0-3-10,2-1-8",
    "0-3-11,2-1-8",
    "0-3-11,2-1-12",
    "0-3-11,2-1-12,12-1-1",
    "0-3-11,2-1-12,12-1-2",
    "0-3-11,2-1-13,12-1-2",
  ]);
});

test("a transaction of MariaDB that is not beyond its domain was seen, whichever server wrote the last one", () => {
  const seen = new SeenTransactions(gtidPositionOf("0-1-5"));
  assert.equal(seen.addMariadb(0, 1, 6), true);
  assert.equal(seen.addMariadb(0, 1, 7), true);
  for (const server of [1, 2]) assert.equal(seen.addMariadb(0, server, 7), false);
  assert.equal(seen.point.position.text, "0-1-7");
});

test("a point keeps the position that it was made for", () => {
  const seen = new SeenTransactions(gtidPositionOf(`${UUID}:1-5,${OTHER}:1-3`));
  const points = [6, 7, 9, 10].map((number) => {
    assert.equal(seen.addMysql(UUID, number), true);
    return seen.point;
  });
  assert.equal(seen.addMysql(UUID, 7), false);
  assert.deepEqual(
    points.map(({ position }) => position.text),
    ["1-6", "1-7", "1-7:9", "1-7:9-10"].map((intervals) => `${UUID}:${intervals},${OTHER}:1-3`),
  );
});
