import assert from "node:assert/strict";
import { test } from "node:test";
import { at, batch, codec, table } from "../../test/support/numbered-log.ts";
import { ApplyMode } from "../core/target.ts";
import { countChanges, countCuts, cutBatch, restOfBatch, TableRules } from "./apply-modes.ts";

test("a change is skipped, converged or exact by where it lies to its table's snapshots", () => {
  const rules = new TableRules(codec, () => false);
  rules.setWindow(table("a").id, { oldest: at(10), newest: at(20) });
  const expected = [
    [9, ApplyMode.skip],
    [10, ApplyMode.skip],
    [11, ApplyMode.converge],
    [20, ApplyMode.converge],
    [21, ApplyMode.exact],
  ] as const;
  for (const [position, mode] of expected)
    assert.equal(rules.mode(table("a"), at(position)), mode, `${position}`);
  assert.equal(rules.mode(table("b"), at(1)), ApplyMode.exact);
  assert.deepEqual(rules.newest, at(20));
});

test("modes are given per transaction and table, and left out when all are exact", () => {
  const rules = new TableRules(codec, () => false);
  rules.setWindow(table("a").id, { oldest: at(10), newest: at(10) });
  const { skip, exact } = ApplyMode;
  assert.deepEqual([...rules.modes(batch([10, 11]))!], [skip, exact, exact, exact]);
  assert.equal(rules.modes(batch([11, 12])), undefined);
});

test("what a batch says is to converge does, unless it is skipped", () => {
  const rules = new TableRules(codec, () => false);
  rules.setWindow(table("a").id, { oldest: at(10), newest: at(10) });
  const { skip, exact, converge } = ApplyMode;
  const converging = [0, 1].map((transaction) => ({ transaction, table: 0 }));
  assert.deepEqual([...rules.modes({ ...batch([10, 11]), converging })!], [skip, exact, converge, exact]);
  const cut = cutBatch({ ...batch([11, 12]), converging: converging.slice(1) }, ({ id }) => id === "1")!;
  assert.equal(rules.modes(cut), undefined);
});

test("every change of a suspended table is skipped and not counted", () => {
  const rules = new TableRules(codec, (id) => id.name === "b");
  const changes = batch([1, 2, 3]);
  const counts = countChanges(changes, rules.modes(changes));
  assert.equal(counts.get('"s"."a"')?.inserts, 3);
  assert.equal(counts.has('"s"."b"'), false);
});

test("positions of different logs are an error, not an order", () => {
  const rules = new TableRules({ ...codec, compare: () => undefined }, () => false);
  assert.throws(() => rules.reaches(at(1), at(2)), { code: "position.malformed" });
});

test("a batch is cut before the first transaction beyond a limit", () => {
  const beyond = (limit: number) => (transaction: { committedAtMs: number }) =>
    transaction.committedAtMs > limit;
  assert.equal(cutBatch(batch([1, 2, 3]), beyond(3000)), undefined);
  assert.equal(cutBatch(batch([1, 2, 3]), beyond(1000))?.transactions.length, 1);
  assert.equal(cutBatch(batch([1, 2, 3]), beyond(0))?.transactions.length, 0);
});

test("what is left of a batch counts the values that were cut off at the transactions they are of", () => {
  const cuts = [1, 2].map((transaction) => ({ transaction, table: 0, count: transaction }));
  const rest = restOfBatch({ ...batch([1, 2, 3]), cuts }, 2);
  assert.deepEqual(
    countCuts(rest, undefined).map(({ count }) => count),
    [2],
  );
});
