import assert from "node:assert/strict";
import { test } from "node:test";
import { type Row, rowBytes } from "../../../../test/support/row-bytes.ts";
import { NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { RowBytes } from "./key-index.ts";
import { type FoldOptions, Net, NetChanges } from "./net-changes.ts";

const keyed: FoldOptions = { columns: 3, key: [0], movesKeys: true };

/** Folds changes whose rows each lie in a source of their own. */
class Folding {
  readonly sources: RowBytes[] = [];
  readonly net: NetChanges;
  readonly #columns: number;

  constructor(options: FoldOptions = keyed) {
    this.#columns = options.columns;
    this.net = new NetChanges(options, this.sources);
  }

  add(op: Op, before: Row | undefined, after: Row | undefined): this {
    const rows = [before, after].filter((row) => row !== undefined);
    const source = this.sources.push(rowBytes(rows)) - 1;
    const second = before === undefined ? 0 : 2 * this.#columns;
    this.net.add(op, source, before === undefined ? -1 : 0, after === undefined ? -1 : second);
    return this;
  }

  insert(...after: Row): this {
    return this.add(Op.insert, undefined, after);
  }

  update(...after: Row): this {
    return this.add(Op.update, undefined, after);
  }

  move(key: string, ...after: Row): this {
    return this.add(Op.update, [key, null, null], after);
  }

  delete(key: string): this {
    return this.add(Op.delete, [key, null, null], undefined);
  }

  key(entry: number): string {
    return this.#row(this.net.keySource(entry), this.net.keyRow(entry))[0]!;
  }

  /** Net effects that are something, by key. */
  get effects(): Readonly<Record<string, readonly [Net, ...Row]>> {
    const found: Record<string, readonly [Net, ...Row]> = {};
    for (let entry = 0; entry < this.net.size; entry++) {
      const net = this.net.net(entry);
      const hasRow = net === Net.insert || net === Net.update || net === Net.replace;
      const row = hasRow ? this.#row(this.net.source(entry), this.net.row(entry)) : [];
      if (net === Net.update)
        assert.deepEqual(
          this.#shapeOf(entry),
          row.map((cell) => (cell === undefined ? 1 : 0)),
        );
      found[this.key(entry)] = [net, ...row];
    }
    return found;
  }

  #shapeOf(entry: number): readonly number[] {
    return [...this.net.shapes[this.net.shape(entry)]!];
  }

  #row(source: number, row: number): Row {
    const { bytes, cells } = this.sources[source]!;
    return Array.from({ length: this.#columns }, (_, i) => {
      const start = cells[row + 2 * i]!;
      if (start === UNCHANGED_CELL) return undefined;
      return start === NULL_CELL ? null : bytes.toString("utf8", start, cells[row + 2 * i + 1]);
    });
  }
}

test("what happens to a row comes to one effect", () => {
  const folding = new Folding()
    .insert("inserted", "1", "a")
    .update("updated", "1", "a")
    .delete("deleted")
    .insert("insert+update", "1", "a")
    .update("insert+update", "2", "b")
    .insert("insert+delete", "1", "a")
    .delete("insert+delete")
    .update("update+update", "1", "a")
    .update("update+update", "2", "b")
    .update("update+delete", "1", "a")
    .delete("update+delete")
    .delete("delete+insert")
    .insert("delete+insert", "3", "c")
    .update("delete+insert", "4", "d")
    .delete("delete+insert+delete")
    .insert("delete+insert+delete", "1", "a")
    .delete("delete+insert+delete")
    .insert("again", "1", "a")
    .delete("again")
    .insert("again", "2", null);
  assert.equal(folding.net.failed, false);
  assert.deepEqual(folding.effects, {
    inserted: [Net.insert, "inserted", "1", "a"],
    updated: [Net.update, "updated", "1", "a"],
    deleted: [Net.delete],
    "insert+update": [Net.insert, "insert+update", "2", "b"],
    "insert+delete": [Net.nothing],
    "update+update": [Net.update, "update+update", "2", "b"],
    "update+delete": [Net.delete],
    "delete+insert": [Net.replace, "delete+insert", "4", "d"],
    "delete+insert+delete": [Net.delete],
    again: [Net.insert, "again", "2", null],
  });
  assert.deepEqual(folding.net.counts, { inserts: 7, updates: 6, deletes: 7 });
});

test("values that were not sent are those of the change before, across batches", () => {
  const folding = new Folding()
    .insert("a", "1", "big")
    .update("a", "2", undefined)
    .update("b", "1", "big")
    .update("b", null, undefined)
    .update("c", "1", undefined)
    .update("c", undefined, "")
    .update("d", undefined, "x")
    .update("d", undefined, "y")
    .update("e", "1", undefined)
    .update("e", "2", "z");
  assert.equal(folding.net.failed, false);
  assert.deepEqual(folding.effects, {
    a: [Net.insert, "a", "2", "big"],
    b: [Net.update, "b", null, "big"],
    c: [Net.update, "c", "1", ""],
    d: [Net.update, "d", undefined, "y"],
    e: [Net.update, "e", "2", "z"],
  });
});

test("a row that moves leaves one key and comes under another, with all its values", () => {
  const folding = new Folding()
    .move("a", "b", "1", "x")
    .insert("c", "2", "big")
    .move("c", "d", "3", undefined)
    .move("e", "e", "4", "same key")
    .move("f", "temp", "5", "")
    .move("g", "f", "6", "")
    .move("temp", "g", "5", "");
  assert.equal(folding.net.failed, false);
  assert.deepEqual(folding.effects, {
    a: [Net.delete],
    b: [Net.insert, "b", "1", "x"],
    c: [Net.nothing],
    d: [Net.insert, "d", "3", "big"],
    e: [Net.update, "e", "4", "same key"],
    f: [Net.replace, "f", "6", ""],
    temp: [Net.nothing],
    g: [Net.replace, "g", "5", ""],
  });
});

