import assert from "node:assert/strict";
import { test } from "node:test";
import { batch, codec } from "../../test/support/numbered-log.ts";
import type { ChangeBatch, ChangeTransaction } from "../core/change-batch.ts";
import { CountedChanges } from "./counted-changes.ts";

/** One piece of so many changes of the transaction of a position. */
function piece(
  position: number,
  changes: number,
  part: Partial<Pick<ChangeTransaction, "begins" | "commits">> = {},
): ChangeBatch {
  const transactions = batch([position]).transactions.map((one) => ({ ...one, end: changes, ...part }));
  return { ...batch([]), transactions };
}

/** Which op of each batch is the first that counts, attempt by attempt. */
function firsts(...attempts: readonly (readonly ChangeBatch[])[]): readonly (readonly number[])[] {
  const counted = new CountedChanges();
  return attempts.map((batches) => {
    counted.begin(codec);
    return batches.map((one) => counted.add(one));
  });
}

test("transactions that an earlier attempt has taken do not count again", () => {
  const twice = batch([2, 3, 4]);
  assert.deepEqual(firsts([batch([1, 2]), batch([3])], [batch([2]), twice, batch([5])]), [
    [0, 0],
    [2, 4, 0],
  ]);
  // Of a batch that begins with another op.
  const late = { ...twice, transactions: twice.transactions.slice(1) };
  assert.deepEqual(firsts([batch([1, 3])], [late]), [[0], [4]]);
});

test("of a large transaction counts what no attempt has taken, whatever pieces it comes in", () => {
  const begun = { commits: false };
  const goesOn = { begins: false, commits: false };
  const ends = { begins: false };
  assert.deepEqual(
    firsts(
      [batch([1]), piece(2, 10, begun), piece(2, 5, goesOn)],
      [batch([1]), piece(2, 7, begun)],
      [batch([1]), piece(2, 12, begun), piece(2, 6, goesOn), piece(2, 3, ends), batch([3])],
      [piece(2, 21), batch([3, 4])],
    ),
    [
      [0, 0, 0],
      [2, 7],
      [2, 12, 3, 0, 0],
      [21, 2],
    ],
  );
});

test("transactions without changes end nothing that is sent again", () => {
  assert.deepEqual(firsts([batch([1, 4])], [piece(2, 0), batch([4, 5]), piece(6, 0), batch([])]), [
    [0],
    [0, 2, 0, 0],
  ]);
});
