import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, type ChangeTransaction, OP_WIDTH, Op } from "../../../core/change-batch.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import type { ApplyGroup } from "./apply-group.ts";
import { ApplyQueue } from "./apply-queue.ts";

const MIB = 1 << 20;
const at = (n: number): Position => ({ kind: "number", text: String(n) });

const numbers: PositionCodec = {
  parse: (text) => at(Number(text)),
  compare: (a, b) => Math.sign(Number(a.text) - Number(b.text)) as -1 | 0 | 1,
};

interface Part {
  readonly position: number;
  readonly ops: number;
  readonly begins?: boolean;
  readonly commits?: boolean;
  readonly takenBack?: boolean;
}

/** A batch of these transactions or pieces of them, that takes about `size` bytes of memory. */
function batchOf(parts: readonly Part[], size = 0): ChangeBatch {
  const count = parts.reduce((sum, part) => sum + part.ops, 0);
  const ops = new Int32Array(OP_WIDTH * count);
  for (let i = 0; i < count; i++) ops.set([Op.insert, 0, -1, 0], OP_WIDTH * i);
  let end = 0;
  const transactions = parts.map(
    ({ position, ops: own, begins = true, commits = true, takenBack = false }): ChangeTransaction => {
      const start = end;
      end += own;
      return {
        start,
        end,
        position: at(position),
        id: String(position),
        committedAtMs: position,
        begins,
        commits,
        takenBack,
      };
    },
  );
  return {
    bytes: new Uint8Array(size),
    cells: new Int32Array(0),
    encoding: "text",
    tables: [],
    ops,
    transactions,
  };
}

function take(queue: ApplyQueue): ApplyGroup {
  const group = queue.take();
  assert.ok(group !== undefined);
  return group;
}

const positionsIn = (group: ApplyGroup): readonly string[] =>
  group.pieces.flatMap(({ batch, from, to }) =>
    batch.transactions
      .slice(from, to)
      .filter(({ start, end }) => end > start)
      .map(({ id }) => id),
  );

test("what has gathered from several batches comes out as one group, in order", () => {
  const queue = new ApplyQueue(undefined, numbers);
  queue.push(
    batchOf([
      { position: 1, ops: 2 },
      { position: 2, ops: 0 },
    ]),
    undefined,
  );
  queue.push(batchOf([{ position: 3, ops: 1 }]), undefined);
  const group = take(queue);
  assert.deepEqual(positionsIn(group), ["1", "3"]);
  assert.deepEqual(group.position, at(3));
  assert.deepEqual(group.committedAtMs, [1, 3]);
  assert.equal(group.ops, 3);
  assert.equal(queue.take(), undefined);
});

test("transactions without changes are a group of their position alone", () => {
  const queue = new ApplyQueue(undefined, numbers);
  queue.push(
    batchOf([
      { position: 4, ops: 0 },
      { position: 5, ops: 0 },
    ]),
    undefined,
  );
  const group = take(queue);
  assert.deepEqual([group.pieces.length, group.position, group.committedAtMs.length], [0, at(5), 0]);
});

test("what the journal holds already is left out, pieces too, and nothing after it", () => {
  const queue = new ApplyQueue(at(10), numbers);
  queue.push(
    batchOf([
      { position: 9, ops: 1 },
      { position: 10, ops: 1, commits: false },
    ]),
    undefined,
  );
  queue.push(
    batchOf([
      { position: 10, ops: 1, begins: false },
      { position: 11, ops: 1 },
      { position: 12, ops: 1 },
    ]),
    undefined,
  );
  assert.deepEqual(positionsIn(take(queue)), ["11", "12"]);
  queue.push(batchOf([{ position: 10, ops: 1 }]), undefined);
  assert.deepEqual(positionsIn(take(queue)), ["10"]);
});

test("a group takes no more transactions once it has enough changes", () => {
  const queue = new ApplyQueue(undefined, numbers);
  queue.push(
    batchOf([
      { position: 1, ops: 30_000 },
      { position: 2, ops: 30_000 },
      { position: 3, ops: 1 },
    ]),
    undefined,
  );
  assert.deepEqual(positionsIn(take(queue)), ["1", "2"]);
  assert.deepEqual(positionsIn(take(queue)), ["3"]);
});

test("a group takes no more transactions once it has enough bytes", () => {
  const queue = new ApplyQueue(undefined, numbers);
  for (let position = 1; position <= 4; position++)
    queue.push(batchOf([{ position, ops: 1 }], 9 * MIB), undefined);
  assert.deepEqual(positionsIn(take(queue)), ["1", "2"]);
  assert.deepEqual(positionsIn(take(queue)), ["3", "4"]);
});

