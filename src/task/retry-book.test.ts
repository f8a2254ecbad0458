import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryBook } from "./retry-book.ts";

const id = { schema: "s", name: "t" };
const untried = { records: 2, reason: "rewritten" };

function begun(): RetryBook {
  const book = new RetryBook();
  book.ask({ number: 1, tables: undefined });
  book.begins(id, { records: 3, kinds: undefined });
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

test("what the next attempt finds is told beside what the one before has settled", () => {
  const book = begun();
  book.settled(id, 1);
  book.begins(id, { records: 2, kinds: new Map([["RECORD_DIFF", 2]]) });
  assert.deepEqual(told(book), [1, 2, 0, undefined]);
  assert.deepEqual(
    [book.progress!.tables[0]!.recorded, book.progress!.tables[0]!.kinds],
    [3, { RECORD_DIFF: 2 }],
  );
});
