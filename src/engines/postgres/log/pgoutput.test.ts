import assert from "node:assert/strict";
import { test } from "node:test";
import {
  begin,
  column,
  commit,
  decode,
  decoder,
  insert,
  int16,
  int32,
  ops,
  relation,
  row,
  table,
  tag,
  text,
  tuple,
} from "../../../../test/support/pgoutput-messages.ts";
import { OP_WIDTH, Op } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { PgoutputDecoder } from "./pgoutput.ts";

test("every kind of change becomes an op whose cells point into the buffer", () => {
  const batch = decode([
    begin(0x10),
    relation(),
    insert(1, "1", "ü\t", null),
    tag("U", int32(1), Buffer.from("N"), tuple("1", undefined, "")),
    tag(
      "U",
      int32(1),
      Buffer.from("K"),
      tuple("1", null, null),
      Buffer.from("N"),
      tuple("2", undefined, "x"),
    ),
    tag(
      "U",
      int32(1),
      Buffer.from("O"),
      tuple("2", "old", "x"),
      Buffer.from("N"),
      tuple("2", undefined, "y"),
    ),
    tag("D", int32(1), Buffer.from("K"), tuple("2", null, null)),
    tag("D", int32(1), Buffer.from("O"), tuple("3", "a", "b")),
    tag("T", int32(1), Buffer.from([3]), int32(1)),
    commit(),
  ])!;
  assert.deepEqual(ops(batch), [
    [Op.insert, "t", undefined, ["1", "ü\t", null]],
    [Op.update, "t", undefined, ["1", undefined, ""]],
    [Op.update, "t", ["1", null, null], ["2", undefined, "x"]],
    [Op.update, "t", ["2", "old", "x"], ["2", "old", "y"]],
    [Op.delete, "t", ["2", null, null], undefined],
    [Op.delete, "t", ["3", "a", "b"], undefined],
    [Op.truncate, "t", undefined, undefined],
  ]);
  const [transaction, ...others] = batch.transactions;
  const { start, end, position, id, committedAtMs, begins, commits } = transaction!;
  assert.deepEqual({ start, end, begins, commits }, { start: 0, end: 7, begins: true, commits: true });
  assert.deepEqual(position, { kind: "pg-lsn", text: "16/11" });
  assert.deepEqual([id, committedAtMs], ["7", Date.UTC(2000, 0, 1) + 2_000]);
  assert.deepEqual(others, []);
});

test("a big transaction comes in pieces that say so, and later batches stand alone", () => {
  const into = decoder();
  const first = decode([begin(5), commit(), begin(0x10), relation(), insert(1, "1", null, null)], into)!;
  assert.equal(into.inTransaction, true);
  const second = decode([insert(1, "2", null, null)], into)!;
  assert.equal(decode([], into), undefined);
  const third = decode([commit()], into)!;
  const pieces = [first, second, third].map((batch) =>
    batch.transactions.map(({ start, end, begins, commits }) => [start, end, begins, commits]),
  );
  assert.deepEqual(pieces, [
    [
      [0, 0, true, true],
      [0, 1, true, false],
    ],
    [[0, 1, false, false]],
    [[0, 0, false, true]],
  ]);
  assert.equal(second.transactions[0]!.position.text, "16/11");
  assert.deepEqual(row(first, 0), ["1", null, null]);
  assert.equal(into.inTransaction, false);
});

test("transactions at or before the start are skipped, the next one is not", () => {
  const into = decoder([table()], "16/11");
  const batch = decode(
    [
      begin(0x0f),
      relation(),
      insert(1, "1", null, null),
      commit(),
      begin(0x10),
      insert(1, "2", null, null),
      commit(),
      begin(0x11),
      insert(1, "3", null, null),
      commit(),
    ],
    into,
  )!;
  assert.deepEqual(ops(batch), [[Op.insert, "t", undefined, ["3", null, null]]]);
  assert.equal(batch.transactions.length, 1);
});

test("a transaction that has an origin comes with or without its changes, as is asked, and keeps its place", () => {
  const foreign = [
    begin(0x10),
    tag("O", Buffer.alloc(8), text("elsewhere")),
    relation(),
    insert(1, "1", "a", "b"),
  ];
  const messages = [
    ...foreign,
    tag("T", int32(1), Buffer.from([0]), int32(1)),
    commit(),
    begin(0x20),
    insert(1, "2", "c", "d"),
    commit(),
  ];
  for (const [ownOnly, changes] of [
    [true, [0, 1]],
    [false, [2, 1]],
  ] as const) {
    const after = lsnCodec.parse("0/0");
    const batch = decode(
      messages,
      new PgoutputDecoder({ tables: [table()], encoding: "text", after, ownOnly }),
    )!;
    assert.deepEqual(
      batch.transactions.map(({ position, start, end }) => [position.text, end - start]),
      [
        ["16/11", changes[0]],
        ["16/21", changes[1]],
      ],
    );
  }
});

