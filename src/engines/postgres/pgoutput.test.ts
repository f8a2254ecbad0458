import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ChangeBatch, OP_WIDTH, Op } from "../../core/change-batch.ts";
import { MigrationError } from "../../core/error.ts";
import type { Column, TableSchema } from "../../core/schema.ts";
import { lsnCodec } from "./lsn.ts";
import { PgoutputDecoder } from "./pgoutput.ts";

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
};
const int16 = (value: number): Buffer => int32(value).subarray(2);
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const tag = (letter: string, ...parts: Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from(letter), ...parts]);

const begin = (low: number, xid = 7): Buffer =>
  tag("B", int32(0x16), int32(low), int32(0), int32(2_000_000), int32(xid));
const commit = (): Buffer => tag("C", Buffer.alloc(25));
type Cell = string | null | undefined;
const tuple = (...cells: Cell[]): Buffer =>
  Buffer.concat([
    int16(cells.length),
    ...cells.map((cell) =>
      cell === null
        ? Buffer.from("n")
        : cell === undefined
          ? Buffer.from("u")
          : tag("t", int32(Buffer.byteLength(cell)), Buffer.from(cell)),
    ),
  ]);
interface RelationOptions {
  readonly id?: number;
  readonly name?: string;
  readonly identity?: string;
  readonly columns?: readonly (readonly [name: string, inKey: number])[];
}
const relation = (options: RelationOptions = {}): Buffer => {
  const { id = 1, name = "t", identity = "d" } = options;
  const columns = options.columns ?? [
    ["id", 1],
    ["v", 0],
    ["w", 0],
  ];
  return tag(
    "R",
    int32(id),
    text("s"),
    text(name),
    Buffer.from(identity),
    int16(columns.length),
    ...columns.map(([column, inKey]) =>
      Buffer.concat([Buffer.from([inKey]), text(column), int32(25), int32(-1)]),
    ),
  );
};
const insert = (id: number, ...cells: Cell[]): Buffer =>
  tag("I", int32(id), Buffer.from("N"), tuple(...cells));

function column(name: string, more: Partial<Column> = {}): Column {
  return { name, nativeType: "text", type: { kind: "string", fixed: false }, nullable: true, ...more };
}

function table(more: Partial<TableSchema> = {}): TableSchema {
  return {
    id: { schema: "s", name: "t" },
    columns: [column("id"), column("v"), column("w")],
    key: [0],
    rowIdentity: "key",
    indexes: [],
    checks: [],
    foreignKeys: [],
    estimatedRows: -1,
    estimatedBytes: -1,
    ...more,
  };
}

function decoder(tables: readonly TableSchema[] = [table()], after = "0/0"): PgoutputDecoder {
  return new PgoutputDecoder({ tables, encoding: "text", after: lsnCodec.parse(after) });
}

function decode(messages: readonly Buffer[], into = decoder()): ChangeBatch | undefined {
  // In one buffer with strange bytes around, as messages lie in a chunk from the socket.
  const bytes = Buffer.concat(messages.flatMap((message) => [Buffer.from("\xff\xff", "latin1"), message]));
  let at = 0;
  for (const message of messages) {
    into.decode(bytes, at + 2, at + 2 + message.length);
    at += 2 + message.length;
  }
  return into.take(bytes);
}

function row(batch: ChangeBatch, index: number, columns = 3): Cell[] | undefined {
  if (index < 0) return undefined;
  return Array.from({ length: columns }, (_, i) => {
    const start = batch.cells[index + 2 * i]!;
    if (start === -1) return null;
    if (start === -2) return undefined;
    return Buffer.from(batch.bytes).toString("utf8", start, batch.cells[index + 2 * i + 1]);
  });
}

function ops(batch: ChangeBatch, columns = 3): unknown[] {
  return Array.from({ length: batch.ops.length / OP_WIDTH }, (_, i) => {
    const [op, index, before, after] = batch.ops.subarray(i * OP_WIDTH) as unknown as number[];
    return [op, batch.tables[index!]!.id.name, row(batch, before!, columns), row(batch, after!, columns)];
  });
}

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

const misfitOf = (messages: Buffer[], into?: PgoutputDecoder): unknown => {
  const batch = decode([begin(1), ...messages, commit()], into)!;
  assert.equal(batch.ops.length, 0);
  return batch.misfits?.map(({ transaction, table: index, error }) => [
    transaction,
    index,
    error.code,
    error.table,
  ]);
};
const misfit = [[0, 0, "source.table_changed", { schema: "s", name: "t" }]];

test("a misfit is told once for each transaction, in the batch that holds it, and names its piece", () => {
  const into = decoder([table(), table({ id: { schema: "s", name: "u" } })]);
  const other = { columns: [["id", 1] as const], id: 2 };
  const first = decode(
    [
      relation(other),
      relation({ id: 3, name: "u" }),
      ...[begin(1), insert(3, "1", "v", "w"), commit()],
      ...[begin(2), insert(2, "1"), insert(3, "2", "v", "w"), insert(2, "2"), commit()],
      ...[begin(3), insert(2, "3")],
    ],
    into,
  )!;
  assert.deepEqual(
    first.misfits?.map(({ transaction, table: index }) => [transaction, index]),
    [
      [1, 0],
      [2, 0],
    ],
  );
  assert.equal(first.ops.length / OP_WIDTH, 2);
  const second = decode([insert(3, "3", "v", "w"), commit()], into)!;
  assert.equal(second.misfits, undefined);
  assert.equal(second.ops.length / OP_WIDTH, 1);
});

describe("changes of a table that is not as it was described are told as misfits:", () => {
  const cases: Record<string, RelationOptions> = {
    "a column more": {
      columns: [
        ["id", 1],
        ["v", 0],
        ["w", 0],
        ["x", 0],
      ],
    },
    "a column less": {
      columns: [
        ["id", 1],
        ["v", 0],
      ],
    },
    "a column renamed": {
      columns: [
        ["id", 1],
        ["v", 0],
        ["W", 0],
      ],
    },
    "columns in another order": {
      columns: [
        ["id", 1],
        ["w", 0],
        ["v", 0],
      ],
    },
    "another key": {
      columns: [
        ["id", 1],
        ["v", 1],
        ["w", 0],
      ],
    },
    "no identity": {
      identity: "n",
      columns: [
        ["id", 0],
        ["v", 0],
        ["w", 0],
      ],
    },
  };
  for (const [name, options] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(misfitOf([relation(options), insert(1, "1")]), misfit);
    });
  }

  test("another type or modifier", () => {
    for (const known of [
      { type: 23, modifier: -1 },
      { type: 25, modifier: 8 },
    ]) {
      const types = new Map([['"s"."t"', new Map([["v", known]])]]);
      const into = new PgoutputDecoder({
        tables: [table()],
        encoding: "text",
        after: lsnCodec.parse("0/0"),
        types,
      });
      assert.deepEqual(misfitOf([relation(), insert(1, "1", "v", "w")], into), misfit);
    }
  });

  test("a key where whole rows were described", () => {
    const full = table({ key: [], rowIdentity: "full" });
    assert.deepEqual(misfitOf([relation(), insert(1, "1", "v", "w")], decoder([full])), misfit);
    assert.ok(
      decode([begin(1), relation({ identity: "f" }), insert(1, "1", null, null), commit()], decoder([full])),
    );
  });
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
