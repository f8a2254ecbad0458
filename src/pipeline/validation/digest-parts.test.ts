import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { DigestParts, numbersOf, numbersPayload, sumsOf } from "./digest-parts.ts";
import { DigestSieve } from "./digest-sieve.ts";

const md5Of = (word: number | string): string => hash("md5", String(word), "binary");

test("all records of a digest lie in one part, and the same of all that were made for as many", () => {
  const amount = { records: 10_000, atOnce: 1_000 };
  using some = new DigestParts(amount);
  using others = new DigestParts(amount);
  assert.ok(some.parts > 10, `${some.parts} parts`);
  for (let i = 0; i < 10_000; i++) {
    const digest = md5Of(i % 5_000);
    some.add(digest, numbersPayload([1]));
    others.add(digest, numbersPayload([i, 2 ** 40]));
  }
  const seen = new Set<string>();
  for (let part = 0; part < some.parts; part++) {
    const sums = sumsOf(some, part);
    assert.ok(sums.size < 1_000, `${sums.size} in a part`);
    for (const [digest, sum] of sums) {
      assert.equal(sum, 2);
      seen.add(digest);
    }
    const there = Array.from(others.part(part), ({ digest }) => digest);
    assert.deepEqual(new Set(there), new Set(sums.keys()));
  }
  assert.equal(seen.size, 5_000);
  assert.equal(some.count, 10_000);
});

test("numbers come back as they were, and those that come to nothing are left out of a sum", () => {
  for (const numbers of [[], [0], [-1, 1], [2 ** 46, -(2 ** 46), 7]])
    assert.deepEqual(numbersOf(numbersPayload(numbers)), numbers);
  using parts = new DigestParts({ records: 0, atOnce: 1 });
  for (const number of [3, -1, -2]) parts.add(md5Of("gone"), numbersPayload([number]));
  for (const number of [3, -1]) parts.add(md5Of("left"), numbersPayload([number]));
  assert.deepEqual([...sumsOf(parts, 0)], [[md5Of("left"), 2]]);
});

test("a sieve lets pass what was added, and hardly anything else", () => {
  const sieve = new DigestSieve(10_000);
  for (let i = 0; i < 10_000; i++) sieve.add(md5Of(i));
  let others = 0;
  for (let i = 0; i < 10_000; i++) {
    assert.ok(sieve.passes(md5Of(i)));
    if (sieve.passes(md5Of(`other ${i}`))) others++;
  }
  assert.ok(others < 1_000, `${others} of 10,000`);
});
