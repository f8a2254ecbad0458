import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeBatch, NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Column, SilentActions, TableSchema } from "../../../core/schema.ts";
import { SilentKeys } from "../../../core/silent-keys.ts";
import { ApplyMode } from "../../../core/target.ts";
import { ApplyGroup } from "./apply-group.ts";
import { type Segment, Segments } from "./apply-segments.ts";

const column = (name: string): Column => ({
  ...{ name, nativeType: "int", nullable: true },
  type: { kind: "int", bits: 32, unsigned: false },
});

/** A table of the columns id and up, which refers to the id of another. */
function table(name: string, to?: string, silent: SilentActions = { onDelete: "cascade" }): TableSchema {
  const key = {
    ...{ name: "up", columns: ["up"], referencedColumns: ["id"], native: "", validated: true, silent },
    references: { schema: "s", name: to ?? "" },
  };
  return {
    ...{ id: { schema: "s", name }, columns: [column("id"), column("up")], key: [0], rowIdentity: "key" },
    ...{ indexes: [], checks: [], estimatedRows: 0, estimatedBytes: 0 },
    foreignKeys: to === undefined ? [] : [key],
  };
}

type Change = readonly [op: Op, table: string, before: string | undefined, after?: string];

/** One transaction; rows are texts of id and up, "." for a cell that was not sent and "-" for NULL. */
function batchOf(tables: readonly TableSchema[], changes: readonly Change[]): ChangeBatch {
  const parts: string[] = [];
  const cells: number[] = [];
  let length = 0;
  const row = (text: string | undefined): number => {
    if (text === undefined) return -1;
    const at = cells.length;
    for (const cell of text) {
      if (cell === "." || cell === "-") cells.push(cell === "." ? UNCHANGED_CELL : NULL_CELL, NULL_CELL);
      else {
        cells.push(length, ++length);
        parts.push(cell);
      }
    }
    return at;
  };
  const ops = changes.flatMap(([op, name, before, after]) => {
    const index = tables.findIndex(({ id }) => id.name === name);
    return [op, index, row(before), row(after)];
  });
  const position = { kind: "number", text: "1" };
  return {
    bytes: Buffer.from(parts.join("")),
    cells: Int32Array.from(cells),
    encoding: "text",
    tables,
    ops: Int32Array.from(ops),
    transactions: [
      { start: 0, end: changes.length, position, id: "1", committedAtMs: 1, begins: true, commits: true },
    ],
  };
}

function segmentsOf(batch: ChangeBatch, modes?: Uint8Array): readonly Segment[] {
  const { tables, transactions } = batch;
  const plans = tables.map((source): TablePlan => ({ source, target: source, loadOrder: 0 }));
  const planOf = (): Int32Array => Int32Array.from(tables, (_, i) => i);
  const segments = new Segments({ plans, keys: new SilentKeys(tables), planOf });
  const group = new ApplyGroup();
  for (const index of transactions.keys()) group.add(batch, modes, index);
  return segments.of(group);
}

/** For each segment its changes, as numbers of the group's ops, and the values of its cascades. */
function shown(tables: readonly TableSchema[], segments: readonly Segment[]): unknown[] {
  return segments.map(({ pieces, cascades }) => [
    pieces.map(({ start, end }) => [start, end]),
    cascades.map(({ plan, columns, rows, gets }) => {
      const values = Array.from({ length: rows.length }, (_, i) => {
        const { bytes, cells } = rows.source(i);
        return columns
          .map((c) => bytes.toString("utf8", cells[rows.row(i) + 2 * c], cells[rows.row(i) + 2 * c + 1]))
          .join();
      });
      return `${tables[plan]!.id.name} ${values.join(" ")}${gets === undefined ? "" : ` gets ${gets.ordinals}`}`;
    }),
  ]);
}

const gone = (name: string, up: string): Change => [Op.deleteReferring, name, `.${up}`];

test("deletes of many rows that others refer to are one segment, with one cascade", () => {
  const tables = [table("a"), table("b", "a"), table("other")];
  const changes: Change[] = [
    [Op.insert, "b", undefined, "19"],
    [Op.delete, "a", "1-"],
    gone("b", "1"),
    [Op.insert, "other", undefined, "1-"],
    [Op.delete, "b", "2-"],
    [Op.delete, "a", "2-"],
    gone("b", "2"),
  ];
  assert.deepEqual(shown(tables, segmentsOf(batchOf(tables, changes))), [[[[0, 7]], ["b 1 2"]]]);
});

test("a row that comes or changes later, where rows may go, comes after them", () => {
  const tables = [table("a"), table("b", "a"), table("c", "b"), table("other")];
  for (const late of [
    [Op.insert, "b", undefined, "51"],
    [Op.update, "c", undefined, "51"],
    [Op.truncate, "c", undefined],
  ] as const) {
    const changes: Change[] = [
      [Op.delete, "a", "1-"],
      gone("b", "1"),
      late,
      [Op.delete, "a", "2-"],
      gone("b", "2"),
    ];
    assert.deepEqual(shown(tables, segmentsOf(batchOf(tables, changes))), [
      [[[0, 2]], ["b 1"]],
      [[[2, 5]], ["b 2"]],
    ]);
  }
});