test("changes that do not fit what came before, or lack a value, do not fold", () => {
  const odd: readonly ((folding: Folding) => Folding)[] = [
    (f) => f.insert("a", "", "").insert("a", "", ""),
    (f) => f.update("a", "", "").insert("a", "", ""),
    (f) => f.delete("a").delete("a"),
    (f) => f.delete("a").update("a", "", ""),
    (f) => f.delete("a").insert("a", "", "").insert("a", "", ""),
    (f) => f.insert("a", "", "").delete("a").update("a", "", ""),
    (f) => f.insert("a", "", "").delete("a").delete("a"),
    (f) => f.move("a", "b", "", "").update("a", "", ""),
    (f) => f.move("a", "b", "", "").move("a", "c", "", ""),
    (f) => f.insert("b", "", "").move("a", "b", "", ""),
    (f) => f.move("a", "b", "", undefined),
    (f) => f.update("a", undefined, "").move("a", "b", "", undefined),
    (f) => f.add(Op.truncate, undefined, undefined),
    (f) => f.insert(null, "", ""),
    (f) => f.update(undefined, "", ""),
  ];
  for (const [i, changes] of odd.entries())
    assert.equal(changes(new Folding()).net.failed, true, `case ${i}`);
});

test("where a moved key may not be a delete and an insert, it does not fold", () => {
  const folding = new Folding({ ...keyed, movesKeys: false });
  assert.equal(folding.move("a", "a", "1", "").net.failed, false);
  assert.equal(folding.move("a", "b", "1", "").net.failed, true);
});

test("without a key only inserts fold, each a row of its own", () => {
  const folding = new Folding({ columns: 3, key: [], movesKeys: true });
  for (let i = 0; i < 1_000; i++) folding.insert("same", null, "same");
  assert.equal(folding.net.failed, false);
  assert.equal(folding.net.size, 1_000);
  for (let entry = 0; entry < 1_000; entry++) assert.equal(folding.net.net(entry), Net.insert);
  assert.equal(folding.add(Op.delete, ["same", null, "same"], undefined).net.failed, true);
});

test("a table with rows of too many shapes does not fold", () => {
  const columns = 6;
  const folding = new Folding({ columns, key: [0], movesKeys: true });
  const update = (i: number): Folding =>
    folding.update(
      `${i}`,
      ...Array.from({ length: columns - 1 }, (_, at) => ((i >> at) & 1 ? undefined : "v")),
    );
  for (let i = 0; i < 16; i++) assert.equal(update(i).net.failed, false);
  assert.equal(update(16).net.failed, true);
});

/** Numbers from 0 up to `limit`, the same in each run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

type Table = Map<string, Row>;

/** Does to a table what one change after another does, and folds it as the stream would send it. */
function changeAtRandom(
  table: Table,
  folding: Folding,
  random: (limit: number) => number,
  value: string,
): void {
  const key = `k${random(8)}`;
  const row = table.get(key);
  const next: Row = [key, value, random(3) === 0 ? null : `${value} big`];
  if (row === undefined) {
    table.set(key, next);
    folding.insert(...next);
    return;
  }
  const big = random(2) === 0 ? undefined : next[2];
  const kept = big === undefined ? row[2] : big;
  const other = `k${random(8)}`;
  switch (random(4)) {
    case 0:
      table.delete(key);
      folding.delete(key);
      break;
    case 1:
      if (table.has(other)) return;
      table.delete(key);
      table.set(other, [other, value, kept]);
      folding.move(key, other, value, big);
      break;
    default:
      table.set(key, [key, value, kept]);
      folding.update(key, value, big);
  }
}

/** As the target applies them: what goes, then updates, then what comes. */
function applyEffects(table: Table, folding: Folding): void {
  const effects = Object.entries(folding.effects);
  for (const [key, [net]] of effects) {
    if (net === Net.delete || net === Net.replace) assert.ok(table.delete(key), key);
    else if (net !== Net.update) assert.ok(!table.has(key), key);
  }
  for (const [key, [net, ...row]] of effects) {
    if (net !== Net.update) continue;
    const old = table.get(key);
    assert.ok(old !== undefined);
    table.set(
      key,
      row.map((cell, i) => (cell === undefined ? old[i]! : cell)),
    );
  }
  for (const [key, [net, ...row]] of effects) {
    if (net !== Net.insert && net !== Net.replace) continue;
    assert.ok(!table.has(key), key);
    table.set(key, row);
  }
}

test("the net effect of random changes is what they come to one by one", () => {
  let folded = 0;
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = randomNumbers(seed);
    const table: Table = new Map();
    for (let i = 0; i < 4; i++) table.set(`k${i}`, [`k${i}`, "old", "old big"]);
    const target: Table = new Map(table);
    const folding = new Folding();
    const length = 1 + random(20);
    for (let i = 0; i < length; i++) changeAtRandom(table, folding, random, `${seed}.${i}`);
    if (folding.net.failed) continue;
    folded++;
    applyEffects(target, folding);
    assert.deepEqual([...target].sort(), [...table].sort(), `seed ${seed}`);
  }
  // Only rows that move before all their values are known do not fold.
  assert.ok(folded > 1_500, `${folded} folded`);
});