test("tables of others are ignored, and generated columns are not expected", () => {
  const generated = table({
    columns: [column("id"), column("g", { generated: "id || id" }), column("v"), column("w")],
  });
  const batch = decode(
    [
      begin(1),
      relation({ id: 9, name: "other", columns: [["x", 1]] }),
      insert(9, "1"),
      tag("T", int32(2), Buffer.from([0]), int32(9), int32(9)),
      relation(),
      insert(1, "1", "v", "w"),
      tag("O", Buffer.alloc(8), text("origin")),
      tag("Y", int32(5), text("s"), text("mood")),
      tag("M", Buffer.from([1]), Buffer.alloc(8), text("p"), int32(1), Buffer.from("x")),
      commit(),
    ],
    decoder([generated]),
  )!;
  assert.deepEqual(ops(batch, 4), [[Op.insert, "t", undefined, ["1", null, "v", "w"]]]);
});

test("prepared transactions are refused with the reason", () => {
  for (const letter of ["b", "P", "K", "r", "p"]) {
    assert.throws(() => decode([tag(letter, Buffer.alloc(40))]), {
      code: "source.protocol",
      message: /prepared/,
    });
  }
  assert.throws(() => decode([tag("S", Buffer.alloc(5))]), { code: "source.protocol" });
});

test("messages out of order are refused", () => {
  const wrong = [
    [commit()],
    [begin(1), begin(2)],
    [relation(), insert(1, "1", null, null)],
    [begin(1), insert(1, "1", null, null)],
    [begin(1), relation(), insert(1, "1", null)],
    [begin(1), relation(), insert(1, undefined, null, null)],
    [begin(1), relation(), tag("D", int32(1), Buffer.from("N"), tuple("1", null, null))],
    [begin(1), relation(), Buffer.concat([insert(1, "1", null, null), Buffer.from("x")])],
    [Buffer.alloc(0)],
  ];
  for (const messages of wrong) assert.throws(() => decode(messages), { code: "source.protocol" });
});

test("a binary value in a text stream is refused", () => {
  const bad = tag("I", int32(1), Buffer.from("N"), int16(3), Buffer.from("b"), int32(1), Buffer.from("xnn"));
  assert.throws(() => decode([begin(1), relation(), bad]), { code: "source.protocol" });
});

test("no cut or mutation of a message reads beyond it or fails in any other way", () => {
  const valid = [
    relation(),
    insert(1, "1", "value", null),
    tag(
      "U",
      int32(1),
      Buffer.from("K"),
      tuple("1", null, null),
      Buffer.from("N"),
      tuple("2", undefined, "x"),
    ),
    tag("D", int32(1), Buffer.from("O"), tuple("3", "a", "b")),
    tag("T", int32(2), Buffer.from([3]), int32(1), int32(1)),
    begin(9),
    commit(),
  ];
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const attempt = (message: Buffer): void => {
    const into = decoder();
    decode([begin(1), relation()], into);
    try {
      const batch = decode([message], into);
      // What was accepted must lie inside the message.
      for (let i = 0; batch !== undefined && i < batch.cells.length; i += 2) {
        const [start, end] = [batch.cells[i]!, batch.cells[i + 1]!];
        if (start >= 0) assert.ok(start >= 2 && start <= end && end <= 2 + message.length);
      }
    } catch (error) {
      assert.ok(error instanceof MigrationError, String(error));
      assert.ok(error.code === "source.protocol" || error.code === "source.table_changed");
    }
  };
  for (const message of valid) {
    for (let length = 0; length < message.length; length++) attempt(message.subarray(0, length));
    for (let round = 0; round < 3_000; round++) {
      const mutated = Buffer.from(message);
      for (let n = 0; n <= random(3); n++) mutated[random(mutated.length)] = random(256);
      attempt(mutated.subarray(0, 1 + random(mutated.length)));
    }
  }
});

test("a batch outlives the decoder's next ones, however many rows come", () => {
  const into = decoder();
  const first = decode([begin(1), relation(), insert(1, "1", "a", "b")], into)!;
  const many = Array.from({ length: 20_000 }, (_, i) => insert(1, String(i), "x", null));
  const second = decode(many, into)!;
  assert.equal(second.ops.length, 20_000 * OP_WIDTH);
  assert.deepEqual(row(second, second.ops[19_999 * OP_WIDTH + 3]!), ["19999", "x", null]);
  assert.deepEqual(row(first, 0), ["1", "a", "b"]);
});
