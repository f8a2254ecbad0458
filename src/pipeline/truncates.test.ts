import assert from "node:assert/strict";
import { test } from "node:test";
import { TransactionPiece } from "../core/batch-parts.ts";
import { type ChangeBatch, Op } from "../core/change-batch.ts";
import type { TableSchema } from "../core/schema.ts";
import { settleTruncates } from "./truncates.ts";

const table = { id: { schema: "app", name: "t" } } as TableSchema;

/** As streams make it: what is known of a transaction is made when it is asked for. */
function transaction(start: number, end: number, at: string): TransactionPiece {
  const beginning = {
    get position() {
      return { kind: "test", text: at };
    },
    id: at,
    committedAtMs: 7,
  };
  return new TransactionPiece(beginning, { start, end, begins: true, commits: true, takenBack: false });
}

const batch: ChangeBatch = {
  ...{ bytes: new Uint8Array(), cells: new Int32Array(4), encoding: "text", tables: [table] },
  ops: Int32Array.from([
    Op.truncate,
    0,
    -1,
    -1,
    Op.insert,
    0,
    -1,
    0,
    Op.truncate,
    0,
    -1,
    -1,
    Op.delete,
    0,
    2,
    -1,
  ]),
  transactions: [transaction(0, 2, "1"), transaction(2, 3, "2"), transaction(3, 4, "3")],
};

test("where rows of truncated tables stay, all else of the transactions stays as it is", () => {
  const told: string[] = [];
  const observer = { finding: ({ code }: { readonly code: string }) => told.push(code) };
  const { ops, transactions } = settleTruncates(batch, undefined, { truncates: "keep-rows", observer });
  assert.deepEqual([...ops], [Op.insert, 0, -1, 0, Op.delete, 0, 2, -1]);
  assert.deepEqual(
    transactions.map(({ start, end, begins, commits, position, id, committedAtMs }) => [
      ...[start, end, begins, commits],
      ...[position.text, id, committedAtMs],
    ]),
    [
      [0, 1, true, true, "1", "1", 7],
      [1, 1, true, true, "2", "2", 7],
      [1, 2, true, true, "3", "3", 7],
    ],
  );
  assert.deepEqual(told, ["apply.truncate_passed_over"]);
});

test("a batch is not touched where truncates are carried out, and refused where they may not be", () => {
  const observer = { finding: () => assert.fail() };
  assert.equal(settleTruncates(batch, undefined, { truncates: "carry-out", observer }), batch);
  assert.throws(() => settleTruncates(batch, undefined, { truncates: "refuse", observer }), {
    code: "apply.truncated",
  });
});
