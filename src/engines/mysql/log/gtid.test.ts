import assert from "node:assert/strict";
import { test } from "node:test";
import { addToIntervals, containsGtids, formatGtids, parseGtids } from "./gtid.ts";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

test("a set of GTIDs has one text, however it was written", () => {
  const texts: readonly (readonly [string, string])[] = [
    [`${A}:1-5`, `${A}:1-5`],
    [`${B}:7,\n${A.toUpperCase()}:6-8:1-3:4-5`, `${A}:1-8,${B}:7`],
    [`${A}:1-3:5-6,${A}:9`, `${A}:1-3:5-6:9`],
    [`${A}:1-5:8:tag_a:1-3:b:2,${A}:Tag_A:4`, `${A}:1-5:8,${A}:b:2,${A}:tag_a:1-4`],
    [`${A}:b:2`, `${A}:b:2`],
    ["1-2-7,0-1-5", "0-1-5,1-2-7"],
    [" 0-1-5 ", "0-1-5"],
    ["", "none"],
    ["none", "none"],
  ];
  for (const [text, expected] of texts) assert.equal(formatGtids(parseGtids(text)), expected, text);
});

test("what is no set of GTIDs is refused", () => {
  const wrong = [
    A,
    `${A}:`,
    `${A}:0`,
    `${A}:5-1`,
    `${A}:tag`,
    `${A}:1-5:tag`,
    `${A}:tag:tag:1-5`,
    `${A}:1tag:1-5`,
    `${A}:${"x".repeat(33)}:1`,
    "0-1",
    "0-1-5,0-2-6",
    "0-4294967296-5",
    "x",
  ];
  for (const text of [...wrong, "0-1-5,x", `${A}:99999999999999999`]) {
    assert.throws(() => parseGtids(text), { code: "position.malformed" }, text);
  }
});

test("a set contains another when all of its intervals do", () => {
  const contains = (outer: string, inner: string): boolean =>
    containsGtids(parseGtids(outer), parseGtids(inner));
  assert.ok(contains(`${A}:1-10:20-30`, `${A}:2-3:5:20-29`));
  assert.ok(!contains(`${A}:1-10:20-30`, `${A}:9-11`));
  assert.ok(!contains(`${A}:1-10:20-30`, `${A}:15`));
  assert.ok(!contains(`${A}:1-10`, `${B}:1`));
  assert.ok(contains(`${A}:1-10:t:1-3`, `${A}:t:2`));
  assert.ok(!contains(`${A}:1-10:t:1-3`, `${A}:u:2`));
  assert.ok(!contains(`${A}:t:1-10`, `${A}:2`));
  assert.ok(contains(`${A}:1-10`, ""));
  assert.ok(contains("0-1-5,1-2-7", "0-9-4"));
  assert.ok(!contains("0-1-5", "0-1-5,1-2-7"));
  assert.ok(!contains("0-1-5", "0-2-5"), "two servers wrote the same number");
  assert.ok(!contains("0-1-5", `${A}:1`));
});

test("numbers added in any order leave the same intervals as written at once", () => {
  let seed = 7;
  const random = (limit: number): number => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % limit;
  };
  for (let round = 0; round < 200; round++) {
    const intervals: number[] = [];
    const numbers = Array.from({ length: 30 }, () => 1 + random(40));
    for (const number of numbers) addToIntervals(intervals, number);
    const set = parseGtids(`${A}:${numbers.join(":")}`);
    assert.ok(set.flavour === "mysql");
    assert.deepEqual(intervals, set.servers.get(A));
  }
});
