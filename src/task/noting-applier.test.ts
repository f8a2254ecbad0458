import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, Op } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { NotingApplier } from "./noting-applier.ts";

/** Transactions of one insert each, of which the last may go on in the next batch. */
function batch(texts: readonly string[], lastCommits = true): ChangeBatch {
  return {
    ...{ encoding: "text", bytes: new Uint8Array(), cells: new Int32Array(), tables: [] },
    ops: Int32Array.from(texts.flatMap(() => [Op.insert, 0, -1, -1])),
    transactions: texts.map((text, i) => ({
      ...{ position: { kind: "test", text }, id: text, committedAtMs: 1000 + i },
      ...{ start: i, end: i + 1, begins: true, commits: lastCommits || i < texts.length - 1 },
    })),
  };
}

const text = ({ text: place }: Position): string => place;

test("a position is shown at once, and durable when it is recorded: the last of many, in order", async () => {
  const saved: string[] = [];
  const told: string[] = [];
  await using applier = new NotingApplier(async (position) => {
    saved.push(text(position));
  });
  applier.onApplied = ({ position, committedAtMs, tables }) =>
    told.push(`applied ${text(position)} ${committedAtMs} ${tables.size}`);
  applier.onDurable = (position) => told.push(`durable ${text(position)}`);
  await applier.apply(batch(["1", "2"]));
  await applier.apply(batch(["3", "4"], false));
  assert.deepEqual([saved, told], [[], ["applied 2 1000,1001 0", "applied 3 1000 0"]]);
  await applier.flush();
  assert.deepEqual([saved, told.slice(2)], [["3"], ["durable 3"]]);
  // Nothing more of what has not committed, and nothing twice.
  await applier.flush();
  assert.deepEqual(saved, ["3"]);
  await applier.apply(batch(["4"]));
  await applier.flush();
  assert.deepEqual([saved, told.at(-1)], [["3", "4"], "durable 4"]);
});

test("a position is recorded without being asked for, and a failure to is told and thrown from then on", async () => {
  const failed = Promise.withResolvers<unknown>();
  const error = new Error("no journal");
  await using applier = new NotingApplier(async () => {
    throw error;
  });
  applier.onFailure = failed.resolve;
  await applier.apply(batch(["1"]));
  assert.equal(await failed.promise, error);
  await assert.rejects(applier.apply(batch(["2"])), error);
  await assert.rejects(applier.flush(), error);
});