test("a transaction in small pieces is kept back until its end has come", () => {
  const queue = new ApplyQueue(undefined, numbers);
  queue.push(
    batchOf([
      { position: 1, ops: 1 },
      { position: 2, ops: 3, commits: false },
    ]),
    undefined,
  );
  assert.deepEqual(positionsIn(take(queue)), ["1"]);
  assert.equal(queue.take(), undefined);
  queue.push(
    batchOf([
      { position: 2, ops: 2, begins: false },
      { position: 3, ops: 1 },
    ]),
    undefined,
  );
  const group = take(queue);
  assert.deepEqual(positionsIn(group), ["2", "2", "3"]);
  assert.deepEqual(group.committedAtMs, [2, 3]);
});

test("a transaction too large to be kept back comes out in parts of its own", () => {
  const queue = new ApplyQueue(undefined, numbers);
  const piece = (begins: boolean, commits: boolean): ChangeBatch =>
    batchOf([{ position: 2, ops: 5, begins, commits }], 3 * MIB);
  queue.push(batchOf([{ position: 1, ops: 1 }]), undefined);
  queue.push(piece(true, false), undefined);
  queue.push(piece(false, false), undefined);
  queue.push(piece(false, false), undefined);
  const whole = take(queue);
  assert.deepEqual([positionsIn(whole), whole.position], [["1"], at(1)]);
  const first = take(queue);
  assert.deepEqual([positionsIn(first), first.position], [["2", "2", "2"], undefined]);
  assert.equal(queue.take(), undefined);
  queue.push(piece(false, false), undefined);
  assert.equal(take(queue).position, undefined);
  queue.push(
    batchOf([
      { position: 2, ops: 0, begins: false },
      { position: 3, ops: 1 },
    ]),
    undefined,
  );
  const last = take(queue);
  assert.deepEqual([positionsIn(last), last.position, last.committedAtMs], [[], at(2), [2]]);
  assert.deepEqual(positionsIn(take(queue)), ["3"]);
});

test("what the source takes back comes out no more, and what has come out is taken back", () => {
  const queue = new ApplyQueue(undefined, numbers);
  const piece = (part: Partial<Part>, size = 3 * MIB): ChangeBatch =>
    batchOf([{ position: 2, ops: 5, begins: false, commits: false, ...part }], size);
  const takenBack = piece({ ops: 0, takenBack: true }, 0);
  queue.push(piece({ begins: true }), undefined);
  queue.push(takenBack, undefined);
  assert.equal(queue.take(), undefined);
  for (const one of [piece({ begins: true }), piece({})]) queue.push(one, undefined);
  assert.ok(queue.take() === undefined);
  queue.push(piece({}), undefined);
  const part = take(queue);
  assert.deepEqual([part.position, part.ops, queue.take()], [undefined, 15, undefined]);
  queue.push(takenBack, undefined);
  queue.push(batchOf([{ position: 2, ops: 1 }]), undefined);
  const [undo, next] = [take(queue), take(queue)];
  assert.deepEqual([undo.takesBack, undo.position, positionsIn(undo)], [true, undefined, []]);
  assert.deepEqual([next.takesBack, next.position, positionsIn(next)], [false, at(2), ["2"]]);
});

test("it is full above a limit of what waits, and not once that has been taken", () => {
  const queue = new ApplyQueue(undefined, numbers);
  queue.push(batchOf([{ position: 1, ops: 1 }], 10 * MIB), undefined);
  assert.equal(queue.isFull, false);
  queue.push(batchOf([{ position: 2, ops: 1 }], 10 * MIB), undefined);
  assert.equal(queue.isFull, true);
  take(queue);
  assert.equal(queue.isFull, false);
});

test("however much waits, all of it comes out in the end", () => {
  const queue = new ApplyQueue(at(0), numbers);
  const expected: string[] = [];
  for (let position = 1; position <= 60; position++) {
    const pieces = 1 + (position % 4);
    for (let piece = 1; piece <= pieces; piece++) {
      const commits = piece === pieces;
      queue.push(
        batchOf([{ position, ops: 2, begins: piece === 1, commits }], (position % 5) * MIB),
        undefined,
      );
      expected.push(String(position));
    }
  }
  const found: string[] = [];
  let committed = 0;
  for (let group = queue.take(); group !== undefined; group = queue.take()) {
    found.push(...positionsIn(group));
    committed += group.committedAtMs.length;
  }
  assert.deepEqual(found, expected);
  assert.equal(committed, 60);
  assert.equal(queue.isFull, false);
});

test("limits make groups smaller, and cut no transaction", () => {
  const queue = new ApplyQueue(undefined, numbers, { changes: 10 });
  queue.push(batchOf([6, 6, 30, 1].map((ops, i) => ({ position: i + 1, ops }))), undefined);
  const taken = (): number | undefined => queue.take()?.ops;
  assert.deepEqual([taken(), taken(), taken(), taken()], [12, 30, 1, undefined]);
  const small = new ApplyQueue(undefined, numbers, { bytes: MIB });
  small.push(
    batchOf(
      [1, 1, 1].map((ops, i) => ({ position: i + 1, ops })),
      3 * MIB,
    ),
    undefined,
  );
  assert.deepEqual([small.take()?.ops, small.take()?.ops, small.take()?.ops], [1, 1, 1]);
});
