import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryBook } from "./retry-book.ts";

const id = { schema: "s", name: "t" };
const untried = { records: 2, reason: "rewritten" };

function begun(): RetryBook {
  const book = new RetryBook();
  book.ask({ number: 1, tables: undefined });
  book.begins(id, { records: 3, kinds: undefined }, true);
  return book;
}

const told = (book: RetryBook): unknown => {
  const { settled, left, untried: records, reason } = book.progress!.tables[0]!;
  return [settled, left, records, reason];
};

test("what could not be tried is told until it is tried once more", () => {
  const book = begun();
  book.settled(id, 1);
  book.untried(id, untried);
  assert.deepEqual(told(book), [1, 2, 2, "rewritten"]);
  book.triesAll(id);
  book.settled(id, 1);
  assert.deepEqual(told(book), [2, 1, 0, undefined]);
});

test("of a table that has lost its records nothing is left to be tried", () => {
  const book = begun();
  book.untried(id, untried);
  book.left(id, { records: 0, codes: new Map() });
  assert.deepEqual(told(book), [0, 0, 0, undefined]);
});

test("of records that go later it is known what is left when they are counted, also by the next attempt", () => {
  const book = begun();
  book.settled(id, 3);
  book.counted(id, 2);
  assert.deepEqual(told(book), [1, 2, 0, undefined]);
  book.begins(id, { records: 2, kinds: new Map([["RECORD_DIFF", 2]]) }, false);
  assert.deepEqual(told(book), [1, 2, 0, undefined]);
  assert.deepEqual(book.progress!.tables[0]!.kinds, { RECORD_DIFF: 2 });
});
