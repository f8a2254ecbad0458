import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  begin,
  type Cell,
  column,
  commit,
  decode,
  decoder,
  insert,
  int32,
  ops,
  type RelationOptions,
  relation,
  table,
  tag,
  tuple,
} from "../../../../test/support/pgoutput-messages.ts";
import { OP_WIDTH, Op } from "../../../core/change-batch.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { PgoutputDecoder } from "./pgoutput.ts";

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

/** Columns of a relation; the first is its key. */
const keyed = (...names: readonly string[]): NonNullable<RelationOptions["columns"]> =>
  names.map((name, i) => [name, i === 0 ? 1 : 0]);

test("a change from before a column was there holds what its rows show in it", () => {
  const [w, x] = [column("w", { later: { value: "né" } }), column("x", { later: { value: null } })];
  const into = new PgoutputDecoder({
    tables: [table({ columns: [column("id"), column("v"), w, x] })],
    encoding: "text",
    after: lsnCodec.parse("0/0"),
    laterValues: new Map([['"s"."t"', new Map([["w", Buffer.from("né")]])]]),
  });
  const whole = (kind: string, ...cells: Cell[]): Buffer => tag(kind, tuple(...cells));
  const before = relation({ identity: "f", columns: keyed("id", "v") });
  const messages = [
    ...[begin(1), before, insert(1, "1", "a"), insert(1, "2", null)],
    tag("U", int32(1), whole("O", "1", "a"), whole("N", "1", undefined)),
    tag("D", int32(1), whole("O", "2", null)),
    relation({ identity: "f", columns: keyed("id", "v", "w", "x") }),
    ...[insert(1, "3", "c", null, "y"), commit()],
  ];
  assert.deepEqual(ops(decode(messages, into)!, 4), [
    [Op.insert, "t", undefined, ["1", "a", "né", null]],
    [Op.insert, "t", undefined, ["2", null, "né", null]],
    [Op.update, "t", ["1", "a", "né", null], ["1", "a", "né", null]],
    [Op.delete, "t", ["2", null, "né", null], undefined],
    [Op.insert, "t", undefined, ["3", "c", null, "y"]],
  ]);
  const again = decode([begin(2), before, insert(1, "4", "d"), commit()], into)!;
  assert.deepEqual(ops(again, 4), [[Op.insert, "t", undefined, ["4", "d", "né", null]]]);
});

test("generated columns that are sent are taken where the task has them as ordinary ones", () => {
  const columns = [
    column("id"),
    column("g", { generated: "id || id" }),
    column("v", { sends: true }),
    column("w"),
  ];
  for (const names of [
    ["id", "g", "v", "w"],
    ["id", "v", "w"],
  ]) {
    const into = decoder([table({ columns })]);
    const cells = names.map((name) => `${name}1`);
    const messages = [begin(1), relation({ columns: keyed(...names) }), insert(1, ...cells), commit()];
    assert.deepEqual(ops(decode(messages, into)!, 4), [
      [Op.insert, "t", undefined, ["id1", null, "v1", "w1"]],
    ]);
  }
});

test("columns behind those that are known are passed over where the task leaves them out", () => {
  const into = decoder([table({ leavesOut: true })]);
  const long = relation({ columns: keyed("id", "v", "w", "x", "y") });
  const rows = [insert(1, "1", "a", "b", "x", null), insert(1, "2", "c", "d", null, "y")];
  assert.deepEqual(ops(decode([begin(1), long, ...rows, commit()], into)!), [
    [Op.insert, "t", undefined, ["1", "a", "b"]],
    [Op.insert, "t", undefined, ["2", "c", "d"]],
  ]);
  const other = relation({ columns: [...keyed("id", "v", "w"), ["x", 1]] });
  const narrow = decoder([table({ leavesOut: true })]);
  assert.deepEqual(misfitOf([other, insert(1, "1", "a", "b", "x")], narrow), misfit);
});