test("a segment holds no more transactions than it has changes of", () => {
  const tables = [table("a"), table("b", "a")];
  const one: Change[] = [[Op.delete, "a", "1-"], gone("b", "1"), [Op.insert, "b", undefined, "11"]];
  const batch = batchOf(tables, [...one, ...one, ...one]);
  const transactions = [0, 3, 6].map((start) => ({ ...batch.transactions[0]!, start, end: start + 3 }));
  const segments = segmentsOf({ ...batch, transactions });
  const parts = segments.map(({ pieces }) =>
    pieces.map(({ from, to, start, end }) => [from, to, start, end]),
  );
  assert.deepEqual(parts, [[[0, 1, 0, 2]], [[0, 2, 2, 5]], [[1, 3, 5, 8]], [[2, 3, 8, 9]]]);
});

test("where rows may lose what they refer to, or have no key, later deletes come after that, too", () => {
  const deletes: Change[] = [[Op.delete, "a", "1-"], gone("b", "1"), [Op.delete, "c", "5-"]];
  const nulls = [table("a"), table("b", "a"), table("c", "b", { onDelete: "set-null" })];
  assert.equal(segmentsOf(batchOf(nulls, deletes)).length, 2);
  const keyless = [
    table("a"),
    table("b", "a"),
    { ...table("c", "b"), key: [], rowIdentity: "full" as const },
  ];
  assert.equal(segmentsOf(batchOf(keyless, deletes)).length, 2);
  const cascade = [table("a"), table("b", "a"), table("c", "b")];
  assert.equal(segmentsOf(batchOf(cascade, deletes)).length, 1);
});

test("rows that get NULL are taken together, those that get values stay apart and in order", () => {
  const tables = [table("a"), table("b", "a", { onDelete: "set-null", onUpdate: "cascade" })];
  const changes: Change[] = [
    [Op.updateReferring, "b", ".1", ".-"],
    [Op.updateReferring, "b", ".2", ".-"],
    [Op.updateReferring, "b", ".3", ".4"],
    [Op.updateReferring, "b", ".4", ".5"],
    [Op.updateReferring, "b", ".5", ".-"],
  ];
  const expected = ["b 1 2 gets 1", "b 3 gets 1", "b 4 gets 1", "b 5 gets 1"];
  assert.deepEqual(shown(tables, segmentsOf(batchOf(tables, changes))), [[[[0, 5]], expected]]);
});

test("what is skipped neither acts nor waits, and without such keys nothing is cut", () => {
  const tables = [table("a"), table("b", "a")];
  const changes: Change[] = [[Op.delete, "a", "1-"], gone("b", "1"), [Op.insert, "b", undefined, "11"]];
  const modes = Uint8Array.of(ApplyMode.exact, ApplyMode.skip);
  assert.deepEqual(shown(tables, segmentsOf(batchOf(tables, changes), modes)), [[[[0, 3]], []]]);
  const plain = [table("a"), table("b")];
  assert.deepEqual(shown(plain, segmentsOf(batchOf(plain, [changes[0]!, changes[2]!]))), [
    [[[undefined, undefined]], []],
  ]);
});

test("rows go in their order around those that get NULL where one shows in what the other finds", () => {
  const twice = (shared: boolean): TableSchema => {
    const b = table("b", "a", { onDelete: "set-null" });
    const [up] = b.foreignKeys;
    const own = { ...up!, columns: [shared ? "up" : "id"], references: { schema: "s", name: "c" } };
    return { ...b, foreignKeys: [up!, { ...own, silent: { onDelete: "cascade" } }] };
  };
  const goes = (shared: boolean, value: string): Change => [
    Op.deleteReferring,
    "b",
    shared ? `.${value}` : `${value}.`,
  ];
  for (const shared of [false, true]) {
    const tables = [table("a"), twice(shared), table("c")];
    const changes: Change[] = [
      goes(shared, "1"),
      [Op.updateReferring, "b", ".2", ".-"],
      goes(shared, "2"),
      [Op.updateReferring, "b", ".3", ".-"],
    ];
    const apart = ["b 1", "b 2 gets 1", "b 2", "b 3 gets 1"];
    const together = ["b 1 2", "b 2 3 gets 1"];
    assert.deepEqual(shown(tables, segmentsOf(batchOf(tables, changes))), [
      [[[0, 4]], shared ? apart : together],
    ]);
  }
});

test("what happens to rows leaves those alone that show a later moment", () => {
  const tables = [table("a"), table("b", "a"), table("c", "b")];
  const changes = [gone("b", "1"), gone("b", "2")];
  const modes = Uint8Array.of(ApplyMode.exact, ApplyMode.exact, ApplyMode.skip);
  const [segment] = segmentsOf(batchOf(tables, changes), modes);
  assert.deepEqual(
    segment!.cascades.map(({ untouched }) => [...untouched!]),
    [[2], [2]],
  );
  const [whole] = segmentsOf(batchOf(tables, changes));
  assert.deepEqual(
    whole!.cascades.map(({ untouched }) => untouched),
    [undefined],
  );
});
