import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ColumnShape,
  isSameDefinition,
  isSameShape,
  shapeChange,
  type TableShape,
  unfollowable,
  withKnownNumbers,
} from "./table-shape.ts";

function column(number: number, more: Partial<ColumnShape> = {}): ColumnShape {
  return { number, name: `c${number}`, type: "23 -1", version: "700", computed: null, fill: null, ...more };
}

function shape(columns: readonly ColumnShape[], more: Partial<TableShape> = {}): TableShape {
  const columnsEver = Math.max(...columns.map(({ number }) => number));
  return { table: "16384", storage: "16384", columnsEver, columns, ...more };
}

const known = shape([column(1), column(2)]);

function outcome(now: TableShape, before = known): string {
  const change = shapeChange(before, now);
  if (change.kind === "added") return `added ${change.columns.map(({ name }) => name).join(" ")}`;
  return change.kind === "other" ? change.how : change.kind;
}

test("a table is what it was when only its rows were written anew, or only its columns were touched", () => {
  assert.equal(outcome(known), "none");
  assert.equal(outcome(shape(known.columns, { storage: "2" })), "none");
  assert.equal(outcome(shape([column(1), column(2, { version: "701" })])), "none");
  assert.ok(isSameShape(known, shape([column(1), column(2)])));
  assert.ok(!isSameShape(known, shape(known.columns, { storage: "2" })));
  assert.ok(!isSameShape(known, shape([column(1), column(2, { version: "701" })])));
  assert.ok(isSameDefinition(known, shape(known.columns, { storage: "2" })));
  assert.ok(!isSameDefinition(known, shape([column(1), column(2, { version: "701" })])));
});

test("a column whose values only its rows tell cannot be added", () => {
  const varying = column(3, { varies: true });
  assert.equal(
    outcome(shape([...known.columns, varying])),
    "got the column c3, with a value that only its rows tell",
  );
  assert.equal(outcome(shape([...known.columns, varying]), shape([...known.columns, varying])), "none");
  assert.equal(outcome(shape([column(1), column(2, { varies: true })])), "none");
});

test("columns behind all that there were are additions", () => {
  assert.equal(outcome(shape([column(1), column(2), column(3), column(4)])), "added c3 c4");
});

test("whatever may have changed rows without the stream telling is something else", () => {
  const cases: readonly [TableShape, string][] = [
    [shape(known.columns, { table: "2" }), "is another one of the same name"],
    [shape([column(1)], { columnsEver: 2 }), "lost its column c2"],
    [shape([column(1), column(3, { name: "c2" })]), "lost its column c2"],
    [shape([column(1), column(2, { name: "b" })]), "calls its column c2 b now"],
    [shape([column(1, { name: "c2" }), column(2, { name: "c1" })]), "calls its column c1 c2 now"],
    [shape([column(1), column(2, { type: "20 -1" })]), "has another type in its column c2"],
    [shape([column(1), column(2, { computed: "x" })]), "computes its column c2 in another way"],
    [
      shape([column(1), column(2, { version: "701" })], { storage: "2" }),
      "was written anew and had its column c2 changed",
    ],
    [shape([column(1), column(2), column(4)]), "got columns that are gone again"],
    [shape(known.columns, { columnsEver: 3 }), "got columns that are gone again"],
    [
      shape([column(1), column(2), column(3)], { storage: "2" }),
      "got the column c3, and all its rows were written anew",
    ],
  ];
  for (const [now, how] of cases) assert.equal(outcome(now), how);
});

test("what becomes of a column that is left out does not matter, but those behind it are told", () => {
  const before = shape([column(1), column(2, { since: "left-out" })]);
  assert.equal(outcome(shape([column(1)], { columnsEver: 2 }), before), "none");
  assert.equal(outcome(shape([column(1), column(2, { type: "20 -1" }), column(3)]), before), "added c3");
});

test("a table is followed through a statement whose effect on values its columns tell", () => {
  const plain = { rewritten: false, plain: true };
  const renamed = shape([column(1, { name: "other" }), column(3, { fill: "x" })]);
  assert.equal(unfollowable(known, { shape: renamed, ...plain }), undefined);
  const typed = shape([column(1), column(2, { type: "25 -1" })]);
  assert.equal(unfollowable(known, { shape: typed, rewritten: true, plain: true }), undefined);
  assert.equal(unfollowable(known, { shape: typed, rewritten: false, plain: false }), undefined);
});

test("a table is not followed to another type that a statement without a note may have given it", () => {
  const typed = shape([column(1), column(2, { type: "25 -1" })], { storage: "2" });
  const told = unfollowable(known, { shape: typed, rewritten: false, plain: true });
  assert.match(told!, /another type in its column c2, and its rows were written anew before/);
  const renamed = shape([column(1), column(2, { name: "b" })], { storage: "2" });
  assert.equal(unfollowable(known, { shape: renamed, rewritten: false, plain: true }), undefined);
});

test("a table is not followed through a statement that may have computed values", () => {
  const computing = { rewritten: true, plain: false };
  const typed = shape([column(1), column(2, { type: "25 -1" })]);
  assert.match(unfollowable(known, { shape: typed, ...computing })!, /type in its column c2/);
  assert.match(unfollowable(known, { shape: known, ...computing })!, /written anew/);
  const computed = shape([column(1), column(2, { computed: "md5" })]);
  assert.match(unfollowable(known, { shape: computed, rewritten: false, plain: true })!, /computes/);
});

test("columns that a source gives no numbers keep those that they are known by, and later ones get higher ones", () => {
  const before = shape([column(1), column(5), column(3)], { columnsEver: 7 });
  const now = shape([column(1), column(2), column(3), column(4)], { unnumbered: true });
  const numbered = withKnownNumbers(now, before);
  assert.deepEqual(
    numbered.columns.map(({ number }) => number),
    [1, 5, 3, 8],
  );
  assert.equal(numbered.columnsEver, 8);
  const fewer = withKnownNumbers(shape([column(1)], { unnumbered: true }), before);
  assert.deepEqual([fewer.columns.length, fewer.columnsEver], [1, 7]);
  assert.equal(outcome(fewer, before), "lost its column c5");
  const own = shape([column(1), column(2)]);
  assert.equal(withKnownNumbers(own, before), own);
});
